//! Where a run can be seen and changed.
//!
//! Each site is declared once, with its name and its axes; hook points, captures, panels and saved traces derive from
//! this table. Names are those of TransformerLens where it has the site, so that its users find their way; sites of our
//! own are marked.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ModelConfig, Positions};

/// What one dimension of a recorded tensor runs over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Axis {
    /// Positions of the tokens that this run computed.
    Pos,
    /// The same positions, as those that attend.
    QueryPos,
    /// All visible positions, cached ones included, as those attended to.
    KeyPos,
    /// Query heads.
    Head,
    /// Key/value heads.
    KvHead,
    /// Dimensions inside a head.
    DHead,
    /// Dimensions of the residual stream.
    DModel,
    /// Hidden units of the MLP.
    DMlp,
    /// Experts of a layer.
    Expert,
    /// Tokens of the vocabulary.
    Vocab,
}

impl Axis {
    /// Whether the axis counts the tokens of this run, which start at the cache's length.
    pub fn is_new_positions(self) -> bool {
        matches!(self, Self::Pos | Self::QueryPos)
    }
}

macro_rules! sites {
    ($($(#[doc = $doc:literal])* $variant:ident = $scope:ident $name:literal [$($axis:ident),*];)*) => {
        /// A kind of place in the forward pass.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Site {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Site {
            /// Every site, in the order in which a pass meets them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name, without the block's prefix.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The axes of what is recorded here, slowest first.
            pub fn axes(self) -> &'static [Axis] {
                match self { $(Self::$variant => &[$(Axis::$axis),*],)* }
            }

            /// Whether every block has this site.
            pub fn is_per_layer(self) -> bool {
                match self { $(Self::$variant => sites!(@per_layer $scope),)* }
            }
        }
    };
    (@per_layer block) => { true };
    (@per_layer global) => { false };
}

sites! {
    /// The tokens' embeddings.
    Embed = global "hook_embed" [Pos, DModel];
    /// Learned position embeddings, where the model has them.
    PosEmbed = global "hook_pos_embed" [Pos, DModel];
    /// The residual stream that enters a block.
    ResidPre = block "hook_resid_pre" [Pos, DModel];
    /// The normalised input of attention, gain included.
    Norm1 = block "ln1.hook_normalized" [Pos, DModel];
    /// Queries, as they are projected.
    Q = block "attn.hook_q" [Pos, Head, DHead];
    /// Keys, as they are projected.
    K = block "attn.hook_k" [Pos, KvHead, DHead];
    /// Values.
    V = block "attn.hook_v" [Pos, KvHead, DHead];
    /// Queries after their norm, where the model has one (our own site).
    NormQ = block "attn.hook_norm_q" [Pos, Head, DHead];
    /// Keys after their norm, where the model has one (our own site).
    NormK = block "attn.hook_norm_k" [Pos, KvHead, DHead];
    /// Queries after rotation (rotary models).
    RotQ = block "attn.hook_rot_q" [Pos, Head, DHead];
    /// Keys after rotation (rotary models).
    RotK = block "attn.hook_rot_k" [Pos, KvHead, DHead];
    /// q·k (our own site).
    RawScores = block "attn.hook_raw_scores" [Head, QueryPos, KeyPos];
    /// q·k times the scale, before the mask (our own site).
    ScaledScores = block "attn.hook_scaled_scores" [Head, QueryPos, KeyPos];
    /// Scaled and masked scores: what the softmax sees. Masked entries are −∞.
    Scores = block "attn.hook_attn_scores" [Head, QueryPos, KeyPos];
    /// Attention probabilities.
    Pattern = block "attn.hook_pattern" [Head, QueryPos, KeyPos];
    /// Values weighted by the pattern, per head.
    Z = block "attn.hook_z" [Pos, Head, DHead];
    /// What attention adds to the residual stream.
    AttnOut = block "hook_attn_out" [Pos, DModel];
    /// The residual stream between attention and MLP.
    ResidMid = block "hook_resid_mid" [Pos, DModel];
    /// The normalised input of the MLP, gain included.
    Norm2 = block "ln2.hook_normalized" [Pos, DModel];
    /// What the router gives each expert, before the softmax (our own site).
    RouterLogits = block "mlp.hook_router_logits" [Pos, Expert];
    /// How much each expert counts: 0 for those that a token is not sent to. (TransformerLens has the softmax here, before
    /// the choice.)
    ExpertWeights = block "mlp.hook_expert_weights" [Pos, Expert];
    /// The MLP's pre-activation: of the gate in a gated MLP, of the up projection otherwise.
    MlpPre = block "mlp.hook_pre" [Pos, DMlp];
    /// The ungated branch of a gated MLP.
    MlpPreLinear = block "mlp.hook_pre_linear" [Pos, DMlp];
    /// The MLP's hidden layer, as the down projection sees it.
    MlpPost = block "mlp.hook_post" [Pos, DMlp];
    /// What the MLP, or the experts together, add to the residual stream.
    MlpOut = block "hook_mlp_out" [Pos, DModel];
    /// The residual stream that leaves a block.
    ResidPost = block "hook_resid_post" [Pos, DModel];
    /// The residual stream after the final norm, gain included.
    FinalNorm = global "ln_final.hook_normalized" [Pos, DModel];
    /// The logits (our own site); the last position only, where the run asked for no more.
    Logits = global "hook_logits" [Pos, Vocab];
}

