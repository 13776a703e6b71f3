//! The sizes and switches that make one transformer differ from another.

use serde::{Deserialize, Serialize};

use super::Activation;

/// The architecture of an open model. Families (Llama, GPT-2, …) are different values of this one type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// The family's name, such as `llama` or `gpt2`.
    pub family: String,
    /// Blocks (attention + MLP).
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads per layer.
    pub n_heads: usize,
    /// Key/value heads per layer; each serves `n_heads / n_kv_heads` query heads (arXiv 2305.13245).
    pub n_kv_heads: usize,
    /// Width of one head. Not always `d_model / n_heads`.
    pub d_head: usize,
    /// Width of the MLP's hidden layer.
    pub d_mlp: usize,
    /// Tokens in the vocabulary: rows of the embedding table.
    pub d_vocab: usize,
    /// Longest sequence, in tokens.
    pub n_ctx: usize,
    /// Which normalisation stands before attention, before the MLP and before the unembedding.
    pub norm: NormKind,
    /// Added to the variance before its root.
    pub norm_eps: f32,
    /// How the model knows the order of its tokens.
    pub positions: Positions,
    /// The MLP's non-linearity.
    pub activation: Activation,
    /// True: down(act(gate·x) ⊙ up·x). False: down(act(up·x)).
    pub gated_mlp: bool,
    /// Whether the projections to q, k and v have biases.
    pub qkv_bias: bool,
    /// Whether attention's output projection has a bias.
    pub attn_out_bias: bool,
    /// Whether the MLP's projections have biases.
    pub mlp_bias: bool,
    /// Whether the unembedding is the embedding table itself.
    pub tied_embeddings: bool,
    /// What multiplies q·k: 1/√d_head in nearly every model.
    pub attn_scale: f32,
    /// GPT-2's option to divide the scale by the layer's number, counted from one.
    pub scale_by_inverse_layer: bool,
    /// Keys further back than this are masked, where the model has a sliding window.
    pub sliding_window: Option<usize>,
    /// How q and k are normalised before they are rotated, where the model does so.
    pub qk_norm: Option<QkNorm>,
    /// The mixture of experts that stands in the MLP's place, in some layers or in all.
    pub moe: Option<MoeConfig>,
}

/// What is normalised at once in q and in k: the root mean square becomes 1, then a gain is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QkNorm {
    /// Each head alone, all with the same gain.
    PerHead,
    /// All heads of a token together.
    Whole,
}

/// Layers of experts: a router sends each token to a few of many small gated MLPs without biases (arXiv 1701.06538; with
/// the softmax and the largest k of it, as here, arXiv 2101.03961 and 2401.04088).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoeConfig {
    /// Experts per layer.
    pub n_experts: usize,
    /// Experts that one token is sent to.
    pub top_k: usize,
    /// Width of one expert's hidden layer.
    pub d_expert: usize,
    /// Whether the probabilities of the chosen experts are rescaled to sum to 1.
    pub normalise: bool,
    /// The first layer that has experts.
    pub first_layer: usize,
    /// The distance from one layer of experts to the next: 1 where every layer has them, 2 where every second has.
    pub every: usize,
}

/// Which normalisation a model uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NormKind {
    /// x / √(mean(x²) + ε) · gain (arXiv 1910.07467).
    Rms,
    /// (x − mean(x)) / √(var(x) + ε) · gain + bias (arXiv 1607.06450).
    Layer,
}

/// How a model encodes order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Positions {
    /// A learned vector per position is added to the token's embedding.
    Learned,
    /// q and k are rotated by an angle that grows with the position (arXiv 2104.09864).
    Rotary(RotaryConfig),
}

/// The parameters of rotary positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RotaryConfig {
    /// Base θ of the frequencies θ^(−2i/d).
    pub theta: f64,
    /// How many of a head's dimensions are rotated.
    pub d_rotary: usize,
    /// How the frequencies are stretched for contexts longer than those of pretraining.
    pub scaling: RopeScaling,
}

/// Context-extension schemes for rotary positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum RopeScaling {
    /// The frequencies as they are.
    None,
    /// Every frequency divided by `factor` (position interpolation, arXiv 2306.15595).
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Llama 3.1: long wavelengths divided by `factor`, short ones kept, a smooth ramp between.
    Llama3 {
        /// The divisor of long wavelengths.
        factor: f64,
        /// Wavelengths above `original_n_ctx / low_freq_factor` are long.
        low_freq_factor: f64,
        /// Wavelengths below `original_n_ctx / high_freq_factor` are short.
        high_freq_factor: f64,
        /// Context length of pretraining.
        original_n_ctx: usize,
    },
    /// "NTK-aware" scaling: beyond `original_n_ctx` the base grows with the sequence.
    Dynamic {
        /// Growth factor.
        factor: f64,
        /// Context length of pretraining.
        original_n_ctx: usize,
    },
    /// YaRN (arXiv 2309.00071): interpolation for slow dimensions, extrapolation for fast ones, and a factor on cos and sin.
    Yarn {
        /// The divisor of slow dimensions.
        factor: f64,
        /// Turns over the original context above which a dimension is kept.
        beta_fast: f64,
        /// Turns below which a dimension is fully interpolated.
        beta_slow: f64,
        /// Context length of pretraining.
        original_n_ctx: usize,
        /// Multiplies cos and sin.
        attention_factor: f64,
        /// Whether the ramp's ends are rounded to whole dimensions.
        truncate: bool,
    },
    /// One divisor per frequency, as GGUF files carry in `rope_freqs.weight`.
    Divisors(Vec<f32>),
}

impl ModelConfig {
    /// Query heads that share one key/value head.
    pub fn group_size(&self) -> usize {
        self.n_heads / self.n_kv_heads
    }

    /// The factor on q·k in `layer`.
    pub fn attn_scale(&self, layer: usize) -> f32 {
        if self.scale_by_inverse_layer { self.attn_scale / (layer + 1) as f32 } else { self.attn_scale }
    }

    /// The experts of a layer, or `None` where it has a plain MLP.
    pub fn moe_in(&self, layer: usize) -> Option<&MoeConfig> {
        let has = |moe: &&MoeConfig| layer.checked_sub(moe.first_layer).is_some_and(|n| n.is_multiple_of(moe.every));
        self.moe.as_ref().filter(has)
    }

    /// Whether a layer has experts in the MLP's place.
    pub fn is_moe(&self, layer: usize) -> bool {
        self.moe_in(layer).is_some()
    }

    /// The layers that have experts.
    pub fn moe_layers(&self) -> impl Iterator<Item = usize> {
        (0..self.n_layers).filter(|layer| self.is_moe(*layer))
    }

    /// Bytes of K and V that one token adds to the cache, at `bytes_per_value` each:
    /// 2 · layers · kv_heads · d_head · bytes.
    pub fn kv_bytes_per_token(&self, bytes_per_value: u64) -> u64 {
        2 * (self.n_layers * self.n_kv_heads * self.d_head) as u64 * bytes_per_value
    }
}
