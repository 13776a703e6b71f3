//! The lab's side of questions about meaning: leaving one with the engine thread, and giving it up.

use super::Lab;
use super::job::{AskJob, Job, Kind};
use super::meaning::Question;

impl Lab {
    /// Leaves a question with the engine thread. Without a model there is nobody to ask.
    pub(super) fn ask(&mut self, question: Question) {
        if self.snapshot.model.is_some() {
            self.question += 1;
            self.snapshot.meaning.ask(self.question, &question);
            self.engine.send(Job::Ask(AskJob { id: self.question, question }));
        }
    }

    /// What was asked and not answered will not be answered any more; `problem` says why, none lets it be asked again.
    pub(super) fn give_up_questions(&mut self, problem: Option<&str>) {
        self.engine.cancel(&Kind::ASK);
        self.snapshot.meaning.stop(problem);
    }
}
