//! The operations of [`Backend`] as kernel launches: shapes are checked here, and every launch names its kernel, its
//! buffers and its parameters in the order of the kernel's `Params`.

use std::sync::Arc;

use super::check::{attention_sizes, axes, function, mask_params, shape_error};
use super::device::Gpu;
use super::kernel::Kernel;
use super::launch::{Launcher, Shape, Sizes, flat};
use super::pool::Allocation;
use super::product::Product;
use super::weight::Weight;
use crate::engine::DeviceChoice;
use crate::model::{Activation, Backend, Cancel, DeviceInfo, Edit, Expert, Mask, Result, Slab, WeightData};

/// A graphics processor that runs the forward pass.
pub struct WgpuBackend {
    pub(super) run: Launcher,
}

/// An f32 tensor on the device.
#[derive(Clone)]
pub struct Tensor {
    pub(super) data: Arc<Allocation>,
    pub(super) shape: Shape,
}

/// Keys or values of one layer, `[S, G, h]`. The buffer doubles when it is full.
pub struct KvBuffer {
    data: Option<Arc<Allocation>>,
    len: usize,
    n_kv_heads: usize,
    d_head: usize,
}

impl WgpuBackend {
    /// Opens a graphics adapter: the one that is named, else the best. Runs on it stop soon after `cancel` is set.
    pub fn open(choice: &DeviceChoice, cancel: Cancel) -> Result<Self> {
        Ok(Self { run: Launcher::new(Gpu::open(choice)?, cancel)? })
    }

    pub(super) fn new_tensor(&self, shape: Shape) -> Result<Tensor> {
        Ok(Tensor { data: self.run.buffer(&shape)?, shape })
    }

