//! AdamW (arXiv 1711.05101) with clipping of the gradient's norm.
//!
//! ```text
//! m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²,   w ← w − η·( m̂ / (√v̂ + ε) + λ·w )
//! ```
//!
//! Only the blocks' matrices decay: a norm's gain wants to be near 1, and an embedding row that is rarely seen would shrink
//! to nothing.

use std::collections::BTreeMap;

use super::Parameters;
use crate::model::{Param, Result, TensorId};

/// Gradients by parameter, each as long as its parameter.
pub type Gradients = BTreeMap<TensorId, Vec<f32>>;

/// The optimiser with its two moments for every number.
#[derive(Debug, Clone, PartialEq)]
pub struct AdamW {
    /// Decay of the mean.
    pub beta1: f32,
    /// Decay of the mean square.
    pub beta2: f32,
    /// Keeps the quotient finite.
    pub epsilon: f32,
    /// λ.
    pub weight_decay: f32,
    /// The longest gradient that is taken as it is.
    pub max_norm: f32,
    /// Steps taken.
    pub steps: usize,
    /// m and v of each parameter.
    pub moments: BTreeMap<TensorId, (Vec<f32>, Vec<f32>)>,
}

impl AdamW {
    /// A fresh optimiser.
    pub fn new(weight_decay: f32) -> Self {
        Self { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, weight_decay, max_norm: 1.0, steps: 0, moments: BTreeMap::new() }
    }

    /// Moves every parameter against its gradient at learning rate `rate`, and returns the gradient's norm as it came.
    pub fn step(&mut self, parameters: &Parameters, gradients: &Gradients, rate: f64) -> Result<f64> {
        let square: f64 = gradients.values().flatten().map(|g| f64::from(*g) * f64::from(*g)).sum();
        let norm = square.sqrt();
        let clip = if norm > f64::from(self.max_norm) { (f64::from(self.max_norm) / norm) as f32 } else { 1.0 };
        self.steps += 1;
        let correct = |beta: f32| 1.0 - f64::from(beta).powi(self.steps as i32);
        let (correct_m, correct_v) = (correct(self.beta1), correct(self.beta2));
        // η·m̂/(√v̂+ε) with both corrections drawn out of the loop.
        let size = (rate * correct_v.sqrt() / correct_m) as f32;
        let epsilon = (f64::from(self.epsilon) * correct_v.sqrt()) as f32;
        let (beta1, beta2) = (self.beta1, self.beta2);
        for (id, gradient) in gradients {
            let decay = if decays(*id) { 1.0 - rate as f32 * self.weight_decay } else { 1.0 };
            let zeros = || (vec![0.0; gradient.len()], vec![0.0; gradient.len()]);
            let (m, v) = self.moments.entry(*id).or_insert_with(zeros);
            parameters.update(*id, |w| {
                for (((w, g), m), v) in w.iter_mut().zip(gradient).zip(m).zip(v) {
                    let g = g * clip;
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g * g;
                    *w = *w * decay - size * *m / (v.sqrt() + epsilon);
                }
            })?;
        }
        Ok(norm)
    }
}

fn decays(id: TensorId) -> bool {
    use Param::{Down, Gate, K, O, Q, Up, V};
    matches!(id.param, Q | K | V | O | Gate | Up | Down)
}
