//! What a lesson asks of the lab.
//!
//! A [`Scene`] names panels, a prompt and a selection, and offers changes as buttons. It is only a wish: the lab decides
//! what the open model can do of it (a head that this model lacks is ignored there, with a notice).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::tweak::{HeadRef, Tweak};

macro_rules! panels {
    ($($variant:ident = $name:literal, $title:literal;)+) => {
        /// A panel of the live lab.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum PanelId {
            $(#[doc = concat!("`", $name, "`: ", $title, ".")] #[serde(rename = $name)] $variant,)+
        }

        impl PanelId {
            /// Every panel.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in lesson files and saved layouts.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The panel with a name.
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|panel| panel.name() == name)
            }

            /// The title that a student reads.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }
        }
    };
}

// Declared once: the names of lesson files, of saved layouts and of the titles on screen.
panels! {
    AttentionGrid = "attention-grid", "Every head";
    AttentionHead = "attention-head", "One head";
    AttentionPipeline = "attention-pipeline", "From scores to output";
    NextToken = "next-token", "Next token";
    LogitLens = "logit-lens", "Logit lens";
    Tweaks = "tweaks", "Changes";
    HeadScores = "head-scores", "Where heads look";
    HeadEffect = "head-effect", "What each head is worth";
    NGram = "n-gram", "Counting alone";
    PatchMap = "patch-map", "Patch map";
    EmbeddingMap = "embedding-map", "Map of tokens";
    Neighbours = "neighbours", "Neighbours";
    Analogy = "analogy", "Analogy";
    WordInContext = "word-in-context", "A word in context";
}

/// Panels that lessons already name and that are still to be built. They are left out of what a student sees; once
/// [`PanelId`] has one of these names, the name here is without effect.
pub const PLANNED: &[&str] = &[
    "align-pipeline",
    "analogy",
    "cache-race",
    "cache-size",
    "cache-view",
    "embedding-map",
    "expert-load",
    "head-scores",
    "moe-size",
    "n-gram",
    "neighbours",
    "over-optimisation",
    "preferences",
    "reward",
    "roofline",
    "rope",
    "router",
    "scaling-fit",
    "scaling-live",
    "sinusoids",
    "tax",
    "word-in-context",
];

/// A state of the lab that a lesson asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What the card in the lesson is called.
    pub title: String,
    /// Which panels, in reading order.
    pub panels: Vec<PanelId>,
    /// Panels that it names and that are still to be built.
    pub planned: Vec<&'static str>,
    /// The text to run; none keeps the student's.
    pub prompt: ModelText,
    /// A second text, for patches and comparisons.
    pub compare_prompt: ModelText,
    /// The head to select.
    pub select: Option<HeadRef>,
    /// The position to select, from 0.
    pub token: Option<usize>,
    /// Changes offered as buttons.
    pub tweaks: Vec<TweakButton>,
}

/// A text of which some built-in models have their own version: a model that knows only the words of its stories is asked
/// in those words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelText {
    /// For every other model.
    pub default: Option<String>,
    /// By a model's id.
    pub own: BTreeMap<String, String>,
}

impl ModelText {
    /// The text for the open model.
    pub fn of(&self, model: Option<&str>) -> Option<&String> {
        model.and_then(|id| self.own.get(id)).or(self.default.as_ref())
    }
}

/// A change that a lesson offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TweakButton {
    /// What the button says.
    pub label: String,
    /// What it switches on and off.
    pub tweak: Tweak,
}

/// A state of the lab in which a wrong answer can be seen to be wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Show {
    /// The text to run; none keeps the student's.
    pub prompt: ModelText,
    /// The changes to switch on, and no other.
    pub tweaks: Vec<Tweak>,
    /// The head to select.
    pub select: Option<HeadRef>,
}
