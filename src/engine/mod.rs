//! Running a model: devices, files, tokens.
//!
//! [`Engine`] is what the rest of the program sees of an open model: it runs tokens and returns logits and a trace,
//! whatever device computes. [`Runner`] makes an engine of any [`Backend`](crate::model::Backend), so the generics of the
//! model stop here.

pub mod candle;
pub mod chat;
mod device;
pub mod loader;
mod memory;
mod model_source;
mod open;
mod runner;
pub mod tokenizer;
pub mod wgpu;

pub use device::DeviceChoice;
pub use memory::free as free_memory;
pub use model_source::{ModelSource, open_checkpoint, open_source};
pub use open::{Device, NotNumbers, Opened, devices, open_engine, open_tokenizer};
pub use runner::Runner;

use crate::model::{Cancel, Capture, DeviceInfo, Interventions, LogitsWanted, ModelConfig, Result, Trace};

/// An open model on a device, with its KV cache.
pub trait Engine {
    /// The architecture.
    fn config(&self) -> &ModelConfig;

    /// What computes.
    fn device(&self) -> DeviceInfo;

    /// The flag that stops what runs next.
    fn set_cancel(&mut self, cancel: Cancel);

    /// Runs tokens that follow those in the cache.
    fn run(&mut self, request: Request<'_>) -> Result<Output>;

    /// Tokens in the cache.
    fn cached(&self) -> usize;

    /// Forgets all but the first `len` cached tokens.
    fn truncate(&mut self, len: usize);

    /// Reads rows of the residual stream, `[n, d_model]`, through the final norm and the unembedding (the logit lens):
    /// the `n_top` most probable tokens of each row.
    fn lens(&mut self, resid: &[f32], n_top: usize) -> Result<Vec<Vec<TokenScore>>>;

    /// What is allocated on the device.
    fn memory(&self) -> Memory;

    /// Bytes per second that a plain copy on the device reaches, reads and writes counted.
    fn copy_bandwidth(&self) -> Result<f64>;
}

/// What to run.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The tokens.
    pub tokens: &'a [u32],
    /// What to record.
    pub capture: &'a Capture,
    /// What to change.
    pub interventions: &'a Interventions,
    /// Which positions get logits.
    pub logits: LogitsWanted,
}

/// What a run gives.
#[derive(Debug, Clone)]
pub struct Output {
    /// Logits, `[1 or T, d_vocab]`.
    pub logits: Vec<f32>,
    /// What was recorded.
    pub trace: Trace,
}

/// A token with how likely it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TokenScore {
    /// The token.
    pub id: u32,
    /// Its logit.
    pub logit: f32,
    /// Its probability at temperature 1.
    pub probability: f32,
}

/// Bytes allocated on the device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Memory {
    /// Parameters.
    pub weights: u64,
    /// KV cache.
    pub cache: u64,
}

/// The `n` most probable tokens of a row of logits, best first; ties go to the lower id.
pub fn top_tokens(logits: &[f32], n: usize) -> Vec<TokenScore> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
    let mut ids: Vec<u32> = (0..logits.len() as u32).collect();
    let order = |a: &u32, b: &u32| logits[*b as usize].total_cmp(&logits[*a as usize]).then(a.cmp(b));
    let n = n.min(ids.len());
    if n > 0 && n < ids.len() {
        ids.select_nth_unstable_by(n - 1, order);
        ids.truncate(n);
    }
    ids.sort_unstable_by(order);
    let score = |id: u32| {
        let logit = logits[id as usize];
        TokenScore { id, logit, probability: (f64::from(logit - max).exp() / sum) as f32 }
    };
    ids.into_iter().map(score).collect()
}
