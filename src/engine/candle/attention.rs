//! Attention on the CPU, over plain slices: q `[T, H, h]`, k and v `[S, G, h]`, patterns `[H, T, S]`.

use rayon::prelude::*;

use super::raw::{self, Strides};
use crate::model::{Cancel, Mask, Result};

/// Queries that the fused form handles at a time. Keys after the block's last query are never touched.
const QUERY_BLOCK: usize = 32;

/// Queries that the other forms handle at a time.
const ROWS: usize = 256;

/// Below this many score values, waking a second thread costs more than it brings.
const PARALLEL_FROM: usize = 16 * 1024;

/// Sizes of one attention call.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Queries.
    pub t: usize,
    /// Keys.
    pub s: usize,
    /// Query heads.
    pub heads: usize,
    /// Key/value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub d_head: usize,
}

impl Sizes {
    fn kv_head(&self, head: usize) -> usize {
        head * self.kv_heads / self.heads
    }

    /// One head's queries from row `t` on, `[_, h]`.
    fn query(&self, head: usize, t: usize) -> Strides {
        let row = self.heads * self.d_head;
        Strides { offset: t * row + head * self.d_head, row, col: 1 }
    }

    /// The keys from row `s` on that a query head reads, transposed to `[h, _]`.
    fn keys(&self, head: usize, s: usize) -> Strides {
        let row = self.kv_heads * self.d_head;
        Strides { offset: s * row + self.kv_head(head) * self.d_head, row: 1, col: row }
    }

    /// The values that a query head reads, `[_, h]`.
    fn values(&self, head: usize, s: usize) -> Strides {
        let keys = self.keys(head, s);
        Strides { offset: keys.offset, row: keys.col, col: 1 }
    }

    /// Runs `work` for 0..n and returns the results in order, on all threads where that pays.
    fn map<R: Send>(&self, n: usize, work: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
        if self.heads * self.t * self.s < PARALLEL_FROM {
            (0..n).map(work).collect()
        } else {
            (0..n).into_par_iter().map(work).collect()
        }
    }
}

/// q·k: `[H, T, S]`.
pub fn scores(sizes: Sizes, q: &[f32], k: &[f32], cancel: &Cancel) -> Result<Vec<f32>> {
    let Sizes { t, s, heads, d_head, .. } = sizes;
    let mut out = vec![0.0; heads * t * s];
    let one = |(i, out): (usize, &mut [f32])| {
        let (head, first) = (i / t.div_ceil(ROWS), i % t.div_ceil(ROWS) * ROWS);
        if !cancel.is_cancelled() {
            let (query, keys) = (sizes.query(head, first), sizes.keys(head, 0));
            raw::gemm((out.len() / s, s, d_head), out, Strides::rows(s), q, query, k, keys, 1.0, 1);
        }
    };
    // A few rows at a time: a long prompt's whole matrix would not notice a cancel.
    let n = out.len();
    let pieces = out.chunks_exact_mut(t * s).flat_map(|head| head.chunks_mut(ROWS * s)).enumerate();
    if n < PARALLEL_FROM {
        pieces.for_each(one);
    } else {
        pieces.collect::<Vec<_>>().into_par_iter().for_each(one);
    }
    cancel.check()?;
    Ok(out)
}

/// A pattern's rows times the values: z `[T, H, h]`.
pub fn weigh(sizes: Sizes, pattern: &[f32], v: &[f32], cancel: &Cancel) -> Result<Vec<f32>> {
    let Sizes { t, s, heads, d_head, .. } = sizes;
    let n_pieces = t.div_ceil(ROWS);
    let pieces = sizes.map(heads * n_pieces, |i| {
        let (head, first) = (i / n_pieces, i % n_pieces * ROWS);
        let n = ROWS.min(t - first);
        let mut z = vec![0.0; n * d_head];
        if !cancel.is_cancelled() {
            let rows = Strides::rows(s).at((head * t + first) * s);
            raw::gemm((n, d_head, s), &mut z, Strides::rows(d_head), pattern, rows, v, sizes.values(head, 0), 1.0, 1);
        }
        z
    });
    cancel.check()?;
    let mut out = vec![0.0; t * heads * d_head];
    for (i, z) in pieces.iter().enumerate() {
        place(sizes, &mut out, i / n_pieces, i % n_pieces * ROWS, z);
    }
    Ok(out)
}

