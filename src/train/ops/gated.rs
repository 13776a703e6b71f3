//! The gate of SwiGLU (arXiv 2002.05202): y = SiLU(a) · b with SiLU(a) = a·σ(a).
//!
//! ∂y/∂a = b · σ(a)·(1 + a·(1 − σ(a))),  ∂y/∂b = SiLU(a).

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor};

use super::vector::sigmoid;
use super::{gradient, operand, with_values};

/// SiLU(gate) ⊙ up.
pub struct SiluGate;

impl CustomOp2 for SiluGate {
    fn name(&self) -> &'static str {
        "silu-gate"
    }

    fn cpu_fwd(&self, s1: &CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<(CpuStorage, Shape)> {
        let (gate, up) = (operand(s1, l1)?, operand(s2, l2)?);
        let y = gate.iter().zip(up).map(|(a, b)| a * sigmoid(*a) * b).collect();
        Ok((CpuStorage::F32(y), l1.shape().clone()))
    }

    fn bwd(&self, gate: &Tensor, up: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (da, db) = with_values(gate, |a| with_values(up, |b| with_values(grad, |grad| backward(a, b, grad))))???;
        Ok((gradient(da, gate)?, gradient(db, up)?))
    }
}

fn backward(a: &[f32], b: &[f32], grad: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (mut da, mut db) = (vec![0.0; a.len()], vec![0.0; a.len()]);
    let outputs = da.iter_mut().zip(&mut db);
    for (((da, db), (a, b)), grad) in outputs.zip(a.iter().zip(b)).zip(grad) {
        let s = sigmoid(*a);
        *da = grad * b * s * (1.0 + a * (1.0 - s));
        *db = grad * a * s;
    }
    (da, db)
}
