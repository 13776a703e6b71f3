//! The KV cache: keys and values of the tokens that were already computed.

use super::{Backend, ModelConfig, Result};

/// Keys and values of every layer. It starts empty and grows by what each pass computes.
pub struct KvCache<B: Backend> {
    layers: Vec<LayerCache<B>>,
    len: usize,
}

/// The two buffers of one layer.
pub(super) struct LayerCache<B: Backend> {
    pub k: B::KvBuffer,
    pub v: B::KvBuffer,
}

impl<B: Backend> KvCache<B> {
    /// An empty cache.
    pub fn new(backend: &B, config: &ModelConfig) -> Result<Self> {
        let buffer = || backend.kv_buffer(config.n_kv_heads, config.d_head);
        let layers =
            (0..config.n_layers).map(|_| Ok(LayerCache { k: buffer()?, v: buffer()? })).collect::<Result<_>>()?;
        Ok(Self { layers, len: 0 })
    }

    /// Tokens held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no token is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all but the first `len` tokens.
    pub fn truncate(&mut self, backend: &B, len: usize) {
        for layer in &mut self.layers {
            backend.kv_truncate(&mut layer.k, len);
            backend.kv_truncate(&mut layer.v, len);
        }
        self.len = self.len.min(len);
    }

    /// Bytes that the buffers have allocated.
    pub fn n_bytes(&self, backend: &B) -> u64 {
        self.layers.iter().map(|l| backend.kv_bytes(&l.k) + backend.kv_bytes(&l.v)).sum()
    }

    pub(super) fn layer(&mut self, layer: usize) -> &mut LayerCache<B> {
        &mut self.layers[layer]
    }

    pub(super) fn grew_by(&mut self, n_tokens: usize) {
        self.len += n_tokens;
    }
}
