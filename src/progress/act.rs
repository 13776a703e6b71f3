//! One graded act of a student.
//!
//! An act says what was asked, what was answered and how it was graded; which try it was and what it earns, the record
//! says ([`Graded`](super::Graded)), because only the log knows what came before. Shares are whole numbers and a
//! confidence is in per cent, so that an act read back from the log is exactly the act that was written.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;

/// How long an id may be, in bytes.
pub const MAX_ID: usize = 100;
/// How long the answer and the reasons of one act may be, in bytes each.
pub const MAX_TEXT: usize = 20_000;

/// What kind of thing was graded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// A question of a quiz.
    Question,
    /// A prediction, committed to before the model was asked. It counts for XP and calibration, not for mastery or
    /// review: it is made before anything was explained.
    Prediction,
    /// A task that is graded against the live model.
    Task,
}

/// How much of an answer was right: `got` of `of` parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The parts that were right.
    pub got: u32,
    /// All parts, at least 1.
    pub of: u32,
}

impl Credit {
    /// The whole answer.
    pub const RIGHT: Self = Self { got: 1, of: 1 };
    /// Nothing of it.
    pub const WRONG: Self = Self { got: 0, of: 1 };

    /// All or nothing.
    pub fn whole(correct: bool) -> Self {
        if correct { Self::RIGHT } else { Self::WRONG }
    }

    /// Whether the whole answer is right.
    pub fn is_right(self) -> bool {
        self.got >= self.of
    }

    /// The share that is right, from 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.got) / f64::from(self.of.max(1))
    }
}

/// One graded act.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// What kind of thing was graded.
    pub kind: ActKind,
    /// The id of the lesson.
    pub lesson: String,
    /// The id of the question, prediction or task, unique in its lesson.
    pub item: String,
    /// The concepts that it is about.
    pub concepts: Vec<String>,
    /// How much of the answer was right.
    pub credit: Credit,
    /// How many hints were read before the answer.
    pub hints: u32,
    /// How sure the student was, in per cent, where that was asked.
    pub confidence: Option<u8>,
    /// The seed of the numbers or the prompt; none where the item always asks the same. The order in which options are
    /// shown is not a variant.
    pub variant: Option<u64>,
    /// The hash of the model that was open, where the answer depends on one.
    pub model: Option<String>,
    /// The changes to the model and the values of its sliders, as the lab writes them.
    pub tweaks: Vec<Value>,
    /// The answer, in words for the lab report.
    pub answer: String,
    /// What the student was told about it, as in the lesson.
    pub reasons: Vec<String>,
}

/// What makes two prompts the same: an item, and the variant of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Prompt {
    /// The id of the lesson.
    pub lesson: String,
    /// The id of the item.
    pub item: String,
    /// The variant.
    pub variant: Option<u64>,
}

impl Act {
    /// An answer to a question, with no hints, no confidence and nothing changed in the model.
    pub fn question(lesson: &str, item: &str, concepts: &[&str], credit: Credit) -> Self {
        Self {
            kind: ActKind::Question,
            lesson: lesson.into(),
            item: item.into(),
            concepts: concepts.iter().map(|c| (*c).into()).collect(),
            credit,
            hints: 0,
            confidence: None,
            variant: None,
            model: None,
            tweaks: Vec::new(),
            answer: String::new(),
            reasons: Vec::new(),
        }
    }

    /// Which prompt was answered.
    pub fn prompt(&self) -> Prompt {
        Prompt { lesson: self.lesson.clone(), item: self.item.clone(), variant: self.variant }
    }

    /// Whether it counts for mastery and review.
    pub fn is_practice(&self) -> bool {
        self.kind != ActKind::Prediction
    }

    /// Checks that the act can be written down and read back. A lesson's file is untrusted, and so is what comes of it.
    pub fn check(&self) -> Result<(), Error> {
        let say = |why: String| Err(Error::Act { item: self.item.chars().take(MAX_ID).collect(), why });
        let ids = [&self.lesson, &self.item].into_iter().chain(&self.concepts);
        for id in ids {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(plain) {
                let shown: String = id.chars().take(MAX_ID).collect();
                return say(format!("the id “{shown}” is not made of small letters, digits and hyphens alone"));
            }
        }
        if self.credit.of == 0 || self.credit.got > self.credit.of {
            return say(format!("{} of {} parts cannot be right", self.credit.got, self.credit.of));
        }
        if let Some(percent @ 101..) = self.confidence {
            return say(format!("a confidence of {percent} % is above 100 %"));
        }
        let longest = self.reasons.iter().chain([&self.answer]).map(String::len).max().unwrap_or(0);
        let tweaks: usize = self.tweaks.iter().map(|tweak| tweak.to_string().len()).sum();
        if longest.max(tweaks) > MAX_TEXT || self.reasons.len() > 100 || self.concepts.len() > 100 {
            return say(format!("it is longer than the {MAX_TEXT} bytes that are kept"));
        }
        if self.model.as_ref().is_some_and(|hash| hash.len() > MAX_ID) {
            return say("the hash of the model is too long".into());
        }
        Ok(())
    }
}
