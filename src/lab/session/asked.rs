//! What students ask of the engine thread beside runs of the prompt: studies, a step at a time, and questions.
//!
//! A study takes many runs, so it goes on only while nothing waits, and one run of it is the longest that anything else
//! waits for. A question is one job with one answer.

use std::sync::Arc;

use super::super::geometry;
use super::super::job::{AskJob, Event};
use super::super::study::{self, StudyJob, StudyView, Work};
use super::super::worker::Mailbox;
use super::Session;
use crate::model::{Cancel, Error};

impl Session {
    pub(super) fn begin_study(&mut self, job: StudyJob, cancel: Cancel, mailbox: &Mailbox) {
        self.studies.retain(|(older, _)| older.study != job.study);
        let Some(open) = &mut self.open else { return };
        open.engine.set_cancel(cancel);
        match study::begin(open, &job) {
            Ok(work) => {
                post_study(&job, work.as_ref(), None, mailbox);
                if work.progress().0 < work.progress().1 {
                    self.studies.insert(0, (job, work));
                }
            }
            Err(error) => {
                let problem = if let Error::Cancelled = error { "Stopped.".into() } else { error.to_string() };
                let view = StudyView { done: 0, total: 0, running: false, problem: Some(problem), finding: None };
                mailbox.post(Event::Study { id: job.id, study: job.study, view: Arc::new(view) });
            }
        }
    }

    /// One step of the study that was asked for last.
    pub(super) fn study(&mut self, cancel: Cancel, mailbox: &Mailbox) {
        let (Some(open), Some((job, work))) = (&mut self.open, self.studies.first_mut()) else { return };
        open.engine.set_cancel(cancel);
        match work.step(open) {
            Ok(()) => {
                let (done, total) = work.progress();
                post_study(job, work.as_ref(), None, mailbox);
                if done >= total {
                    self.studies.remove(0);
                }
            }
            // Something more urgent came: the same step is made again after it.
            Err(Error::Cancelled) => {}
            Err(error) => {
                post_study(job, work.as_ref(), Some(error.to_string()), mailbox);
                self.studies.remove(0);
                if let Error::Device { .. } = error {
                    self.after_failure(&error, mailbox);
                }
            }
        }
    }

    pub(super) fn ask(&mut self, job: &AskJob, cancel: &Cancel, mailbox: &Mailbox) {
        let Some(open) = &mut self.open else { return };
        open.engine.set_cancel(cancel.clone());
        let label = "Reading what words mean".to_owned();
        let progress = |fraction| mailbox.post(Event::Progress { label: label.clone(), fraction: Some(fraction) });
        let answer = geometry::answer(open, &mut self.table, &job.question, cancel, &progress);
        if !cancel.is_cancelled() {
            mailbox.post(Event::Answered { id: job.id, answer: Box::new(answer) });
        }
    }
}

/// Tells how far a study is.
fn post_study(job: &StudyJob, work: &dyn Work, problem: Option<String>, mailbox: &Mailbox) {
    let (done, total) = work.progress();
    let running = problem.is_none() && done < total;
    let view = StudyView { done, total, running, problem, finding: work.finding() };
    mailbox.post(Event::Study { id: job.id, study: job.study, view: Arc::new(view) });
}
