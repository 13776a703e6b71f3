//! What the student can ask of the lab.

use crate::engine::{DeviceChoice, ModelSource};
use crate::model::sampler::SamplerConfig;
use crate::model::tweak::{HeadRef, Tweak};
use crate::progress::Act;

/// One request. All of them return at once; what comes of them shows up in the snapshot.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Grades an act and keeps it in the learner's record.
    Record(Box<Act>),
    /// Opens a weight file, a folder or a built-in model. The open model stays until the new one is ready.
    OpenModel(ModelSource),
    /// Closes the open model.
    CloseModel,
    /// Chooses where to compute; the open model moves there.
    SetDevice(DeviceChoice),
    /// Chooses exact f32 arithmetic on the CPU instead of the fast quantised kernels.
    SetExact(bool),
    /// Replaces the prompt; what was generated after it goes.
    SetPrompt(String),
    /// Replaces the second prompt, that patches are taken from. `None` removes it.
    SetDonorPrompt(Option<String>),
    /// Replaces all changes at once.
    SetTweaks(Vec<Tweak>),
    /// Adds a change, or takes it back if it is there.
    ToggleTweak(Tweak),
    /// Takes back every change.
    ClearTweaks,
    /// Chooses the head that the panels look at.
    SelectHead(HeadRef),
    /// Chooses the token (a position) that the panels look at.
    SelectToken(usize),
    /// Changes how the next token is drawn.
    SetSampler(SamplerConfig),
    /// Draws one token and appends it.
    Step,
    /// Draws tokens until the end of the text or this many.
    Generate(usize),
    /// Generates without (false) or with (true) the KV cache.
    SetUseCache(bool),
    /// Takes back what was generated.
    ClearGenerated,
    /// Renders the prompt as a chat message through the model's template, or takes it as plain text.
    SetChat(bool),
    /// Stops whatever runs.
    Cancel,
    /// Removes a notice.
    Dismiss(u64),
    /// Forgets the recent files.
    ClearRecent,
}
