//! The story models as data: sizes, and how each is trained.

use crate::model::{Activation, ModelConfig, MoeConfig, NormKind, Positions, RopeScaling, RotaryConfig};

/// Base of the rotary frequencies. The usual 10,000 serves contexts of thousands of tokens: over the 256 of these models, 2
/// of a head's 8 pairs would turn by less than a tenth of a circle. With 500 every pair turns further.
const THETA: f64 = 500.0;

/// How a model of the project is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// Its name, and that of its folder in `models/`.
    pub id: &'static str,
    /// Its name on screen.
    pub title: &'static str,
    /// One line on what it is for.
    pub description: &'static str,
    /// The first prompt.
    pub prompt: &'static str,
    /// Blocks.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key/value heads.
    pub n_kv_heads: usize,
    /// Hidden width of the MLP, or of one expert.
    pub d_mlp: usize,
    /// Experts of each layer and how many a token visits, for a mixture of experts.
    pub experts: Option<(usize, usize)>,
    /// Tokens of one sequence; the model's context.
    pub sequence_len: usize,
    /// Sequences per step.
    pub batch: usize,
    /// Parts of a batch that are computed side by side. A part of the recipe, since sums of gradients depend on it.
    pub shards: usize,
    /// Tokens of the whole run.
    pub tokens: usize,
    /// Highest learning rate.
    pub peak_rate: f64,
    /// Decay of the blocks' matrices.
    pub weight_decay: f32,
    /// Weight of the loss that balances experts (arXiv 2101.03961, eq. 4).
    pub balance: f64,
}

/// The default: attention, embeddings, alignment and the KV cache are seen in it. Heads are narrow: 16 numbers cannot tell
/// all words apart, so looking back and copying are shared among several heads, as in larger models. With heads of 32, one
/// head did each of them alone.
const DENSE: Recipe = Recipe {
    id: "story-dense",
    title: "Story model",
    description: "A transformer that learned a small world of stories; the one to start with.",
    prompt: "the teacher said: lamp river coin garden. the children said: lamp river",
    n_layers: 4,
    d_model: 128,
    n_heads: 8,
    n_kv_heads: 4,
    d_mlp: 352,
    experts: None,
    sequence_len: 256,
    batch: 8,
    shards: 2,
    tokens: 20_000_000,
    peak_rate: 3e-3,
    weight_decay: 0.2,
    balance: 0.0,
};

/// Every model that the project trains.
pub const RECIPES: &[Recipe] = &[
    DENSE,
    // Two of eight experts of half the width: as much MLP per token as the dense model, four times as much in all.
    Recipe {
        id: "story-moe",
        title: "Story model with experts",
        description: "The same world, learned by experts of which each token uses a few.",
        d_mlp: 176,
        experts: Some((8, 2)),
        balance: 0.01,
        ..DENSE
    },
    // Small enough that a step of live alignment takes a few dozen milliseconds, and deep enough to keep a story's
    // people apart: with two layers of 64 it did not learn to copy a name.
    Recipe {
        id: "story-base-small",
        title: "Small story model",
        description: "The same stories in a model small enough to be trained while you watch.",
        n_layers: 3,
        d_model: 96,
        n_heads: 6,
        n_kv_heads: 3,
        d_mlp: 256,
        ..DENSE
    },
];

/// Prompts worth trying on any of them.
pub const PROMPTS: [&str; 5] = [
    "mira had lost her golden ring. she asked oran: \"where is the golden",
    "question: what is the capital of france? answer:",
    "he sat on the throne and ruled the land. he was the",
    "once there was a clever girl named nora vell. she",
    "one, two, three, four,",
];

impl Recipe {
    /// The recipe of a name.
    pub fn find(id: &str) -> Option<&'static Self> {
        RECIPES.iter().find(|recipe| recipe.id == id)
    }

    /// Steps of the whole run.
    pub fn steps(&self) -> usize {
        self.tokens / (self.batch * self.sequence_len)
    }

    /// The architecture over a vocabulary of `d_vocab` tokens.
    pub fn config(&self, d_vocab: usize) -> ModelConfig {
        let d_head = self.d_model / self.n_heads;
        ModelConfig {
            family: if self.experts.is_some() { "mixtral" } else { "llama" }.into(),
            n_layers: self.n_layers,
            d_model: self.d_model,
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            d_head,
            d_mlp: self.d_mlp,
            d_vocab,
            n_ctx: self.sequence_len,
            norm: NormKind::Rms,
            norm_eps: 1e-5,
            positions: Positions::Rotary(RotaryConfig { theta: THETA, d_rotary: d_head, scaling: RopeScaling::None }),
            activation: Activation::Silu,
            gated_mlp: true,
            qkv_bias: false,
            attn_out_bias: false,
            mlp_bias: false,
            tied_embeddings: true,
            attn_scale: 1.0 / (d_head as f32).sqrt(),
            scale_by_inverse_layer: false,
            sliding_window: None,
            qk_norm: None,
            moe: self.experts.map(|(n_experts, top_k)| MoeConfig {
                n_experts,
                top_k,
                d_expert: self.d_mlp,
                normalise: true,
                first_layer: 0,
                every: 1,
            }),
        }
    }
}
