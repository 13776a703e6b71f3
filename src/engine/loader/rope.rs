//! Reading how a model rotates: the many spellings of RoPE parameters.

use serde_json::json;

use super::error::{Result, printable, remedy};
use super::keys::Keys;
use crate::model::{RopeScaling, RotaryConfig};

/// From config.json: `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
pub fn from_hub(keys: &Keys<'_>, d_head: usize, n_ctx: usize) -> Result<RotaryConfig> {
    let outer_theta = keys.positive("rope_theta", 10_000.0)?;
    let outer_original = keys.size("original_max_position_embeddings")?;
    let read = |group: &Keys<'_>| {
        let theta = group.positive("rope_theta", outer_theta)?;
        group.refuse_unless("partial_rotary_factor", &[json!(1.0)])?;
        let original = group.size("original_max_position_embeddings")?.or(outer_original);
        let kind = group.text("rope_type")?.or(group.text("type")?).unwrap_or_else(|| "default".into());
        Ok((theta, hub_scaling(group, &kind, n_ctx, original)?))
    };
    let found = match keys.group("rope_parameters", read)? {
        Some(found) => Some(found),
        None => keys.group("rope_scaling", read)?,
    };
    let (theta, scaling) = found.unwrap_or((outer_theta, RopeScaling::None));
    rotary(keys, theta, d_head, scaling)
}

fn hub_scaling(keys: &Keys<'_>, kind: &str, n_ctx: usize, original: Option<usize>) -> Result<RopeScaling> {
    let needed = |key: &str| match keys.number(key)? {
        Some(x) if x > 0.0 => Ok(x),
        _ => Err(keys.bad(format!("scales its positions ({kind}) without a valid “{key}”"), remedy::MISMATCH)),
    };
    Ok(match kind {
        "default" => RopeScaling::None,
        "linear" => RopeScaling::Linear { factor: needed("factor")? },
        // transformers compares with the full context here, not with an original one.
        "dynamic" => RopeScaling::Dynamic { factor: needed("factor")?, original_n_ctx: n_ctx },
        "llama3" => {
            let (low_freq_factor, high_freq_factor) = (needed("low_freq_factor")?, needed("high_freq_factor")?);
            if low_freq_factor == high_freq_factor {
                return Err(keys.bad("has equal low and high frequency factors".into(), remedy::MISMATCH));
            }
            let original_n_ctx = original.unwrap_or(n_ctx);
            RopeScaling::Llama3 { factor: needed("factor")?, low_freq_factor, high_freq_factor, original_n_ctx }
        }
        "yarn" => {
            let or_default = |key: &str, default: f64| match keys.number(key)? {
                Some(x) if x != 0.0 => keys.positive(key, x),
                _ => Ok(default),
            };
            let original_n_ctx = original.unwrap_or(n_ctx);
            let factor = match keys.number("factor")? {
                Some(factor) if factor > 0.0 => factor,
                _ => n_ctx as f64 / original_n_ctx as f64,
            };
            let magnitude = |m: f64| if factor <= 1.0 { 1.0 } else { 0.1 * m * factor.ln() + 1.0 };
            let attention_factor =
                match (keys.number("attention_factor")?, keys.number("mscale")?, keys.number("mscale_all_dim")?) {
                    (Some(given), ..) => given,
                    (None, Some(m), Some(all)) if m != 0.0 && all != 0.0 => magnitude(m) / magnitude(all),
                    _ => magnitude(1.0),
                };
            RopeScaling::Yarn {
                factor,
                beta_fast: or_default("beta_fast", 32.0)?,
                beta_slow: or_default("beta_slow", 1.0)?,
                original_n_ctx,
                attention_factor,
                truncate: keys.flag("truncate", true)?,
            }
        }
        _ => {
            let problem = format!("scales its positions by “{}”, which is not supported", printable(kind));
            return Err(keys.bad(problem, remedy::UNSUPPORTED));
        }
    })
}

/// From GGUF metadata. Divisors in a tensor `rope_freqs.weight` are put in by the caller.
pub fn from_gguf(keys: &Keys<'_>, d_head: usize, n_ctx: usize) -> Result<RotaryConfig> {
    let theta = keys.positive("rope.freq_base", 10_000.0)?;
    let d_rotary = keys.size("rope.dimension_count")?.unwrap_or(d_head);
    let factor = match keys.number("rope.scaling.factor")? {
        Some(factor) => Some(factor),
        None => keys.number("rope.scale_linear")?,
    };
    let factor = factor.filter(|f| *f > 0.0 && *f != 1.0);
    let original_n_ctx = keys.size("rope.scaling.original_context_length")?.unwrap_or(n_ctx);
    let kind = keys.text("rope.scaling.type")?;
    let scaling = match (kind.as_deref(), factor) {
        (Some("none"), _) | (_, None) => RopeScaling::None,
        (None | Some("linear"), Some(factor)) => RopeScaling::Linear { factor },
        (Some("yarn"), Some(factor)) => RopeScaling::Yarn {
            factor,
            beta_fast: keys.positive("rope.scaling.yarn_beta_fast", 32.0)?,
            beta_slow: keys.positive("rope.scaling.yarn_beta_slow", 1.0)?,
            original_n_ctx,
            attention_factor: keys.positive("rope.scaling.attn_factor", 1.0)? * (0.1 * factor.max(1.0).ln() + 1.0),
            truncate: true,
        },
        (Some(kind), _) => {
            let problem = format!("scales its positions by “{}”, which is not supported", printable(kind));
            return Err(keys.bad(problem, remedy::UNSUPPORTED));
        }
    };
    if d_rotary > d_head {
        return Err(keys.bad(format!("rotates {d_rotary} of a head's {d_head} dimensions"), remedy::MISMATCH));
    }
    rotary(keys, theta, d_rotary, scaling)
}

/// The longest sequence, for a model that was trained on `n_ctx` positions and stretches them. A config may name either
/// length; the scaling exists to go beyond the shorter one.
pub fn stretched(rotary: &RotaryConfig, n_ctx: usize) -> usize {
    const LONGEST: f64 = (1 << 21) as f64;
    let by = |factor: f64, n: usize| ((n as f64 * factor).min(LONGEST) as usize).max(n_ctx);
    match rotary.scaling {
        RopeScaling::Linear { factor } => by(factor, n_ctx),
        RopeScaling::Dynamic { factor, original_n_ctx } | RopeScaling::Yarn { factor, original_n_ctx, .. } => {
            by(factor, original_n_ctx)
        }
        _ => n_ctx,
    }
}

fn rotary(keys: &Keys<'_>, theta: f64, d_rotary: usize, scaling: RopeScaling) -> Result<RotaryConfig> {
    if !d_rotary.is_multiple_of(2) || d_rotary < 2 {
        return Err(keys.bad(format!("rotates {d_rotary} dimensions, which is not an even number"), remedy::MISMATCH));
    }
    let config = RotaryConfig { theta, d_rotary, scaling };
    if !config.magnitude().is_finite() || !config.frequencies(1).iter().all(|f| f.is_finite()) {
        return Err(keys.bad("gives its rotary positions values that make no sense".into(), remedy::MISMATCH));
    }
    Ok(config)
}
