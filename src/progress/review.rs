//! When a concept should be asked again.
//!
//! Spaced retrieval is worth about three quarters of a standard deviation over massed study (g = 0.74, Latimier, Peyre
//! and Ramus 2021). The dates come from FSRS-6 by way of the crate `fsrs`, which models a memory by its stability (the
//! days until recall falls to 90 %) and its difficulty. A concept is asked again on the day on which recall is expected
//! to have fallen to [`DESIRED_RETENTION`].
//!
//! Why that crate: it is the one that the authors of FSRS keep up to date, and since it no longer trains through burn it
//! brings nothing but small libraries along, most of which were here before. `rs-fsrs` stands still at an older version
//! of the formula. The default parameters are used; fitting them to one person needs more answers than a course gives.
//!
//! Days are whole days of the student's calendar. A concept answered twice on one day goes through the formula for
//! reviews of the same day.

use fsrs::{FSRS, MemoryState};

use super::{Act, Day};

/// How likely recall should still be on the day of a review.
pub const DESIRED_RETENTION: f32 = 0.9;

/// What is remembered of a concept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// The days until recall falls to 90 %.
    pub stability: f32,
    /// From 1, easy, to 10, hard.
    pub difficulty: f32,
    /// When it was last answered.
    pub last: Day,
    /// When it should be asked again.
    pub due: Day,
}

/// The longest wait, in days: 100 years.
const LONGEST: f32 = 36_500.0;

impl Memory {
    /// The memory after one more answer on a day.
    pub fn after(before: Option<Self>, act: &Act, day: Day) -> Self {
        // A clock that was set back does not undo a review.
        let day = before.map_or(day, |memory| memory.last.max(day));
        let state = before.map(|m| MemoryState { stability: m.stability, difficulty: m.difficulty });
        let elapsed = before.map_or(0, |memory| day.since(memory.last));
        let fsrs = FSRS::default();
        let next = match fsrs.next_states(state, DESIRED_RETENTION, elapsed) {
            Ok(states) if !act.credit.is_right() => states.again,
            Ok(states) if act.hints > 0 => states.hard,
            Ok(states) => states.good,
            // Only a state that is not a number ends here, and none such is ever kept.
            Err(_) => return before.unwrap_or(Self { stability: 1.0, difficulty: 5.0, last: day, due: day.plus(1) }),
        };
        let wait = next.interval.round().clamp(1.0, LONGEST) as i32;
        let MemoryState { stability, difficulty } = next.memory;
        Self { stability, difficulty, last: day, due: day.plus(wait) }
    }

    /// How likely it is still known on a day, from 0 to 1, by the forgetting curve of FSRS-6.
    pub fn recall(&self, day: Day) -> f32 {
        let state = MemoryState { stability: self.stability, difficulty: self.difficulty };
        fsrs::current_retrievability(state, day.since(self.last) as f32, fsrs::FSRS6_DEFAULT_DECAY)
    }

    /// Whether it should be asked on a day.
    pub fn is_due(&self, day: Day) -> bool {
        self.due <= day
    }
}
