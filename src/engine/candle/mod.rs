//! The CPU backend, and the reference that other backends are compared with.
//!
//! Tensors are candle tensors on the CPU. Attention and products with encoded weights run on their slices (`attention`,
//! `linear`), since candle decodes one token at a time an order slower than the memory allows; the elementwise
//! operations are candle's own.

mod attention;
mod dot;
mod experts;
mod halves;
mod linear;
pub(crate) mod raw;
mod weight;

use std::cell::Cell;

use rayon::prelude::*;

use candle_core::{CpuStorage, D, Device, Storage, Tensor};

use self::attention::Sizes;
use self::linear::Linear;
pub use self::weight::CpuWeight;
use crate::model::{
    Activation, Backend, Cancel, DeviceInfo, DeviceKind, Edit, Error, Expert, Mask, Result, Slab, WeightData, route_row,
};
pub use raw::calm_candle;

/// Positions that an empty KV buffer has room for; it doubles when full.
const KV_CAPACITY: usize = 64;

/// Inference on the CPU.
pub struct CandleBackend {
    exact: bool,
    /// Whether any weight is multiplied with rounded activations while generating.
    rounds: Cell<bool>,
    threads: usize,
    cancel: Cancel,
}

/// Keys or values of one layer: room for more positions than are used.
pub struct KvBuffer {
    room: Tensor,
    len: usize,
}

impl CandleBackend {
    /// A backend on all threads of the pool. `exact` keeps every activation in f32, which generates more slowly.
    pub fn new(exact: bool) -> Self {
        Self { exact, rounds: Cell::new(false), threads: rayon::current_num_threads(), cancel: Cancel::new() }
    }

    fn linear_engine(&self) -> Linear<'_> {
        Linear { threads: self.threads, exact: self.exact, cancel: &self.cancel }
    }

    fn sizes(&self, t: &[usize], kv: &[usize]) -> Sizes {
        Sizes { t: t[0], heads: t[1], d_head: kv[2], s: kv[0], kv_heads: kv[1] }
    }
}

impl Backend for CandleBackend {
    type Tensor = Tensor;
    type Weight = CpuWeight;
    type KvBuffer = KvBuffer;

    fn device(&self) -> DeviceInfo {
        let name = format!("CPU, {} threads", self.threads);
        let arithmetic = if self.rounds.get() { "fast: 16-bit activations while generating" } else { "exact f32" };
        DeviceInfo { kind: DeviceKind::Cpu, name, arithmetic: arithmetic.into() }
    }

    fn set_cancel(&mut self, cancel: Cancel) {
        self.cancel = cancel;
    }

    fn checkpoint(&self) -> Result<()> {
        self.cancel.check()
    }

    fn copy_bandwidth(&self) -> Result<f64> {
        // More than the caches hold, each thread its own part, the best of a few tries.
        const BYTES: usize = 256 << 20;
        let from = vec![1u8; BYTES];
        let mut to = vec![0u8; BYTES];
        let part = BYTES.div_ceil(self.threads);
        let copy = || {
            let begun = std::time::Instant::now();
            to.par_chunks_mut(part).zip(from.par_chunks(part)).for_each(|(to, from)| to.copy_from_slice(from));
            begun.elapsed().as_secs_f64()
        };
        let best = std::iter::repeat_with(copy).take(5).fold(f64::INFINITY, f64::min);
        Ok(2.0 * BYTES as f64 / best)
    }

    fn upload(&self, data: &WeightData) -> Result<CpuWeight> {
        let weight = CpuWeight::new(data)?;
        let rounds = matches!(&weight, CpuWeight::Encoded(w) if !self.exact && raw::has_dot(w.encoding));
        self.rounds.set(self.rounds.get() || rounds);
        Ok(weight)
    }

    fn weight_bytes(&self, weight: &CpuWeight) -> u64 {
        weight.n_bytes()
    }

    fn tensor(&self, data: &[f32], shape: &[usize]) -> Result<Tensor> {
        Tensor::from_slice(data, shape, &Device::Cpu).map_err(failed)
    }

    fn shape(&self, x: &Tensor) -> Vec<usize> {
        x.dims().to_vec()
    }

    fn reshape(&self, x: &Tensor, shape: &[usize]) -> Result<Tensor> {
        x.reshape(shape).map_err(failed)
    }

    fn read(&self, tensors: &[Tensor]) -> Result<Vec<Vec<f32>>> {
        Ok(tensors.iter().map(|x| with_slice(x, <[f32]>::to_vec)).collect())
    }

    fn embed(&self, table: &CpuWeight, ids: &[u32]) -> Result<Tensor> {
        match table {
            CpuWeight::Dense(table) => {
                let ids = Tensor::from_slice(ids, ids.len(), &Device::Cpu).map_err(failed)?;
                table.index_select(&ids, 0).map_err(failed)
            }
            CpuWeight::Encoded(table) => {
                let mut rows = vec![0.0; ids.len() * table.n_in];
                for (id, row) in ids.iter().zip(rows.chunks_exact_mut(table.n_in)) {
                    table.decode(*id as usize, row);
                }
                tensor(rows, &[ids.len(), table.n_in])
            }
        }
    }

