//! Calibration: is somebody who says 80 % right eight times in ten?
//!
//! The measure is the score of Brier (1950): the mean of (c − o)² over all answers with a confidence, c being the
//! confidence and o being 1 for a right answer and 0 for a wrong one. It is 0 for a prophet, 0.25 for somebody who
//! always says 50 %, and 1 for somebody who is always sure and always wrong. The bins say where it comes from.

use super::{Act, Day};

/// The bins that confidences are sorted into.
const BINS: usize = 10;

/// Confidences and how they turned out, in the order of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calibration {
    said: Vec<(Day, u8, bool)>,
}

/// The score of one day and of all days up to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayScore {
    /// The day.
    pub day: Day,
    /// The mean of the day's answers.
    pub brier: f64,
    /// The mean of all answers up to its end.
    pub so_far: f64,
    /// The day's answers.
    pub n: u32,
}

/// Answers of about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// The lowest confidence of the bin, in per cent; the highest is 9 more, or 100 in the last one.
    pub from: u8,
    /// How many answers.
    pub n: u32,
    /// Their mean confidence, from 0 to 1.
    pub confidence: f64,
    /// The share that was right.
    pub right: f64,
}

impl Calibration {
    pub(super) fn answer(&mut self, act: &Act, day: Day) {
        if let Some(percent) = act.confidence {
            self.said.push((day, percent, act.credit.is_right()));
        }
    }

    /// How many answers came with a confidence.
    pub fn len(&self) -> usize {
        self.said.len()
    }

    /// Whether none did.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    /// The Brier score; none before the first answer with a confidence.
    pub fn brier(&self) -> Option<f64> {
        mean(&self.said)
    }

    /// The score day by day, in order.
    pub fn by_day(&self) -> Vec<DayScore> {
        // In the order of days, even where the clock was set back in between.
        let mut said = self.said.clone();
        said.sort_by_key(|(day, ..)| *day);
        let mut scores = Vec::new();
        let mut end = 0;
        for of_day in said.chunk_by(|a, b| a.0 == b.0) {
            end += of_day.len();
            let (Some(brier), Some(so_far)) = (mean(of_day), mean(&said[..end])) else { continue };
            scores.push(DayScore { day: of_day[0].0, brier, so_far, n: of_day.len() as u32 });
        }
        scores
    }

    /// The answers sorted by confidence; empty bins are left out.
    pub fn bins(&self) -> Vec<Bin> {
        let bin = |index: usize| {
            let inside = |percent: u8| (usize::from(percent) * BINS / 100).min(BINS - 1) == index;
            let of: Vec<_> = self.said.iter().filter(|(_, percent, _)| inside(*percent)).collect();
            let n = of.len() as f64;
            (!of.is_empty()).then(|| Bin {
                from: (index * 100 / BINS) as u8,
                n: of.len() as u32,
                confidence: of.iter().map(|(_, percent, _)| f64::from(*percent)).sum::<f64>() / 100.0 / n,
                right: of.iter().filter(|(.., right)| *right).count() as f64 / n,
            })
        };
        (0..BINS).filter_map(bin).collect()
    }
}

/// The mean squared miss, summed in whole numbers so that the order does not matter.
fn mean(said: &[(Day, u8, bool)]) -> Option<f64> {
    let miss = |percent: u8, right: bool| u64::from(u32::from(percent).abs_diff(if right { 100 } else { 0 }));
    let sum: u64 = said.iter().map(|(_, percent, right)| miss(*percent, *right).pow(2)).sum();
    (!said.is_empty()).then(|| sum as f64 / 10_000.0 / said.len() as f64)
}