impl Site {
    /// Whether a model of this config passes through the site, in one of its layers at least.
    pub fn exists_in(self, config: &ModelConfig) -> bool {
        if !self.is_per_layer() {
            return HookPoint::global(self).exists_in(config);
        }
        (0..config.n_layers).any(|layer| HookPoint::layer(layer, self).exists_in(config))
    }

    /// Whether the site lies inside attention's score computation, which the fused path never materialises.
    pub fn is_score(self) -> bool {
        matches!(self, Self::RawScores | Self::ScaledScores | Self::Scores | Self::Pattern)
    }
}

/// A site of a certain layer: where a run is recorded or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HookPoint {
    /// The block, or `None` for sites outside the blocks.
    pub layer: Option<usize>,
    /// The site.
    pub site: Site,
}

impl HookPoint {
    /// A site outside the blocks.
    pub fn global(site: Site) -> Self {
        Self { layer: None, site }
    }

    /// A site of one block.
    pub fn layer(layer: usize, site: Site) -> Self {
        Self { layer: Some(layer), site }
    }

    /// Whether a model of this config passes through the place. Layers may differ: one with experts has no hidden layer of
    /// an MLP, and the other way round.
    pub fn exists_in(self, config: &ModelConfig) -> bool {
        let rotary = config.positions != Positions::Learned;
        let Some(layer) = self.layer else {
            return !self.site.is_per_layer() && (self.site != Site::PosEmbed || !rotary);
        };
        let is_moe = config.is_moe(layer);
        let in_a_layer = match self.site {
            Site::NormQ | Site::NormK => config.qk_norm.is_some(),
            Site::RotQ | Site::RotK => rotary,
            Site::RouterLogits | Site::ExpertWeights => is_moe,
            Site::MlpPre | Site::MlpPost => !is_moe,
            Site::MlpPreLinear => !is_moe && config.gated_mlp,
            site => site.is_per_layer(),
        };
        in_a_layer && layer < config.n_layers
    }

    /// Every hook point of a model, in the order of the pass.
    pub fn all(config: &ModelConfig) -> Vec<Self> {
        let (block, outside): (Vec<Site>, Vec<Site>) = Site::ALL.iter().partition(|site| site.is_per_layer());
        let (before, after): (Vec<Site>, Vec<Site>) = outside.into_iter().partition(|site| *site < Site::ResidPre);
        let layers = (0..config.n_layers).flat_map(|layer| block.iter().map(move |site| Self::layer(layer, *site)));
        let points = before.into_iter().map(Self::global).chain(layers).chain(after.into_iter().map(Self::global));
        points.filter(|point| point.exists_in(config)).collect()
    }
}

impl fmt::Display for HookPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Some(layer) => write!(f, "blocks.{layer}.{}", self.site.name()),
            None => f.write_str(self.site.name()),
        }
    }
}

impl FromStr for HookPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("there is no hook point called “{text}”");
        let (layer, name) = match text.strip_prefix("blocks.").and_then(|rest| rest.split_once('.')) {
            Some((layer, name)) => (Some(layer.parse().map_err(|_| unknown())?), name),
            None => (None, text),
        };
        let site = Site::ALL.iter().copied().find(|s| s.name() == name && s.is_per_layer() == layer.is_some());
        site.map(|site| Self { layer, site }).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for &site in Site::ALL {
            let point = HookPoint { layer: site.is_per_layer().then_some(7), site };
            assert_eq!(point.to_string().parse(), Ok(point));
        }
        assert_eq!(HookPoint::layer(3, Site::Pattern).to_string(), "blocks.3.attn.hook_pattern");
        assert!("blocks.x.hook_q".parse::<HookPoint>().is_err());
    }
}
