//! How the learning rate moves over a run: a linear warm-up, then half a cosine (arXiv 1608.03983) down to a fraction.

/// A learning rate for every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// The highest rate.
    pub peak: f64,
    /// Steps of the warm-up.
    pub warmup: usize,
    /// Steps of the run.
    pub total: usize,
    /// What is left of the peak at the end.
    pub floor: f64,
}

impl Schedule {
    /// The rate of a step, counted from 0.
    pub fn rate(&self, step: usize) -> f64 {
        if step < self.warmup {
            return self.peak * (step + 1) as f64 / self.warmup as f64;
        }
        let left = self.total.saturating_sub(self.warmup).max(1);
        let done = ((step - self.warmup) as f64 / left as f64).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        self.peak * (self.floor + (1.0 - self.floor) * cosine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_then_falls_to_the_floor() {
        let schedule = Schedule { peak: 1.0, warmup: 10, total: 110, floor: 0.1 };
        assert_eq!(schedule.rate(0), 0.1);
        assert_eq!(schedule.rate(9), 1.0);
        assert_eq!(schedule.rate(10), 1.0);
        assert!((schedule.rate(60) - 0.55).abs() < 1e-12);
        assert!((schedule.rate(110) - 0.1).abs() < 1e-12);
        assert!((schedule.rate(500) - 0.1).abs() < 1e-12);
    }
}