/// softmax(mask(q·k·scale))·v: z `[T, H, h]`, a block of queries of one head at a time.
#[allow(clippy::too_many_arguments)]
pub fn fused(
    sizes: Sizes,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    scale: f32,
    mask: Mask,
    start: usize,
    cancel: &Cancel,
) -> Result<Vec<f32>> {
    let Sizes { t, s, heads, d_head, .. } = sizes;
    let n_blocks = t.div_ceil(QUERY_BLOCK);
    let blocks = sizes.map(heads * n_blocks, |i| {
        let (head, first) = (i / n_blocks, i % n_blocks * QUERY_BLOCK);
        let n = QUERY_BLOCK.min(t - first);
        let (from, to) = visible(mask, start + first, start + first + n, s);
        let mut z = vec![0.0; n * d_head];
        if from >= to || cancel.is_cancelled() {
            return z;
        }
        let width = to - from;
        let mut scores = vec![0.0; n * width];
        let rows = Strides::rows(width);
        raw::gemm(
            (n, width, d_head),
            &mut scores,
            rows,
            q,
            sizes.query(head, first),
            k,
            sizes.keys(head, from),
            scale,
            1,
        );
        for (i, row) in scores.chunks_exact_mut(width).enumerate() {
            softmax_row(row, 1.0, |j| mask.allows(start + first + i, from + j));
        }
        raw::gemm(
            (n, d_head, width),
            &mut z,
            Strides::rows(d_head),
            &scores,
            rows,
            v,
            sizes.values(head, from),
            1.0,
            1,
        );
        z
    });
    cancel.check()?;
    let mut out = vec![0.0; t * heads * d_head];
    for (i, z) in blocks.iter().enumerate() {
        place(sizes, &mut out, i / n_blocks, i % n_blocks * QUERY_BLOCK, z);
    }
    Ok(out)
}

/// softmax over what is allowed of row · factor; the rest becomes 0. A row with nothing allowed becomes zeros.
pub fn softmax_row(row: &mut [f32], factor: f32, allowed: impl Fn(usize) -> bool) {
    let mut max = f32::NEG_INFINITY;
    for (j, x) in row.iter_mut().enumerate() {
        *x = if allowed(j) { *x * factor } else { f32::NEG_INFINITY };
        max = max.max(*x);
    }
    if max == f32::NEG_INFINITY && !row.iter().any(|x| x.is_nan()) {
        row.fill(0.0);
        return;
    }
    let mut sum = 0.0;
    for x in row.iter_mut() {
        *x = (*x - max).exp();
        sum += *x;
    }
    let inverse = 1.0 / sum;
    row.iter_mut().for_each(|x| *x *= inverse);
}

/// The range of keys that any query in `begin..end` may see.
fn visible(mask: Mask, begin: usize, end: usize, s: usize) -> (usize, usize) {
    let from = mask.window.map_or(0, |width| (begin + 1).saturating_sub(width));
    let to = if mask.causal { end } else { mask.window.map_or(s, |width| end - 1 + width) };
    (from, to.min(s))
}

/// Writes one head's rows from position `first` on into z `[T, H, h]`.
fn place(sizes: Sizes, out: &mut [f32], head: usize, first: usize, z: &[f32]) {
    let (row, d) = (sizes.heads * sizes.d_head, sizes.d_head);
    for (i, z) in z.chunks_exact(d).enumerate() {
        let at = (first + i) * row + head * d;
        out[at..at + d].copy_from_slice(z);
    }
}
