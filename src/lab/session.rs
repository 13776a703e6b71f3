//! What the engine thread does: it owns the open model and carries out jobs.

mod asked;

use std::sync::Arc;
use std::time::Instant;

use super::DeviceChoice;
use super::card;
use super::generate::generate;
use super::geometry::Table;
use super::job::{Event, Job, Kind, OpenJob, TraceJob};
use super::snapshot::{DeviceOption, Lens, NoticeLevel, Run};
use super::study::{StudyJob, Work};
use super::task::{self, TaskJob};
use super::trace::{self, Traced};
use super::worker::Mailbox;
use crate::engine::chat::ChatTemplate;
use crate::engine::tokenizer::Tokenizer;
use crate::engine::{Engine, ModelSource, NotNumbers, TokenScore, devices, open_engine, open_source};
use crate::insight::ngram::NGram;
use crate::lesson::Measured;
use crate::model::{Cancel, DeviceKind, Error, HookPoint, Site};

/// Rows of the residual stream that one piece of background work reads through the logit lens.
const LENS_ROWS: usize = 64;

/// Tokens that the logit lens keeps for each layer and position.
const LENS_TOP: usize = 5;

/// The open model with everything that belongs to it.
pub struct Open {
    /// The model on its device.
    pub engine: Box<dyn Engine>,
    /// Its tokenizer.
    pub tokenizer: Arc<Tokenizer>,
    /// Its chat template.
    pub chat: Option<ChatTemplate>,
    /// What was counted of the training text, and the document to go on with.
    pub counts: Option<(NGram, u64)>,
    not_numbers: Option<NotNumbers>,
    /// How to open it again.
    job: OpenJob,
}

/// The state of the engine thread.
pub struct Session {
    open: Option<Open>,
    /// The unchanged run of the last sequence, which the next request may share.
    clean: Option<Traced>,
    lens: Option<LensWork>,
    /// Studies, the one to go on with first.
    studies: Vec<(StudyJob, Box<dyn Work>)>,
    /// The open model's embedding table, once it was asked about.
    table: Option<Table>,
    runs: u64,
    /// Times in a row that a graphics processor failed.
    failures: u32,
}

/// A logit lens that is being computed.
struct LensWork {
    run: Arc<Run>,
    cells: Vec<Vec<(TokenScore, String)>>,
}

impl Open {
    /// Where it was opened from.
    pub fn source(&self) -> &ModelSource {
        &self.job.source
    }

    /// What may stand in for built-in models.
    pub fn folders(&self) -> &crate::builtin::ModelFolders {
        &self.job.folders
    }
}

impl Session {
    /// A session with no model.
    pub fn new() -> Self {
        Self { open: None, clean: None, lens: None, studies: Vec::new(), table: None, runs: 0, failures: 0 }
    }

    /// Carries out one job and reports its end.
    pub fn run(&mut self, job: Job, cancel: Cancel, mailbox: &Mailbox) {
        let kind = job.kind();
        match job {
            Job::FindDevices => {
                let option =
                    |d: crate::engine::Device| DeviceOption { choice: d.choice, name: d.name, detail: d.detail };
                mailbox.post(Event::Devices(devices().into_iter().map(option).collect()));
            }
            Job::Open(job) => self.open_or_default(job, &cancel, mailbox),
            Job::Close => {
                self.forget();
                mailbox.post(Event::Closed);
            }
            Job::Trace(job) => self.trace(&job, cancel, mailbox),
            Job::Study(job) => self.begin_study(job, cancel, mailbox),
            Job::StopStudy(study) => self.studies.retain(|(job, _)| job.study != study),
            Job::Ask(job) => self.ask(&job, &cancel, mailbox),
            Job::Task(job, known) => self.task(&job, known.as_deref(), cancel, mailbox),
            Job::Generate(job) => {
                if let Some(open) = &mut self.open {
                    open.engine.set_cancel(cancel.clone());
                    let generated = generate(open, &job, self.clean.as_ref(), &cancel, mailbox);
                    let (reason, failure) = match generated {
                        Ok(reason) => (reason, None),
                        Err(Error::Cancelled) => ("as you asked".into(), None),
                        Err(error) => ("an error".into(), Some(error)),
                    };
                    mailbox.post(Event::Generated { id: job.id, reason });
                    if let Some(error) = failure {
                        self.after_failure(&error, mailbox);
                    }
                }
            }
        }
        mailbox.post(Event::Done(kind));
    }

