//! From the lab's snapshot to what a lesson page needs of it.
//!
//! A run carries tokens, a prediction asks about a text: the reader notes which prompt a run belongs to when it first sees
//! it fresh, and derives each run's facts once.

use std::sync::Arc;

use crate::engine::tokenizer::{NEWLINE, SPACE, TAB};
use crate::lab::{Run, Snapshot};
use crate::lesson::{Candidate, LiveTruth, RunFacts, mean_last_row, patterns};

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
            model_id: snapshot.model.as_ref().and_then(|m| m.id()).map(str::to_owned),
            running: snapshot.stale || snapshot.activity.is_some(),
            facts: self.facts.clone(),
            active: snapshot.tweaks.clone(),
            selected: snapshot.selection.head,
            measured: snapshot.measured.clone(),
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
        patterns: patterns(&run.trace),
    }
}

/// A label's text, with real white space again.
fn text(label: &str) -> String {
    label.replace(SPACE, " ").replace(NEWLINE, "\n").replace(TAB, "\t")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::TokenScore;
    use crate::lab::{Chip, TokenBar};
    use crate::model::Trace;

    fn snapshot(run: u64, prompt: &str) -> Snapshot {
        let chip = |label: &str| Chip { id: 0, label: label.into(), special: false, fragment: false };
        let score = TokenScore { id: 7, logit: 1.0, probability: 0.25 };
        let run = Run {
            id: run,
            tokens: [1, 2].into(),
            trace: Trace::default(),
            detail_layer: 0,
            logits: [0.0; 8].into(),
            top: vec![TokenBar { score, label: "·Mary".into(), clean_probability: 0.25 }],
            lens: None,
            tweaks: Vec::new(),
            duration: Duration::ZERO,
            arithmetic: String::new(),
        };
        Snapshot {
            prompt: prompt.into(),
            chips: [chip("John"), chip("·gave")].into(),
            n_prompt: 2,
            clean: Some(Arc::new(run)),
            ..Snapshot::default()
        }
    }

    #[test]
    fn facts_belong_to_the_prompt_that_was_run() {
        let mut reader = TruthReader::default();
        assert_eq!(reader.read(&Snapshot::default()).facts, None);

        let first = reader.read(&snapshot(1, "John gave")).facts.expect("a finished run has facts");
        assert_eq!((first.prompt.as_str(), first.next[0].text.as_str()), ("John gave", " Mary"));
        assert_eq!(first.tokens, ["John", " gave"]);

        let typing = Snapshot { stale: true, ..snapshot(1, "John gave up") };
        let live = reader.read(&typing);
        assert!(live.running, "a stale run means that a new one is coming");
        assert_eq!(live.facts.expect("the old facts stay").prompt, "John gave", "under the old prompt");

        assert_eq!(reader.read(&snapshot(2, "Another text")).facts.unwrap().prompt, "Another text");
        let generated = Snapshot { n_prompt: 1, ..snapshot(3, "John") };
        assert_eq!(reader.read(&generated).facts, None, "what was generated is not part of the prompt");
        let chat = Snapshot { chat: true, ..snapshot(4, "John gave") };
        assert_eq!(reader.read(&chat).facts, None, "a chat template changes the text");
    }
}
