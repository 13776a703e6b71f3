//! RMSNorm (arXiv 1910.07467): y = x · r · g with r = 1 / √(mean(x²) + ε).
//!
//! With G = ∂L/∂y:  ∂L/∂g = Σ_rows G·x·r,  ∂L/∂x = r·(G·g) − x · r³/d · Σ(G·g·x).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::vector::dot;
use super::{gradient, operand, with_values};

/// The normalisation of rows `[n, d]` (or of any tensor's last axis) by a gain `[d]`.
pub struct RmsNorm {
    /// ε.
    pub eps: f32,
}

impl RmsNorm {
    fn inverse(&self, row: &[f32]) -> f32 {
        1.0 / (dot(row, row) / row.len() as f32 + self.eps).sqrt()
    }
}

impl CustomOp2 for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (x, gain) = (operand(s1, l1)?, operand(s2, l2)?);
        let mut y = Vec::with_capacity(x.len());
        for row in x.chunks_exact(gain.len()) {
            let r = self.inverse(row);
            y.extend(row.iter().zip(gain).map(|(x, g)| x * r * g));
        }
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, gain: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (dx, dgain) =
            with_values(x, |xs| with_values(gain, |gain| with_values(grad, |grad| self.backward(xs, gain, grad))))???;
        Ok((gradient(dx, x)?, gradient(dgain, gain)?))
    }
}

impl RmsNorm {
    fn backward(&self, x: &[f32], gain: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let d = gain.len();
        let mut dx = Vec::with_capacity(x.len());
        let mut dgain = vec![0.0; d];
        let mut scaled = vec![0.0; d];
        for (row, grad) in x.chunks_exact(d).zip(grad.chunks_exact(d)) {
            let r = self.inverse(row);
            for i in 0..d {
                scaled[i] = grad[i] * gain[i];
                dgain[i] += grad[i] * row[i] * r;
            }
            let shared = r * r * r / d as f32 * dot(&scaled, row);
            dx.extend(row.iter().zip(&scaled).map(|(x, s)| r * s - x * shared));
        }
        (dx, dgain)
    }
}
