//! From the keys of a config.json to the architecture, family by family.
//!
//! What a config leaves out means what transformers means by it: the defaults of the family's config class.

use serde_json::json;

use super::architecture::{activation, checked, divide, gpt2_shape};
use super::error::{LoadError, Result, remedy};
use super::keys::{Answer, Keys};
use super::rope;
use crate::model::{ModelConfig, MoeConfig, NormKind, Positions, QkNorm};

/// What a config of the Llama kind means where it leaves a key out.
struct Defaults {
    d_model: usize,
    n_heads: usize,
    /// None for one key/value head for each query head.
    n_kv_heads: Option<usize>,
    /// None for `d_model / n_heads`.
    d_head: Option<usize>,
    n_layers: usize,
    d_mlp: usize,
    d_vocab: usize,
    n_ctx: usize,
    norm_eps: f64,
    theta: f64,
}

/// A Llama's; the other families say what differs.
const LLAMA: Defaults = Defaults {
    d_model: 4096,
    n_heads: 32,
    n_kv_heads: None,
    d_head: None,
    n_layers: 32,
    d_mlp: 11008,
    d_vocab: 32000,
    n_ctx: 2048,
    norm_eps: 1e-6,
    theta: 10_000.0,
};

/// A Llama.
pub fn llama(keys: &Keys<'_>) -> Result<ModelConfig> {
    let mlp_bias = keys.flag("mlp_bias", false)?;
    Ok(ModelConfig { mlp_bias, ..with_attention_bias(keys, llama_like(keys, &LLAMA)?)? })
}

/// A Mistral.
pub fn mistral(keys: &Keys<'_>) -> Result<ModelConfig> {
    let defaults = Defaults { d_mlp: 14336, n_kv_heads: Some(8), n_ctx: 4096 * 32, ..LLAMA };
    // Left out, the window has a default; null means none.
    let sliding_window = keys.size("sliding_window")?.or((!keys.has("sliding_window")).then_some(4096));
    Ok(ModelConfig { family: "mistral".into(), sliding_window, ..llama_like(keys, &defaults)? })
}

/// A Mistral whose layers are experts.
pub fn mixtral(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_mlp, n_ctx) = (14336, 4096 * 32);
    let defaults = Defaults { d_mlp, n_kv_heads: Some(8), n_ctx, norm_eps: 1e-5, theta: 1e6, ..LLAMA };
    let config = llama_like(keys, &defaults)?;
    let moe = MoeConfig { normalise: true, ..experts(keys, config.d_mlp, 8, 2)? };
    let sliding_window = keys.size("sliding_window")?;
    checked(keys, ModelConfig { family: "mixtral".into(), sliding_window, moe: Some(moe), ..config })
}

/// A Qwen2.
pub fn qwen2(keys: &Keys<'_>) -> Result<ModelConfig> {
    let defaults = Defaults { d_mlp: 22016, d_vocab: 151_936, n_kv_heads: Some(32), n_ctx: 32768, ..LLAMA };
    let config = llama_like(keys, &defaults)?;
    let sliding_window = qwen_window(keys, config.n_layers)?;
    Ok(ModelConfig { family: "qwen2".into(), qkv_bias: true, sliding_window, ..config })
}

/// A Qwen3: no biases, and a norm on q and k.
pub fn qwen3(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_mlp, d_vocab, n_ctx) = (22016, 151_936, 32768);
    let defaults = Defaults { d_mlp, d_vocab, n_kv_heads: Some(32), d_head: Some(128), n_ctx, ..LLAMA };
    let config = with_attention_bias(keys, llama_like(keys, &defaults)?)?;
    let sliding_window = qwen_window(keys, config.n_layers)?;
    Ok(ModelConfig { family: "qwen3".into(), qk_norm: Some(QkNorm::PerHead), sliding_window, ..config })
}

