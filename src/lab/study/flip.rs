//! As few heads as possible whose silence changes the top prediction.
//!
//! The margin is the logit of the model's own prediction minus the best other logit; the prediction is flipped where it
//! falls below 0. First each head is silenced alone, which gives the order: the lower the margin without it, the earlier.
//! If one head is enough, no set is smaller. Otherwise heads are silenced together in that order, one more at a time,
//! until the prediction flips, and then each of them is given back whose silence is not needed. Heads act together, so
//! a smaller set may exist that this greedy search does not see: the size is an upper bound.

use super::{Finding, StudyJob, Work, head_at, run, without};
use crate::lab::session::Open;
use crate::lab::trace;
use crate::model::sampler::top_n;
use crate::model::tweak::HeadRef;
use crate::model::{Capture, Error, Interventions, LogitsWanted, Result};

/// What the search knows.
#[derive(Debug, Clone, PartialEq)]
pub struct FlipSearch {
    /// The prediction of the unchanged model.
    pub top: String,
    /// Its margin.
    pub margin: f32,
    /// Heads per layer.
    pub n_heads: usize,
    /// The margin without each head alone, `[n_layers, n_heads]`.
    pub margins: Vec<Option<f32>>,
    /// Heads that are silenced together now.
    pub trying: Vec<HeadRef>,
    /// The smallest set found so far, what is predicted without it, and the margin of the first prediction then.
    pub found: Option<(Vec<HeadRef>, String, f32)>,
    /// Whether the search has ended.
    pub finished: bool,
}

/// The work.
pub struct FlipWork {
    tokens: Vec<u32>,
    n_heads: usize,
    top: Option<(u32, f32)>,
    margins: Vec<Option<f32>>,
    order: Vec<HeadRef>,
    together: usize,
    found: Option<(Vec<HeadRef>, u32, f32)>,
    /// Heads of the found set that are still to be given back, from the last.
    prune: usize,
    labels: (String, String),
    steps: usize,
    finished: bool,
}

impl FlipWork {
    /// Cuts the prompt.
    pub fn new(open: &Open, job: &StudyJob) -> Result<Self> {
        let tokens = trace::tokens(open, &job.sequence)?.all;
        if tokens.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let config = open.engine.config();
        Ok(Self {
            tokens,
            n_heads: config.n_heads,
            top: None,
            margins: vec![None; config.n_layers * config.n_heads],
            order: Vec::new(),
            together: 1,
            found: None,
            prune: 0,
            labels: Default::default(),
            steps: 0,
            finished: false,
        })
    }

    /// The margin of the first prediction, and the best other token.
    fn margin(&self, open: &mut Open, heads: &[HeadRef]) -> Result<(f32, u32)> {
        let changed = without(open, heads)?;
        let logits = run(open, &self.tokens, &Capture::none(), &changed, LogitsWanted::Last)?.logits;
        let top = self.top.map_or(u32::MAX, |(id, _)| id);
        let other = top_n(&logits, 2).into_iter().find(|(id, _)| *id != top);
        let (id, best) = other.ok_or(Error::EmptyPrompt)?;
        Ok((logits.get(top as usize).copied().unwrap_or(best) - best, id))
    }

    /// Takes over a smaller set.
    fn take(&mut self, open: &Open, heads: Vec<HeadRef>, margin: f32, id: u32) {
        self.labels.1 = open.tokenizer.label(id);
        self.found = Some((heads, id, margin));
    }

    fn alone(&mut self, open: &mut Open, index: usize) -> Result<()> {
        let head = head_at(index, self.n_heads);
        let (margin, id) = self.margin(open, &[head])?;
        self.margins[index] = Some(margin);
        if margin < self.found.as_ref().map_or(0.0, |(.., margin)| *margin) {
            self.take(open, vec![head], margin, id);
        }
        if index + 1 == self.margins.len() {
            let mut order: Vec<(HeadRef, f32)> = self
                .margins
                .iter()
                .enumerate()
                .map(|(i, m)| (head_at(i, self.n_heads), m.unwrap_or(f32::MAX)))
                .collect();
            order.sort_by(|a, b| a.1.total_cmp(&b.1));
            self.order = order.into_iter().map(|(head, _)| head).collect();
            self.finished = self.found.is_some() || self.order.len() == 1;
        }
        Ok(())
    }

    fn together(&mut self, open: &mut Open) -> Result<()> {
        let heads = self.order[..self.together + 1].to_vec();
        let (margin, id) = self.margin(open, &heads)?;
        self.together += 1;
        if margin < 0.0 {
            self.prune = heads.len();
            self.take(open, heads, margin, id);
        } else {
            self.finished = self.together == self.order.len();
        }
        Ok(())
    }

    fn give_back(&mut self, open: &mut Open, heads: &[HeadRef]) -> Result<()> {
        let mut rest = heads.to_vec();
        rest.remove(self.prune - 1);
        let (margin, id) = if rest.is_empty() { (0.0, 0) } else { self.margin(open, &rest)? };
        self.prune -= 1;
        if margin < 0.0 {
            self.take(open, rest, margin, id);
        }
        self.finished = self.prune == 0;
        Ok(())
    }
}

impl Work for FlipWork {
    fn step(&mut self, open: &mut Open) -> Result<()> {
        let index = self.steps.saturating_sub(1);
        if self.top.is_none() {
            let nothing = (Capture::none(), Interventions::none());
            let logits = run(open, &self.tokens, &nothing.0, &nothing.1, LogitsWanted::Last)?.logits;
            let best = top_n(&logits, 2);
            let [(id, first), (_, second)] = best[..] else { return Err(Error::EmptyPrompt) };
            self.top = Some((id, first - second));
            self.labels.0 = open.tokenizer.label(id);
        } else if index < self.margins.len() {
            self.alone(open, index)?;
        } else if let Some((heads, ..)) = self.found.clone() {
            self.give_back(open, &heads)?;
        } else {
            self.together(open)?;
        }
        self.steps += 1;
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        let left = if self.finished { 0 } else { 1 };
        (self.steps, (self.margins.len() + 1).max(self.steps + left))
    }

    fn finding(&self) -> Option<Finding> {
        let (_, margin) = self.top?;
        let found = self.found.as_ref().map(|(heads, _, margin)| (heads.clone(), self.labels.1.clone(), *margin));
        Some(Finding::Flip(FlipSearch {
            top: self.labels.0.clone(),
            margin,
            n_heads: self.n_heads,
            margins: self.margins.clone(),
            trying: self.order.get(..self.together).unwrap_or_default().to_vec(),
            found,
            finished: self.finished,
        }))
    }
}
