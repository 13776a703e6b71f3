//! The lab's side of the studies: which were asked for, and which of their results still hold.

use std::sync::Arc;

use super::Lab;
use super::job::Job;
use super::study::{LossText, Study, StudyJob, StudyView};

impl Lab {
    /// Asks for a study, in place of the last one of its kind.
    pub(super) fn begin_study(&mut self, study: Study, text: LossText) {
        if self.snapshot.model.is_none() {
            return;
        }
        self.study += 1;
        let from = self.trace_job();
        let job = StudyJob { id: self.study, study, text, sequence: from.sequence, donor: from.donor };
        let view = StudyView { done: 0, total: 0, running: true, problem: None, finding: None };
        self.snapshot.studies.insert(study, Arc::new(view));
        self.studies.insert(study, job.clone());
        self.engine.send(Job::Study(job));
    }

    /// Stops a study that runs; what it found stays.
    pub(super) fn stop_study(&mut self, study: Study) {
        let Some(view) = self.snapshot.studies.get_mut(&study).filter(|view| view.running) else { return };
        Arc::make_mut(view).running = false;
        // Nothing that comes late is listened to.
        if let Some(job) = self.studies.get_mut(&study) {
            self.study += 1;
            job.id = self.study;
        }
        self.engine.send(Job::StopStudy(study));
    }

    /// The text is another: what was found for the last one goes. Counting serves every text, so it is asked again.
    pub(super) fn studies_of_another_text(&mut self) {
        let now = self.trace_job();
        let holds = |job: &StudyJob| {
            let same_donor = job.study != Study::PatchMap || job.donor == now.donor;
            job.is_of_any_text() || job.sequence == now.sequence && same_donor
        };
        let gone: Vec<Study> = self.studies.values().filter(|job| !holds(job)).map(|job| job.study).collect();
        for study in gone {
            if study == Study::NGram {
                self.begin_study(study, LossText::Prompt);
            } else {
                self.stop_study(study);
                self.studies.remove(&study);
                self.snapshot.studies.remove(&study);
            }
        }
    }

    /// Another model is open, or none: nothing of the last one holds.
    pub(super) fn forget_studies(&mut self) {
        self.studies.clear();
        self.snapshot.studies.clear();
    }

    /// Takes over what a study knows, if it is the one that was asked for last.
    pub(super) fn study_knows(&mut self, id: u64, study: Study, view: Arc<StudyView>) {
        if self.studies.get(&study).is_some_and(|job| job.id == id) {
            self.snapshot.studies.insert(study, view);
        }
    }
}
