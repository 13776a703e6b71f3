//! The third backend under the one forward pass: candle's autodiff over `Var` weights.
//!
//! Every operation here has a backward, and a test asserts that a loss reaches every parameter. The steps that the story
//! models spend their time in are the fused ones of [`ops`](super::ops); the rest is candle's own differentiable
//! arithmetic, so that a training run can be seen and changed at every hook point like any other.

use std::sync::Arc;

use candle_core::{D, Device, Tensor};

use super::experts;
use super::ops::{self, with_values};
use crate::model::{
    Activation, Backend, Cancel, DeviceInfo, DeviceKind, Edit, Error, Expert, Mask, Result, Slab, WeightData,
};

/// Differentiable arithmetic on the CPU, over sequences of equal length that stand one after the other.
pub struct TrainBackend {
    sequence_len: usize,
    cancel: Cancel,
}

impl TrainBackend {
    /// A backend for sequences of `sequence_len` tokens.
    pub fn new(sequence_len: usize) -> Self {
        Self { sequence_len, cancel: Cancel::new() }
    }
}

/// A failure that candle reports.
pub(super) fn failed(error: candle_core::Error) -> Error {
    Error::Device { device: "CPU".into(), detail: error.to_string() }
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> Result<Tensor> {
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(failed)
}

impl Backend for TrainBackend {
    type Tensor = Tensor;
    type Weight = Tensor;
    /// Keys or values so far; training computes a sequence in one pass and never meets a filled one.
    type KvBuffer = Option<Tensor>;

    fn device(&self) -> DeviceInfo {
        DeviceInfo { kind: DeviceKind::Cpu, name: "CPU".into(), arithmetic: "f32, with gradients".into() }
    }

    fn set_cancel(&mut self, cancel: Cancel) {
        self.cancel = cancel;
    }

    fn checkpoint(&self) -> Result<()> {
        self.cancel.check()
    }

    fn sequence_len(&self, n_tokens: usize) -> usize {
        self.sequence_len.min(n_tokens)
    }

    fn upload(&self, data: &WeightData) -> Result<Tensor> {
        tensor(data.decode(), &data.shape)
    }

    fn weight_bytes(&self, weight: &Tensor) -> u64 {
        4 * weight.elem_count() as u64
    }

    fn tensor(&self, data: &[f32], shape: &[usize]) -> Result<Tensor> {
        tensor(data.to_vec(), shape)
    }

    fn shape(&self, x: &Tensor) -> Vec<usize> {
        x.dims().to_vec()
    }

    fn reshape(&self, x: &Tensor, shape: &[usize]) -> Result<Tensor> {
        x.reshape(shape).map_err(failed)
    }

    fn read(&self, tensors: &[Tensor]) -> Result<Vec<Vec<f32>>> {
        tensors.iter().map(|x| with_values(x, <[f32]>::to_vec).map_err(failed)).collect()
    }

    fn embed(&self, table: &Tensor, ids: &[u32]) -> Result<Tensor> {
        let ids = Tensor::from_slice(ids, ids.len(), &Device::Cpu).map_err(failed)?;
        table.index_select(&ids, 0).map_err(failed)
    }

    fn linear(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let y = x.matmul(&weight.t().map_err(failed)?).map_err(failed)?;
        match bias {
            Some(bias) => y.broadcast_add(bias).map_err(failed),
            None => Ok(y),
        }
    }

    fn rms_norm(&self, x: &Tensor, gain: &Tensor, eps: f32) -> Result<Tensor> {
        x.apply_op2(gain, ops::RmsNorm { eps }).map_err(failed)
    }

    fn layer_norm(&self, x: &Tensor, gain: &Tensor, bias: Option<&Tensor>, eps: f32) -> Result<Tensor> {
        let norm = || {
            let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
            let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
            let y = centred.broadcast_div(&(variance + f64::from(eps))?.sqrt()?)?.broadcast_mul(gain)?;
            bias.map_or(Ok(y.clone()), |bias| y.broadcast_add(bias))
        };
        norm().map_err(failed)
    }

    fn rope(&self, x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
        let table = |x: &Tensor| with_values(x, |x| Arc::<[f32]>::from(x));
        let rotate = || x.contiguous()?.apply_op1(ops::Rope { cos: table(cos)?, sin: table(sin)?, pairs: cos.dim(1)? });
        rotate().map_err(failed)
    }

    fn scores(&self, q: &Tensor, k: &Tensor) -> Result<Tensor> {
        let group = q.dims()[1] / k.dims()[1];
        let scores = || {
            let k = repeat_heads(k, group)?.permute((1, 2, 0))?.contiguous()?;
            q.transpose(0, 1)?.contiguous()?.matmul(&k)
        };
        scores().map_err(failed)
    }

    fn scale(&self, x: &Tensor, factor: f32) -> Result<Tensor> {
        x.affine(f64::from(factor), 0.0).map_err(failed)
    }

    fn mask(&self, scores: &Tensor, mask: Mask, start: usize) -> Result<Tensor> {
        let (t, s) = (scores.dims()[1], scores.dims()[2]);
        let len = self.sequence_len(t);
        let visible = |i: usize, key: usize| {
            let query = start + i;
            (t == len || query / len == key / len) && mask.allows(query, key)
        };
        let hide = (0..t).flat_map(|i| (0..s).map(move |key| if visible(i, key) { 0.0 } else { f32::NEG_INFINITY }));
        scores.broadcast_add(&tensor(hide.collect(), &[1, t, s])?).map_err(failed)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        candle_nn::ops::softmax(x, D::Minus1).map_err(failed)
    }

    fn weigh(&self, pattern: &Tensor, v: &Tensor) -> Result<Tensor> {
        let group = pattern.dims()[0] / v.dims()[1];
        let weigh = || {
            let v = repeat_heads(v, group)?.transpose(0, 1)?.contiguous()?;
            pattern.matmul(&v)?.transpose(0, 1)?.contiguous()
        };
        weigh().map_err(failed)
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, mask: Mask, start: usize) -> Result<Tensor> {
        if start > 0 {
            let scores = self.mask(&self.scale(&self.scores(q, k)?, scale)?, mask, start)?;
            return self.weigh(&self.softmax(&scores)?, v);
        }
        let op = ops::Attention::new(self.sequence_len(q.dims()[0]), scale, mask);
        let attend = || q.contiguous()?.apply_op3(&k.contiguous()?, &v.contiguous()?, op);
        attend().map_err(failed)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        (a + b).map_err(failed)
    }

    fn mul(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        (a * b).map_err(failed)
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        match activation {
            Activation::Silu => x.silu(),
            Activation::Gelu => x.gelu_erf(),
            Activation::GeluTanh => x.gelu(),
            Activation::Relu => x.relu(),
        }
        .map_err(failed)
    }

    fn gated(&self, gate: &Tensor, up: &Tensor, activation: Activation) -> Result<Tensor> {
        match activation {
            Activation::Silu => gate.apply_op2(up, ops::SiluGate).map_err(failed),
            _ => self.mul(&self.activate(gate, activation)?, up),
        }
    }

    fn scale_rows(&self, x: &Tensor, gates: &Tensor, column: usize) -> Result<Tensor> {
        gates.narrow(1, column, 1).and_then(|gate| x.broadcast_mul(&gate)).map_err(failed)
    }

    fn route(&self, logits: &Tensor, top_k: usize, normalise: bool) -> Result<Tensor> {
        experts::route(logits, top_k, normalise).map_err(failed)
    }

    fn experts(
        &self,
        x: &Tensor,
        gates: &Tensor,
        experts: &[Expert<'_, Tensor>],
        activation: Activation,
    ) -> Result<Tensor> {
        let visit = |e: usize, rows: &Tensor| {
            let Expert { gate, up, down } = &experts[e];
            let hidden = self.gated(&self.linear(rows, gate, None)?, &self.linear(rows, up, None)?, activation)?;
            self.linear(&hidden, down, None)
        };
        experts::experts(x, gates, visit)
    }

    fn rows(&self, x: &Tensor, begin: usize, end: usize) -> Result<Tensor> {
        x.narrow(0, begin, end - begin).and_then(|x| x.contiguous()).map_err(failed)
    }

    /// Every edit is `a ⊙ x + c`, which is how it stays differentiable.
    fn edit(&self, x: &Tensor, slab: Slab, edit: &Edit) -> Result<Tensor> {
        let (mut a, mut c) = (vec![1.0; x.elem_count()], vec![0.0; x.elem_count()]);
        for (i, at) in slab.indices().enumerate() {
            c[at] = edit.apply(0.0, i);
            a[at] = edit.apply(1.0, i) - c[at];
        }
        self.add(&self.mul(x, &tensor(a, x.dims())?)?, &tensor(c, x.dims())?)
    }

    fn kv_buffer(&self, _n_kv_heads: usize, _d_head: usize) -> Result<Option<Tensor>> {
        Ok(None)
    }

    fn kv_append(&self, buffer: &mut Option<Tensor>, x: &Tensor) -> Result<Tensor> {
        let all = match buffer.take() {
            Some(held) => Tensor::cat(&[&held, x], 0).map_err(failed)?,
            None => x.clone(),
        };
        *buffer = Some(all.clone());
        Ok(all)
    }

    fn kv_truncate(&self, buffer: &mut Option<Tensor>, len: usize) {
        *buffer = buffer.take().filter(|_| len > 0).and_then(|held| {
            let len = len.min(held.dims()[0]);
            held.narrow(0, 0, len).ok()
        });
    }

    fn kv_bytes(&self, buffer: &Option<Tensor>) -> u64 {
        buffer.as_ref().map_or(0, |held| 4 * held.elem_count() as u64)
    }

    fn copy_bandwidth(&self) -> Result<f64> {
        Err(Error::Device { device: "CPU".into(), detail: "training does not measure copies".into() })
    }
}

/// Keys or values `[S, G, h]` as every query head reads them, `[S, G·group, h]`.
fn repeat_heads(x: &Tensor, group: usize) -> candle_core::Result<Tensor> {
    let (s, heads, d) = x.dims3()?;
    x.unsqueeze(2)?.expand((s, heads, group, d))?.reshape((s, heads * group, d))
}
