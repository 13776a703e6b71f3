//! What goes down to the engine thread, and what comes up.

use std::sync::Arc;

use super::meaning::{Answer, Question};
use super::snapshot::{Chip, DeviceOption, Lens, ModelCard, NoticeLevel, Run};
use super::study::{Study, StudyJob, StudyView};
use super::task::TaskJob;
use crate::builtin::ModelFolders;
use crate::engine::{DeviceChoice, ModelSource};
use crate::lesson::Measured;
use crate::model::sampler::{Draw, SamplerConfig};
use crate::model::tweak::Tweak;

/// A piece of work for the engine thread.
#[derive(Debug, Clone)]
pub enum Job {
    /// Lists the places to compute.
    FindDevices,
    /// Opens a model.
    Open(OpenJob),
    /// Closes the open model.
    Close,
    /// Runs the sequence without and with the changes.
    Trace(TraceJob),
    /// Generates text after the sequence.
    Generate(GenerateJob),
    /// Begins a study, in place of one of the same kind.
    Study(StudyJob),
    /// Gives up a study.
    StopStudy(Study),
    /// Answers a question about meaning.
    Ask(AskJob),
    /// Measures the open model for a lesson's task; what is known already is not measured again.
    Task(TaskJob, Option<Arc<Measured>>),
}

/// Kinds of job, most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Job::Close`.
    Close,
    /// `Job::Open`.
    Open,
    /// `Job::Trace`.
    Trace,
    /// `Job::Generate`.
    Generate,
    /// `Job::Ask`, by the kind of question.
    Ask(AskKind),
    /// `Job::Task`.
    Task,
    /// `Job::FindDevices`.
    FindDevices,
    /// `Job::StopStudy`.
    StopStudy(Study),
    /// `Job::Study`.
    Study(Study),
    /// The logit lens and the studies, worked on when nothing else waits.
    Background,
}

/// Kinds of question: one of each may wait. Quick ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum AskKind {
    Glance,
    Near,
    Analogy,
    Pairs,
    Context,
    Map,
}

impl Kind {
    /// Every kind of question.
    pub const ASK: [Self; 6] = [
        Self::Ask(AskKind::Glance),
        Self::Ask(AskKind::Near),
        Self::Ask(AskKind::Analogy),
        Self::Ask(AskKind::Pairs),
        Self::Ask(AskKind::Context),
        Self::Ask(AskKind::Map),
    ];
}

impl Job {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::FindDevices => Kind::FindDevices,
            Self::Open(_) => Kind::Open,
            Self::Close => Kind::Close,
            Self::Trace(_) => Kind::Trace,
            Self::Generate(_) => Kind::Generate,
            Self::Study(job) => Kind::Study(job.study),
            Self::StopStudy(study) => Kind::StopStudy(*study),
            Self::Ask(job) => Kind::Ask(match job.question {
                Question::Map => AskKind::Map,
                Question::Near { .. } => AskKind::Near,
                Question::Glance(_) => AskKind::Glance,
                Question::Analogy { .. } => AskKind::Analogy,
                Question::Pairs { .. } => AskKind::Pairs,
                Question::Context { .. } => AskKind::Context,
            }),
            Self::Task(..) => Kind::Task,
        }
    }
}

/// A model to open.
#[derive(Debug, Clone)]
pub struct OpenJob {
    /// Where it comes from.
    pub source: ModelSource,
    /// What may stand in for built-in models.
    pub folders: ModelFolders,
    /// Where to compute.
    pub device: DeviceChoice,
    /// Whether the CPU keeps exact arithmetic.
    pub exact: bool,
    /// Whether the source is only what was open last time: if it cannot be opened any more, the default model is.
    pub remembered: bool,
}

/// The text that is run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sequence {
    /// The prompt, as typed.
    pub prompt: String,
    /// Whether the prompt goes through the chat template.
    pub chat: bool,
    /// Tokens that were generated after it.
    pub generated: Vec<u32>,
}

/// A run for the panels.
#[derive(Debug, Clone)]
pub struct TraceJob {
    /// Tells results apart: those of an older request are dropped.
    pub revision: u64,
    /// The text.
    pub sequence: Sequence,
    /// The second prompt.
    pub donor: Option<String>,
    /// The changes.
    pub tweaks: Vec<Tweak>,
    /// The layer whose steps are recorded in detail.
    pub detail_layer: usize,
}

/// A generation.
#[derive(Debug, Clone)]
pub struct GenerateJob {
    /// Tells generations apart: news of one that was given up is dropped.
    pub id: u64,
    /// The text to go on from, and the changes.
    pub from: TraceJob,
    /// How tokens are drawn.
    pub sampler: SamplerConfig,
    /// How many tokens at most.
    pub max_tokens: usize,
    /// Whether to keep K and V of the past.
    pub use_cache: bool,
}

/// A question about meaning.
#[derive(Debug, Clone)]
pub struct AskJob {
    /// Tells questions apart: answers to one that was given up are dropped.
    pub id: u64,
    /// The question.
    pub question: Question,
}

/// News from the engine thread.
#[derive(Debug)]
pub enum Event {
    /// The places to compute.
    Devices(Vec<DeviceOption>),
    /// How far the running job got.
    Progress {
        /// What runs.
        label: String,
        /// 0 to 1, where known.
        fraction: Option<f32>,
    },
    /// A model is open.
    Opened(Arc<ModelCard>),
    /// No model is open any more.
    Closed,
    /// The sequence was cut into tokens.
    Tokens {
        /// Of this request.
        revision: u64,
        /// The sequence's tokens.
        chips: Arc<[Chip]>,
        /// How many are the prompt's.
        n_prompt: usize,
        /// Parts of the text that the vocabulary cannot write.
        dropped: Vec<String>,
        /// The second prompt's tokens.
        donor_chips: Arc<[Chip]>,
    },
    /// The runs of a request.
    Traced {
        /// Of this request.
        revision: u64,
        /// Without changes. `None` for an empty prompt.
        clean: Option<Arc<Run>>,
        /// With the changes, if there are any.
        tweaked: Option<Arc<Run>>,
    },
    /// The logit lens of a run.
    LensReady {
        /// The run's id.
        run: u64,
        /// The lens.
        lens: Arc<Lens>,
    },
    /// A study knows more.
    Study {
        /// Which request.
        id: u64,
        /// Which study.
        study: Study,
        /// What is known.
        view: Arc<StudyView>,
    },
    /// The open model was measured for an attempt at a task.
    Measured {
        /// The seed of the attempt.
        seed: u64,
        /// What was found.
        measured: Measured,
    },
    /// A generation began: the prompt was run.
    Prefilled {
        /// Which generation.
        id: u64,
        /// How long that took.
        duration: std::time::Duration,
    },
    /// A token was drawn.
    Drew {
        /// By which generation.
        id: u64,
        /// The token.
        chip: Chip,
        /// How it was drawn.
        draw: Draw,
        /// Labels of the candidates.
        labels: Vec<String>,
        /// The text that became complete with it.
        text: String,
        /// How long it took.
        duration: std::time::Duration,
        /// Bytes of the cache now.
        cache_bytes: u64,
    },
    /// A generation ended.
    Generated {
        /// Which one.
        id: u64,
        /// Why.
        reason: String,
    },
    /// A question was answered.
    Answered {
        /// Which one.
        id: u64,
        /// The answer.
        answer: Box<Answer>,
    },
    /// The running job ended, well or not.
    Done(Kind),
    /// Something to tell the student.
    Notice(NoticeLevel, String),
    /// The runs of a request could not be made; the reason was told.
    Failed {
        /// Of this request.
        revision: u64,
    },
}
