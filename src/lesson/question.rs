//! What a quiz block asks.
//!
//! A wrong answer teaches only when it is told why it is wrong, so a wrong option without a reason does not parse.

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
}

/// A wrong number with a known cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// The number.
    pub value: f64,
    /// What was mixed up, as Markdown.
    pub reason: String,
}

impl Question {
    /// The options of a choice; none for a number.
    pub fn choices(&self) -> &[Choice] {
        match &self.kind {
            QuestionKind::Single(choices) | QuestionKind::Multiple(choices) => choices,
            QuestionKind::Numeric { .. } => &[],
        }
    }
}
