//! The student's vocabulary of changes.
//!
//! A [`Tweak`] is what a slider, a lesson's button or a saved scene says. [`compile`] turns tweaks into the
//! [`Interventions`](super::Interventions) that the forward pass carries out, using what was recorded in the clean run
//! (means) or in a second prompt (patches).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Axis, Edit, Error, HookPoint, Intervention, Interventions, Mask, ModelConfig, Region, Result, Site, Trace,
};

/// One head of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRef {
    /// The layer, from 0.
    pub layer: usize,
    /// The head, from 0.
    pub head: usize,
}

/// What an ablated head puts out instead of its own values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ablation {
    /// Nothing.
    Zero,
    /// Its mean output over the positions of the unchanged prompt.
    Mean,
}

/// A change that a student makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tweak {
    /// Silences heads.
    AblateHeads {
        /// Which.
        heads: Vec<HeadRef>,
        /// What they put out instead.
        with: Ablation,
    },
    /// Divides the attention scores by a temperature before the softmax: below 1 sharper, above 1 flatter.
    Temperature {
        /// Which heads; none listed means all.
        #[serde(default)]
        heads: Vec<HeadRef>,
        /// The temperature, above 0.
        value: f32,
    },
    /// Leaves out the factor 1/√d_head.
    Unscaled,
    /// Lets every token see later ones.
    Acausal,
    /// Lets every token see itself and the `width − 1` tokens before it.
    Window {
        /// How many tokens are visible.
        width: usize,
    },
    /// Replaces one token's attention in one head. The weights are normalised to sum to 1.
    PatternRow {
        /// The layer.
        layer: usize,
        /// The head.
        head: usize,
        /// The token that attends.
        query: usize,
        /// How much it takes from each token, from the first on.
        weights: Vec<f32>,
    },
    /// Overwrites the residual stream that leaves a layer, at one position, with that of a second prompt.
    Patch {
        /// The layer.
        layer: usize,
        /// The position in this prompt.
        position: usize,
        /// The position in the second prompt.
        from_position: usize,
    },
}

/// What some tweaks need from earlier runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The unchanged run of the same prompt.
    pub clean: Option<&'a Trace>,
    /// The run of the second prompt.
    pub donor: Option<&'a Trace>,
}

