//! One engine for every backend.

use super::{Engine, Memory, Output, Request, TokenScore, memory, top_tokens};
use crate::model::{
    Backend, Cancel, Capture, DeviceInfo, Error, HookPoint, KvCache, LogitsWanted, Model, ModelConfig, Probe, Result,
    Site, Weights, forward, unembed,
};

/// Rows of the residual stream that the logit lens unembeds at a time: enough to keep the device busy, few enough to
/// keep `rows · d_vocab` logits small and a cancel prompt.
const LENS_ROWS: usize = 32;

/// A model, its cache and the backend that holds both.
pub struct Runner<B: Backend> {
    backend: B,
    model: Model<B>,
    cache: KvCache<B>,
}

impl<B: Backend> Runner<B> {
    /// An engine for weights that were uploaded to `backend`.
    pub fn new(backend: B, config: ModelConfig, weights: Weights<B::Weight>) -> Result<Self> {
        let cache = KvCache::new(&backend, &config)?;
        Ok(Self { backend, model: Model { config, weights }, cache })
    }

    /// The backend, for measurements.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// One pass, and what it recorded.
    fn attempt(&mut self, request: Request<'_>) -> Result<Output> {
        let Self { backend, model, cache } = self;
        let before = cache.len();
        let Request { tokens, capture, interventions, logits } = request;
        memory::Plan { config: &model.config, capture, interventions, logits, start: before }.check(tokens.len())?;
        let mut probe = Probe::new(request.capture, request.interventions);
        let logits = forward(backend, model, request.tokens, cache, &mut probe, request.logits)?;
        // A failure while reading back leaves the cache as it was before the run, as one inside the pass does.
        let read = || -> Result<Output> {
            let logits = backend.read(&[logits])?.remove(0);
            Ok(Output { logits, trace: probe.into_trace(backend, request.tokens)? })
        };
        let output = read();
        if output.is_err() {
            cache.truncate(backend, before);
        }
        output
    }

    /// Where a run that gave no usable logits went wrong: once more, looking only at the streams between the blocks, and
    /// a second time into the block that spoils them. So a long prompt's patterns are never all in memory.
    fn first_not_finite(&mut self, request: Request<'_>) -> Result<HookPoint> {
        let (before, all) = (self.cache.len(), HookPoint::all(&self.model.config));
        let mut first = |capture: &Capture| {
            let output = self.attempt(Request { capture, logits: LogitsWanted::All, ..request });
            self.cache.truncate(&self.backend, before);
            match output {
                Ok(output) => Ok(output.trace.first_not_finite()),
                // Too long to look into: the last place must do.
                Err(Error::Memory { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        };
        let outside = |p: &HookPoint| p.layer.is_none() || matches!(p.site, Site::ResidPre | Site::ResidPost);
        let found = first(&all.iter().copied().filter(outside).collect())?;
        let inside = match found {
            Some(HookPoint { layer: Some(layer), .. }) => {
                first(&all.into_iter().filter(|p| p.layer == Some(layer)).collect())?
            }
            _ => None,
        };
        Ok(inside.or(found).unwrap_or(HookPoint::global(Site::Logits)))
    }
}

impl<B: Backend> Engine for Runner<B> {
    fn config(&self) -> &ModelConfig {
        &self.model.config
    }

    fn device(&self) -> DeviceInfo {
        self.backend.device()
    }

    fn set_cancel(&mut self, cancel: Cancel) {
        self.backend.set_cancel(cancel);
    }

    fn run(&mut self, request: Request<'_>) -> Result<Output> {
        let before = self.cache.len();
        let output = self.attempt(request)?;
        if output.logits.iter().all(|x| x.is_finite()) {
            return Ok(output);
        }
        self.cache.truncate(&self.backend, before);
        Err(Error::NotFinite(self.first_not_finite(request)?))
    }

    fn cached(&self) -> usize {
        self.cache.len()
    }

    fn truncate(&mut self, len: usize) {
        self.cache.truncate(&self.backend, len);
    }

    fn lens(&mut self, resid: &[f32], n_top: usize) -> Result<Vec<Vec<TokenScore>>> {
        let (d_model, d_vocab) = (self.model.config.d_model, self.model.config.d_vocab);
        let mut rows = Vec::with_capacity(resid.len() / d_model);
        for chunk in resid.chunks(LENS_ROWS * d_model) {
            self.backend.checkpoint()?;
            let x = self.backend.tensor(chunk, &[chunk.len() / d_model, d_model])?;
            let logits = self.backend.read(&[unembed(&self.backend, &self.model, &x)?])?.remove(0);
            rows.extend(logits.chunks(d_vocab).map(|row| top_tokens(row, n_top)));
        }
        Ok(rows)
    }

    fn memory(&self) -> Memory {
        let weights = self.model.weights.iter().map(|(_, w)| self.backend.weight_bytes(w)).sum();
        Memory { weights, cache: self.cache.n_bytes(&self.backend) }
    }

    fn copy_bandwidth(&self) -> Result<f64> {
        self.backend.copy_bandwidth()
    }
}
