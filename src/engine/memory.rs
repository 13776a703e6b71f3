//! How much memory there is, and how much a run will take: known before anything is allocated, since a program that asks
//! for too much is ended by the system without a word.

use crate::model::{Axis, Capture, Error, HookPoint, Interventions, LogitsWanted, ModelConfig, Result, Site};

/// What is taken to be free where the system does not say.
const UNKNOWN: u64 = 8 << 30;

/// Runs below this are not looked at: they always fit, and asking the system takes longer than they do.
const SMALL: u64 = 256 << 20;

/// Bytes of memory that a program may still take; `None` where the system has no such file (`proc(5)`).
pub fn free() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// A run whose need for memory is to be known.
pub struct Plan<'a> {
    /// Of this model.
    pub config: &'a ModelConfig,
    /// What it records.
    pub capture: &'a Capture,
    /// What it changes.
    pub interventions: &'a Interventions,
    /// Which positions get logits.
    pub logits: LogitsWanted,
    /// Tokens in the cache.
    pub start: usize,
}

impl Plan<'_> {
    /// Refuses a run over `n_tokens` for which there is no memory.
    pub fn check(&self, n_tokens: usize) -> Result<()> {
        let needed = self.bytes(n_tokens);
        if needed < SMALL {
            return Ok(());
        }
        // Some is left for everybody else, and for what this program already holds and will hold.
        let free = free().unwrap_or(UNKNOWN);
        let budget = free / 4 * 3;
        if needed <= budget {
            return Ok(());
        }
        let (mut fits, mut too_many) = (0, n_tokens);
        while fits + 1 < too_many {
            let middle = fits.midpoint(too_many);
            if self.bytes(middle) <= budget { fits = middle } else { too_many = middle }
        }
        Err(Error::Memory { tokens: self.start + n_tokens, needed, free, most: self.start + fits })
    }

    /// Bytes that a run over `n_tokens` takes beside the model, as f32.
    fn bytes(&self, n_tokens: usize) -> u64 {
        let c = self.config;
        let n_keys = self.start + n_tokens;
        let product = |lengths: &[usize]| lengths.iter().fold(4u64, |bytes, n| bytes.saturating_mul(*n as u64));
        let n_logits = if self.logits == LogitsWanted::Last { 1 } else { n_tokens };
        let length = |site: Site, axis: &Axis| match axis {
            Axis::Pos if site == Site::Logits => n_logits,
            Axis::Pos | Axis::QueryPos => n_tokens,
            Axis::KeyPos => n_keys,
            Axis::Head => c.n_heads,
            Axis::KvHead => c.n_kv_heads,
            Axis::DHead => c.d_head,
            Axis::DModel => c.d_model,
            Axis::DMlp => c.d_mlp,
            Axis::Expert => c.moe.map_or(0, |moe| moe.n_experts),
            Axis::Vocab => c.d_vocab,
        };
        let recorded = |point: HookPoint| {
            product(&point.site.axes().iter().map(|axis| length(point.site, axis)).collect::<Vec<_>>())
        };
        let keeps_scores = (0..c.n_layers).any(|layer| {
            let scores = [Site::RawScores, Site::ScaledScores, Site::Scores, Site::Pattern];
            self.interventions.touch_scores(layer)
                || scores.iter().any(|site| self.capture.wants(HookPoint::layer(layer, *site)))
        });
        // One layer's scores stand in memory before and after each step.
        let scores = if keeps_scores { 3 * product(&[c.n_heads, n_tokens, n_keys]) } else { 0 };
        let stream = product(&[n_tokens, 4 * c.d_model + 3 * c.d_mlp]);
        // A full buffer moves to one of twice the size.
        let cache = 3 * (product(&[n_keys, 2 * c.n_layers, c.n_kv_heads, c.d_head]));
        let logits = 2 * product(&[n_logits, c.d_vocab]);
        let held = [scores, stream, cache, logits];
        self.capture.points().map(recorded).chain(held).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::loader;

    #[test]
    fn what_fits_is_told_apart_from_what_does_not() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance/llama/F32.gguf");
        let config = loader::open(&path).unwrap().config;
        let (nothing, patterns) = (Capture::none(), Capture::none().with_site(Site::Pattern, &config));
        let none = Interventions::none();
        let plan =
            |capture| Plan { config: &config, capture, interventions: &none, logits: LogitsWanted::Last, start: 0 };
        // 3 layers of 4 heads of n² weights of 4 bytes, and a layer's scores three times over.
        let square = 1_000_000u64 * 1_000_000;
        let n_patterns = plan(&patterns).bytes(1_000_000) - plan(&nothing).bytes(1_000_000);
        assert_eq!(n_patterns, (3 + 3) * 4 * 4 * square);
        plan(&patterns).check(100).unwrap();
        plan(&nothing).check(100_000).unwrap();
        let Err(Error::Memory { tokens, needed, free, most }) = plan(&patterns).check(1_000_000) else {
            panic!("96 TB were found");
        };
        assert_eq!(tokens, 1_000_000);
        assert!(needed > free && most > 100 && most < tokens, "{most}");
        assert!(plan(&patterns).bytes(most) <= free && plan(&patterns).bytes(most * 2) > free / 2);
    }
}
