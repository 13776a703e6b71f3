//! What patching each vector of the residual stream from the second prompt does to the answer.
//!
//! The two prompts are laid side by side from their ends, since it is the last position that predicts. For every layer
//! and position the vector that leaves the layer is replaced by the second prompt's, and the model runs on. Read is the
//! logit difference between the two prompts' own answers (Meng et al. 2022, arXiv 2202.05262, and Wang et al. 2022, arXiv
//! 2211.00593, measure so): 0 % of the way where the patch changes nothing, 100 % where it does what the whole second
//! prompt does.

use super::{Finding, StudyJob, Work, run};
use crate::lab::session::Open;
use crate::lab::trace;
use crate::model::sampler::top_n;
use crate::model::tweak::{Sources, Tweak, compile};
use crate::model::{Capture, Error, Interventions, LogitsWanted, Result, Site, Trace};

/// The map so far.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchMap {
    /// Positions of the prompt.
    pub n_positions: usize,
    /// The position of the second prompt that stands beside each; `None` where it is too short.
    pub from: Vec<Option<usize>>,
    /// What the prompt answers.
    pub answer: String,
    /// What the second prompt answers.
    pub donor_answer: String,
    /// logit(second answer) − logit(answer) of the unchanged prompt.
    pub clean: f32,
    /// The same of the second prompt.
    pub donor: f32,
    /// The same after each patch, `[n_layers, n_positions]`; `None` while it is not known, or where nothing is beside it.
    pub differences: Vec<Option<f32>>,
}

impl PatchMap {
    /// How far a patch moves the difference towards that of the second prompt: 0 not at all, 1 the whole way.
    pub fn moved(&self, layer: usize, position: usize) -> Option<f32> {
        let at = self.differences.get(layer * self.n_positions + position).copied().flatten();
        at.filter(|_| position < self.n_positions).map(|at| (at - self.clean) / (self.donor - self.clean))
    }
}

/// The work.
pub struct PatchWork {
    tokens: Vec<u32>,
    n_layers: usize,
    from: Vec<Option<usize>>,
    donor: Trace,
    answers: [u32; 2],
    map: PatchMap,
    done: usize,
}

impl PatchWork {
    /// Runs both prompts.
    pub fn new(open: &mut Open, job: &StudyJob) -> Result<Self> {
        let tokens = trace::tokens(open, &job.sequence)?.all;
        let second = trace::plain_tokens(&open.tokenizer, job.donor.as_deref().unwrap_or_default())?;
        let refuse = |sentence: &str| Err(Error::Text(sentence.into()));
        if tokens.is_empty() || second.is_empty() {
            return refuse("There are not two prompts: type one below and a second one here.");
        }
        let config = open.engine.config().clone();
        let (unchanged, everywhere) = (Interventions::none(), Capture::none().with_site(Site::ResidPost, &config));
        let clean = run(open, &tokens, &Capture::none(), &unchanged, LogitsWanted::Last)?.logits;
        let other = run(open, &second, &everywhere, &unchanged, LogitsWanted::Last)?;
        let top = |logits: &[f32]| top_n(logits, 1).first().map(|(id, _)| *id);
        let (Some(a), Some(b)) = (top(&clean), top(&other.logits)) else { return Err(Error::EmptyPrompt) };
        if a == b {
            let answer = open.tokenizer.label(a);
            return refuse(&format!("Both prompts answer “{answer}”, so no patch can tell them apart: change one."));
        }
        let answers = [a, b];
        let from: Vec<Option<usize>> =
            (0..tokens.len()).map(|i| (i + second.len()).checked_sub(tokens.len())).collect();
        let map = PatchMap {
            n_positions: tokens.len(),
            from: from.clone(),
            answer: open.tokenizer.label(a),
            donor_answer: open.tokenizer.label(b),
            clean: difference(&clean, answers),
            donor: difference(&other.logits, answers),
            differences: vec![None; config.n_layers * tokens.len()],
        };
        Ok(Self { tokens, n_layers: config.n_layers, from, donor: other.trace, answers, map, done: 0 })
    }
}

fn difference(logits: &[f32], [answer, donor]: [u32; 2]) -> f32 {
    logits[donor as usize] - logits[answer as usize]
}

impl Work for PatchWork {
    fn step(&mut self, open: &mut Open) -> Result<()> {
        // From the last position back, where the answer is made.
        let (column, layer) = (self.done / self.n_layers, self.done % self.n_layers);
        let position = self.tokens.len() - 1 - column;
        if let Some(from_position) = self.from[position] {
            let tweak = Tweak::Patch { layer, position, from_position };
            let sources = Sources { clean: None, donor: Some(&self.donor) };
            let changed = compile(&[tweak], open.engine.config(), sources)?;
            let logits = run(open, &self.tokens, &Capture::none(), &changed, LogitsWanted::Last)?.logits;
            self.map.differences[layer * self.tokens.len() + position] = Some(difference(&logits, self.answers));
        }
        self.done += 1;
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, self.map.differences.len())
    }

    fn finding(&self) -> Option<Finding> {
        Some(Finding::Patch(self.map.clone()))
    }
}