    /// A kernel that maps values one by one.
    fn map(
        &self,
        kernel: Kernel,
        constants: &[(&'static str, f64)],
        inputs: &[&Tensor],
        factor: f32,
    ) -> Result<Tensor> {
        let [x, rest @ ..] = inputs else { return Err(shape_error("map", "no input")) };
        if let Some(other) = rest.iter().find(|other| other.shape != x.shape) {
            return Err(shape_error(kernel.info().name, format!("{:?} and {:?}", x.shape, other.shape)));
        }
        let y = self.new_tensor(x.shape.clone())?;
        let n = x.len();
        let buffers: Vec<_> = inputs.iter().map(|t| &*t.data).collect();
        self.run.launch(
            kernel,
            self.run.wide(),
            constants,
            &buffers,
            &y.data,
            &[n as u32, factor.to_bits()],
            flat(n),
        )?;
        Ok(y)
    }

    fn norm(
        &self,
        op: &'static str,
        x: &Tensor,
        gain: &Weight,
        bias: Option<Option<&Weight>>,
        eps: f32,
    ) -> Result<Tensor> {
        let width = *x.shape.last().ok_or_else(|| shape_error(op, "no axis"))?;
        let (y, gain) = (self.new_tensor(x.shape.clone())?, gain.vector(width)?);
        let rows = x.len() / width.max(1);
        let params = [width as u32, eps.to_bits()];
        let reduce = self.run.reduce();
        match bias {
            None => self.run.launch_rows(Kernel::RmsNorm, reduce, &[], &[&x.data, gain], &y.data, &params, rows)?,
            Some(bias) => {
                let constants = [("HAS_BIAS", f64::from(u8::from(bias.is_some())))];
                let bias = bias.map_or(Ok(self.run.nothing()), |b| b.vector(width))?;
                let inputs = [&*x.data, gain, bias];
                self.run.launch_rows(Kernel::LayerNorm, reduce, &constants, &inputs, &y.data, &params, rows)?;
            }
        }
        Ok(y)
    }
}

impl Tensor {
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Backend for WgpuBackend {
    type Tensor = Tensor;
    type Weight = Weight;
    type KvBuffer = KvBuffer;

    fn device(&self) -> DeviceInfo {
        self.run.gpu.device_info()
    }

    fn set_cancel(&mut self, cancel: Cancel) {
        self.run.cancel = cancel;
    }

    fn copy_bandwidth(&self) -> Result<f64> {
        self.run.copy_bandwidth()
    }

    fn checkpoint(&self) -> Result<()> {
        self.run.checkpoint()
    }

    fn upload(&self, data: &WeightData) -> Result<Weight> {
        Weight::upload(&self.run.gpu, &self.run.pool, &self.run.cancel, data)
    }

    fn weight_bytes(&self, weight: &Weight) -> u64 {
        weight.bytes
    }

    fn tensor(&self, data: &[f32], shape: &[usize]) -> Result<Tensor> {
        if shape.iter().product::<usize>() != data.len() {
            return Err(shape_error("tensor", format!("{} values for {shape:?}", data.len())));
        }
        Ok(Tensor { data: self.run.host_buffer(bytemuck::cast_slice(data))?, shape: shape.into() })
    }

    fn shape(&self, x: &Tensor) -> Vec<usize> {
        x.shape.to_vec()
    }

    fn reshape(&self, x: &Tensor, shape: &[usize]) -> Result<Tensor> {
        if shape.iter().product::<usize>() != x.len() {
            return Err(shape_error("reshape", format!("{:?} to {shape:?}", x.shape)));
        }
        Ok(Tensor { data: x.data.clone(), shape: shape.into() })
    }

    fn read(&self, tensors: &[Tensor]) -> Result<Vec<Vec<f32>>> {
        let buffers: Vec<_> = tensors.iter().map(|t| (&*t.data, t.len())).collect();
        self.run.read(&buffers)
    }

    fn embed(&self, table: &Weight, ids: &[u32]) -> Result<Tensor> {
        let (n_rows, d_model) = table.matrix()?;
        if let Some(id) = ids.iter().find(|id| **id as usize >= n_rows) {
            return Err(shape_error("embed", format!("row {id} of {n_rows}")));
        }
        let y = self.new_tensor([ids.len(), d_model].into())?;
        let ids_buffer = self.run.host_buffer(bytemuck::cast_slice(ids))?;
        for part in &table.parts {
            let mut params = vec![ids.len() as u32];
            params.extend(table.layout.params());
            params.extend([part.row_begin, part.row_begin + part.n_rows, d_model].map(|n| n as u32));
            let constants = [("FORMAT", f64::from(table.layout.format))];
            let (inputs, n) = ([&*ids_buffer, &*part.buffer], ids.len() * table.layout.groups);
            self.run.launch(Kernel::Embed, self.run.wide(), &constants, &inputs, &y.data, &params, flat(n))?;
        }
        Ok(y)
    }

    fn linear(&self, x: &Tensor, weight: &Weight, bias: Option<&Weight>) -> Result<Tensor> {
        let (d_out, d_in) = weight.matrix()?;
        let [n_tokens, width] = axes("linear", x)?;
        if width != d_in {
            return Err(shape_error("linear", format!("x {:?} and a matrix [{d_out}, {d_in}]", x.shape)));
        }
        let bias = bias.map(|b| b.vector(d_out)).transpose()?;
        let y = self.new_tensor([n_tokens, d_out].into())?;
        let (x, shape) = (&*x.data, (d_out, d_in));
        self.run.product(&Product { x, n_tokens, weight, shape, bias, sent: None, y: &y.data })?;
        Ok(y)
    }

    fn rms_norm(&self, x: &Tensor, gain: &Weight, eps: f32) -> Result<Tensor> {
        self.norm("rms_norm", x, gain, None, eps)
    }

    fn layer_norm(&self, x: &Tensor, gain: &Weight, bias: Option<&Weight>, eps: f32) -> Result<Tensor> {
        self.norm("layer_norm", x, gain, Some(bias), eps)
    }

    fn rope(&self, x: &Tensor, cos: &Tensor, sin: &Tensor) -> Result<Tensor> {
        let [n_tokens, n_heads, d_head] = axes("rope", x)?;
        let [n_angles, half] = axes("rope", cos)?;
        if n_angles != n_tokens || 2 * half > d_head || sin.shape != cos.shape {
            return Err(shape_error("rope", format!("x {:?}, angles {:?} and {:?}", x.shape, cos.shape, sin.shape)));
        }
        let y = self.new_tensor(x.shape.clone())?;
        let params = [x.len(), n_heads, d_head, half].map(|n| n as u32);
        let inputs = [&*x.data, &*cos.data, &*sin.data];
        self.run.launch(Kernel::Rope, self.run.wide(), &[], &inputs, &y.data, &params, flat(x.len()))?;
        Ok(y)
    }

    fn scores(&self, q: &Tensor, k: &Tensor) -> Result<Tensor> {
        let sizes = attention_sizes("scores", q, k)?;
        let y = self.new_tensor([sizes.n_heads, sizes.n_queries, sizes.n_keys].into())?;
        self.run.tiles(Kernel::Scores, &[&q.data, &k.data], &y.data, sizes, sizes.n_keys.div_ceil(4))?;
        Ok(y)
    }

    fn scale(&self, x: &Tensor, factor: f32) -> Result<Tensor> {
        self.map(Kernel::Scale, &[], &[x], factor)
    }

    fn mask(&self, scores: &Tensor, mask: Mask, start: usize) -> Result<Tensor> {
        let [_, n_queries, n_keys] = axes("mask", scores)?;
        let y = self.new_tensor(scores.shape.clone())?;
        let [causal, window] = mask_params(mask);
        let n = scores.len();
        let hidden = f32::NEG_INFINITY.to_bits();
        let params = [n as u32, n_queries as u32, n_keys as u32, start as u32, causal, window, hidden];
        self.run.launch(Kernel::Mask, self.run.wide(), &[], &[&scores.data], &y.data, &params, flat(n))?;
        Ok(y)
    }

    fn softmax(&self, x: &Tensor) -> Result<Tensor> {
        let n_keys = *x.shape.last().ok_or_else(|| shape_error("softmax", "no axis"))?;
        let y = self.new_tensor(x.shape.clone())?;
        let rows = x.len() / n_keys.max(1);
        let params = [rows as u32, n_keys as u32];
        self.run.launch_rows(Kernel::Softmax, self.run.reduce(), &[], &[&x.data], &y.data, &params, rows)?;
        Ok(y)
    }

    fn weigh(&self, pattern: &Tensor, v: &Tensor) -> Result<Tensor> {
        let [n_heads, n_queries, n_keys] = axes("weigh", pattern)?;
        let [n_values, n_kv_heads, d_head] = axes("weigh", v)?;
        if n_keys != n_values || n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) {
            return Err(shape_error("weigh", format!("pattern {:?} and v {:?}", pattern.shape, v.shape)));
        }
        let sizes = Sizes { n_queries, n_keys, n_heads, n_kv_heads, d_head };
        let z = self.new_tensor([n_queries, n_heads, d_head].into())?;
        self.run.tiles(Kernel::Weigh, &[&pattern.data, &v.data], &z.data, sizes, d_head.div_ceil(4))?;
        Ok(z)
    }

    fn add(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        self.map(Kernel::Add, &[], &[a, b], 0.0)
    }

    fn mul(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        self.map(Kernel::Mul, &[], &[a, b], 0.0)
    }

    fn scale_rows(&self, x: &Tensor, gates: &Tensor, column: usize) -> Result<Tensor> {
        let y = self.new_tensor(x.shape.clone())?;
        self.scale_rows_into(x, gates, column, &y, false)?;
        Ok(y)
    }

    fn route(&self, logits: &Tensor, top_k: usize, normalise: bool) -> Result<Tensor> {
        let [n_rows, n_experts] = axes("route", logits)?;
        self.run.top_k.set(top_k);
        let y = self.new_tensor(logits.shape.clone())?;
        let constants = [("NORMALISE", f64::from(u8::from(normalise)))];
        let params = [n_rows as u32, n_experts as u32, top_k as u32, f32::NAN.to_bits()];
        let reduce = self.run.reduce();
        self.run.launch_rows(Kernel::Route, reduce, &constants, &[&logits.data], &y.data, &params, n_rows)?;
        Ok(y)
    }

    fn activate(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        self.map(Kernel::Activate, &[("FUNCTION", function(activation))], &[x], 0.0)
    }

    fn rows(&self, x: &Tensor, begin: usize, end: usize) -> Result<Tensor> {
        let n_rows = x.shape.first().copied().unwrap_or(0);
        if begin > end || end > n_rows {
            return Err(shape_error("rows", format!("{begin}..{end} of {:?}", x.shape)));
        }
        let mut shape = x.shape.clone();
        shape[0] = end - begin;
        if begin == 0 {
            return Ok(Tensor { data: x.data.clone(), shape });
        }
        let y = self.new_tensor(shape)?;
        let width = x.len() / n_rows;
        self.run.copy(&x.data, begin * width, &y.data, 0, y.len())?;
        Ok(y)
    }

    fn edit(&self, x: &Tensor, slab: Slab, edit: &Edit) -> Result<Tensor> {
        let [a, b, c] = slab.shape;
        let inside = (0..3).all(|i| slab.start[i] + slab.len[i] <= slab.shape[i]);
        if a * b * c != x.len() || !inside || edit.values().is_some_and(|v| v.is_empty()) {
            return Err(shape_error("edit", format!("{slab:?} in {:?}", x.shape)));
        }
        let (kind, factor) = match edit {
            Edit::Scale(factor) => (0.0, *factor),
            Edit::Set(_) => (1.0, 0.0),
            Edit::Add(_) => (2.0, 0.0),
        };
        let y = self.new_tensor(x.shape.clone())?;
        let values = edit.values().map(|v| self.run.host_buffer(bytemuck::cast_slice(v))).transpose()?;
        let n_values = edit.values().map_or(1, |v| v.len());
        let n = x.len();
        let mut params = [n, b, c, n_values, slab.start[0], slab.start[1], slab.start[2], 0].map(|n| n as u32).to_vec();
        params[7] = factor.to_bits();
        params.extend(slab.len.map(|n| n as u32));
        let inputs = [&*x.data, values.as_deref().unwrap_or(self.run.nothing())];
        self.run.launch(Kernel::Edit, self.run.wide(), &[("KIND", kind)], &inputs, &y.data, &params, flat(n))?;
        Ok(y)
    }

    fn kv_buffer(&self, n_kv_heads: usize, d_head: usize) -> Result<KvBuffer> {
        Ok(KvBuffer { data: None, len: 0, n_kv_heads, d_head })
    }

    fn kv_append(&self, buffer: &mut KvBuffer, x: &Tensor) -> Result<Tensor> {
        let [n_new, n_kv_heads, d_head] = axes("kv_append", x)?;
        if (n_kv_heads, d_head) != (buffer.n_kv_heads, buffer.d_head) {
            return Err(shape_error(
                "kv_append",
                format!("{:?} to a buffer of [_, {}, {}]", x.shape, buffer.n_kv_heads, buffer.d_head),
            ));
        }
        let width = n_kv_heads * d_head;
        let len = buffer.len + n_new;
        let data = self.run.grown(buffer.data.as_ref(), buffer.len * width, len * width)?;
        buffer.data = Some(data.clone());
        self.run.copy(&x.data, 0, &data, buffer.len * width, n_new * width)?;
        buffer.len = len;
        Ok(Tensor { data, shape: [len, n_kv_heads, d_head].into() })
    }

    fn kv_truncate(&self, buffer: &mut KvBuffer, len: usize) {
        buffer.len = buffer.len.min(len);
    }

    fn kv_bytes(&self, buffer: &KvBuffer) -> u64 {
        buffer.data.as_ref().map_or(0, |data| data.bytes)
    }

    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor, scale: f32, mask: Mask, start: usize) -> Result<Tensor> {
        let sizes = attention_sizes("attention", q, k)?;
        if k.shape != v.shape {
            return Err(shape_error("attention", format!("k {:?} and v {:?}", k.shape, v.shape)));
        }
        let Sizes { n_queries, n_keys, n_heads, n_kv_heads, .. } = sizes;
        if self.run.keeps_pattern(n_heads * n_queries * n_keys) {
            let pattern = self.scale_mask_softmax(&self.scores(q, k)?, scale, mask, start)?;
            return self.weigh(&pattern, v);
        }
        let z = self.new_tensor(q.shape.clone())?;
        let [causal, window] = mask_params(mask);
        let numbers = [n_queries, n_keys, n_heads, n_kv_heads, start].map(|n| n as u32);
        let params = [&numbers[..], &[causal, window, scale.to_bits()]].concat();
        self.run.attention([&q.data, &k.data, &v.data], &z.data, sizes, &params)?;
        Ok(z)
    }

    fn scale_mask_softmax(&self, raw: &Tensor, factor: f32, mask: Mask, start: usize) -> Result<Tensor> {
        let [n_heads, n_queries, n_keys] = axes("scale_mask_softmax", raw)?;
        let y = self.new_tensor(raw.shape.clone())?;
        let [causal, window] = mask_params(mask);
        let rows = n_heads * n_queries;
        let sizes = [rows, n_queries, n_keys, start].map(|n| n as u32);
        let params = [&sizes[..], &[causal, window, factor.to_bits()]].concat();
        self.run.launch_rows(Kernel::ScaleMaskSoftmax, self.run.reduce(), &[], &[&raw.data], &y.data, &params, rows)?;
        Ok(y)
    }

    fn gated(&self, gate: &Tensor, up: &Tensor, activation: Activation) -> Result<Tensor> {
        self.map(Kernel::Gated, &[("FUNCTION", function(activation))], &[gate, up], 0.0)
    }
    fn experts(
        &self,
        x: &Tensor,
        gates: &Tensor,
        experts: &[Expert<'_, Weight>],
        activation: Activation,
    ) -> Result<Tensor> {
        self.sparse_experts(x, gates, experts, activation)
    }
}