    /// Whether something is left that can be done while nothing waits.
    pub fn has_background_work(&self) -> bool {
        (self.lens.is_some() || !self.studies.is_empty()) && self.open.is_some()
    }

    /// A small piece of it: some rows of the logit lens, or one step of a study.
    pub fn background_work(&mut self, cancel: Cancel, mailbox: &Mailbox) {
        if self.lens.is_none() {
            return self.study(cancel, mailbox);
        }
        let (Some(open), Some(mut work)) = (&mut self.open, self.lens.take()) else { return };
        open.engine.set_cancel(Cancel::new());
        match work.go_on(open) {
            Some(Some(lens)) => mailbox.post(Event::LensReady { run: work.run.id, lens: Arc::new(lens) }),
            Some(None) => self.lens = Some(work),
            None => {}
        }
    }

    /// A job panicked: the engine may be in any state, so it is opened again from its source.
    pub fn after_panic(&mut self, mailbox: &Mailbox) {
        let again = self.open.take().map(|open| open.job);
        self.forget();
        let text = "A computation failed unexpectedly; the model is being opened again.";
        mailbox.post(Event::Notice(NoticeLevel::Error, text.into()));
        match again {
            Some(job) => {
                let reopened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    self.open_and_tell(job, &Cancel::new(), mailbox);
                }));
                if reopened.is_err() {
                    self.forget();
                    mailbox.post(Event::Closed);
                }
            }
            None => mailbox.post(Event::Closed),
        }
        for kind in [Kind::Open, Kind::Trace, Kind::Generate, Kind::Task].into_iter().chain(Kind::ASK) {
            mailbox.post(Event::Done(kind));
        }
    }

    fn forget(&mut self) {
        self.open = None;
        self.clean = None;
        self.lens = None;
        self.table = None;
        self.studies.clear();
    }

    /// Opens what a job asks for. Where that was only remembered and is no longer to be had, opens the default model.
    fn open_or_default(&mut self, job: OpenJob, cancel: &Cancel, mailbox: &Mailbox) {
        if !job.remembered {
            return self.open_and_tell(job, cancel, mailbox);
        }
        let default = ModelSource::default_model();
        let (source, name) = (job.source.clone(), default.name());
        match self.open_model(job.clone(), cancel, mailbox) {
            Err(problem) if source != default => {
                let sentence = match &source {
                    ModelSource::File(path) if !path.exists() => {
                        format!(
                            "“{}”, which was open last time, is not there any more; “{name}” is open instead.",
                            source.name()
                        )
                    }
                    _ => format!("{problem} Meanwhile “{name}” is open."),
                };
                mailbox.post(Event::Notice(NoticeLevel::Warning, sentence));
                self.open_and_tell(OpenJob { source: default, ..job }, cancel, mailbox);
            }
            Err(problem) => mailbox.post(Event::Notice(NoticeLevel::Error, problem)),
            Ok(()) => {}
        }
    }

    /// Opens a model, and tells why if that does not work.
    fn open_and_tell(&mut self, job: OpenJob, cancel: &Cancel, mailbox: &Mailbox) {
        if let Err(sentence) = self.open_model(job, cancel, mailbox) {
            mailbox.post(Event::Notice(NoticeLevel::Error, sentence));
        }
    }

    fn open_model(&mut self, job: OpenJob, cancel: &Cancel, mailbox: &Mailbox) -> Result<(), String> {
        let name = job.source.name();
        let label = format!("Opening {name}");
        let progress = |fraction: f32| {
            mailbox.post(Event::Progress { label: label.clone(), fraction: Some(fraction) });
        };
        progress(0.0);
        let begun = Instant::now();
        let opened = open_source(&job.source, &job.folders).and_then(|(checkpoint, tokenizer)| {
            let opened = open_engine(&checkpoint, &job.device, job.exact, cancel, &progress)?;
            Ok((checkpoint, tokenizer, opened))
        });
        if cancel.is_cancelled() {
            mailbox.post(Event::Notice(NoticeLevel::Info, format!("Opening {name} was cancelled.")));
            return Ok(());
        }
        let (mut checkpoint, tokenizer, opened) = opened?;
        let mut card = card::model_card(&job.source, &checkpoint, opened.engine.as_ref(), begun.elapsed());
        let template = checkpoint.chat_template.take();
        let chat = template.map(|source| ChatTemplate::new(&source, &tokenizer, &name)).transpose();
        let chat = chat.unwrap_or_else(|error| {
            card.warnings.push(error.to_string());
            None
        });
        card.has_chat_template = chat.is_some();
        card.warnings.extend(tokenizer.warnings().iter().cloned());
        let not_numbers = opened.not_numbers;
        card.warnings.extend(not_numbers.as_ref().map(ToString::to_string));
        for fallback in checkpoint.report.fallback.take().into_iter().chain(opened.fallback) {
            mailbox.post(Event::Notice(NoticeLevel::Warning, fallback));
        }
        self.forget();
        let engine = opened.engine;
        self.open = Some(Open { engine, tokenizer: Arc::new(tokenizer), chat, counts: None, not_numbers, job });
        mailbox.post(Event::Opened(Arc::new(card)));
        Ok(())
    }

    fn trace(&mut self, job: &TraceJob, cancel: Cancel, mailbox: &Mailbox) {
        let Some(open) = &mut self.open else {
            return mailbox.post(Event::Failed { revision: job.revision });
        };
        self.lens = None;
        open.engine.set_cancel(cancel);
        mailbox.post(Event::Progress { label: "Running the model".into(), fraction: None });
        let result = trace::trace(open, job, &mut self.clean, &mut self.runs, mailbox);
        match result {
            Ok((clean, tweaked)) => {
                let shown = tweaked.as_ref().or(clean.as_ref()).cloned();
                self.lens = shown.map(|run| LensWork { run, cells: Vec::new() });
                self.failures = 0;
                mailbox.post(Event::Traced { revision: job.revision, clean, tweaked });
            }
            Err(error) => {
                mailbox.post(Event::Failed { revision: job.revision });
                if !matches!(error, Error::Cancelled) {
                    self.after_failure(&error, mailbox);
                }
            }
        }
    }

    fn task(&mut self, job: &TaskJob, known: Option<&Measured>, cancel: Cancel, mailbox: &Mailbox) {
        let Some(open) = &mut self.open else { return };
        open.engine.set_cancel(cancel);
        mailbox.post(Event::Progress { label: "Measuring the model".into(), fraction: None });
        match task::measure(open, job, known, mailbox) {
            Ok(measured) => mailbox.post(Event::Measured { seed: job.seed, measured }),
            Err(Error::Cancelled) => {}
            Err(error) => self.after_failure(&error, mailbox),
        }
    }

    /// A run failed. Where a graphics processor is to blame, the model is opened on it once more, and on the CPU if it
    /// fails again; any other failure is only told.
    fn after_failure(&mut self, error: &Error, mailbox: &Mailbox) {
        let on_gpu = self.open.as_ref().is_some_and(|open| open.engine.device().kind != DeviceKind::Cpu);
        if !(on_gpu && matches!(error, Error::Device { .. })) {
            let not_numbers = self.open.as_ref().and_then(|open| open.not_numbers.as_ref());
            let sentence = match (error, not_numbers) {
                (Error::NotFinite(point), Some(tensors)) => tensors.blame(*point),
                _ => error.to_string(),
            };
            return mailbox.post(Event::Notice(NoticeLevel::Error, sentence));
        }
        let Some(Open { job, .. }) = self.open.take() else { return };
        self.failures += 1;
        let (device, what) = match self.failures {
            1 => (job.device, "the model is being opened on it again"),
            _ => (DeviceChoice::Cpu, "computing on the CPU from here on"),
        };
        self.forget();
        mailbox.post(Event::Notice(NoticeLevel::Warning, format!("{error} Therefore {what}.")));
        self.open_and_tell(OpenJob { device, ..job }, &Cancel::new(), mailbox);
        if self.open.is_none() {
            mailbox.post(Event::Closed);
        }
    }
}

