//! What the forward pass asks of a device.
//!
//! Operations stand at the granularity of a textbook: one method per step that a reader would name. Where a device gains
//! by doing several steps at once, the fused form is a method with a default that is made of the plain steps, so that a
//! new backend is right before it is fast, and a test can compare the two.
//!
//! Tensors are f32 and row-major. Shapes in the comments use `T` for the positions of this run, `S` for all positions that
//! can be seen (cached ones first), `H` and `G` for query and key/value heads, `h` for d_head, `E` for experts.

use serde::{Deserialize, Serialize};

use super::{Activation, Cancel, Edit, Error, Result, WeightData};

/// Who is allowed to attend to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mask {
    /// Hides later tokens.
    pub causal: bool,
    /// Hides tokens at a distance of this many or more.
    pub window: Option<usize>,
}

impl Mask {
    /// Whether the token at `query` may attend to the token at `key` (absolute positions).
    pub fn allows(&self, query: usize, key: usize) -> bool {
        (!self.causal || key <= query) && self.window.is_none_or(|width| query.abs_diff(key) < width)
    }
}

/// A box inside a tensor that is read as `[a, b, c]` (missing leading axes have length 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slab {
    /// The tensor's lengths.
    pub shape: [usize; 3],
    /// The box's first index on each axis.
    pub start: [usize; 3],
    /// The box's length on each axis.
    pub len: [usize; 3],
}

impl Slab {
    /// All of a tensor of at most three axes.
    pub fn whole(shape: &[usize]) -> Self {
        let mut padded = [1; 3];
        padded[3 - shape.len()..].copy_from_slice(shape);
        Self { shape: padded, start: [0; 3], len: padded }
    }

    /// Narrows axis `dim` of a tensor with `n_dims` axes to `begin..end`.
    pub fn narrow(&mut self, n_dims: usize, dim: usize, begin: usize, end: usize) {
        let dim = dim + 3 - n_dims;
        (self.start[dim], self.len[dim]) = (begin, end - begin);
    }

    /// The flat index in the tensor of each value of the box, row-major.
    pub fn indices(&self) -> impl Iterator<Item = usize> {
        let Self { shape, start, len } = *self;
        (0..len[0]).flat_map(move |a| {
            (0..len[1]).flat_map(move |b| {
                let row = ((start[0] + a) * shape[1] + start[1] + b) * shape[2] + start[2];
                row..row + len[2]
            })
        })
    }
}

/// What computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// What kind of device.
    pub kind: DeviceKind,
    /// The name that the system gives it.
    pub name: String,
    /// How the arithmetic is done, for the student: "f32", "16-bit activations", ….
    pub arithmetic: String,
}

/// Kinds of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics processor.
    Gpu,
    /// A graphics interface that the processor emulates.
    SoftwareGpu,
}

/// The three matrices of one expert: what it makes of x is down(act(gate·x) ⊙ up·x).
#[derive(Debug)]
pub struct Expert<'a, W> {
    /// `[d_expert, d_model]`
    pub gate: &'a W,
    /// `[d_expert, d_model]`
    pub up: &'a W,
    /// `[d_model, d_expert]`
    pub down: &'a W,
}

/// A device that can run the forward pass.
pub trait Backend {
    /// An f32 tensor on the device. Cloning shares it.
    type Tensor: Clone;
    /// A parameter on the device, in the file's own encoding.
    type Weight;
    /// The keys or values of one layer: a `[S, G, h]` tensor that grows along `S`.
    type KvBuffer;

    /// What this device is.
    fn device(&self) -> DeviceInfo;

    /// The flag that stops what runs next.
    fn set_cancel(&mut self, cancel: Cancel);

    /// `Err(Cancelled)` once the run is to stop. The pass calls this between steps.
    fn checkpoint(&self) -> Result<()>;

    /// How many of a pass's `n_tokens` tokens belong to one sequence. Training lays several sequences of equal length one
    /// after the other, each at positions from 0 and blind to the rest; everywhere else a pass is one sequence.
    fn sequence_len(&self, n_tokens: usize) -> usize {
        n_tokens
    }

