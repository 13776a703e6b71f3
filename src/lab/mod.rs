//! The headless app.
//!
//! [`Lab`] is everything that the window does, without the window: the open model, the prompt, the student's changes and
//! the jobs that run them. The window (or a test, or the command line) sends [`Command`]s and reads the [`Snapshot`]; it
//! never computes, waits or holds a lock. Long work happens on one engine thread, fed through a mailbox that keeps at
//! most one job of each kind, so a dragged slider never queues more than one run.

mod card;
mod command;
mod generate;
mod job;
mod opening;
mod recorder;
mod session;
mod snapshot;
mod trace;
pub mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use crate::engine::{DeviceChoice, ModelSource};
pub use command::Command;
use job::{Event, GenerateJob, Job, Kind, Sequence, TraceJob};
pub use opening::Begin;
pub use recorder::Standing;
use recorder::{Recorder, Told};
pub use snapshot::{
    Activity, Chip, DeviceOption, Generation, Lens, LoadReportView, ModelCard, Notice, NoticeLevel, Run, Selection,
    Snapshot, TokenBar,
};
use worker::EngineThread;

use crate::builtin::ModelFolders;
use crate::model::tweak::Tweak;

/// What the lab starts with.
#[derive(Debug, Clone, Default)]
pub struct LabOptions {
    /// What to open by itself.
    pub begin: Begin,
    /// What was open last time.
    pub last: Option<ModelSource>,
    /// What may stand in for built-in models.
    pub folders: ModelFolders,
    /// Files opened before, newest first.
    pub recent: Vec<PathBuf>,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Whether the CPU keeps exact arithmetic.
    pub exact: bool,
    /// The first prompt, for a model that suggests none.
    pub prompt: String,
    /// The file of the learner's record. Without one, answers are graded and forgotten.
    pub record: Option<PathBuf>,
}

/// The app without its window.
pub struct Lab {
    engine: EngineThread,
    recorder: Option<Recorder>,
    snapshot: Snapshot,
    generated: Vec<u32>,
    /// The newest request for runs, and whether it was answered.
    revision: u64,
    /// The newest generation.
    generation: u64,
    notices: u64,
    /// The newest notice when a model was last asked for: warnings up to it are about the one before.
    notices_before: u64,
    folders: ModelFolders,
    /// The prompt of models that suggest none.
    plain_prompt: String,
    /// The prompt that a model brought. While the student has not changed it, the next model may bring its own.
    given_prompt: String,
    devices_asked: bool,
    /// Whether the newest request for runs was sent together with the model that it is for.
    sent_ahead: bool,
}

impl Lab {
    /// Starts the engine thread. `waker` is called, on that thread, whenever `poll` has something to collect.
    pub fn new(options: LabOptions, waker: impl Fn() + Send + Sync + 'static) -> Self {
        let snapshot = Snapshot {
            device_choice: options.device,
            exact: options.exact,
            prompt: options.prompt.clone(),
            recent: options.recent,
            last: options.last.clone(),
            use_cache: true,
            ..Snapshot::default()
        };
        let waker = Arc::new(waker);
        let recorder = options.record.map(|path| {
            let waker = waker.clone();
            Recorder::start(path, move || waker())
        });
        let mut lab = Self {
            engine: EngineThread::start(move || waker()),
            recorder,
            snapshot,
            generated: Vec::new(),
            revision: 0,
            generation: 0,
            notices: 0,
            notices_before: 0,
            folders: options.folders,
            plain_prompt: options.prompt.clone(),
            given_prompt: options.prompt,
            devices_asked: false,
            sent_ahead: false,
        };
        match options.begin {
            Begin::Empty => lab.find_devices(),
            Begin::With(source) => lab.open(source, false),
            Begin::Again => lab.open(options.last.unwrap_or_else(ModelSource::default_model), true),
        }
        lab
    }

