//! What the lab does about the learner's record: it hands requests down with what stands on the bench, and takes in what
//! comes up.

use std::sync::Arc;

use super::learner::{Bench, OpenModel};
use super::recorder::Told;
use super::{Lab, LearnerCommand, NoticeLevel, Standing};
use crate::progress::Act;

impl Lab {
    /// Leaves an answer to be graded and kept.
    pub(super) fn record(&mut self, act: Act) {
        let model = self.open_model();
        if let Some(recorder) = &mut self.recorder {
            recorder.record(act, model);
        }
    }

    /// Leaves another request about the record.
    pub(super) fn learner(&mut self, command: LearnerCommand) {
        let s = &self.snapshot;
        let bench = Bench {
            model: self.open_model(),
            prompt: s.prompt.clone(),
            chips: s.chips.clone(),
            // A run of another text or another model would be shown under the wrong name.
            run: s.shown().filter(|_| !s.stale).cloned(),
            head: s.model.as_ref().map(|_| s.selection.head),
        };
        if let Some(recorder) = &mut self.recorder {
            recorder.learner(command, bench);
        }
    }

    fn open_model(&self) -> Option<OpenModel> {
        let model = self.snapshot.model.as_ref()?;
        let (source, folders) = (model.source.clone(), self.folders.clone());
        Some(OpenModel { name: model.name.clone(), source, folders, opened: self.opened })
    }

    /// Says why nothing is kept, where something should be.
    pub(super) fn no_record(&mut self, why: Option<String>) {
        if let Some(why) = why {
            self.record_notice(NoticeLevel::Warning, why.clone());
            self.snapshot.no_record = Some(why);
        }
    }

    /// Takes in what the recorder says.
    pub(super) fn hear(&mut self, told: Told) {
        match told {
            Told::Standing(standing) => {
                self.praise(&standing);
                self.snapshot.standing = Some(Arc::new(*standing));
            }
            Told::Problem(text) => self.record_notice(NoticeLevel::Warning, text),
            Told::Unavailable(text) => self.no_record(Some(text)),
            Told::Saved(text) => self.record_notice(NoticeLevel::Info, text),
            Told::Done => {}
        }
    }

    /// Says what an answer brought beside XP: a level, a concept, a badge.
    fn praise(&mut self, standing: &Standing) {
        let Some(newest) = &standing.newest else { return };
        let before = self.snapshot.standing.as_ref().and_then(|standing| standing.newest.as_ref());
        if before.is_some_and(|before| before.number == newest.number) {
            return;
        }
        let graded = &newest.graded;
        let mut parts = Vec::new();
        if graded.level > graded.level_before {
            parts.push(format!("Level {}.", graded.level));
        }
        let title = |id: &String| self.concepts.title(id);
        if !graded.mastered.is_empty() {
            parts.push(format!("Mastered: {}.", graded.mastered.iter().map(title).collect::<Vec<_>>().join(", ")));
        }
        parts.extend(graded.badges.iter().map(|badge| format!("New badge: {}.", badge.name())));
        if !parts.is_empty() {
            self.record_notice(NoticeLevel::Info, parts.join(" "));
        }
    }

    fn record_notice(&mut self, level: NoticeLevel, text: String) {
        self.notice(level, text);
        self.record_notices.push(self.notices);
    }
}
