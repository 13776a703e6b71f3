//! Sampling.

/// How the next token is drawn.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct SamplerConfig {
    /// 0 = always the most probable token.
    pub temperature: f32,
    /// Keep only this many.
    pub top_k: Option<usize>,
    /// Keep the fewest whose probabilities reach this sum.
    pub top_p: f32,
    /// The seed.
    pub seed: u64,
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: Some(40), top_p: 0.95, seed: 1 }
    }
}

/// How one token was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// The token.
    pub chosen: u32,
}
