//! What heads look at, and what the model loses without the one that copies.

use serde::{Deserialize, Serialize};

use super::run::run;
use super::words::whole_words;
use super::{Options, Subject};
use crate::engine::Engine;
use crate::engine::tokenizer::Tokenizer;
use crate::insight::heads::{HeadKind, HeadMap, HeadMaps, RepeatLoss, repeated_random};
use crate::insight::loss::{mean, token_losses};
use crate::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile};
use crate::model::{Capture, Error, Interventions, LogitsWanted, ModelConfig, Result, Site, Trace};

/// Copies of the random tokens in a prompt.
const REPEATS: usize = 2;
/// Scores this close are those of one head as much as of the other: the draws of a few prompts move them so far.
const TIED: f32 = 0.05;
/// Heads of a kind that are silenced, each alone: the best, and those tied with it.
const SILENCED: usize = 3;

/// What the heads of a model do on random tokens that repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Heads {
    /// Tokens in one of the two copies; fewer than asked for where the context is short.
    pub copy_length: usize,
    /// Tokens from which they were drawn.
    pub n_allowed: usize,
    /// The scores, one map per kind.
    pub kinds: Vec<KindScores>,
    /// Losses on the copies.
    pub repeats: Repeats,
}

/// The scores of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KindScores {
    /// Which.
    pub kind: HeadKind,
    /// The mean scores of all heads.
    pub map: HeadMap,
}

/// Losses on random tokens that repeat, in nats per token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// Of the model as it is.
    pub plain: RepeatLoss,
    /// With single heads silenced.
    pub without: Vec<Ablated>,
}

/// What silencing a head does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ablated {
    /// Why this head: it is the best of this kind, or tied with it.
    pub kind: HeadKind,
    /// The head.
    pub head: HeadRef,
    /// The losses without it.
    pub loss: RepeatLoss,
}

impl Heads {
    /// The scores of a kind, where the prompts had places for it.
    pub fn map(&self, kind: HeadKind) -> Option<&HeadMap> {
        self.kinds.iter().find(|k| k.kind == kind).map(|k| &k.map)
    }

    /// What silencing the best head of a kind does, alone.
    pub fn without(&self, kind: HeadKind) -> Option<&Ablated> {
        self.repeats.without.iter().find(|a| a.kind == kind)
    }
}

/// Random prompts on which copying shows: each a begin token where the model wants one, and two equal copies of random
/// tokens. For any model and any vocabulary; the app's head maps and the figures of `models/README.md` come from it.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatPrompts {
    /// The tokens of each prompt.
    pub prompts: Vec<Vec<u32>>,
    /// Tokens before the first copy.
    pub n_begin: usize,
    /// Tokens in one of the two copies; fewer than asked for where the context is short.
    pub copy_length: usize,
    /// Tokens from which they were drawn.
    pub n_allowed: usize,
}

impl RepeatPrompts {
    /// Draws `n` prompts. The same seed gives the same prompts everywhere.
    pub fn draw(tokenizer: &Tokenizer, config: &ModelConfig, seed: u64, n: usize, copy_length: usize) -> Self {
        let begin: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.add_bos()).into_iter().collect();
        let copy_length = copy_length.min(config.n_ctx.saturating_sub(begin.len()) / REPEATS);
        let allowed = whole_words(tokenizer, 2 * copy_length);
        let prompt = |n| [begin.clone(), repeated_random(seed + n, &allowed, copy_length, REPEATS)].concat();
        let prompts = (0..n as u64).map(prompt).collect();
        Self { prompts, n_begin: begin.len(), copy_length, n_allowed: allowed.len() }
    }

    /// Runs one of the prompts from an empty cache, with the losses on its copies. `None` in place of the losses where
    /// the copies are shorter than two tokens.
    pub fn run(
        &self,
        engine: &mut dyn Engine,
        prompt: usize,
        capture: &Capture,
        changed: &Interventions,
    ) -> Result<(Trace, Option<RepeatLoss>)> {
        let tokens = self.prompts.get(prompt).ok_or(Error::EmptyPrompt)?;
        let output = run(engine, tokens, capture, changed, LogitsWanted::All)?;
        let losses = token_losses(&output.logits, engine.config().d_vocab, tokens);
        Ok((output.trace, losses.get(self.n_begin..).and_then(|losses| RepeatLoss::new(losses, self.copy_length))))
    }
}

/// Runs the prompts plainly, then without each of the best induction and previous-token heads: true re-runs with the
/// head's output set to zero, as the app does it.
pub(super) fn measure(subject: &mut Subject<'_>, options: &Options) -> Result<Heads> {
    let config = subject.engine.config().clone();
    let drawn = RepeatPrompts::draw(subject.tokenizer, &config, options.seed, options.prompts, options.copy_length);

    let capture = Capture::none().with_site(Site::Pattern, &config);
    let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
    let mut plain = Vec::new();
    for prompt in 0..drawn.prompts.len() {
        let (trace, loss) = drawn.run(subject.engine, prompt, &capture, &Interventions::none())?;
        maps.add(&trace);
        plain.extend(loss);
    }
    let kinds =
        HeadKind::ALL.iter().filter_map(|kind| Some(KindScores { kind: *kind, map: maps.map(*kind)? })).collect();

    let mut without = Vec::new();
    for kind in [HeadKind::Induction, HeadKind::PreviousToken] {
        let best = maps.map(kind).map(|map| map.tied(TIED)).unwrap_or_default();
        for head in best.into_iter().take(SILENCED) {
            let tweak = Tweak::AblateHeads { heads: vec![head], with: Ablation::Zero };
            let changed = compile(&[tweak], &config, Sources::default())?;
            let mut all = Vec::new();
            for prompt in 0..drawn.prompts.len() {
                all.extend(drawn.run(subject.engine, prompt, &Capture::none(), &changed)?.1);
            }
            without.push(Ablated { kind, head, loss: average(&all)? });
        }
    }
    let RepeatPrompts { copy_length, n_allowed, .. } = drawn;
    Ok(Heads { copy_length, n_allowed, kinds, repeats: Repeats { plain: average(&plain)?, without } })
}

fn average(all: &[RepeatLoss]) -> Result<RepeatLoss> {
    let of = |part: fn(&RepeatLoss) -> f64| mean(&all.iter().map(part).collect::<Vec<_>>());
    match (of(|l| l.first), of(|l| l.later)) {
        (Some(first), Some(later)) => Ok(RepeatLoss { first, later }),
        _ => Err(Error::Text("The prompts are too short to repeat: ask for copies of at least two tokens.".into())),
    }
}
