//! Today: what is due, and where to go on.
//!
//! The caller says what the course is made of; the record says what was done. A lesson is finished when each of its items
//! was answered right once (a prediction: when it was made). The lesson to go on with is the one that was open last,
//! or, when that is finished, the first of the course that is not.

use super::{ActKind, Day, Memory, Record};

/// What a course is made of, in plain ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// The lessons, in their order.
    pub lessons: Vec<CourseLesson>,
}

/// A lesson of a course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourseLesson {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The ids of its questions, predictions and tasks.
    pub items: Vec<String>,
    /// The ids of its concepts.
    pub concepts: Vec<String>,
}

/// How much of a lesson is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonState {
    /// The items that are done.
    pub done: usize,
    /// All items.
    pub of: usize,
}

/// Where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextLesson {
    /// The lesson's id.
    pub lesson: String,
    /// How much of it is done.
    pub state: LessonState,
    /// The block that was reached, from 0; none if it was never open.
    pub place: Option<u32>,
}

/// What to do today.
#[derive(Debug, Clone, PartialEq)]
pub struct Today {
    /// The concepts of the course that are due, the least well remembered first.
    pub reviews: Vec<(String, Memory)>,
    /// Where to go on; none when the course is finished.
    pub next: Option<NextLesson>,
}

impl CourseLesson {
    /// How much of it is done.
    pub fn state(&self, record: &Record) -> LessonState {
        let done = |item: &&String| {
            record.item(&self.id, item).is_some_and(|r| r.kind == ActKind::Prediction || r.best.is_right())
        };
        LessonState { done: self.items.iter().filter(done).count(), of: self.items.len() }
    }
}

impl LessonState {
    /// Whether all of it is done.
    pub fn is_finished(self) -> bool {
        self.done >= self.of
    }
}

impl Today {
    /// What to do on a day.
    pub fn of(course: &Course, record: &Record, day: Day) -> Self {
        let taught = |concept: &str| course.lessons.iter().any(|l| l.concepts.iter().any(|c| c == concept));
        let due = record.due(day).into_iter().filter(|(concept, _)| taught(concept));
        let open = |lesson: &&CourseLesson| !lesson.state(record).is_finished();
        let latest = course.lessons.iter().find(|l| Some(l.id.as_str()) == record.latest_lesson()).filter(open);
        let next = latest.or_else(|| course.lessons.iter().find(open)).map(|lesson| NextLesson {
            lesson: lesson.id.clone(),
            state: lesson.state(record),
            place: record.place(&lesson.id),
        });
        Self { reviews: due.map(|(concept, memory)| (concept.to_owned(), memory)).collect(), next }
    }
}
