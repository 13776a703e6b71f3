//! What was done on each day: for the plots of a student's own work.
//!
//! Four figures: what was earned, how many questions and tasks were answered and how many of them right (predictions are
//! left out, because they come before the explanation and have their own measure, calibration), and for how long. Nobody
//! says when they begin or stop, so time is counted between answers: a gap of up to [`LONGEST_PAUSE_MS`] counts as work,
//! on the day of the answer that ends it, and a longer one as a pause. That is a little less than the true time, and it
//! cannot be raised by leaving the window open.

use super::{Act, Moment};

/// The longest gap between two answers that counts as work, in milliseconds: ten minutes.
pub const LONGEST_PAUSE_MS: i64 = 10 * 60 * 1000;

/// What was done on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// What was earned.
    pub xp: u64,
    /// Answers to questions and tasks.
    pub answers: u32,
    /// Those of them that were right as a whole.
    pub right: u32,
    /// Time between answers, in milliseconds.
    pub ms: u64,
}

impl DayFigures {
    /// Takes in one more answer; `before` is when the one before it was given.
    pub(super) fn answer(&mut self, act: &Act, xp: u32, before: Option<Moment>, at: Moment) {
        self.xp = self.xp.saturating_add(u64::from(xp));
        if act.is_practice() {
            self.answers += 1;
            self.right += u32::from(act.credit.is_right());
        }
        let gap = before.map_or(0, |before| at.ms().saturating_sub(before.ms()));
        if (0..=LONGEST_PAUSE_MS).contains(&gap) {
            self.ms += gap.unsigned_abs();
        }
    }

    /// The share of answers that were right, from 0 to 1; none without an answer.
    pub fn accuracy(&self) -> Option<f64> {
        (self.answers > 0).then(|| f64::from(self.right) / f64::from(self.answers))
    }

    /// Time in minutes.
    pub fn minutes(&self) -> f64 {
        self.ms as f64 / 60_000.0
    }

    /// The figures of two days together.
    pub fn and(self, other: &Self) -> Self {
        Self {
            xp: self.xp.saturating_add(other.xp),
            answers: self.answers.saturating_add(other.answers),
            right: self.right.saturating_add(other.right),
            ms: self.ms.saturating_add(other.ms),
        }
    }
}
