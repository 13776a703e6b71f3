//! What the readers of both kinds of config share: the checks that every architecture must pass, and a few shapes.

use super::error::{Result, printable, remedy};
use super::keys::Keys;
use crate::model::{Activation, ModelConfig, NormKind, Positions};

/// Experts of all layers together. The largest published models have some 25,000; the table of parameters takes three
/// rows for each.
const MOST_EXPERTS: usize = 32_768;

/// The checks that every architecture must pass before anything is computed from it.
pub fn checked(keys: &Keys<'_>, config: ModelConfig) -> Result<ModelConfig> {
    let ModelConfig { n_layers, n_heads, n_kv_heads, d_head, .. } = config;
    if n_heads > 65_536 {
        return Err(keys.bad(format!("claims {n_heads} heads"), remedy::MISMATCH));
    }
    if n_layers > 1024 {
        return Err(keys.bad(format!("claims {n_layers} layers"), remedy::MISMATCH));
    }
    if n_kv_heads > n_heads || !n_heads.is_multiple_of(n_kv_heads) {
        let problem = format!("shares {n_kv_heads} key/value heads among {n_heads} query heads, which does not divide");
        return Err(keys.bad(problem, remedy::MISMATCH));
    }
    if config.norm_eps >= 1.0 {
        let problem = format!("sets the epsilon of its norms to {}, which makes no sense", config.norm_eps);
        return Err(keys.bad(problem, remedy::MISMATCH));
    }
    if d_head > 4096 {
        return Err(keys.bad(format!("claims heads of width {d_head}"), remedy::MISMATCH));
    }
    if let Some(moe) = &config.moe {
        let (n, k) = (moe.n_experts, moe.top_k);
        if n.saturating_mul(n_layers) > MOST_EXPERTS {
            return Err(keys.bad(format!("claims {n} experts in each layer"), remedy::MISMATCH));
        }
        if k > n {
            return Err(keys.bad(format!("sends each token to {k} of its {n} experts"), remedy::MISMATCH));
        }
    }
    Ok(config)
}

/// What every GPT-2 has.
pub fn gpt2_shape(d_model: usize, n_heads: usize, d_head: usize) -> ModelConfig {
    ModelConfig {
        family: "gpt2".into(),
        n_layers: 1,
        d_model,
        n_heads,
        n_kv_heads: n_heads,
        d_head,
        d_mlp: 4 * d_model,
        d_vocab: 1,
        n_ctx: 1,
        norm: NormKind::Layer,
        norm_eps: 1e-5,
        positions: Positions::Learned,
        activation: Activation::GeluTanh,
        gated_mlp: false,
        qkv_bias: true,
        attn_out_bias: true,
        mlp_bias: true,
        tied_embeddings: true,
        attn_scale: 1.0 / (d_head as f32).sqrt(),
        scale_by_inverse_layer: false,
        sliding_window: None,
        qk_norm: None,
        moe: None,
    }
}

/// The activation of a name.
pub fn activation(keys: &Keys<'_>, key: &str, default: &str) -> Result<Activation> {
    let name = keys.text(key)?.unwrap_or_else(|| default.into());
    Ok(match name.as_str() {
        "silu" | "swish" => Activation::Silu,
        "gelu" | "gelu_python" => Activation::Gelu,
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_accurate" | "gelu_python_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        _ => {
            return Err(keys.bad(
                format!("asks for the activation “{}”, which is not supported", printable(&name)),
                remedy::UNSUPPORTED,
            ));
        }
    })
}

/// n / by, where that is a whole number.
pub fn divide(keys: &Keys<'_>, what: &str, n: usize, by_what: &str, by: usize) -> Result<usize> {
    if by == 0 || !n.is_multiple_of(by) {
        return Err(keys.bad(format!("has {what} = {n}, which {by_what} = {by} does not divide"), remedy::MISMATCH));
    }
    Ok(n / by)
}
