//! The loss of next-token prediction: −log softmax(logits)\[target\], averaged over rows. Its derivative by the logits is
//! softmax(logits) − one-hot(target), over the number of rows.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::vector::{exp_and_sum, max};
use super::{gradient, operand, with_values};

/// Mean cross-entropy of logits `[n, V]` against n targets, in nats.
pub struct CrossEntropy {
    targets: Arc<[u32]>,
    /// softmax of the logits, kept for the backward.
    probabilities: OnceLock<Vec<f32>>,
}

impl CrossEntropy {
    /// The loss against `targets`, each below V.
    pub fn new(targets: Arc<[u32]>) -> Self {
        Self { targets, probabilities: OnceLock::new() }
    }
}

impl CustomOp1 for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross-entropy"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, width) = layout.shape().dims2()?;
        if n != self.targets.len() || self.targets.iter().any(|&target| target as usize >= width) {
            return Err(candle_core::Error::msg("the targets do not fit the logits"));
        }
        let mut rows = operand(storage, layout)?.to_vec();
        let mut loss = 0.0;
        for (row, &target) in rows.chunks_exact_mut(width).zip(self.targets.iter()) {
            let (shift, at_target) = (max(row), row[target as usize]);
            let sum = exp_and_sum(row, shift);
            loss += f64::from(sum.ln() + shift - at_target);
            let inverse = 1.0 / sum;
            row.iter_mut().for_each(|p| *p *= inverse);
        }
        self.probabilities.set(rows).map_err(|_| candle_core::Error::msg("the loss was computed twice"))?;
        Ok((CpuStorage::F32(vec![(loss / n as f64) as f32]), Shape::from(())))
    }

    fn bwd(&self, logits: &Tensor, _loss: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (n, width) = logits.dims2()?;
        let factor = with_values(grad, |grad| grad[0])? / n as f32;
        let mut rows = self.probabilities.get().cloned().unwrap_or_default();
        for (row, &target) in rows.chunks_exact_mut(width).zip(self.targets.iter()) {
            row[target as usize] -= 1.0;
            row.iter_mut().for_each(|p| *p *= factor);
        }
        gradient(rows, logits)
    }
}
