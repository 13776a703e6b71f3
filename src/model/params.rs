//! The table of a model's parameters, derived from its config.
//!
//! Loading, initialisation, upload, saving and every parameter count walk this one table, so they cannot disagree.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ModelConfig, NormKind, Positions, QkNorm};

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
    /// Gain of the norm of q, `[d_head]` or `[n_heads·d_head]`.
    QNorm,
    /// Key projection, `[n_kv_heads·d_head, d_model]`.
    K,
    /// Bias of the key projection.
    KBias,
    /// Gain of the norm of k, `[d_head]` or `[n_kv_heads·d_head]`.
    KNorm,
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
    /// The router of a layer of experts, `[n_experts, d_model]`.
    Router,
    /// Gate projection of a gated MLP, `[d_mlp, d_model]`; of one expert, `[d_expert, d_model]`.
    Gate,
    /// Bias of the gate projection.
    GateBias,
    /// Up projection, `[d_mlp, d_model]`; of one expert, `[d_expert, d_model]`.
    Up,
    /// Bias of the up projection.
    UpBias,
    /// Down projection, `[d_model, d_mlp]`; of one expert, `[d_model, d_expert]`.
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
    /// What chooses among experts.
    Router,
    /// The experts.
    Experts,
    /// Every normalisation.
    Norm,
    /// The output table, where it is separate.
    Unembedding,
}

impl Part {
    /// Every part, in the order of a forward pass.
    pub const ALL: [Self; 7] =
        [Self::Embedding, Self::Attention, Self::Mlp, Self::Router, Self::Experts, Self::Norm, Self::Unembedding];

    /// The part's name on screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedding => "embeddings",
            Self::Attention => "attention",
            Self::Mlp => "MLP",
            Self::Router => "routers",
            Self::Experts => "experts",
            Self::Norm => "norms",
            Self::Unembedding => "unembedding",
        }
    }
}

/// Which parameter, of which layer and which expert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TensorId {
    /// The layer, or `None` for the parameters outside the blocks.
    pub layer: Option<usize>,
    /// The expert, for the parameters of one.
    pub expert: Option<usize>,
    /// The parameter.
    pub param: Param,
}

impl TensorId {
    /// A parameter outside the blocks.
    pub fn global(param: Param) -> Self {
        Self { layer: None, expert: None, param }
    }

    /// A parameter of one block.
    pub fn layer(layer: usize, param: Param) -> Self {
        Self { layer: Some(layer), expert: None, param }
    }

    /// A parameter of one expert of a block.
    pub fn expert(layer: usize, expert: usize, param: Param) -> Self {
        Self { layer: Some(layer), expert: Some(expert), param }
    }
}

