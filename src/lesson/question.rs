//! What a quiz block asks.
//!
//! A wrong answer teaches only when it is told why it is wrong, so a wrong option without a reason does not parse. The
//! key of a live question is not in the file at all: it is what the open model says.

use super::{LiveKey, ModelText, Show};

/// A question with its key.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Unique on its page; the learner's record uses it.
    pub id: String,
    /// The concepts of the lesson that it tests.
    pub concepts: Vec<String>,
    /// The question, as Markdown.
    pub question: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// Three steps of help: a pointer, the principle, a worked step. As Markdown.
    pub hints: [String; 3],
    /// What a student reads once it is solved, as Markdown.
    pub explanation: String,
    /// The same question with other numbers: whole questions, which have no variants themselves.
    pub variants: Vec<Question>,
}

/// How a question is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum QuestionKind {
    /// Exactly one option is right.
    Single(Vec<Choice>),
    /// Any number of options, at least one, is right.
    Multiple(Vec<Choice>),
    /// A number.
    Numeric {
        /// The right value.
        answer: f64,
        /// How far off still counts, in the same unit.
        tolerance: f64,
        /// The unit, shown behind the field; empty for a plain number.
        unit: String,
        /// Wrong values that have a known cause.
        mistakes: Vec<Mistake>,
    },
    /// Steps are put in order.
    Order {
        /// The steps in the right order, as Markdown.
        items: Vec<String>,
        /// Why one stands before another. Every two neighbours have one.
        reasons: Vec<Precedence>,
    },
    /// Each thing on the left gets its own from the right.
    Match {
        /// What belongs together.
        pairs: Vec<Pair>,
        /// More of the right side, which belongs to nothing, as Markdown.
        distractors: Vec<String>,
    },
    /// A word or two.
    Text {
        /// What counts as right; upper and lower case are the same.
        accepted: Vec<String>,
        /// Wrong words that have a known cause.
        mistakes: Vec<WrongWord>,
    },
    /// Whatever the open model says.
    Live {
        /// The text that the model is run on.
        prompt: ModelText,
        /// Which fact of that run is the answer.
        key: LiveKey,
    },
}

/// One option of a choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// What it says, as Markdown.
    pub text: String,
    /// Whether it holds.
    pub correct: bool,
    /// Why it holds or not, as Markdown; never empty for a wrong one.
    pub reason: String,
    /// The state of the lab in which it can be seen.
    pub show: Option<Show>,
}

/// A wrong number with a known cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// The number.
    pub value: f64,
    /// What was mixed up, as Markdown.
    pub reason: String,
    /// The state of the lab in which it can be seen.
    pub show: Option<Show>,
}

/// A wrong word with a known cause.
#[derive(Debug, Clone, PartialEq)]
pub struct WrongWord {
    /// The word.
    pub text: String,
    /// What was mixed up, as Markdown.
    pub reason: String,
    /// The state of the lab in which it can be seen.
    pub show: Option<Show>,
}

/// Why one step comes before another.
#[derive(Debug, Clone, PartialEq)]
pub struct Precedence {
    /// The earlier step, by its number in the right order.
    pub before: usize,
    /// The later one.
    pub after: usize,
    /// Why, as Markdown.
    pub reason: String,
}

/// Two things that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// What is given, as Markdown.
    pub left: String,
    /// What is to be found, as Markdown.
    pub right: String,
    /// Why they belong together, as Markdown.
    pub reason: String,
}

impl Question {
    /// The options of a choice; none for other kinds.
    pub fn choices(&self) -> &[Choice] {
        match &self.kind {
            QuestionKind::Single(choices) | QuestionKind::Multiple(choices) => choices,
            _ => &[],
        }
    }

    /// What may be chosen on the right side of a match: first the partners of the pairs in their order, then the rest.
    pub fn rights(&self) -> Vec<&str> {
        match &self.kind {
            QuestionKind::Match { pairs, distractors } => {
                pairs.iter().map(|pair| pair.right.as_str()).chain(distractors.iter().map(String::as_str)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Which variant is asked at a try, counted from 0 over all sittings; 0 is the question as it stands, whose mistakes
    /// are known best, so it comes first. Then they take turns: two tries in a row never ask the same.
    pub fn variant_at(&self, tries: u32) -> usize {
        tries as usize % (self.variants.len() + 1)
    }

    /// A variant, by the number that [`variant_at`](Self::variant_at) gives.
    pub fn variant(&self, number: usize) -> &Self {
        number.checked_sub(1).and_then(|i| self.variants.get(i)).unwrap_or(self)
    }

    /// The states of the lab that a wrong answer may offer.
    pub(super) fn shows_mut(&mut self) -> Vec<&mut Show> {
        let own: Vec<&mut Show> = match &mut self.kind {
            QuestionKind::Single(choices) | QuestionKind::Multiple(choices) => {
                choices.iter_mut().filter_map(|choice| choice.show.as_mut()).collect()
            }
            QuestionKind::Numeric { mistakes, .. } => mistakes.iter_mut().filter_map(|m| m.show.as_mut()).collect(),
            QuestionKind::Text { mistakes, .. } => mistakes.iter_mut().filter_map(|m| m.show.as_mut()).collect(),
            _ => Vec::new(),
        };
        own.into_iter().chain(self.variants.iter_mut().flat_map(Self::shows_mut)).collect()
    }
}
