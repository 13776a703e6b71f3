//! What goes down to the engine thread, and what comes up.

use std::sync::Arc;

use super::snapshot::{Chip, DeviceOption, Lens, ModelCard, NoticeLevel, Run};
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
    /// `Job::Task`.
    Task,
    /// `Job::FindDevices`.
    FindDevices,
    /// The logit lens, computed when nothing else waits.
    Lens,
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
