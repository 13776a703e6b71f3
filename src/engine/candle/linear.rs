//! y = x·Wᵀ + b on the CPU.
//!
//! Four ways, by how many rows x has and whether the arithmetic must be exact:
//!
//! * plain f32 weights: one gemm;
//! * many rows (a prompt): W is decoded a chunk at a time into a scratch buffer that stays in the cache, then gemm. The
//!   decoding is shared by all rows, so this is both exact and the fastest;
//! * one or a few rows (generation): integer dot products on the encoded blocks, with x in 16 bits (`dot`). Where exact
//!   arithmetic is asked for, or the encoding has no such kernel, the rows are decoded instead.

use rayon::prelude::*;

use super::dot::QuantRow;
use super::raw::{self, Strides};
use super::weight::{CpuWeight, EncodedMatrix};
use crate::model::{Cancel, Encoding, Result};

/// From this many rows on, decoding a weight once for all rows is faster than integer dot products for each.
const PREFILL_ROWS: usize = 6;

/// Rows of W that are decoded at a time: 256 rows of 576 take 590 kB.
const CHUNK_ROWS: usize = 256;

/// Outputs that one thread computes at a time in generation.
const DOT_ROWS: usize = 64;

/// How products are computed.
pub struct Linear<'a> {
    /// Threads to use.
    pub threads: usize,
    /// Whether activations must stay f32.
    pub exact: bool,
    /// Stops long products.
    pub cancel: &'a Cancel,
}

impl Linear<'_> {
    /// x `[n_rows, in]` times each weight, without bias.
    pub fn products(&self, x: &[f32], n_rows: usize, weights: &[&CpuWeight]) -> Result<Vec<Vec<f32>>> {
        let few = n_rows < PREFILL_ROWS;
        // The rounded input serves every projection that reads it.
        let rounded: Option<Vec<QuantRow>> = (few && !self.exact && x.len().is_multiple_of(32 * n_rows))
            .then(|| x.chunks_exact(x.len() / n_rows).map(QuantRow::new).collect());
        weights
            .iter()
            .map(|weight| match (weight, &rounded) {
                (CpuWeight::Dense(w), _) => Ok(super::with_slice(w, |w| self.dense(x, n_rows, w))),
                (CpuWeight::Encoded(w), Some(rounded)) if raw::has_dot(w.encoding) => {
                    let dot = |rows: &[u8], x: &QuantRow, y: &mut [f32]| raw::dot_rows(w.encoding, rows, x, y);
                    self.dots(rounded.iter(), w, dot)
                }
                (CpuWeight::Encoded(w), _) if few && is_half(w.encoding) && raw::has_half_dot() => {
                    let dot = |rows: &[u8], x: &[f32], y: &mut [f32]| raw::half_dot_rows(w.encoding, rows, x, y);
                    self.dots(x.chunks_exact(w.n_in), w, dot)
                }
                (CpuWeight::Encoded(w), _) => self.decoded(x, n_rows, w),
            })
            .collect()
    }

    fn dense(&self, x: &[f32], n_rows: usize, w: &[f32]) -> Vec<f32> {
        let n_in = x.len() / n_rows;
        let n_out = w.len() / n_in;
        let mut y = vec![0.0; n_rows * n_out];
        let size = (n_rows, n_out, n_in);
        raw::gemm(
            size,
            &mut y,
            Strides::rows(n_out),
            x,
            Strides::rows(n_in),
            w,
            Strides::transposed(n_in),
            1.0,
            self.threads,
        );
        y
    }

    fn decoded(&self, x: &[f32], n_rows: usize, w: &EncodedMatrix) -> Result<Vec<f32>> {
        let mut y = vec![0.0; n_rows * w.n_out];
        let mut scratch = vec![0.0; CHUNK_ROWS.min(w.n_out) * w.n_in];
        for begin in (0..w.n_out).step_by(CHUNK_ROWS) {
            self.cancel.check()?;
            let n = CHUNK_ROWS.min(w.n_out - begin);
            let chunk = &mut scratch[..n * w.n_in];
            let rows_per_thread = n.div_ceil(self.threads);
            chunk
                .par_chunks_mut(rows_per_thread * w.n_in)
                .enumerate()
                .for_each(|(i, part)| w.decode(begin + i * rows_per_thread, part));
            let (into, from) = (Strides::rows(w.n_out).at(begin), Strides::rows(w.n_in));
            raw::gemm(
                (n_rows, n, w.n_in),
                &mut y,
                into,
                x,
                from,
                chunk,
                Strides::transposed(w.n_in),
                1.0,
                self.threads,
            );
        }
        Ok(y)
    }

    /// Each row of the input with each row of the weight, shared among the threads.
    fn dots<'a, X: Sync + ?Sized + 'a>(
        &self,
        inputs: impl Iterator<Item = &'a X>,
        w: &EncodedMatrix,
        dot: impl Fn(&[u8], &X, &mut [f32]) + Sync,
    ) -> Result<Vec<f32>> {
        let mut y = Vec::new();
        for x in inputs {
            self.cancel.check()?;
            let rows = DOT_ROWS.max(w.n_out.div_ceil(self.threads * 8));
            let from = y.len();
            y.resize(from + w.n_out, 0.0);
            y[from..].par_chunks_mut(rows).enumerate().for_each(|(i, part)| {
                let begin = i * rows;
                dot(w.rows(begin, begin + part.len()), x, part);
            });
        }
        Ok(y)
    }
}

fn is_half(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::F16 | Encoding::BF16)
}
