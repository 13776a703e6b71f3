//! What the model loses without each head: a true run with its output set to zero, one head after the other.

use super::scores::{COPY_LENGTH, SEED};
use super::{Finding, LossText, StudyJob, Work, head_at, run, without};
use crate::insight::loss::{mean, token_losses};
use crate::lab::session::Open;
use crate::lab::trace;
use crate::model::tweak::HeadRef;
use crate::model::{Capture, Error, Interventions, LogitsWanted, Result};
use crate::train::eval::RepeatPrompts;

/// The losses so far.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadEffect {
    /// On which text.
    pub text: LossText,
    /// Tokens whose loss is averaged.
    pub n_tokens: usize,
    /// Heads per layer.
    pub n_heads: usize,
    /// The loss of the unchanged model, in nats per token.
    pub base: f64,
    /// The loss without each head, `[n_layers, n_heads]`; `None` while it is not known.
    pub losses: Vec<Option<f64>>,
}

impl HeadEffect {
    /// How much the loss rises without a head, in nats per token: L(head silenced) − L.
    pub fn rise(&self, head: HeadRef) -> Option<f64> {
        let inside = head.head < self.n_heads;
        let loss = self.losses.get(head.layer * self.n_heads + head.head).copied().flatten();
        loss.filter(|_| inside).map(|loss| loss - self.base)
    }
}

/// The work.
pub struct EffectWork {
    text: Text,
    n_heads: usize,
    base: Option<f64>,
    losses: Vec<Option<f64>>,
    done: usize,
}

enum Text {
    Repeats(RepeatPrompts),
    Prompt(Vec<u32>),
}

impl EffectWork {
    /// Draws or cuts the text.
    pub fn new(open: &Open, job: &StudyJob) -> Result<Self> {
        let config = open.engine.config();
        let text = match job.text {
            LossText::Repeats => Text::Repeats(RepeatPrompts::draw(&open.tokenizer, config, SEED, 1, COPY_LENGTH)),
            LossText::Prompt => Text::Prompt(trace::tokens(open, &job.sequence)?.all),
        };
        if matches!(&text, Text::Prompt(tokens) if tokens.len() < 2) {
            let sentence = "The prompt has no token to predict: type at least two tokens, or choose repeated tokens.";
            return Err(Error::Text(sentence.into()));
        }
        let n = config.n_layers * config.n_heads;
        Ok(Self { text, n_heads: config.n_heads, base: None, losses: vec![None; n], done: 0 })
    }

    fn loss(&self, open: &mut Open, changed: &Interventions) -> Result<f64> {
        let nothing = Capture::none();
        let loss = match &self.text {
            Text::Repeats(drawn) => drawn.run(open.engine.as_mut(), 0, &nothing, changed)?.1.map(|loss| loss.later),
            Text::Prompt(tokens) => {
                let output = run(open, tokens, &nothing, changed, LogitsWanted::All)?;
                mean(&token_losses(&output.logits, open.engine.config().d_vocab, tokens))
            }
        };
        loss.ok_or_else(|| Error::Text("This model's context is too short for tokens that repeat.".into()))
    }
}

impl Work for EffectWork {
    fn step(&mut self, open: &mut Open) -> Result<()> {
        if self.base.is_none() {
            self.base = Some(self.loss(open, &Interventions::none())?);
        } else {
            let changed = without(open, &[head_at(self.done, self.n_heads)])?;
            self.losses[self.done] = Some(self.loss(open, &changed)?);
            self.done += 1;
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, self.losses.len())
    }

    fn finding(&self) -> Option<Finding> {
        let (text, n_tokens) = match &self.text {
            // The first token of the second copy is left out.
            Text::Repeats(drawn) => (LossText::Repeats, drawn.copy_length.saturating_sub(1)),
            Text::Prompt(tokens) => (LossText::Prompt, tokens.len() - 1),
        };
        let (losses, n_heads) = (self.losses.clone(), self.n_heads);
        Some(Finding::Effect(HeadEffect { text, n_tokens, n_heads, base: self.base?, losses }))
    }
}
