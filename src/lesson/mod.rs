//! Lessons as data.
//!
//! A lesson is one Markdown file that a teacher can write without touching Rust: front matter in TOML between `+++`
//! fences, then prose with `$…$` maths, and between the prose fenced blocks that the app brings to life:
//!
//! - `lab` is a [`Scene`]: which panels to show, on which prompt, with which changes offered as buttons;
//! - `predict` is a [`Predict`]: the student commits to an answer before the live model gives the truth;
//! - `quiz` is a [`Question`], [`grade`]d by a pure function, with a reason for every wrong option;
//! - `task` is a [`Task`]: something to find in the open model, which the lab measures anew for each attempt;
//! - `claim` is a [`Claim`]: what the prose says about a model, in numbers, for a test.
//!
//! A file is untrusted. [`parse`] checks all of it (fields, ids, links, formulas, sizes) before anything is shown, and
//! what does not fit becomes a [`LessonError`] with file and line, while the rest of the [`Library`] works. No truth about
//! a model is written in a lesson: a prediction is settled by [`LiveTruth`], which the lab fills from a real run.
//!
//! This room knows no window and no engine; of the built-in models it knows the ids, and of what can be read off a
//! model the names. `lessons/README.md` is the same story told to a teacher.

mod concepts;
mod error;
mod grade;
mod grade_live;
mod grade_parts;
mod library;
mod live;
pub mod maths;
mod parse;
mod predict;
pub mod prose;
mod question;
mod raw;
mod raw_kinds;
mod raw_predict;
mod raw_quiz;
mod raw_task;
mod scene;
mod task;
mod toml_block;

pub use concepts::{Concept, Concepts};
pub use error::LessonError;
pub use grade::{Answer, Reason, Verdict, attempt_seed, grade, is_near, read_number, shuffled};
pub use grade_live::{grade_live, grade_task};
pub use library::{Library, Stamp};
pub use live::{Candidate, LiveKey, LiveTruth, RunFacts, mean_last_row, patterns};
pub use parse::{MAX_BYTES, parse, problems};
pub use predict::{Commitment, Guess, Match, Measure, Place, Predict, Reveal, Settled, Variant};
pub use question::{Choice, Mistake, Pair, Precedence, Question, QuestionKind, WrongWord};
pub use scene::{ModelText, PLANNED, PanelId, Scene, Show, TweakButton};
pub use task::{Attempt, Claim, FlipKey, Holds, Key, Measured, OUTSIDE, RowKey, Task, TaskKind};

/// A parsed lesson.
#[derive(Debug, Clone, PartialEq)]
pub struct Lesson {
    /// The file that it came from, for messages.
    pub file: String,
    /// The front matter.
    pub meta: Meta,
    /// The page, from top to bottom.
    pub blocks: Vec<Block>,
}

/// What the front matter says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// The lesson's name for other files and for the learner's record: small letters, digits and hyphens.
    pub id: String,
    /// The heading of the page.
    pub title: String,
    /// The place in the course, from 1.
    pub order: u32,
    /// One sentence for the list of lessons.
    pub summary: String,
    /// How long the page takes, in minutes.
    pub minutes: u32,
    /// The one sentence to remember.
    pub takeaway: String,
    /// The question that a student must be able to answer afterwards.
    pub core_question: String,
    /// The ids of the concepts that it teaches.
    pub concepts: Vec<String>,
}

/// One part of a page.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// Prose.
    Markdown(String),
    /// A state of the lab.
    Lab(Scene),
    /// A prediction to commit to.
    Predict(Predict),
    /// A question.
    Quiz(Question),
    /// Something to find in the open model.
    Task(Task),
    /// A statement for a test; a student does not see it.
    Claim(Claim),
}

impl Lesson {
    /// The questions of the page, in order.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Quiz(question) => Some(question),
            _ => None,
        })
    }

    /// The predictions of the page, in order.
    pub fn predictions(&self) -> impl Iterator<Item = &Predict> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Predict(predict) => Some(predict),
            _ => None,
        })
    }

    /// The tasks of the page, in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Task(task) => Some(task),
            _ => None,
        })
    }

    /// The claims of the page, in order.
    pub fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Claim(claim) => Some(claim),
            _ => None,
        })
    }

    /// The ids of everything that is answered on the page: questions, predictions, tasks.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Quiz(question) => Some(question.id.as_str()),
            Block::Predict(predict) => Some(predict.id.as_str()),
            Block::Task(task) => Some(task.id.as_str()),
            Block::Markdown(_) | Block::Lab(_) | Block::Claim(_) => None,
        })
    }

    /// The scenes of the page, in order.
    pub fn scenes(&self) -> impl Iterator<Item = &Scene> {
        self.blocks.iter().filter_map(|b| match b {
            Block::Lab(scene) => Some(scene),
            _ => None,
        })
    }
}
