//! The table of a model's parameters, derived from its config.
//!
//! Loading, initialisation, upload, saving and every parameter count walk this one table, so they cannot disagree.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ModelConfig, NormKind, Positions};

/// One kind of parameter. Matrices are `[out, in]`: row *i* makes output *i*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Param {
    /// Token embedding, `[d_vocab, d_model]`.
    Embed,
    /// Learned position embedding, `[n_ctx, d_model]`.
    PosEmbed,
    /// Gain of the norm before attention, `[d_model]`.
    Norm1,
    /// Its bias (LayerNorm only).
    Norm1Bias,
    /// Query projection, `[n_heads·d_head, d_model]`.
    Q,
    /// Bias of the query projection.
    QBias,
    /// Key projection, `[n_kv_heads·d_head, d_model]`.
    K,
    /// Bias of the key projection.
    KBias,
    /// Value projection, `[n_kv_heads·d_head, d_model]`.
    V,
    /// Bias of the value projection.
    VBias,
    /// Attention's output projection, `[d_model, n_heads·d_head]`.
    O,
    /// Bias of the output projection.
    OBias,
    /// Gain of the norm before the MLP, `[d_model]`.
    Norm2,
    /// Its bias (LayerNorm only).
    Norm2Bias,
    /// Gate projection of a gated MLP, `[d_mlp, d_model]`.
    Gate,
    /// Bias of the gate projection.
    GateBias,
    /// Up projection, `[d_mlp, d_model]`.
    Up,
    /// Bias of the up projection.
    UpBias,
    /// Down projection, `[d_model, d_mlp]`.
    Down,
    /// Bias of the down projection.
    DownBias,
    /// Gain of the final norm, `[d_model]`.
    FinalNorm,
    /// Its bias (LayerNorm only).
    FinalNormBias,
    /// Unembedding, `[d_vocab, d_model]`, where it is not the embedding itself.
    Unembed,
}

/// The part of the model that a parameter belongs to, for counts by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Part {
    /// Token and position tables.
    Embedding,
    /// q, k, v and output projections.
    Attention,
    /// The feed-forward layers.
    Mlp,
    /// Every normalisation.
    Norm,
    /// The output table, where it is separate.
    Unembedding,
}

impl Part {
    /// Every part, in the order of a forward pass.
    pub const ALL: [Self; 5] = [Self::Embedding, Self::Attention, Self::Mlp, Self::Norm, Self::Unembedding];

    /// The part's name on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embeddings",
            Self::Attention => "attention",
            Self::Mlp => "MLP",
            Self::Norm => "norms",
            Self::Unembedding => "unembedding",
        }
    }
}

/// Which parameter of which layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId {
    /// The layer, or `None` for the parameters outside the blocks.
    pub layer: Option<usize>,
    /// The parameter.
    pub param: Param,
}

impl TensorId {
    /// A parameter outside the blocks.
    pub fn global(param: Param) -> Self {
        Self { layer: None, param }
    }

    /// A parameter of one block.
    pub fn layer(layer: usize, param: Param) -> Self {
        Self { layer: Some(layer), param }
    }
}

impl fmt::Display for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "blocks.{layer}.{:?}", self.param),
            None => write!(f, "{:?}", self.param),
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Which parameter.
    pub id: TensorId,
    /// `[out, in]` for a matrix, `[n]` for a vector.
    pub shape: Vec<usize>,
    /// Where it is counted.
    pub part: Part,
}

impl TensorSpec {
    /// How many numbers it holds.
    pub fn len(&self) -> u64 {
        self.shape.iter().map(|&n| n as u64).product()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ModelConfig {
    /// Every parameter that a model of this config has, in the order of a forward pass.
    pub fn tensors(&self) -> Vec<TensorSpec> {
        let (d, q, kv, m) = (self.d_model, self.n_heads * self.d_head, self.n_kv_heads * self.d_head, self.d_mlp);
        let norm_bias = self.norm == NormKind::Layer;
        let mut table = Vec::new();
        let mut add = |present: bool, id: TensorId, shape: &[usize], part: Part| {
            if present {
                table.push(TensorSpec { id, shape: shape.to_vec(), part });
            }
        };

        add(true, TensorId::global(Param::Embed), &[self.d_vocab, d], Part::Embedding);
        add(self.positions == Positions::Learned, TensorId::global(Param::PosEmbed), &[self.n_ctx, d], Part::Embedding);
        for layer in 0..self.n_layers {
            let mut add =
                |present, param, shape: &[usize], part| add(present, TensorId::layer(layer, param), shape, part);
            add(true, Param::Norm1, &[d], Part::Norm);
            add(norm_bias, Param::Norm1Bias, &[d], Part::Norm);
            add(true, Param::Q, &[q, d], Part::Attention);
            add(self.qkv_bias, Param::QBias, &[q], Part::Attention);
            add(true, Param::K, &[kv, d], Part::Attention);
            add(self.qkv_bias, Param::KBias, &[kv], Part::Attention);
            add(true, Param::V, &[kv, d], Part::Attention);
            add(self.qkv_bias, Param::VBias, &[kv], Part::Attention);
            add(true, Param::O, &[d, q], Part::Attention);
            add(self.attn_out_bias, Param::OBias, &[d], Part::Attention);
            add(true, Param::Norm2, &[d], Part::Norm);
            add(norm_bias, Param::Norm2Bias, &[d], Part::Norm);
            add(self.gated_mlp, Param::Gate, &[m, d], Part::Mlp);
            add(self.gated_mlp && self.mlp_bias, Param::GateBias, &[m], Part::Mlp);
            add(true, Param::Up, &[m, d], Part::Mlp);
            add(self.mlp_bias, Param::UpBias, &[m], Part::Mlp);
            add(true, Param::Down, &[d, m], Part::Mlp);
            add(self.mlp_bias, Param::DownBias, &[d], Part::Mlp);
        }
        add(true, TensorId::global(Param::FinalNorm), &[d], Part::Norm);
        add(norm_bias, TensorId::global(Param::FinalNormBias), &[d], Part::Norm);
        add(!self.tied_embeddings, TensorId::global(Param::Unembed), &[self.d_vocab, d], Part::Unembedding);
        table
    }
}