impl fmt::Display for TensorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(layer) = self.layer {
            write!(f, "blocks.{layer}.")?;
        }
        if let Some(expert) = self.expert {
            write!(f, "experts.{expert}.")?;
        }
        write!(f, "{:?}", self.param)
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
        let mut table = Vec::new();
        self.each_tensor(&mut |id, shape, part| table.push(TensorSpec { id, shape: shape.to_vec(), part }));
        table
    }

    /// Numbers in all parameters together.
    pub fn n_params(&self) -> u64 {
        self.count(|_| true)
    }

    /// Numbers in the parameters that one token uses: all but the experts that it is not sent to. As is the custom, an
    /// embedding table counts whole, though a token reads one row of it.
    pub fn n_active_params(&self) -> u64 {
        let chosen = self.moe.map_or(0, |moe| moe.top_k);
        self.count(|id| id.expert.is_none_or(|expert| expert < chosen))
    }

    fn count(&self, counts: impl Fn(TensorId) -> bool) -> u64 {
        let mut n = 0;
        self.each_tensor(&mut |id, shape, _| {
            n += if counts(id) { shape.iter().map(|n| *n as u64).product() } else { 0 };
        });
        n
    }

    /// Calls `add` with every row of the table. A model with thousands of experts is counted while it is drawn, so the
    /// rows are not collected for that.
    fn each_tensor(&self, add: &mut dyn FnMut(TensorId, &[usize], Part)) {
        let d = self.d_model;
        let norm_bias = self.norm == NormKind::Layer;
        add(TensorId::global(Param::Embed), &[self.d_vocab, d], Part::Embedding);
        if self.positions == Positions::Learned {
            add(TensorId::global(Param::PosEmbed), &[self.n_ctx, d], Part::Embedding);
        }
        for layer in 0..self.n_layers {
            let mut add_if = |present, param, shape: &[usize], part| {
                if present {
                    add(TensorId::layer(layer, param), shape, part);
                }
            };
            add_if(true, Param::Norm1, &[d], Part::Norm);
            add_if(norm_bias, Param::Norm1Bias, &[d], Part::Norm);
            self.attention_tensors(&mut add_if);
            add_if(true, Param::Norm2, &[d], Part::Norm);
            add_if(norm_bias, Param::Norm2Bias, &[d], Part::Norm);
            let Some(moe) = self.moe_in(layer) else {
                self.mlp_tensors(&mut add_if);
                continue;
            };
            add_if(true, Param::Router, &[moe.n_experts, d], Part::Router);
            for expert in 0..moe.n_experts {
                let id = |param| TensorId::expert(layer, expert, param);
                add(id(Param::Gate), &[moe.d_expert, d], Part::Experts);
                add(id(Param::Up), &[moe.d_expert, d], Part::Experts);
                add(id(Param::Down), &[d, moe.d_expert], Part::Experts);
            }
        }
        add(TensorId::global(Param::FinalNorm), &[d], Part::Norm);
        if norm_bias {
            add(TensorId::global(Param::FinalNormBias), &[d], Part::Norm);
        }
        if !self.tied_embeddings {
            add(TensorId::global(Param::Unembed), &[self.d_vocab, d], Part::Unembedding);
        }
    }

    /// Attention's parameters, through `add(whether the model has it, which, its shape, where it is counted)`.
    fn attention_tensors(&self, add: &mut impl FnMut(bool, Param, &[usize], Part)) {
        let (d, q, kv) = (self.d_model, self.n_heads * self.d_head, self.n_kv_heads * self.d_head);
        let gain = |n: usize| if self.qk_norm == Some(QkNorm::Whole) { n } else { self.d_head };
        add(true, Param::Q, &[q, d], Part::Attention);
        add(self.qkv_bias, Param::QBias, &[q], Part::Attention);
        add(self.qk_norm.is_some(), Param::QNorm, &[gain(q)], Part::Norm);
        add(true, Param::K, &[kv, d], Part::Attention);
        add(self.qkv_bias, Param::KBias, &[kv], Part::Attention);
        add(self.qk_norm.is_some(), Param::KNorm, &[gain(kv)], Part::Norm);
        add(true, Param::V, &[kv, d], Part::Attention);
        add(self.qkv_bias, Param::VBias, &[kv], Part::Attention);
        add(true, Param::O, &[d, q], Part::Attention);
        add(self.attn_out_bias, Param::OBias, &[d], Part::Attention);
    }

    /// The parameters of a plain MLP, likewise.
    fn mlp_tensors(&self, add: &mut impl FnMut(bool, Param, &[usize], Part)) {
        let (d, m) = (self.d_model, self.d_mlp);
        add(self.gated_mlp, Param::Gate, &[m, d], Part::Mlp);
        add(self.gated_mlp && self.mlp_bias, Param::GateBias, &[m], Part::Mlp);
        add(true, Param::Up, &[m, d], Part::Mlp);
        add(self.mlp_bias, Param::UpBias, &[m], Part::Mlp);
        add(true, Param::Down, &[d, m], Part::Mlp);
        add(self.mlp_bias, Param::DownBias, &[d], Part::Mlp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_as_paths() {
        assert_eq!(TensorId::global(Param::Embed).to_string(), "Embed");
        assert_eq!(TensorId::layer(3, Param::Router).to_string(), "blocks.3.Router");
        assert_eq!(TensorId::expert(2, 5, Param::Gate).to_string(), "blocks.2.experts.5.Gate");
    }
}
