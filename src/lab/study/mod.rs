//! Studies: what takes many runs of the model to find out.
//!
//! A [`Study`] is asked for by the student and worked on while nothing else waits, one run at a time: each run is a step,
//! after each step what is known so far goes up as a [`StudyView`], and a job that arrives meanwhile stops the run that is
//! going on, which is then made again. So a panel fills in as results come, the window stays quick, and a cancel takes
//! effect within a run's next operation. All runs are of the model without the student's changes: a study says what the
//! model does, and the changes are there to try what it found.
//!
//! | file | question | runs |
//! |---|---|---|
//! | [`scores`] | where does each head look? | one per random prompt |
//! | [`effect`] | what does the model lose without each head? | one per head and prompt |
//! | [`flip`] | how few silenced heads change the prediction? | one per head, then the search |
//! | [`patch`] | where does what tells two prompts apart live? | one per position and layer |
//! | [`counts`] | what would counting alone predict? | none: counts the training text |

pub mod counts;
pub mod effect;
pub mod flip;
pub mod patch;
pub mod scores;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::job::Sequence;
use super::session::Open;
use crate::engine::{Output, Request};
use crate::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile};
use crate::model::{Capture, Interventions, LogitsWanted, Result};

/// What can be studied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Study {
    /// Where every head looks, on random tokens that repeat.
    HeadScores,
    /// What the loss becomes without each head.
    HeadEffect,
    /// As few heads as possible whose silence changes the top prediction.
    Flip,
    /// What patching each vector of the residual stream from the second prompt does.
    PatchMap,
    /// What counting the training text predicts.
    NGram,
}

impl Study {
    /// Every study.
    pub const ALL: [Self; 5] = [Self::HeadScores, Self::HeadEffect, Self::Flip, Self::PatchMap, Self::NGram];
}

/// The text on which the loss is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LossText {
    /// Random tokens that repeat: the second copy, where everything can be copied.
    #[default]
    Repeats,
    /// The student's prompt.
    Prompt,
}

/// A study to begin.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyJob {
    /// Tells results apart: those of an older request are dropped.
    pub id: u64,
    /// Which.
    pub study: Study,
    /// On which text its losses are measured.
    pub text: LossText,
    /// The student's text.
    pub sequence: Sequence,
    /// The second prompt.
    pub donor: Option<String>,
}

impl StudyJob {
    /// Whether what it finds would be the same for another text.
    pub fn is_of_any_text(&self) -> bool {
        self.study == Study::HeadScores || self.study == Study::HeadEffect && self.text == LossText::Repeats
    }
}

/// What is known of a study so far.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyView {
    /// Steps made.
    pub done: usize,
    /// Steps to make, as far as is known.
    pub total: usize,
    /// Whether more will come.
    pub running: bool,
    /// Why there is nothing to find, a sentence.
    pub problem: Option<String>,
    /// What was found.
    pub finding: Option<Finding>,
}

/// What a study finds.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Of [`Study::HeadScores`].
    Scores(scores::HeadScores),
    /// Of [`Study::HeadEffect`].
    Effect(effect::HeadEffect),
    /// Of [`Study::Flip`].
    Flip(flip::FlipSearch),
    /// Of [`Study::PatchMap`].
    Patch(patch::PatchMap),
    /// Of [`Study::NGram`].
    Counts(counts::Counted),
}

/// The studies of the open model.
pub type Studies = BTreeMap<Study, Arc<StudyView>>;

/// A study that is being worked on.
pub trait Work {
    /// One run, or as much as one takes. An error ends the study, `Cancelled` aside, after which the step is made again.
    fn step(&mut self, open: &mut Open) -> Result<()>;

    /// Steps made, and steps to make as far as is known; equal at the end.
    fn progress(&self) -> (usize, usize);

    /// What is known so far.
    fn finding(&self) -> Option<Finding>;
}

/// Begins a study. An error is the sentence that says why there is nothing to study.
pub fn begin(open: &mut Open, job: &StudyJob) -> Result<Box<dyn Work>> {
    Ok(match job.study {
        Study::HeadScores => Box::new(scores::ScoresWork::new(open)),
        Study::HeadEffect => Box::new(effect::EffectWork::new(open, job)?),
        Study::Flip => Box::new(flip::FlipWork::new(open, job)?),
        Study::PatchMap => Box::new(patch::PatchWork::new(open, job)?),
        Study::NGram => Box::new(counts::CountsWork::new(open, job)?),
    })
}

/// A run from an empty cache.
fn run(
    open: &mut Open,
    tokens: &[u32],
    capture: &Capture,
    changed: &Interventions,
    logits: LogitsWanted,
) -> Result<Output> {
    open.engine.truncate(0);
    open.engine.run(Request { tokens, capture, interventions: changed, logits })
}

/// The change that silences heads.
fn without(open: &Open, heads: &[HeadRef]) -> Result<Interventions> {
    let tweak = Tweak::AblateHeads { heads: heads.to_vec(), with: Ablation::Zero };
    compile(&[tweak], open.engine.config(), Sources::default())
}

/// The head at a place of a row-major map `[n_layers, n_heads]`.
pub fn head_at(index: usize, n_heads: usize) -> HeadRef {
    HeadRef { layer: index / n_heads.max(1), head: index % n_heads.max(1) }
}
