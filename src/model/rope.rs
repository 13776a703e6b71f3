//! Rotary position embedding: the angles.
//!
//! Pair *i* of a head's rotated dimensions turns by position · θ^(−2i/d) (RoFormer, arXiv 2104.09864). The scaling schemes
//! change the frequencies; the formulas are those of the papers named in [`RopeScaling`]. Angles are computed here, on
//! the host, for every backend: a shader's sine is too coarse for large angles.

use std::f64::consts::PI;

use super::{RopeScaling, RotaryConfig};

/// cos and sin of every pair at a run of positions, each `[n_positions, d_rotary / 2]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    /// Cosines.
    pub cos: Vec<f32>,
    /// Sines.
    pub sin: Vec<f32>,
}

impl Rotary {
    /// The table for positions `start..start + n`.
    pub fn new(config: &RotaryConfig, start: usize, n: usize) -> Self {
        let freqs = config.frequencies(start + n);
        let factor = config.magnitude();
        let angles = (start..start + n).flat_map(|pos| freqs.iter().map(move |f| pos as f32 * *f as f32));
        let (sin, cos) = angles
            .map(|angle| {
                let (sin, cos) = f64::from(angle).sin_cos();
                ((sin * factor) as f32, (cos * factor) as f32)
            })
            .unzip();
        Self { cos, sin }
    }
}

impl RotaryConfig {
    /// Radians per position of each pair, for a sequence of `n_tokens`.
    pub fn frequencies(&self, n_tokens: usize) -> Vec<f64> {
        let d = self.d_rotary as f64;
        let plain = |theta: f64| (0..self.d_rotary / 2).map(move |i| theta.powf(-2.0 * i as f64 / d));
        match &self.scaling {
            RopeScaling::None => plain(self.theta).collect(),
            RopeScaling::Linear { factor } => plain(self.theta).map(|f| f / factor).collect(),
            RopeScaling::Divisors(divisors) => {
                plain(self.theta).zip(divisors).map(|(f, divisor)| f / f64::from(*divisor)).collect()
            }
            RopeScaling::Dynamic { factor, original_n_ctx } => {
                let stretch = (n_tokens as f64 / *original_n_ctx as f64).max(1.0);
                let growth = (factor * stretch - (factor - 1.0)).powf(d / (d - 2.0));
                plain(self.theta * growth).collect()
            }
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_n_ctx } => plain(self.theta)
                .map(|f| {
                    let turns = *original_n_ctx as f64 * f / (2.0 * PI);
                    let smooth = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor)).clamp(0.0, 1.0);
                    (1.0 - smooth) * f / factor + smooth * f
                })
                .collect(),
            RopeScaling::Yarn { factor, beta_fast, beta_slow, original_n_ctx, truncate, .. } => {
                // The pair that makes `turns` turns over the original context.
                let pair_of =
                    |turns: f64| d * (*original_n_ctx as f64 / (turns * 2.0 * PI)).ln() / (2.0 * self.theta.ln());
                let (mut low, mut high) = (pair_of(*beta_fast), pair_of(*beta_slow));
                if *truncate {
                    (low, high) = (low.floor(), high.ceil());
                }
                (low, high) = (low.max(0.0), high.min(d - 1.0));
                let width = if low == high { 0.001 } else { high - low };
                plain(self.theta)
                    .enumerate()
                    .map(|(i, f)| {
                        let keep = 1.0 - ((i as f64 - low) / width).clamp(0.0, 1.0);
                        keep * f + (1.0 - keep) * f / factor
                    })
                    .collect()
            }
        }
    }

    /// What cos and sin are multiplied by (YaRN's attention factor; 1 otherwise).
    pub fn magnitude(&self) -> f64 {
        match self.scaling {
            RopeScaling::Yarn { attention_factor, .. } => attention_factor,
            _ => 1.0,
        }
    }
}