    /// What is to be shown.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Carries out a command, or starts the job for it.
    pub fn apply(&mut self, command: Command) {
        let s = &mut self.snapshot;
        match command {
            Command::OpenModel(source) => self.open(source, false),
            Command::CloseModel => {
                self.engine.cancel(&[Kind::Open, Kind::Trace, Kind::Generate]);
                self.engine.send(Job::Close);
            }
            Command::SetDevice(choice) => {
                s.device_choice = choice;
                self.reopen();
            }
            Command::SetExact(exact) => {
                s.exact = exact;
                self.reopen();
            }
            Command::SetPrompt(prompt) => {
                if prompt != s.prompt || !self.generated.is_empty() {
                    s.prompt = prompt;
                    self.sequence_changed();
                }
            }
            Command::SetChat(chat) => {
                s.chat = chat;
                self.sequence_changed();
            }
            Command::ClearGenerated => self.sequence_changed(),
            Command::SetDonorPrompt(prompt) => {
                s.donor_prompt = prompt;
                self.request_runs();
            }
            Command::SetTweaks(tweaks) => {
                if tweaks != s.tweaks {
                    s.tweaks = tweaks;
                    self.request_runs();
                }
            }
            Command::ToggleTweak(tweak) => {
                toggle(&mut s.tweaks, tweak);
                self.request_runs();
            }
            Command::ClearTweaks => {
                s.tweaks.clear();
                self.request_runs();
            }
            Command::SelectHead(head) => {
                let recorded = s.shown().map(|run| run.detail_layer);
                s.selection.head = head;
                self.sent_ahead = false;
                if recorded.is_some_and(|layer| layer != head.layer) {
                    self.request_runs();
                }
            }
            Command::SelectToken(token) => s.selection.token = token,
            Command::SetSampler(sampler) => s.sampler = sampler,
            Command::SetUseCache(use_cache) => s.use_cache = use_cache,
            Command::Step => self.generate(1),
            Command::Generate(n) => self.generate(n),
            Command::Cancel => self.engine.cancel(&[Kind::Open, Kind::Trace, Kind::Generate]),
            Command::Dismiss(id) => s.notices.retain(|notice| notice.id != id),
            Command::ClearRecent => s.recent.clear(),
            Command::Record(act) => {
                if let Some(recorder) = &mut self.recorder {
                    recorder.record(*act);
                }
            }
        }
        self.snapshot.revision += 1;
    }

    /// Collects what the engine thread has done. True if the snapshot changed.
    pub fn poll(&mut self) -> bool {
        let events = self.engine.events();
        let told = self.recorder.as_mut().map(Recorder::collect).unwrap_or_default();
        let changed = !events.is_empty() || !told.is_empty();
        for told in told {
            match told {
                Told::Standing(standing) => self.snapshot.standing = Some(Arc::new(standing)),
                Told::Notice(text) => self.notice(NoticeLevel::Warning, text),
                Told::Done => {}
            }
        }
        for event in events {
            self.collect(event);
        }
        if changed {
            self.snapshot.revision += 1;
        }
        changed
    }

    /// Whether nothing runs or waits.
    pub fn is_idle(&self) -> bool {
        self.engine.is_idle() && self.recorder.as_ref().is_none_or(Recorder::is_idle)
    }

    /// Waits until there is something to collect.
    fn wait(&mut self) {
        match &mut self.recorder {
            Some(recorder) if self.engine.is_idle() && !recorder.is_idle() => recorder.wait(),
            _ => self.engine.wait(),
        }
    }

    /// Polls until nothing runs or waits. For the command line and for tests; the window never calls it.
    pub fn wait_until_idle(&mut self) {
        while !self.is_idle() {
            self.wait();
            self.poll();
        }
    }

    /// Polls until `done` holds or nothing runs any more; says whether it holds.
    pub fn wait_until(&mut self, done: impl Fn(&Snapshot) -> bool) -> bool {
        while !done(&self.snapshot) {
            if self.is_idle() {
                return false;
            }
            self.wait();
            self.poll();
        }
        true
    }

    /// The text is another: what was generated after it goes, and what runs for it stops.
    fn sequence_changed(&mut self) {
        self.engine.cancel(&[Kind::Trace, Kind::Generate]);
        self.generated.clear();
        self.generation += 1;
        self.snapshot.generation = None;
        self.request_runs();
    }

    /// Asks for new runs. A run that goes on is let finish, so that a dragged slider shows something on its way.
    fn request_runs(&mut self) {
        if self.snapshot.model.is_none() {
            // What was sent ahead is about another text now.
            self.sent_ahead = false;
            return;
        }
        self.snapshot.stale = true;
        self.send_trace();
    }

    fn send_trace(&mut self) {
        self.revision += 1;
        self.engine.send(Job::Trace(self.trace_job()));
    }

    fn trace_job(&self) -> TraceJob {
        let s = &self.snapshot;
        TraceJob {
            revision: self.revision,
            sequence: Sequence { prompt: s.prompt.clone(), chat: s.chat, generated: self.generated.clone() },
            donor: s.donor_prompt.clone(),
            tweaks: s.tweaks.clone(),
            detail_layer: s.selection.head.layer,
        }
    }

    fn generate(&mut self, max_tokens: usize) {
        let s = &mut self.snapshot;
        if s.model.is_none() || s.generation.as_ref().is_some_and(|g| g.running) {
            return;
        }
        let before = s.generation.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        s.generation = Some(Arc::new(Generation { running: true, stopped: None, step_times: Vec::new(), ..before }));
        // Each continuation draws on from where the last one stopped, not the same numbers again.
        let mut sampler = s.sampler;
        sampler.seed = sampler.seed.wrapping_add(self.generated.len() as u64);
        let use_cache = s.use_cache;
        self.generation += 1;
        let (id, from) = (self.generation, self.trace_job());
        self.engine.send(Job::Generate(GenerateJob { id, from, sampler, max_tokens, use_cache }));
    }