    /// Moves a parameter to the device. Quantised blocks stay quantised.
    fn upload(&self, data: &WeightData) -> Result<Self::Weight>;

    /// Bytes that a parameter takes on the device.
    fn weight_bytes(&self, weight: &Self::Weight) -> u64;

    /// A tensor from values on the host.
    fn tensor(&self, data: &[f32], shape: &[usize]) -> Result<Self::Tensor>;

    /// The lengths of a tensor's axes.
    fn shape(&self, x: &Self::Tensor) -> Vec<usize>;

    /// The same values under other axes.
    fn reshape(&self, x: &Self::Tensor, shape: &[usize]) -> Result<Self::Tensor>;

    /// The values of several tensors, in one transfer.
    fn read(&self, tensors: &[Self::Tensor]) -> Result<Vec<Vec<f32>>>;

    /// Rows of an embedding table: `[T, d]`.
    fn embed(&self, table: &Self::Weight, ids: &[u32]) -> Result<Self::Tensor>;

    /// y = x·Wᵀ + b, for x `[T, in]` and W `[out, in]`.
    fn linear(&self, x: &Self::Tensor, weight: &Self::Weight, bias: Option<&Self::Weight>) -> Result<Self::Tensor>;

    /// x / √(mean(x²) + ε) · gain over the last axis.
    fn rms_norm(&self, x: &Self::Tensor, gain: &Self::Weight, eps: f32) -> Result<Self::Tensor>;

    /// (x − mean) / √(var + ε) · gain + bias over the last axis.
    fn layer_norm(
        &self,
        x: &Self::Tensor,
        gain: &Self::Weight,
        bias: Option<&Self::Weight>,
        eps: f32,
    ) -> Result<Self::Tensor>;

    /// Rotates x `[T, heads, h]`: dimension *i* with dimension *i + d/2* of the first *d* (the half-split layout), by
    /// angles whose cos and sin are `[T, d/2]`. Dimensions from *d* on stay as they are.
    fn rope(&self, x: &Self::Tensor, cos: &Self::Tensor, sin: &Self::Tensor) -> Result<Self::Tensor>;

    /// q·k for q `[T, H, h]` and k `[S, G, h]`: `[H, T, S]`. Head *i* reads key head *i·G/H*.
    fn scores(&self, q: &Self::Tensor, k: &Self::Tensor) -> Result<Self::Tensor>;

    /// x · factor.
    fn scale(&self, x: &Self::Tensor, factor: f32) -> Result<Self::Tensor>;

    /// Sets what the mask hides to −∞ in scores `[H, T, S]`; query *i* stands at position `start + i`.
    fn mask(&self, scores: &Self::Tensor, mask: Mask, start: usize) -> Result<Self::Tensor>;

    /// The softmax over the last axis. A row that is wholly −∞ becomes zeros.
    fn softmax(&self, x: &Self::Tensor) -> Result<Self::Tensor>;

    /// Values weighted by a pattern `[H, T, S]` and v `[S, G, h]`: z `[T, H, h]`.
    fn weigh(&self, pattern: &Self::Tensor, v: &Self::Tensor) -> Result<Self::Tensor>;

