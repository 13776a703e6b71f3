//! Attention with grouped key/value heads over sequences that stand one after the other (arXiv 1706.03762, 2305.13245).
//!
//! ```text
//! P = softmax(mask(q·kᵀ·s)),  z = P·v
//! dv = Pᵀ·dz,   dP = dz·vᵀ,   dS = P ⊙ (dP − rowsum(dz ⊙ z)),   dq = s·dS·k,   dk = s·dSᵀ·q
//! ```
//!
//! Queries are taken a block at a time, so that keys after a block's last query are never multiplied. P is kept for the
//! backward: at the sizes trained here it is a few megabytes.

use std::ops::Range;
use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::vector::{dot, softmax};
use super::{gradient, operand, with_values};
use crate::engine::candle::raw::{Strides, gemm};
use crate::model::Mask;

/// Queries handled at a time.
const QUERY_BLOCK: usize = 64;

/// q `[N, H, h]`, k and v `[N, G, h]` to z `[N, H, h]`, for N tokens in sequences of `len`.
pub struct Attention {
    len: usize,
    scale: f32,
    mask: Mask,
    /// P, `[sequences, H, len, len]`.
    pattern: OnceLock<Vec<f32>>,
}

#[derive(Clone, Copy)]
struct Sizes {
    n: usize,
    heads: usize,
    kv_heads: usize,
    d_head: usize,
}

impl Sizes {
    fn of(q: &Shape, k: &Shape) -> Result<Self> {
        let ((n, heads, d_head), (_, kv_heads, _)) = (q.dims3()?, k.dims3()?);
        Ok(Self { n, heads, kv_heads, d_head })
    }

    fn kv_head(&self, head: usize) -> usize {
        head * self.kv_heads / self.heads
    }

    /// Rows of one query head from token `t` on.
    fn query(&self, head: usize, t: usize) -> Strides {
        let row = self.heads * self.d_head;
        Strides { offset: t * row + head * self.d_head, row, col: 1 }
    }

    /// Rows of the key or value head that a query head reads, from token `t` on.
    fn key(&self, head: usize, t: usize) -> Strides {
        let row = self.kv_heads * self.d_head;
        Strides { offset: t * row + self.kv_head(head) * self.d_head, row, col: 1 }
    }
}

fn transposed(strides: Strides) -> Strides {
    Strides { row: strides.col, col: strides.row, ..strides }
}

impl Attention {
    /// Attention inside sequences of `len` tokens, with q·k multiplied by `scale`.
    pub fn new(len: usize, scale: f32, mask: Mask) -> Self {
        Self { len, scale, mask, pattern: OnceLock::new() }
    }

    /// The keys that a query may see: one range, whatever the mask.
    fn visible(&self, query: usize) -> Range<usize> {
        let from = self.mask.window.map_or(0, |width| (query + 1).saturating_sub(width));
        let to = if self.mask.causal { query + 1 } else { self.mask.window.map_or(self.len, |width| query + width) };
        from..to.min(self.len)
    }

