//! From the lab's snapshot to what a lesson page needs of it.
//!
//! A run carries tokens, a prediction asks about a text: the reader notes which prompt a run belongs to when it first sees
//! it fresh, and derives each run's facts once.

use std::sync::Arc;

use crate::engine::tokenizer::{NEWLINE, SPACE, TAB};
use crate::lab::{Run, Snapshot};
use crate::lesson::{Candidate, LiveTruth, RunFacts, mean_last_row};

/// Reads [`LiveTruth`] off snapshots, and keeps what it derived until the run changes.
#[derive(Default)]
pub struct TruthReader {
    /// The run that `facts` belong to.
    run: Option<u64>,
    facts: Option<Arc<RunFacts>>,
}

impl TruthReader {
    /// What lessons may know of this snapshot.
    pub fn read(&mut self, snapshot: &Snapshot) -> LiveTruth {
        match &snapshot.clean {
            None => *self = Self::default(),
            // What was generated, or a chat template, is part of the run: its facts are not those of the bare prompt.
            Some(run) if !snapshot.stale && self.run != Some(run.id) => {
                let bare = !snapshot.chat && snapshot.chips.len() == snapshot.n_prompt;
                self.run = Some(run.id);
                self.facts = bare.then(|| Arc::new(facts(snapshot, run)));
            }
            Some(_) => {}
        }
        LiveTruth {
            model: snapshot.model.as_ref().map(|m| m.name.clone()),
            running: snapshot.stale || snapshot.activity.is_some(),
            facts: self.facts.clone(),
            active: snapshot.tweaks.clone(),
        }
    }
}

fn facts(snapshot: &Snapshot, run: &Run) -> RunFacts {
    let next = run.top.iter().map(|bar| Candidate { text: text(&bar.label), probability: bar.score.probability });
    RunFacts {
        prompt: snapshot.prompt.clone(),
        tokens: snapshot.chips.iter().map(|chip| text(&chip.label)).collect(),
        next: next.collect(),
        last_row: mean_last_row(&run.trace),
    }
}

/// A label's text, with real white space again.
fn text(label: &str) -> String {
    label.replace(SPACE, " ").replace(NEWLINE, "\n").replace(TAB, "\t")
}