    fn collect(&mut self, event: Event) {
        let s = &mut self.snapshot;
        match event {
            Event::Devices(devices) => s.devices = devices,
            Event::Progress { label, fraction } => s.activity = Some(Activity { label, fraction }),
            Event::Opened(card) => self.opened(card),
            Event::Closed => {
                s.model = None;
                (s.clean, s.tweaked, s.generation) = (None, None, None);
                (s.chips, s.n_prompt, s.stale) = (Arc::default(), 0, false);
            }
            Event::Tokens { revision, chips, n_prompt, dropped, donor_chips } if revision == self.revision => {
                s.selection.token = s.selection.token.min(chips.len().saturating_sub(1));
                if s.chips.len() != chips.len() {
                    s.selection.token = chips.len().saturating_sub(1);
                }
                (s.chips, s.n_prompt, s.dropped, s.donor_chips) = (chips, n_prompt, dropped, donor_chips);
            }
            Event::Traced { revision, clean, tweaked } => {
                // An older answer to a slider that still moves is worth showing if it is about the same tokens.
                let newest = revision == self.revision;
                let same_text = clean.as_ref().is_some_and(|run| run.tokens.len() == s.chips.len());
                if newest || same_text {
                    (s.clean, s.tweaked) = (clean, tweaked);
                    s.stale = !newest;
                }
            }
            Event::LensReady { run, lens } => {
                for shown in [&mut s.clean, &mut s.tweaked].into_iter().flatten() {
                    if shown.id == run {
                        let with_lens = Run { lens: Some(lens.clone()), ..shown.as_ref().clone() };
                        *shown = Arc::new(with_lens);
                    }
                }
            }
            Event::Failed { revision } if revision == self.revision => {
                (s.clean, s.tweaked, s.stale) = (None, None, false);
            }
            Event::Prefilled { id, .. } | Event::Drew { id, .. } | Event::Generated { id, .. }
                if id != self.generation => {}
            Event::Prefilled { duration, .. } => self.generation(|g| g.prefill = duration),
            Event::Drew { chip, draw, labels, text, duration, cache_bytes, .. } => {
                // Who looks at the end of the text goes on looking there.
                let selected = &mut s.selection.token;
                *selected += usize::from(*selected + 1 == s.chips.len());
                self.generated.push(chip.id);
                let chips = self.snapshot.chips.iter().cloned().chain([chip.clone()]).collect();
                self.snapshot.chips = chips;
                self.generation(|g| {
                    g.text.push_str(&text);
                    g.labels = labels;
                    g.draws.push((chip, draw));
                    g.step_times.push(duration);
                    g.tokens_per_second = rate(&g.step_times);
                    g.cache_bytes = cache_bytes;
                });
            }
            Event::Generated { reason, .. } => {
                self.generation(|g| (g.running, g.stopped) = (false, Some(reason)));
                self.request_runs();
            }
            Event::Done(kind) => {
                s.activity = None;
                let has_model = s.model.is_some();
                match kind {
                    Kind::Generate => self.generation(|g| g.running = false),
                    Kind::Trace => self.find_devices(),
                    Kind::Open if !has_model => self.find_devices(),
                    _ => {}
                }
            }
            Event::Notice(level, text) => self.notice(level, text),
            Event::Tokens { .. } | Event::Failed { .. } => {}
        }
    }

    fn generation(&mut self, change: impl FnOnce(&mut Generation)) {
        if let Some(generation) = &mut self.snapshot.generation {
            change(Arc::make_mut(generation));
        }
    }

    fn notice(&mut self, level: NoticeLevel, text: String) {
        self.notices += 1;
        self.snapshot.notices.retain(|notice| notice.text != text);
        let sticky = level != NoticeLevel::Info;
        self.snapshot.notices.push(Notice { id: self.notices, level, text, sticky });
    }
}

/// Adds a change or takes it back. Of the kinds that can only be in force once, the new one replaces the old.
fn toggle(tweaks: &mut Vec<Tweak>, tweak: Tweak) {
    if let Some(i) = tweaks.iter().position(|t| *t == tweak) {
        tweaks.remove(i);
        return;
    }
    let once = matches!(tweak, Tweak::Window { .. } | Tweak::Unscaled | Tweak::Acausal);
    if once {
        tweaks.retain(|t| std::mem::discriminant(t) != std::mem::discriminant(&tweak));
    }
    tweaks.push(tweak);
}

/// Tokens per second over the last second, the prompt's own time left out.
fn rate(step_times: &[Duration]) -> f32 {
    let mut time = Duration::ZERO;
    let recent = step_times.iter().skip(1).rev();
    let n = recent
        .take_while(|step| {
            time += **step;
            time < Duration::from_secs(1) + **step
        })
        .count();
    if time.is_zero() { 0.0 } else { n as f32 / time.as_secs_f32() }
}
