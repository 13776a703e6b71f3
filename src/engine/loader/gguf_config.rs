//! From the metadata of a GGUF to the architecture, family by family. What only the tensors tell (biases, the size of the
//! vocabulary) is settled afterwards.

use super::architecture::{checked, divide, gpt2_shape};
use super::error::{Result, remedy};
use super::keys::Keys;
use super::rope;
use crate::model::{Activation, ModelConfig, MoeConfig, NormKind, Positions, QkNorm};

/// A Llama; with experts it is a Mixtral, which has no name of its own in GGUF.
pub fn llama(keys: &Keys<'_>) -> Result<ModelConfig> {
    llama_like(keys, true)
}

/// The keys that Llama and its descendants share. `normalise` says whether the weights of chosen experts are rescaled.
fn llama_like(keys: &Keys<'_>, normalise: bool) -> Result<ModelConfig> {
    let (d_model, n_heads) = (keys.needed("embedding_length")?, keys.needed("attention.head_count")?);
    let d_head = match keys.size("attention.key_length")? {
        Some(d_head) => d_head,
        None => divide(keys, "embedding_length", d_model, "attention.head_count", n_heads)?,
    };
    if keys.size("attention.value_length")?.is_some_and(|d| d != d_head) {
        return Err(keys.bad("has values of another width than its keys".into(), remedy::UNSUPPORTED));
    }
    let (n_ctx, d_mlp) = (keys.needed("context_length")?, keys.needed("feed_forward_length")?);
    let moe = experts(keys, d_mlp, normalise)?;
    checked(
        keys,
        ModelConfig {
            family: if moe.is_some() { "mixtral" } else { "llama" }.into(),
            n_layers: keys.needed("block_count")?,
            d_model,
            n_heads,
            n_kv_heads: keys.size("attention.head_count_kv")?.unwrap_or(n_heads),
            d_head,
            d_mlp,
            // The rows of the embedding table have the last word.
            d_vocab: keys.size("vocab_size")?.unwrap_or(1),
            n_ctx,
            norm: NormKind::Rms,
            norm_eps: keys.positive("attention.layer_norm_rms_epsilon", 1e-5)? as f32,
            positions: Positions::Rotary(rope::from_gguf(keys, d_head, n_ctx)?),
            activation: Activation::Silu,
            gated_mlp: true,
            qkv_bias: false,
            attn_out_bias: false,
            mlp_bias: false,
            tied_embeddings: true,
            attn_scale: keys.positive("attention.scale", 1.0 / (d_head as f64).sqrt())? as f32,
            scale_by_inverse_layer: false,
            sliding_window: keys.size("attention.sliding_window")?,
            qk_norm: None,
            moe,
        },
    )
}

/// A Qwen2.
pub fn qwen2(keys: &Keys<'_>) -> Result<ModelConfig> {
    Ok(ModelConfig { family: "qwen2".into(), ..llama(keys)? })
}

/// A Qwen3, with or without experts.
pub fn qwen3(keys: &Keys<'_>) -> Result<ModelConfig> {
    let config = llama(keys)?;
    let family = if config.moe.is_some() { "qwen3_moe" } else { "qwen3" };
    Ok(ModelConfig { family: family.into(), qk_norm: Some(QkNorm::PerHead), ..config })
}

/// An OLMoE, whose probabilities stay as they are.
pub fn olmoe(keys: &Keys<'_>) -> Result<ModelConfig> {
    let config = llama_like(keys, false)?;
    if config.moe.is_none() {
        return Err(keys.bad("does not say “expert_count”".into(), remedy::MISMATCH));
    }
    Ok(ModelConfig { family: "olmoe".into(), qk_norm: Some(QkNorm::Whole), ..config })
}

/// A GPT-2.
pub fn gpt2(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_model, n_heads) = (keys.needed("embedding_length")?, keys.needed("attention.head_count")?);
    let d_head = divide(keys, "embedding_length", d_model, "attention.head_count", n_heads)?;
    checked(
        keys,
        ModelConfig {
            n_layers: keys.needed("block_count")?,
            d_mlp: keys.size("feed_forward_length")?.unwrap_or(4 * d_model),
            n_ctx: keys.needed("context_length")?,
            norm_eps: keys.positive("attention.layer_norm_epsilon", 1e-5)? as f32,
            ..gpt2_shape(d_model, n_heads, d_head)
        },
    )
}

/// The experts of every layer, if there are any. Whether their weights are rescaled is a matter of the family in GGUF; a
/// file that says otherwise is refused.
fn experts(keys: &Keys<'_>, d_mlp: usize, normalise: bool) -> Result<Option<MoeConfig>> {
    if keys.number("expert_count")?.is_none_or(|n| n == 0.0) {
        return Ok(None);
    }
    keys.refuse_unless("expert_weights_norm", &[normalise.into()])?;
    Ok(Some(MoeConfig {
        n_experts: keys.needed("expert_count")?,
        top_k: keys.needed("expert_used_count")?,
        d_expert: keys.size("expert_feed_forward_length")?.unwrap_or(d_mlp),
        normalise,
        first_layer: 0,
        every: 1,
    }))
}
