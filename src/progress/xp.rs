//! What an act earns.
//!
//! XP are for graded acts: reading earns nothing, and a wrong answer costs nothing. The rules, in whole numbers so that
//! everybody can check them on paper:
//!
//! 1. A question or a prediction is worth 10, a task 20. Each earlier try halves that, rounded down. When a concept of
//!    the item is due for review the tries are counted anew: coming back in time is worth as much as the first visit.
//! 2. An answer that is right in part earns that part, rounded down.
//! 3. The first try earns half as much again if it is right.
//! 4. Each of up to three hints takes a fifth of what is left, so that hints cost something and never all of it.
//!
//! A prediction with a confidence c (in per cent) earns 1 − (c − o)² of its worth instead of rules 2 and 3, o being 1 if
//! it came true and else 0. That is the quadratic score of Brier (1950): on average nothing earns more than naming the
//! confidence that one has.

use super::{Act, ActKind};

/// The most hints that cost anything.
pub const HINTS: u32 = 3;

/// The XP for an act after so many earlier tries.
pub fn award(act: &Act, earlier: u32) -> u32 {
    let worth: u32 = match act.kind {
        ActKind::Question | ActKind::Prediction => 10,
        ActKind::Task => 20,
    };
    let left = worth.checked_shr(earlier).unwrap_or(0);
    let earned = match (act.kind, act.confidence) {
        (ActKind::Prediction, Some(percent)) => {
            let truth = if act.credit.is_right() { 100 } else { 0 };
            let miss = u32::from(percent.min(100)).abs_diff(truth);
            left * (10_000 - miss * miss) / 10_000
        }
        _ => {
            let part = u64::from(left) * u64::from(act.credit.got) / u64::from(act.credit.of.max(1));
            let bonus = if earlier == 0 && act.credit.is_right() { worth / 2 } else { 0 };
            part as u32 + bonus
        }
    };
    earned * (5 - act.hints.min(HINTS)) / 5
}

/// How far somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The level, from 1.
    pub number: u32,
    /// The XP at which it began.
    pub from: u64,
    /// The XP at which the next one begins.
    pub to: u64,
}

impl Level {
    /// The level that so many XP make. Level n begins at 50 n (n − 1): at 0, 100, 300, 600, 1000 XP and so on.
    pub fn of(xp: u64) -> Self {
        // Far above what anybody earns, and far below where the numbers would no longer fit.
        let xp = xp.min(1_000_000_000_000);
        let begins = |n: u64| 50 * n * (n - 1);
        // The largest n with n(n − 1) ≤ xp/50; the square root may be off by one for large numbers.
        let mut number = ((xp as f64 / 50.0 + 0.25).sqrt() + 0.5) as u64;
        while begins(number) > xp {
            number -= 1;
        }
        while begins(number + 1) <= xp {
            number += 1;
        }
        Self { number: number as u32, from: begins(number), to: begins(number + 1) }
    }
}
