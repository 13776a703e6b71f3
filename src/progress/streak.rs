//! The streak: days in a row with an answer.
//!
//! It is shown only to those who ask for it, because a streak that breaks can cost more motivation than it gives. So
//! that a free weekend breaks nothing, missed days are bridged by freezes, which are free: everybody begins with two and
//! gets one back for every seven days of the streak, up to two. A bridged day does not count as a day of the streak.

use std::collections::BTreeSet;

use super::Day;

/// The most freezes that can be held, and how many everybody begins with.
const FREEZES: u32 = 2;
/// How many days of a streak give a freeze back.
const DAYS_PER_FREEZE: u32 = 7;

/// Days in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streak {
    /// The days with an answer, up to today.
    pub days: u32,
    /// The longest that it has ever been.
    pub longest: u32,
    /// The freezes that are left.
    pub freezes: u32,
    /// Whether there was an answer today; if not, the streak waits for one.
    pub today: bool,
}

impl Streak {
    /// The streak of somebody who was active on these days.
    pub fn of(active: &BTreeSet<Day>, today: Day) -> Self {
        let mut streak = Self { days: 0, longest: 0, freezes: FREEZES, today: active.contains(&today) };
        let mut last: Option<Day> = None;
        for day in active.range(..=today) {
            if let Some(last) = last {
                streak.bridge(day.since(last) - 1);
            }
            streak.days += 1;
            streak.longest = streak.longest.max(streak.days);
            if streak.days.is_multiple_of(DAYS_PER_FREEZE) {
                streak.freezes = (streak.freezes + 1).min(FREEZES);
            }
            last = Some(*day);
        }
        // Today may still be answered; the days before it that were missed are missed.
        if let Some(last) = last
            && !streak.today
        {
            streak.bridge(today.since(last) - 1);
        }
        streak
    }

    /// Takes a freeze for each missed day, or begins anew.
    fn bridge(&mut self, missed: u32) {
        match self.freezes.checked_sub(missed) {
            Some(left) => self.freezes = left,
            None => (self.days, self.freezes) = (0, FREEZES),
        }
    }
}
