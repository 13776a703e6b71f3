//! Where every head looks, on random tokens that repeat.

use super::{Finding, Work};
use crate::insight::heads::{HeadKind, HeadMap, HeadMaps, RepeatLoss};
use crate::lab::session::Open;
use crate::model::{Capture, Interventions, Result, Site};
use crate::train::eval::RepeatPrompts;

/// Where the draws begin.
pub(super) const SEED: u64 = 0;
/// Random prompts.
const PROMPTS: usize = 4;
/// Tokens in a copy.
pub(super) const COPY_LENGTH: usize = 32;

/// The scores so far.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadScores {
    /// Random prompts that were run.
    pub n_prompts: usize,
    /// Tokens in each of the two copies.
    pub copy_length: usize,
    /// Tokens of the vocabulary from which they were drawn.
    pub n_allowed: usize,
    /// A map for each kind that the prompts had places for.
    pub maps: Vec<(HeadKind, HeadMap)>,
    /// The loss on the last prompt's copies, in nats per token.
    pub loss: Option<RepeatLoss>,
}

impl HeadScores {
    /// The map of a kind.
    pub fn map(&self, kind: HeadKind) -> Option<&HeadMap> {
        self.maps.iter().find(|(k, _)| *k == kind).map(|(_, map)| map)
    }
}

/// The work.
pub struct ScoresWork {
    drawn: RepeatPrompts,
    maps: HeadMaps,
    done: usize,
    loss: Option<RepeatLoss>,
}

impl ScoresWork {
    /// Draws the prompts.
    pub fn new(open: &Open) -> Self {
        let config = open.engine.config();
        let drawn = RepeatPrompts::draw(&open.tokenizer, config, SEED, PROMPTS, COPY_LENGTH);
        Self { drawn, maps: HeadMaps::new(config.n_layers, config.n_heads), done: 0, loss: None }
    }
}

impl Work for ScoresWork {
    fn step(&mut self, open: &mut Open) -> Result<()> {
        let capture = Capture::none().with_site(Site::Pattern, open.engine.config());
        let (trace, loss) = self.drawn.run(open.engine.as_mut(), self.done, &capture, &Interventions::none())?;
        self.maps.add(&trace);
        (self.loss, self.done) = (loss, self.done + 1);
        Ok(())
    }

    fn progress(&self) -> (usize, usize) {
        (self.done, self.drawn.prompts.len())
    }

    fn finding(&self) -> Option<Finding> {
        let maps = HeadKind::ALL.iter().filter_map(|kind| Some((*kind, self.maps.map(*kind)?))).collect();
        let RepeatPrompts { copy_length, n_allowed, .. } = self.drawn;
        let found = HeadScores { n_prompts: self.done, copy_length, n_allowed, maps, loss: self.loss };
        (self.done > 0).then_some(Finding::Scores(found))
    }
}
