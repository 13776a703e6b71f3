//! Tasks and claims: what is found out in the open model, by the student and by a test.
//!
//! A task's key is nowhere written down: the lab measures the open model on texts drawn anew for each attempt, and hands
//! over what it found as a [`Key`]. A claim is a sentence of the prose about a model in numbers, so that prose which is no
//! longer true fails a test.

use serde::Deserialize;

use crate::insight::heads::{HeadKind, HeadMap};
use crate::model::tweak::{HeadRef, Tweak};

/// Something to find in the open model.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Unique on its page; the learner's record uses it.
    pub id: String,
    /// What the card is called.
    pub title: String,
    /// What is to be found.
    pub kind: TaskKind,
    /// The concepts of the lesson that it tests.
    pub concepts: Vec<String>,
    /// The task, as Markdown.
    pub question: String,
    /// Three steps of help, as Markdown.
    pub hints: [String; 3],
    /// What a student reads once it is solved, as Markdown.
    pub explanation: String,
}

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// A head that looks at the token before.
    PreviousTokenHead,
    /// A head that looks at what followed the earlier copy of the token.
    InductionHead,
    /// A head that rests on the first token.
    Sink,
    /// As few heads as possible whose silence changes the likeliest next token.
    Flip,
    /// The temperature at which a row of a pattern has a given entropy.
    RowEntropy,
}

impl TaskKind {
    /// The habit of the head that is to be found; none where no head is.
    pub fn habit(self) -> Option<HeadKind> {
        match self {
            Self::PreviousTokenHead => Some(HeadKind::PreviousToken),
            Self::InductionHead => Some(HeadKind::Induction),
            Self::Sink => Some(HeadKind::FirstToken),
            Self::Flip | Self::RowEntropy => None,
        }
    }
}

/// What the lab found for one attempt at a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// How much each head has the habit, from 0 to 1.
    Heads(HeadMap),
    /// What silencing heads does to a prediction.
    Flip(FlipKey),
    /// A row of scores whose temperature can be set.
    Row(RowKey),
    /// The model has no clear answer; why, in one sentence.
    Withdrawn(String),
}

/// What the lab measured for one attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// Layers of the model.
    pub n_layers: usize,
    /// Heads in each of them.
    pub n_heads: usize,
    /// The text that was drawn for this attempt, or the first of them; empty where none was.
    pub prompt: String,
    /// What was found.
    pub key: Key,
    /// The set of heads that the student silenced last, and the likeliest token of a run without them.
    pub tried: Option<(Vec<HeadRef>, String)>,
}

/// The key of [`TaskKind::Flip`].
#[derive(Debug, Clone, PartialEq)]
pub struct FlipKey {
    /// The likeliest next token of the unchanged model.
    pub top: String,
    /// Its probability.
    pub probability: f32,
    /// The smallest set that the search found. A smaller one may exist, and counts too.
    pub found: Vec<HeadRef>,
    /// What is likeliest without them.
    pub then: String,
}

/// The key of [`TaskKind::RowEntropy`].
#[derive(Debug, Clone, PartialEq)]
pub struct RowKey {
    /// The head whose row it is.
    pub head: HeadRef,
    /// The text of the token that looks.
    pub token: String,
    /// The scaled scores of the visible tokens.
    pub scores: Vec<f32>,
    /// The wanted entropy, in nats.
    pub target: f64,
}

impl RowKey {
    /// The row's weights at a temperature.
    pub fn weights(&self, temperature: f64) -> Vec<f64> {
        let most = self.scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = self.scores.iter().map(|s| (f64::from(s - most) / temperature).exp()).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|p| p / sum).collect()
    }

    /// The entropy −Σ A ln A of the row at a temperature, in nats.
    pub fn entropy(&self, temperature: f64) -> f64 {
        self.weights(temperature).iter().filter(|a| **a > 0.0).map(|a| -a * a.ln()).sum()
    }
}

/// What a student hands in.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// A head.
    Head(HeadRef),
    /// Heads that were silenced together, and the likeliest token then.
    Silenced(Vec<HeadRef>, String),
    /// A temperature.
    Temperature(f64),
}

/// A numeric statement of the prose about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Unique on its page.
    pub id: String,
    /// The ids of the models that it speaks of.
    pub models: Vec<String>,
    /// The text that is run.
    pub prompt: String,
    /// What must hold.
    pub holds: Holds,
}

/// What a claim says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Holds {
    /// The likeliest next token is this one; spaces around it do not count.
    TopToken {
        /// The token.
        token: String,
    },
    /// The next token is this one with more than this probability.
    ProbabilityAbove {
        /// The token.
        token: String,
        /// The probability.
        above: f64,
    },
    /// Some head has a habit with more than this score on the prompt.
    HeadScore {
        /// The habit.
        score: HeadKind,
        /// The score, from 0 to 1.
        above: f64,
    },
    /// A change moves the distribution of the next token by more than this.
    Change {
        /// The change.
        tweak: Tweak,
        /// The divergence KL(unchanged ‖ changed), in nats.
        kl_above: f64,
    },
}

/// The models outside the program of which lessons make claims, by the ids that they use.
pub const OUTSIDE: &[&str] = &["smollm2"];
