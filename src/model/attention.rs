//! Multi-head self-attention, step by step.
//!
//! Every token makes a query, and a key and a value for others to find and take:
//!
//! ```text
//! pattern = softmax(mask(q·kᵀ / √d_head)),   z = pattern · v,   out = z · W_Oᵀ        (arXiv 1706.03762, eq. 1)
//! ```
//!
//! Where a run neither looks at nor changes the scores, the backend's fused form computes the same z without ever
//! keeping the `[H, T, S]` matrix.

use super::forward::Pass;
use super::probe::Probe;
use super::{Backend, HookPoint, Param, QkNorm, Result, Site};

/// What attention in `layer` adds to the residual stream, for its normalised input x `[T, d_model]`.
pub(super) fn attention<B: Backend>(
    pass: &mut Pass<'_, B>,
    probe: &mut Probe<'_, B>,
    layer: usize,
    x: &B::Tensor,
) -> Result<B::Tensor> {
    let (b, config) = (pass.backend, &pass.model.config);
    let weights = &pass.model.weights;
    let at = |site| HookPoint::layer(layer, site);
    let (n_heads, n_kv_heads, d_head) = (config.n_heads, config.n_kv_heads, config.d_head);

    let projections = [
        weights.linear(layer, Param::Q, Param::QBias)?,
        weights.linear(layer, Param::K, Param::KBias)?,
        weights.linear(layer, Param::V, Param::VBias)?,
    ];
    let mut qkv = b.linears(x, &projections)?.into_iter();
    let mut heads = |site, n: usize| {
        let x = qkv.next().expect("one output per projection");
        probe.at(b, at(site), b.reshape(&x, &[pass.n_tokens, n, d_head])?)
    };
    let (mut q, mut k, v) = (heads(Site::Q, n_heads)?, heads(Site::K, n_kv_heads)?, heads(Site::V, n_kv_heads)?);

    if let Some(kind) = config.qk_norm {
        q = probe.at(b, at(Site::NormQ), qk_norm(pass, layer, Param::QNorm, kind, &q)?)?;
        k = probe.at(b, at(Site::NormK), qk_norm(pass, layer, Param::KNorm, kind, &k)?)?;
    }
    if let Some((cos, sin)) = &pass.rotary {
        q = probe.at(b, at(Site::RotQ), b.rope(&q, cos, sin)?)?;
        k = probe.at(b, at(Site::RotK), b.rope(&k, cos, sin)?)?;
    }

    let cached = pass.cache.layer(layer);
    let k = b.kv_append(&mut cached.k, &k)?;
    let v = b.kv_append(&mut cached.v, &v)?;

    let scale = config.attn_scale(layer);
    let mask = probe.interventions().mask(config, layer);
    let z = if probe.sees_scores(layer) {
        let raw = probe.at(b, at(Site::RawScores), b.scores(&q, &k)?)?;
        let pattern = if probe.sees(at(Site::ScaledScores)) || probe.sees(at(Site::Scores)) {
            let scaled = probe.at(b, at(Site::ScaledScores), b.scale(&raw, scale)?)?;
            let masked = probe.at(b, at(Site::Scores), b.mask(&scaled, mask, pass.start)?)?;
            b.softmax(&masked)?
        } else {
            b.scale_mask_softmax(&raw, scale, mask, pass.start)?
        };
        let pattern = probe.at(b, at(Site::Pattern), pattern)?;
        b.weigh(&pattern, &v)?
    } else {
        b.attention(&q, &k, &v, scale, mask, pass.start)?
    };
    let z = probe.at(b, at(Site::Z), z)?;

    let z = b.reshape(&z, &[pass.n_tokens, n_heads * d_head])?;
    let (w_o, b_o) = weights.linear(layer, Param::O, Param::OBias)?;
    b.linear(&z, w_o, b_o)
}

/// Normalises x `[T, heads, h]`, head by head or over all heads together, so that no score outgrows the others
/// (arXiv 2010.04245 and 2302.05442, with an RMS norm).
fn qk_norm<B: Backend>(
    pass: &Pass<'_, B>,
    layer: usize,
    gain: Param,
    kind: QkNorm,
    x: &B::Tensor,
) -> Result<B::Tensor> {
    let (b, eps) = (pass.backend, pass.model.config.norm_eps);
    let gain = pass.model.weights.at(layer, gain)?;
    match kind {
        QkNorm::PerHead => b.rms_norm(x, gain, eps),
        QkNorm::Whole => {
            let shape = b.shape(x);
            let flat = b.reshape(x, &[shape[0], shape[1] * shape[2]])?;
            b.reshape(&b.rms_norm(&flat, gain, eps)?, &shape)
        }
    }
}