impl Tweak {
    /// What the clean run of this prompt must have recorded.
    pub fn needs_clean(&self) -> Vec<HookPoint> {
        match self {
            Self::AblateHeads { heads, with: Ablation::Mean } => {
                heads.iter().map(|h| HookPoint::layer(h.layer, Site::Z)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What the run of the second prompt must have recorded.
    pub fn needs_donor(&self) -> Vec<HookPoint> {
        match self {
            Self::Patch { layer, .. } => vec![HookPoint::layer(*layer, Site::ResidPost)],
            _ => Vec::new(),
        }
    }

    /// Appends the changes that this tweak stands for.
    fn compile(&self, config: &ModelConfig, sources: Sources<'_>, out: &mut Vec<Intervention>) -> Result<()> {
        match self {
            Self::AblateHeads { heads, with } => {
                for &head in heads {
                    let at = HookPoint::layer(head.layer, Site::Z);
                    let edit = match with {
                        Ablation::Zero => Edit::Scale(0.0),
                        Ablation::Mean => Edit::Set(mean_output(config, at, head, sources.clean)?),
                    };
                    out.push(Intervention::Edit { at, region: Region::whole().index(Axis::Head, head.head), edit });
                }
            }
            Self::Temperature { heads, value } => {
                let all: Vec<HeadRef>;
                let heads = if heads.is_empty() {
                    all = every_head(config).collect();
                    &all
                } else {
                    heads
                };
                if !(value.is_finite() && *value > 0.0) {
                    let point = HookPoint::layer(0, Site::ScaledScores);
                    return Err(Error::Intervention {
                        point,
                        detail: format!("a temperature of {value} is not above 0"),
                    });
                }
                scale_scores(heads, 1.0 / value, out);
            }
            Self::Unscaled => {
                for layer in 0..config.n_layers {
                    let at = HookPoint::layer(layer, Site::ScaledScores);
                    let edit = Edit::Scale(1.0 / config.attn_scale(layer));
                    out.push(Intervention::Edit { at, region: Region::whole(), edit });
                }
            }
            Self::Acausal => out.push(Intervention::Mask { layer: None, mask: Mask { causal: false, window: None } }),
            Self::Window { width } => {
                out.push(Intervention::Mask { layer: None, mask: Mask { causal: true, window: Some((*width).max(1)) } })
            }
            Self::PatternRow { layer, head, query, weights } => {
                let at = HookPoint::layer(*layer, Site::Pattern);
                let row = normalised(at, weights)?;
                let whole_row = Region::whole().index(Axis::Head, *head).index(Axis::QueryPos, *query);
                let given = whole_row.clone().range(Axis::KeyPos, 0..row.len());
                out.push(Intervention::Edit { at, region: whole_row, edit: Edit::Scale(0.0) });
                out.push(Intervention::Edit { at, region: given, edit: Edit::Set(row) });
            }
            Self::Patch { layer, position, from_position } => {
                let at = HookPoint::layer(*layer, Site::ResidPost);
                let row = sources.donor.and_then(|t| t.get(at)).and_then(|r| r.row(*from_position));
                let Some(row) = row else {
                    let detail = format!("the second prompt has no token at position {from_position}");
                    return Err(Error::Intervention { point: at, detail });
                };
                let region = Region::whole().index(Axis::Pos, *position);
                out.push(Intervention::Edit { at, region, edit: Edit::Set(row.into()) });
            }
        }
        Ok(())
    }
}

/// Turns tweaks into what the forward pass carries out, in order.
pub fn compile(tweaks: &[Tweak], config: &ModelConfig, sources: Sources<'_>) -> Result<Interventions> {
    let mut out = Vec::new();
    for tweak in tweaks {
        tweak.compile(config, sources, &mut out)?;
    }
    // A window and a lifted causal mask are two halves of one mask: what was asked for last must not undo the other.
    let (acausal, window) = tweaks.iter().fold((false, None), |(acausal, window), t| match t {
        Tweak::Acausal => (true, window),
        Tweak::Window { width } => (acausal, Some((*width).max(1))),
        _ => (acausal, window),
    });
    if acausal && window.is_some() {
        out.push(Intervention::Mask { layer: None, mask: Mask { causal: false, window } });
    }
    let interventions = Interventions(out);
    interventions.check(config)?;
    Ok(interventions)
}

/// Every head of a model.
pub fn every_head(config: &ModelConfig) -> impl Iterator<Item = HeadRef> {
    let n_heads = config.n_heads;
    (0..config.n_layers).flat_map(move |layer| (0..n_heads).map(move |head| HeadRef { layer, head }))
}

fn scale_scores(heads: &[HeadRef], factor: f32, out: &mut Vec<Intervention>) {
    out.extend(heads.iter().map(|h| Intervention::Edit {
        at: HookPoint::layer(h.layer, Site::ScaledScores),
        region: Region::whole().index(Axis::Head, h.head),
        edit: Edit::Scale(factor),
    }));
}

fn mean_output(config: &ModelConfig, at: HookPoint, head: HeadRef, clean: Option<&Trace>) -> Result<Arc<[f32]>> {
    let fail = |detail: &str| Error::Intervention { point: at, detail: detail.into() };
    let z = clean.and_then(|t| t.get(at)).ok_or_else(|| fail("the unchanged run did not record it"))?;
    if head.head >= config.n_heads {
        return Err(fail("this model has no such head"));
    }
    let (n_pos, d) = (z.shape[0], config.d_head);
    let mut mean = vec![0.0f32; d];
    for pos in 0..n_pos {
        let from = (pos * config.n_heads + head.head) * d;
        for (m, z) in mean.iter_mut().zip(&z.data[from..from + d]) {
            *m += z / n_pos as f32;
        }
    }
    Ok(mean.into())
}

fn normalised(at: HookPoint, weights: &[f32]) -> Result<Arc<[f32]>> {
    let sum: f32 = weights.iter().sum();
    if !(weights.iter().all(|w| w.is_finite() && *w >= 0.0) && sum.is_finite() && sum > 0.0) {
        let detail = "attention weights must be 0 or more, and not all 0".into();
        return Err(Error::Intervention { point: at, detail });
    }
    Ok(weights.iter().map(|w| w / sum).collect())
}
