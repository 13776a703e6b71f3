//! Reading how a model rotates: the many spellings of RoPE parameters.

use super::error::{Result, printable, remedy};
use super::keys::Keys;
use super::switches;
use crate::model::{RopeScaling, RotaryConfig};

/// From config.json: `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before).
/// `theta` is the base of a family's models that do not say theirs.
pub fn from_hub(keys: &Keys<'_>, d_head: usize, n_ctx: usize, theta: f64) -> Result<RotaryConfig> {
    let outer_theta = keys.positive("rope_theta", theta)?;
    let outer_original = keys.size("original_max_position_embeddings")?;
    let read = |group: &Keys<'_>| read_group(group, n_ctx, outer_original);
    let new = keys.group("rope_parameters", read)?.unwrap_or_default();
    let old = keys.group("rope_scaling", read)?.unwrap_or_default();
    if differ(&new.theta, &old.theta) || differ(&new.scaling, &old.scaling) {
        let problem = "says in rope_parameters and in rope_scaling different things about its positions";
        return Err(keys.bad(problem.into(), remedy::MISMATCH));
    }
    let theta = new.theta.or(old.theta).unwrap_or(outer_theta);
    let scaling = new.scaling.or(old.scaling).unwrap_or(RopeScaling::None);
    rotary(keys, theta, d_head, scaling)
}

/// What one group says; the rest it leaves to others.
#[derive(Default)]
struct Group {
    theta: Option<f64>,
    scaling: Option<RopeScaling>,
}

fn differ<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

fn read_group(group: &Keys<'_>, n_ctx: usize, outer_original: Option<usize>) -> Result<Group> {
    if let Some(key) = group.key_of_group() {
        let problem = format!("has positions of its own for “{}”, which is not supported", printable(&key));
        return Err(group.bad(problem, remedy::UNSUPPORTED));
    }
    switches::refuse(group, switches::ROPE, &[])?;
    let theta = match group.get("rope_theta") {
        Some(_) => Some(group.positive("rope_theta", 10_000.0)?),
        None => None,
    };
    let original = group.size("original_max_position_embeddings")?.or(outer_original);
    let scaling = match group.text("rope_type")?.or(group.text("type")?) {
        Some(kind) => Some(hub_scaling(group, &kind, n_ctx, original)?),
        None => {
            if group.number("factor")?.is_some_and(|factor| factor != 1.0) {
                let problem = "scales its positions by a factor and does not say how (rope_type)";
                return Err(group.bad(problem.into(), remedy::MISMATCH));
            }
            None
        }
    };
    Ok(Group { theta, scaling })
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
                // transformers derives it from the two lengths.
                None if original.is_some() => n_ctx as f64 / original_n_ctx as f64,
                _ => needed("factor")?,
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
    let original_n_ctx = keys.size("rope.scaling.original_context_length")?.unwrap_or(n_ctx);
    let kind = keys.text("rope.scaling.type")?;
    let scaling = match (kind.as_deref(), factor) {
        // Without a kind, 0 stands for “not scaled”.
        (Some("none"), _) | (None, None | Some(0.0)) | (None | Some("linear" | "yarn"), Some(1.0)) => RopeScaling::None,
        (kind, factor) if factor.is_none_or(|f| f <= 0.0) && kind.is_none_or(|k| k == "linear" || k == "yarn") => {
            let kind = kind.unwrap_or("linear");
            let problem = format!("scales its positions ({kind}) without a valid “rope.scaling.factor”");
            return Err(keys.bad(problem, remedy::MISMATCH));
        }
        (None | Some("linear"), Some(factor)) => RopeScaling::Linear { factor },
        (Some("yarn"), Some(factor)) => RopeScaling::Yarn {
            factor,
            beta_fast: keys.positive("rope.scaling.yarn_beta_fast", 32.0)?,
            beta_slow: keys.positive("rope.scaling.yarn_beta_slow", 1.0)?,
            original_n_ctx,
            attention_factor: keys.positive("rope.scaling.attn_factor", 1.0)? * (0.1 * factor.max(1.0).ln() + 1.0),
            truncate: true,
        },
        (kind, _) => {
            let kind = kind.unwrap_or_default();
            let problem = format!("scales its positions by “{}”, which is not supported", printable(kind));
            return Err(keys.bad(problem, remedy::UNSUPPORTED));
        }
    };
    if !matches!(scaling, RopeScaling::Yarn { .. }) {
        keys.refuse_unless("rope.scaling.attn_factor", &[1.0.into()])?;
    }
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
    if theta <= 1.0 {
        return Err(keys
            .bad(format!("sets the base of its rotary positions to {theta}, which makes no sense"), remedy::MISMATCH));
    }
    let config = RotaryConfig { theta, d_rotary, scaling };
    if !config.magnitude().is_finite() || !config.frequencies(1).iter().all(|f| f.is_finite()) {
        return Err(keys.bad("gives its rotary positions values that make no sense".into(), remedy::MISMATCH));
    }
    Ok(config)
}