/// A Qwen3 whose layers, or some of them, are experts.
pub fn qwen3_moe(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_mlp, d_vocab, n_ctx) = (6144, 151_936, 32768);
    let defaults = Defaults { d_model: 2048, n_kv_heads: Some(4), n_layers: 24, d_mlp, d_vocab, n_ctx, ..LLAMA };
    let config = with_attention_bias(keys, llama_like(keys, &defaults)?)?;
    let every = keys.size("decoder_sparse_step")?.unwrap_or(1);
    let moe = experts(keys, keys.size_or("moe_intermediate_size", 768)?, 128, 8)?;
    let normalise = keys.flag("norm_topk_prob", false)?;
    let first_layer = first_with_experts(keys, every)?;
    let moe = MoeConfig { normalise, first_layer, every, ..moe };
    // The window is that of all layers here, or of none.
    let window = keys.size("sliding_window")?.or((!keys.has("sliding_window")).then_some(4096));
    let sliding_window = if keys.flag("use_sliding_window", false)? { window } else { None };
    let (family, qk_norm) = ("qwen3_moe".into(), Some(QkNorm::PerHead));
    checked(keys, ModelConfig { family, qk_norm, sliding_window, moe: Some(moe), ..config })
}

/// An OLMoE: many small experts, and a norm over the whole of q and of k.
pub fn olmoe(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_model, n_heads, n_layers, d_mlp, d_vocab, n_ctx) = (2048, 16, 16, 2048, 50304, 4096);
    let defaults = Defaults { d_model, n_heads, n_layers, d_mlp, d_vocab, n_ctx, norm_eps: 1e-5, ..LLAMA };
    let config = with_attention_bias(keys, llama_like(keys, &defaults)?)?;
    let moe = MoeConfig { normalise: keys.flag("norm_topk_prob", false)?, ..experts(keys, config.d_mlp, 64, 8)? };
    let (family, qk_norm) = ("olmoe".into(), Some(QkNorm::Whole));
    checked(keys, ModelConfig { family, qk_norm, moe: Some(moe), ..config })
}

/// A GPT-2.
pub fn gpt2(keys: &Keys<'_>) -> Result<ModelConfig> {
    keys.refuse_unless("add_cross_attention", &[json!(false)])?;
    // The same result in another order of operations.
    keys.flag("reorder_and_upcast_attn", false)?;
    let either = |a: &str, b: &str| Ok::<_, LoadError>(keys.size(a)?.or(keys.size(b)?));
    // The defaults of transformers' `GPT2Config`.
    let d_model = either("n_embd", "hidden_size")?.unwrap_or(768);
    let n_heads = either("n_head", "num_attention_heads")?.unwrap_or(12);
    let d_head = divide(keys, "n_embd", d_model, "n_head", n_heads)?;
    let scaled = keys.flag("scale_attn_weights", true)?;
    checked(
        keys,
        ModelConfig {
            family: "gpt2".into(),
            n_layers: either("n_layer", "num_hidden_layers")?.unwrap_or(12),
            d_mlp: keys.size("n_inner")?.unwrap_or(4 * d_model),
            d_vocab: keys.size("vocab_size")?.unwrap_or(50257),
            n_ctx: either("n_positions", "max_position_embeddings")?.or(keys.size("n_ctx")?).unwrap_or(1024),
            norm_eps: keys.positive("layer_norm_epsilon", 1e-5)? as f32,
            activation: activation(keys, "activation_function", "gelu_new")?,
            tied_embeddings: keys.flag("tie_word_embeddings", true)?,
            attn_scale: if scaled { 1.0 / (d_head as f32).sqrt() } else { 1.0 },
            scale_by_inverse_layer: keys.flag("scale_attn_by_inverse_layer_idx", false)?,
            ..gpt2_shape(d_model, n_heads, d_head)
        },
    )
}

/// The keys that Llama and its descendants share.
fn llama_like(keys: &Keys<'_>, defaults: &Defaults) -> Result<ModelConfig> {
    let d_model = keys.size_or("hidden_size", defaults.d_model)?;
    let n_heads = keys.size_or("num_attention_heads", defaults.n_heads)?;
    // A null says what a model without the key means, as it does for the key/value heads below.
    let d_head = keys.size("head_dim")?.or(if keys.has("head_dim") { None } else { defaults.d_head });
    let d_head = match d_head {
        Some(d_head) => d_head,
        None => divide(keys, "hidden_size", d_model, "num_attention_heads", n_heads)?,
    };
    if let Some(types) = keys.get("layer_types") {
        refuse_mixed_layers(keys, &types)?;
    }
    let n_ctx = keys.size("max_position_embeddings")?.unwrap_or(defaults.n_ctx);
    let rotary = rope::from_hub(keys, d_head, n_ctx, defaults.theta)?;
    // One key/value head for each query head.
    let n_kv_heads = if keys.has("num_key_value_heads") { None } else { defaults.n_kv_heads };
    checked(
        keys,
        ModelConfig {
            family: "llama".into(),
            n_layers: keys.size_or("num_hidden_layers", defaults.n_layers)?,
            d_model,
            n_heads,
            n_kv_heads: keys.size("num_key_value_heads")?.or(n_kv_heads).unwrap_or(n_heads),
            d_head,
            d_mlp: keys.size_or("intermediate_size", defaults.d_mlp)?,
            d_vocab: keys.size_or("vocab_size", defaults.d_vocab)?,
            n_ctx: rope::stretched(&rotary, n_ctx),
            norm: NormKind::Rms,
            norm_eps: keys.positive("rms_norm_eps", defaults.norm_eps)? as f32,
            positions: Positions::Rotary(rotary),
            activation: activation(keys, "hidden_act", "silu")?,
            gated_mlp: true,
            qkv_bias: false,
            attn_out_bias: false,
            mlp_bias: false,
            tied_embeddings: keys.flag("tie_word_embeddings", false)?,
            attn_scale: 1.0 / (d_head as f32).sqrt(),
            scale_by_inverse_layer: false,
            sliding_window: None,
            qk_norm: None,
            moe: None,
        },
    )
}