    fn linear(&self, x: &Tensor, weight: &CpuWeight, bias: Option<&CpuWeight>) -> Result<Tensor> {
        Ok(self.linears(x, &[(weight, bias)])?.remove(0))
    }

    fn linears(&self, x: &Tensor, projections: &[(&CpuWeight, Option<&CpuWeight>)]) -> Result<Vec<Tensor>> {
        let n_rows = x.dims()[0];
        let weights: Vec<_> = projections.iter().map(|(weight, _)| *weight).collect();
        let products = with_slice(x, |x| self.linear_engine().products(x, n_rows, &weights))?;
        let with_bias = |(mut y, (_, bias)): (Vec<f32>, &(&CpuWeight, Option<&CpuWeight>))| {
            let n_out = y.len() / n_rows;
            if let Some(bias) = bias {
                with_slice(bias.dense()?, |bias| {
                    y.chunks_exact_mut(n_out).for_each(|row| row.iter_mut().zip(bias).for_each(|(y, b)| *y += b));
                });
            }
            tensor(y, &[n_rows, n_out])
        };
        products.into_iter().zip(projections).map(with_bias).collect()
    }

    fn rms_norm(&self, x: &Tensor, gain: &CpuWeight, eps: f32) -> Result<Tensor> {
        candle_nn::ops::rms_norm(x, gain.dense()?, eps).map_err(failed)
    }

    fn layer_norm(&self, x: &Tensor, gain: &CpuWeight, bias: Option<&CpuWeight>, eps: f32) -> Result<Tensor> {
        let gain = gain.dense()?;
        match bias {
            Some(bias) => candle_nn::ops::layer_norm(x, gain, bias.dense()?, eps).map_err(failed),
            None => candle_nn::ops::layer_norm(x, gain, &gain.zeros_like().map_err(failed)?, eps).map_err(failed),
        }
    }