    /// Every (first token of the sequence, head, block of queries in it, keys that the block may see, offset of the block's
    /// rows in the pattern).
    fn blocks(&self, sizes: Sizes) -> impl Iterator<Item = Block> + '_ {
        let len = self.len;
        (0..sizes.n / len).flat_map(move |sequence| {
            (0..sizes.heads).flat_map(move |head| {
                (0..len).step_by(QUERY_BLOCK).map(move |first| {
                    let n = QUERY_BLOCK.min(len - first);
                    let n_keys = (first..first + n).map(|query| self.visible(query).end).max().unwrap_or(0);
                    let rows = ((sequence * sizes.heads + head) * len + first) * len;
                    Block { start: sequence * len, head, first, n, n_keys, rows }
                })
            })
        })
    }

    fn forward(&self, sizes: Sizes, q: &[f32], k: &[f32], v: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let mut pattern = vec![0.0; sizes.n * sizes.heads * self.len];
        let mut z = vec![0.0; q.len()];
        for Block { start, head, first, n, n_keys, rows } in self.blocks(sizes) {
            let p = Strides::rows(self.len).at(rows);
            let queries = sizes.query(head, start + first);
            let keys = transposed(sizes.key(head, start));
            gemm((n, n_keys, sizes.d_head), &mut pattern, p, q, queries, k, keys, self.scale, 1);
            for (i, row) in pattern[rows..].chunks_exact_mut(self.len).take(n).enumerate() {
                let visible = self.visible(first + i);
                row[..visible.start].fill(0.0);
                row[visible.end..].fill(0.0);
                softmax(&mut row[visible]);
            }
            let values = sizes.key(head, start);
            gemm((n, sizes.d_head, n_keys), &mut z, queries, &pattern, p, v, values, 1.0, 1);
        }
        (z, pattern)
    }

    /// The gradients of q, k and v.
    fn backward(&self, sizes: Sizes, [q, k, v, z, dz]: [&[f32]; 5]) -> [Vec<f32>; 3] {
        let Some(pattern) = self.pattern.get() else { return [vec![], vec![], vec![]] };
        let (len, d) = (self.len, sizes.d_head);
        let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
        let mut ds = vec![0.0; QUERY_BLOCK * len];
        let mut part = vec![0.0; len * d];
        for Block { start, head, first, n, n_keys, rows } in self.blocks(sizes) {
            let p = Strides::rows(len).at(rows);
            let (queries, keys) = (sizes.query(head, start + first), sizes.key(head, start));
            let rows_of_part = Strides::rows(d);

            gemm((n_keys, d, n), &mut part, rows_of_part, pattern, transposed(p), dz, queries, 1.0, 1);
            accumulate(&mut dv, keys, &part, n_keys, d);

            let s = Strides::rows(len);
            gemm((n, n_keys, d), &mut ds, s, dz, queries, v, transposed(keys), 1.0, 1);
            for i in 0..n {
                let at = queries.offset + i * queries.row;
                let mean = dot(&dz[at..at + d], &z[at..at + d]);
                let p = &pattern[rows + i * len..][..n_keys];
                for (ds, p) in ds[i * len..][..n_keys].iter_mut().zip(p) {
                    *ds = p * (*ds - mean);
                }
            }
            gemm((n, d, n_keys), &mut dq, queries, &ds, s, k, keys, self.scale, 1);
            gemm((n_keys, d, n), &mut part, rows_of_part, &ds, transposed(s), q, queries, self.scale, 1);
            accumulate(&mut dk, keys, &part, n_keys, d);
        }
        [dq, dk, dv]
    }
}

/// A run of queries of one head in one sequence.
struct Block {
    start: usize,
    head: usize,
    first: usize,
    n: usize,
    n_keys: usize,
    rows: usize,
}

/// Adds `n` rows of `part` to a strided matrix: several query heads share one key/value head.
fn accumulate(sum: &mut [f32], at: Strides, part: &[f32], n: usize, d: usize) {
    for (i, row) in part.chunks_exact(d).take(n).enumerate() {
        let begin = at.offset + i * at.row;
        sum[begin..begin + d].iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
    }
}

impl CustomOp3 for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::of(l1.shape(), l2.shape())?;
        if !sizes.n.is_multiple_of(self.len) {
            return Err(candle_core::Error::msg("the tokens are no whole number of sequences"));
        }
        let (z, pattern) = self.forward(sizes, operand(s1, l1)?, operand(s2, l2)?, operand(s3, l3)?);
        self.pattern.set(pattern).map_err(|_| candle_core::Error::msg("attention was computed twice"))?;
        Ok((CpuStorage::F32(z), l1.shape().clone()))
    }

    fn bwd(
        &self,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        z: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = Sizes::of(q.shape(), k.shape())?;
        let [dq, dk, dv] = with_values(q, |q| {
            with_values(k, |k| {
                with_values(v, |v| {
                    with_values(z, |z| with_values(grad, |grad| self.backward(sizes, [q, k, v, z, grad])))
                })
            })
        })?????;
        Ok((gradient(dq, q)?, gradient(dk, k)?, gradient(dv, v)?))
    }
}