    /// a + b.
    fn add(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor>;

    /// a ⊙ b.
    fn mul(&self, a: &Self::Tensor, b: &Self::Tensor) -> Result<Self::Tensor>;

    /// Each row of x `[T, d]` times its factor in one column of `gates` `[T, E]`. A row whose factor is 0 becomes zeros,
    /// whatever it holds.
    fn scale_rows(&self, x: &Self::Tensor, gates: &Self::Tensor, column: usize) -> Result<Self::Tensor>;

    /// From a router's logits `[T, E]` to the weight of each expert: [`route_row`](super::route_row) of each row.
    fn route(&self, logits: &Self::Tensor, top_k: usize, normalise: bool) -> Result<Self::Tensor>;

    /// An activation of every value.
    fn activate(&self, x: &Self::Tensor, activation: Activation) -> Result<Self::Tensor>;

    /// Rows `begin..end` of a tensor's slowest axis.
    fn rows(&self, x: &Self::Tensor, begin: usize, end: usize) -> Result<Self::Tensor>;

    /// A copy of x with the box rewritten.
    fn edit(&self, x: &Self::Tensor, slab: Slab, edit: &Edit) -> Result<Self::Tensor>;

    /// An empty buffer for keys or values `[_, n_kv_heads, d_head]`.
    fn kv_buffer(&self, n_kv_heads: usize, d_head: usize) -> Result<Self::KvBuffer>;

    /// Appends x `[T, G, h]` and returns all that the buffer now holds, `[S, G, h]`.
    fn kv_append(&self, buffer: &mut Self::KvBuffer, x: &Self::Tensor) -> Result<Self::Tensor>;

    /// Forgets all but the first `len` positions.
    fn kv_truncate(&self, buffer: &mut Self::KvBuffer, len: usize);

    /// Bytes that a buffer has allocated.
    fn kv_bytes(&self, buffer: &Self::KvBuffer) -> u64;

    /// Bytes per second that a plain copy on the device reaches, reads and writes counted: the ceiling of what is bound by
    /// memory.
    fn copy_bandwidth(&self) -> Result<f64>;

    // Fused forms. Each default is its definition.

    /// Several projections of the same input, such as q, k and v.
    fn linears(
        &self,
        x: &Self::Tensor,
        projections: &[(&Self::Weight, Option<&Self::Weight>)],
    ) -> Result<Vec<Self::Tensor>> {
        projections.iter().map(|(w, b)| self.linear(x, w, *b)).collect()
    }

    /// softmax(mask(q·k · scale)) · v, with no pattern kept.
    fn attention(
        &self,
        q: &Self::Tensor,
        k: &Self::Tensor,
        v: &Self::Tensor,
        scale: f32,
        mask: Mask,
        start: usize,
    ) -> Result<Self::Tensor> {
        let scores = self.mask(&self.scale(&self.scores(q, k)?, scale)?, mask, start)?;
        self.weigh(&self.softmax(&scores)?, v)
    }

    /// softmax(mask(x · factor)), where nothing wants the steps between.
    fn scale_mask_softmax(&self, raw: &Self::Tensor, factor: f32, mask: Mask, start: usize) -> Result<Self::Tensor> {
        self.softmax(&self.mask(&self.scale(raw, factor)?, mask, start)?)
    }

    /// act(gate) ⊙ up.
    fn gated(&self, gate: &Self::Tensor, up: &Self::Tensor, activation: Activation) -> Result<Self::Tensor> {
        self.mul(&self.activate(gate, activation)?, up)
    }

    /// Σ over the experts of gates\[:, e\] · expert_e(x), for x `[T, d]` and gates `[T, E]`. By this definition every expert
    /// sees every row; what a faster form leaves out are rows whose gate is 0.
    fn experts(
        &self,
        x: &Self::Tensor,
        gates: &Self::Tensor,
        experts: &[Expert<'_, Self::Weight>],
        activation: Activation,
    ) -> Result<Self::Tensor> {
        every_expert(self, x, gates, experts, activation)
    }
}

/// The definition of [`Backend::experts`], which faster forms are tested against.
pub fn every_expert<B: Backend + ?Sized>(
    b: &B,
    x: &B::Tensor,
    gates: &B::Tensor,
    experts: &[Expert<'_, B::Weight>],
    activation: Activation,
) -> Result<B::Tensor> {
    let mut sum = None;
    for (i, expert) in experts.iter().enumerate() {
        let (gate, up) = (b.linear(x, expert.gate, None)?, b.linear(x, expert.up, None)?);
        let out = b.linear(&b.gated(&gate, &up, activation)?, expert.down, None)?;
        let out = b.scale_rows(&out, gates, i)?;
        sum = Some(match sum {
            None => out,
            Some(sum) => b.add(&sum, &out)?,
        });
    }
    sum.ok_or_else(|| Error::Shape { op: "experts", detail: "no expert".into() })
}