impl LensWork {
    /// Reads some more rows: first those that enter layer 0, then those that leave each layer. The inner value is the
    /// finished lens; the outer `None` says that the rows cannot be read.
    fn go_on(&mut self, open: &mut Open) -> Option<Option<Lens>> {
        let config = open.engine.config();
        let (n_layers, d_model, n_positions) = (config.n_layers, config.d_model, self.run.tokens.len());
        let point = |row: usize| match row / n_positions {
            0 => HookPoint::layer(0, Site::ResidPre),
            layer => HookPoint::layer(layer - 1, Site::ResidPost),
        };
        let n_rows = (n_layers + 1) * n_positions;
        let begin = self.cells.len();
        // A piece stays inside one layer, whose rows lie one after the other.
        let end = (begin + LENS_ROWS).min((begin / n_positions + 1) * n_positions).min(n_rows);
        let rows = self.run.trace.get(point(begin))?;
        let from = begin % n_positions * d_model;
        let rows = rows.data.get(from..from + (end - begin) * d_model)?;
        let tops = open.engine.lens(rows, LENS_TOP).ok()?;
        let tokenizer = &open.tokenizer;
        self.cells.extend(
            tops.into_iter().map(|top| top.into_iter().map(|score| (score, tokenizer.label(score.id))).collect()),
        );
        let finished = self.cells.len() == n_rows;
        Some(finished.then(|| Lens { n_positions, cells: std::mem::take(&mut self.cells) }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::builtin::ModelFolders;
    use crate::engine::{Memory, Output, Request};
    use crate::model::{DeviceInfo, ModelConfig};

    /// A graphics processor that went away.
    struct Broken(ModelConfig);

    impl Engine for Broken {
        fn config(&self) -> &ModelConfig {
            &self.0
        }

        fn device(&self) -> DeviceInfo {
            DeviceInfo { kind: DeviceKind::Gpu, name: "broken".into(), arithmetic: "f32".into() }
        }

        fn set_cancel(&mut self, _: Cancel) {}

        fn run(&mut self, _: Request<'_>) -> crate::model::Result<Output> {
            Err(Error::Device { device: "broken".into(), detail: "it was unplugged.".into() })
        }

        fn cached(&self) -> usize {
            0
        }

        fn truncate(&mut self, _: usize) {}

        fn lens(&mut self, _: &[f32], _: usize) -> crate::model::Result<Vec<Vec<TokenScore>>> {
            Ok(Vec::new())
        }

        fn memory(&self) -> Memory {
            Memory::default()
        }

        fn copy_bandwidth(&self) -> crate::model::Result<f64> {
            Ok(1.0)
        }
    }

    #[test]
    fn a_lost_device_is_replaced_and_the_model_runs_again() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance/llama/Q8_0.gguf");
        let mailbox = Mailbox::new(|| {});
        let mut session = Session::new();
        // The file's own choice of device is the CPU here, so that the second try works on any machine.
        let job = OpenJob {
            source: ModelSource::File(path),
            folders: ModelFolders::none(),
            device: DeviceChoice::Cpu,
            exact: true,
            remembered: false,
        };
        session.open_model(job, &Cancel::new(), &mailbox).unwrap();
        let open = session.open.as_mut().expect("the model");
        open.engine = Box::new(Broken(open.engine.config().clone()));
        mailbox.collect();

        let sequence = super::super::job::Sequence { prompt: "The engine".into(), ..Default::default() };
        let job = TraceJob { revision: 1, sequence, donor: None, tweaks: Vec::new(), detail_layer: 0 };
        session.run(Job::Trace(job.clone()), Cancel::new(), &mailbox);
        let events = mailbox.collect();
        assert!(
            events.iter().any(|e| matches!(e, Event::Notice(NoticeLevel::Warning, text) if text.contains("again")))
        );
        assert!(events.iter().any(|e| matches!(e, Event::Opened(_))), "it was opened again");

        session.run(Job::Trace(job), Cancel::new(), &mailbox);
        assert!(mailbox.collect().iter().any(|e| matches!(e, Event::Traced { clean: Some(_), .. })));
        assert_eq!(session.failures, 0, "a good run ends the count");
    }
}
