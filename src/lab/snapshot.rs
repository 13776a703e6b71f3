//! What the lab shows: plain data, replaced as jobs finish.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Standing;
use crate::builtin::About;
use crate::engine::{DeviceChoice, Memory, ModelSource, TokenScore};
use crate::model::sampler::{Draw, SamplerConfig};
use crate::model::tweak::{HeadRef, Tweak};
use crate::model::{DeviceInfo, ModelConfig, Trace};

/// Everything that a frame of the window draws.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Grows whenever anything below changed.
    pub revision: u64,
    /// The open model.
    pub model: Option<Arc<ModelCard>>,
    /// Where the student wants to compute.
    pub device_choice: DeviceChoice,
    /// Where it is possible to compute. Empty until the adapters were asked.
    pub devices: Vec<DeviceOption>,
    /// Whether exact arithmetic is asked for on the CPU.
    pub exact: bool,
    /// The prompt, as typed.
    pub prompt: String,
    /// Whether the prompt goes through the chat template.
    pub chat: bool,
    /// The second prompt.
    pub donor_prompt: Option<String>,
    /// Its tokens.
    pub donor_chips: Arc<[Chip]>,
    /// The tokens of the prompt and of what was generated after it.
    pub chips: Arc<[Chip]>,
    /// How many of `chips` belong to the prompt.
    pub n_prompt: usize,
    /// Parts of the prompt that the vocabulary cannot write and that are therefore left out.
    pub dropped: Vec<String>,
    /// The changes in force.
    pub tweaks: Vec<Tweak>,
    /// What the panels look at.
    pub selection: Selection,
    /// The run without changes.
    pub clean: Option<Arc<Run>>,
    /// The run with the changes, if there are any.
    pub tweaked: Option<Arc<Run>>,
    /// Whether the runs above no longer belong to the prompt, changes or model: their plots are drawn dimmed.
    pub stale: bool,
    /// How tokens are drawn.
    pub sampler: SamplerConfig,
    /// Whether generation uses the KV cache.
    pub use_cache: bool,
    /// The generation that runs or ran last.
    pub generation: Option<Arc<Generation>>,
    /// What is running now.
    pub activity: Option<Activity>,
    /// Messages, oldest first.
    pub notices: Vec<Notice>,
    /// Files opened before, newest first.
    pub recent: Vec<PathBuf>,
    /// What was opened last, to be opened again next time.
    pub last: Option<ModelSource>,
    /// Where the student stands, once the record is open.
    pub standing: Option<Arc<Standing>>,
}

impl Snapshot {
    /// The run that the panels show: with the changes if there are any, else without.
    pub fn shown(&self) -> Option<&Arc<Run>> {
        self.tweaked.as_ref().or(self.clean.as_ref())
    }
}

/// The open model.
#[derive(Debug, Clone)]
pub struct ModelCard {
    /// Its name on screen.
    pub name: String,
    /// Where it was opened from.
    pub source: ModelSource,
    /// What it says about itself, if anything.
    pub about: Option<Arc<About>>,
    /// Its architecture.
    pub config: ModelConfig,
    /// What computes it.
    pub device: DeviceInfo,
    /// What it takes on the device.
    pub memory: Memory,
    /// How it was loaded: text of the load report, section by section.
    pub report: Vec<LoadReportView>,
    /// What the student should know about the file (ignored tensors, NaN weights, …), a sentence each.
    pub warnings: Vec<String>,
    /// Whether it has a chat template.
    pub has_chat_template: bool,
    /// How long loading took.
    pub load_time: Duration,
}

impl ModelCard {
    /// The id that lessons know it by: that of a built-in model, or the one that its `model.toml` states.
    pub fn id(&self) -> Option<&str> {
        self.source.built_in().or_else(|| Some(self.about.as_ref()?.id.as_str()))
    }
}

/// One section of the load report: a heading and rows of name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadReportView {
    /// The heading.
    pub title: String,
    /// Name, value.
    pub rows: Vec<(String, String)>,
}

/// A place to compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceOption {
    /// What to send to choose it.
    pub choice: DeviceChoice,
    /// Its name.
    pub name: String,
    /// One line on what it is ("software Vulkan on the CPU").
    pub detail: String,
}

/// A token on screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chip {
    /// Its id.
    pub id: u32,
    /// A printable label, with visible white space.
    pub label: String,
    /// Whether it is a control token.
    pub special: bool,
    /// Whether it is part of a character that several tokens spell.
    pub fragment: bool,
}

/// What the panels look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// The head.
    pub head: HeadRef,
    /// The token (as query), a position.
    pub token: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { head: HeadRef { layer: 0, head: 0 }, token: 0 }
    }
}

/// One run over the whole sequence, with everything that the panels plot.
///
/// The trace holds `Pattern` and `ResidPost` of every layer, and for the selected layer (`detail_layer`) also `Q`, `K`,
/// `V`, `RotQ`, `RotK`, `RawScores`, `ScaledScores`, `Scores`, `Z` and `AttnOut`.
#[derive(Debug, Clone)]
pub struct Run {
    /// Tells runs apart, so that a panel can cache what it derives.
    pub id: u64,
    /// The tokens.
    pub tokens: Arc<[u32]>,
    /// What was recorded.
    pub trace: Trace,
    /// The layer whose steps were recorded in detail.
    pub detail_layer: usize,
    /// Logits at the last position, `[d_vocab]`.
    pub logits: Arc<[f32]>,
    /// The most probable next tokens.
    pub top: Vec<TokenBar>,
    /// The logit lens, once it is computed.
    pub lens: Option<Arc<Lens>>,
    /// The changes that were in force.
    pub tweaks: Vec<Tweak>,
    /// How long the forward pass took.
    pub duration: Duration,
    /// How it was computed ("f32", "16-bit activations").
    pub arithmetic: String,
}

/// A candidate for the next token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenBar {
    /// The token and its probability in this run.
    pub score: TokenScore,
    /// Its label.
    pub label: String,
    /// Its probability in the run without changes.
    pub clean_probability: f32,
}

/// What each layer would predict at each position.
#[derive(Debug, Clone, PartialEq)]
pub struct Lens {
    /// Positions.
    pub n_positions: usize,
    /// Best tokens of the stream that leaves layer `l` at position `p`, at index `l · n_positions + p`; best first.
    pub cells: Vec<Vec<(TokenScore, String)>>,
}

/// A text that grows token by token.
#[derive(Debug, Clone, Default)]
pub struct Generation {
    /// The text so far.
    pub text: String,
    /// Labels of the candidates of the last draw, in their order.
    pub labels: Vec<String>,
    /// Each token with how it was drawn.
    pub draws: Vec<(Chip, Draw)>,
    /// Whether more will come.
    pub running: bool,
    /// Why it stopped.
    pub stopped: Option<String>,
    /// Time for the prompt, and for each token after it.
    pub prefill: Duration,
    /// Per token.
    pub step_times: Vec<Duration>,
    /// Tokens per second over the last second or so.
    pub tokens_per_second: f32,
    /// Bytes that the KV cache holds; 0 without one.
    pub cache_bytes: u64,
}

/// What is running.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// What it is, as a phrase: "Opening SmolLM2.gguf".
    pub label: String,
    /// How far it got, 0 to 1, where that is known.
    pub fraction: Option<f32>,
}

/// A message to the student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: u64,
    /// How serious it is.
    pub level: NoticeLevel,
    /// One calm sentence, with what to do.
    pub text: String,
    /// Whether it stays until it is dismissed.
    pub sticky: bool,
}

/// How serious a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something works in a lesser way.
    Warning,
    /// Something did not work.
    Error,
}
