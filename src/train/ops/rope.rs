//! Rotary positions (arXiv 2104.09864): dimension *i* is rotated with dimension *i + d/2* by the position's angle. The
//! derivative of a rotation is the rotation back.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};

use super::{operand, with_values};

/// A rotation of x `[T, heads, h]`.
pub struct Rope {
    /// cos of the angles, `[T, d/2]`.
    pub cos: Arc<[f32]>,
    /// sin of the angles, `[T, d/2]`.
    pub sin: Arc<[f32]>,
    /// d/2: pairs that turn. Dimensions from d on stay.
    pub pairs: usize,
}

impl Rope {
    fn rotate(&self, x: &[f32], (heads, d_head): (usize, usize), sign: f32) -> Vec<f32> {
        let mut y = x.to_vec();
        let angles = self.cos.chunks_exact(self.pairs).zip(self.sin.chunks_exact(self.pairs));
        for (position, (cos, sin)) in y.chunks_exact_mut(heads * d_head).zip(angles) {
            for head in position.chunks_exact_mut(d_head) {
                let (low, high) = head.split_at_mut(self.pairs);
                for (((a, b), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                    let sin = sign * sin;
                    (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                }
            }
        }
        y
    }
}

impl CustomOp1 for Rope {
    fn name(&self) -> &'static str {
        "rope"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, heads, d_head) = layout.shape().dims3()?;
        let y = self.rotate(operand(storage, layout)?, (heads, d_head), 1.0);
        Ok((CpuStorage::F32(y), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, heads, d_head) = x.dims3()?;
        let dx = with_values(grad, |grad| self.rotate(grad, (heads, d_head), -1.0))?;
        Tensor::from_vec(dx, x.shape(), &Device::Cpu).map(Some)
    }
}