    fn rope(&self, x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
        let (n_heads, d_head, pairs) = (x.dims()[1], x.dims()[2], cos.dims()[1]);
        let mut y = with_slice(x, <[f32]>::to_vec);
        with_slice(cos, |cos| {
            with_slice(sin, |sin| {
                let angles = cos.chunks_exact(pairs).zip(sin.chunks_exact(pairs));
                for (position, (cos, sin)) in y.chunks_exact_mut(n_heads * d_head).zip(angles) {
                    for head in position.chunks_exact_mut(d_head) {
                        let (low, high) = head.split_at_mut(pairs);
                        for (((a, b), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                            (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
                        }
                    }
                }
            });
        });
        tensor(y, x.dims())
    }

    fn scores(&self, q: &Tensor, k: &Tensor) -> Result<Tensor> {
        let sizes = self.sizes(q.dims(), k.dims());
        let scores = with_slice(q, |q| with_slice(k, |k| attention::scores(sizes, q, k, &self.cancel)))?;
        tensor(scores, &[sizes.heads, sizes.t, sizes.s])
    }

    fn scale(&self, x: &Tensor, factor: f32) -> Result<Tensor> {
        x.affine(f64::from(factor), 0.0).map_err(failed)
    }

    fn mask(&self, scores: &Tensor, mask: Mask, start: usize) -> Result<Tensor> {
        let (t, s) = (scores.dims()[1], scores.dims()[2]);
        let mut values = with_slice(scores, <[f32]>::to_vec);
        for (i, row) in values.chunks_exact_mut(s).enumerate() {
            let query = start + i % t;
            row.iter_mut()
                .enumerate()
                .filter(|(key, _)| !mask.allows(query, *key))
                .for_each(|(_, x)| *x = f32::NEG_INFINITY);
        }
        tensor(values, scores.dims())
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let mut values = with_slice(x, <[f32]>::to_vec);
        let width = x.dim(D::Minus1).map_err(failed)?;
        values.chunks_exact_mut(width).for_each(|row| attention::softmax_row(row, 1.0, |_| true));
        tensor(values, x.dims())
    }

    fn scale_mask_softmax(&self, raw: &Tensor, factor: f32, mask: Mask, start: usize) -> Result<Tensor> {
        let (t, s) = (raw.dims()[1], raw.dims()[2]);
        let mut values = with_slice(raw, <[f32]>::to_vec);
        let cancel = &self.cancel;
        let one = |head: &mut [f32]| {
            for (i, row) in head.chunks_exact_mut(s).enumerate() {
                if cancel.is_cancelled() {
                    return;
                }
                attention::softmax_row(row, factor, |key| mask.allows(start + i, key));
            }
        };
        // A head at a time, so that threads share the work in pieces worth waking for.
        if values.len() < attention::PARALLEL_FROM {
            values.chunks_exact_mut(t * s).for_each(one);
        } else {
            values.par_chunks_exact_mut(t * s).for_each(one);
        }
        cancel.check()?;
        tensor(values, raw.dims())
    }

    fn weigh(&self, pattern: &Tensor, v: &Tensor) -> Result<Tensor> {
        let sizes = self.sizes(&[pattern.dims()[1], pattern.dims()[0]], v.dims());
        let z = with_slice(pattern, |pattern| with_slice(v, |v| attention::weigh(sizes, pattern, v, &self.cancel)))?;
        tensor(z, &[sizes.t, sizes.heads, sizes.d_head])
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, mask: Mask, start: usize) -> Result<Tensor> {
        let sizes = self.sizes(q.dims(), k.dims());
        let z = with_slice(q, |q| {
            with_slice(k, |k| with_slice(v, |v| attention::fused(sizes, q, k, v, scale, mask, start, &self.cancel)))
        })?;
        tensor(z, q.dims())
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        (a + b).map_err(failed)
    }

    fn mul(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        (a * b).map_err(failed)
    }

    fn scale_rows(&self, x: &Tensor, gates: &Tensor, column: usize) -> Result<Tensor> {
        let (d, n_experts) = (x.dims()[1], gates.dims()[1]);
        let mut y = with_slice(x, <[f32]>::to_vec);
        with_slice(gates, |gates| {
            for (row, gates) in y.chunks_exact_mut(d).zip(gates.chunks_exact(n_experts)) {
                match gates[column] {
                    0.0 => row.fill(0.0),
                    gate => row.iter_mut().for_each(|y| *y *= gate),
                }
            }
        });
        tensor(y, x.dims())
    }

    fn route(&self, logits: &Tensor, top_k: usize, normalise: bool) -> Result<Tensor> {
        let n_experts = logits.dims()[1];
        let gates = with_slice(logits, |logits| {
            logits.chunks_exact(n_experts).flat_map(|row| route_row(row, top_k, normalise)).collect()
        });
        tensor(gates, logits.dims())
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        match activation {
            Activation::Silu => candle_nn::ops::silu(x),
            Activation::Gelu => x.gelu_erf(),
            Activation::GeluTanh => x.gelu(),
            Activation::Relu => x.relu(),
        }
        .map_err(failed)
    }

    fn experts(
        &self,
        x: &Tensor,
        gates: &Tensor,
        experts: &[Expert<'_, CpuWeight>],
        activation: Activation,
    ) -> Result<Tensor> {
        experts::gathered(self, x, gates, experts, activation)
    }

    fn rows(&self, x: &Tensor, begin: usize, end: usize) -> Result<Tensor> {
        x.narrow(0, begin, end - begin).map_err(failed)
    }

    fn edit(&self, x: &Tensor, slab: Slab, edit: &Edit) -> Result<Tensor> {
        let mut values = with_slice(x, <[f32]>::to_vec);
        for (i, at) in slab.indices().enumerate() {
            values[at] = edit.apply(values[at], i);
        }
        tensor(values, x.dims())
    }

    fn kv_buffer(&self, n_kv_heads: usize, d_head: usize) -> Result<KvBuffer> {
        Ok(KvBuffer { room: room(KV_CAPACITY, n_kv_heads, d_head)?, len: 0 })
    }

    fn kv_append(&self, buffer: &mut KvBuffer, x: &Tensor) -> Result<Tensor> {
        let (capacity, needed) = (buffer.room.dims()[0], buffer.len + x.dims()[0]);
        if needed > capacity {
            let larger = room(needed.max(2 * capacity), x.dims()[1], x.dims()[2])?;
            if buffer.len > 0 {
                let held = buffer.room.narrow(0, 0, buffer.len).map_err(failed)?;
                larger.slice_set(&held, 0, 0).map_err(failed)?;
            }
            buffer.room = larger;
        }
        // A row of a larger tensor is not contiguous storage of its own: slice_set wants one.
        let x = x.contiguous().map_err(failed)?;
        buffer.room.slice_set(&x, 0, buffer.len).map_err(failed)?;
        buffer.len = needed;
        buffer.room.narrow(0, 0, needed).map_err(failed)
    }

    fn kv_truncate(&self, buffer: &mut KvBuffer, len: usize) {
        buffer.len = buffer.len.min(len);
    }

    fn kv_bytes(&self, buffer: &KvBuffer) -> u64 {
        4 * buffer.room.elem_count() as u64
    }
}

fn room(capacity: usize, n_kv_heads: usize, d_head: usize) -> Result<Tensor> {
    tensor(vec![0.0; capacity * n_kv_heads * d_head], &[capacity, n_kv_heads, d_head])
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(failed)
}

/// Hands the values of a contiguous f32 tensor to `f`.
fn with_slice<R>(x: &Tensor, f: impl FnOnce(&[f32]) -> R) -> R {
    let (storage, layout) = x.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(values)), Some((begin, end))) => f(&values[begin..end]),
        _ => unreachable!("every tensor of this backend is contiguous f32 on the CPU"),
    }
}

/// A failure that candle reports.
fn failed(error: candle_core::Error) -> Error {
    Error::Device { device: "CPU".into(), detail: error.to_string() }
}