/// One option for the biases of all four projections.
fn with_attention_bias(keys: &Keys<'_>, config: ModelConfig) -> Result<ModelConfig> {
    let bias = keys.flag("attention_bias", false)?;
    Ok(ModelConfig { qkv_bias: bias, attn_out_bias: bias, ..config })
}

/// Experts in every layer, of width `d_expert`.
fn experts(keys: &Keys<'_>, d_expert: usize, n_experts: usize, top_k: usize) -> Result<MoeConfig> {
    // transformers 5 saves under one name what repositories before had under the other.
    let (a, b) = (keys.size("num_local_experts")?, keys.size("num_experts")?);
    if a.zip(b).is_some_and(|(a, b)| a != b) {
        let problem = "says in num_local_experts and in num_experts different things about its experts";
        return Err(keys.bad(problem.into(), remedy::MISMATCH));
    }
    Ok(MoeConfig {
        n_experts: a.or(b).unwrap_or(n_experts),
        top_k: keys.size_or("num_experts_per_tok", top_k)?,
        d_expert,
        normalise: false,
        first_layer: 0,
        every: 1,
    })
}

/// The first of the layers with experts, of which there is one in `every`. Layers can be excepted by name; of those lists
/// only one is supported that names the first few layers.
fn first_with_experts(keys: &Keys<'_>, every: usize) -> Result<usize> {
    let excepted: Option<Vec<u64>> = match keys.get("mlp_only_layers") {
        None => Some(Vec::new()),
        Some(Answer::Other(list)) => serde_json::from_value(list).ok(),
        Some(_) => None,
    };
    let mut excepted = excepted.ok_or_else(|| {
        keys.bad("gives “mlp_only_layers” a value that is not a list of layers".into(), remedy::MISMATCH)
    })?;
    excepted.sort_unstable();
    excepted.dedup();
    match excepted.len() {
        0 => Ok(every - 1),
        n if every == 1 && excepted.iter().zip(0..).all(|(layer, i)| *layer == i) => Ok(n),
        _ => Err(keys
            .bad("mixes layers with and without experts in a way that is not supported".into(), remedy::UNSUPPORTED)),
    }
}

/// A Qwen may look back through a window in the layers from `max_window_layers` on.
fn qwen_window(keys: &Keys<'_>, n_layers: usize) -> Result<Option<usize>> {
    let first = keys.number("max_window_layers")?.unwrap_or(28.0);
    let window = keys.size("sliding_window")?.or((!keys.has("sliding_window")).then_some(4096));
    if !keys.flag("use_sliding_window", false)? || keys.get("layer_types").is_some() || first >= n_layers as f64 {
        return Ok(None);
    }
    if first > 0.0 && window.is_some() {
        return Err(keys.bad("has an attention window in only some of its layers".into(), remedy::UNSUPPORTED));
    }
    Ok(window)
}

/// Some configs list a kind for each layer. Layers that differ in kind are not supported yet.
fn refuse_mixed_layers(keys: &Keys<'_>, types: &Answer) -> Result<()> {
    let all_full = match types {
        Answer::Other(list) => list.as_array().is_some_and(|list| list.iter().all(|kind| kind == "full_attention")),
        _ => false,
    };
    if all_full {
        return Ok(());
    }
    Err(keys.bad("mixes kinds of attention layers, which is not supported".into(), remedy::UNSUPPORTED))
}
