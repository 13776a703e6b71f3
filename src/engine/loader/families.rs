//! Families as data: what each calls its sizes, switches and tensors, mapped to the one [`ModelConfig`].
//!
//! To add a family, add a row to [`FAMILIES`]: its names on both kinds of file, and a function from its keys to the
//! config. The forward pass does not change.

use serde_json::json;

use super::error::{LoadError, Result, printable, remedy};
use super::keys::Keys;
use super::rope;
use crate::model::{Activation, ModelConfig, NormKind, Param, Positions};

/// One family of models.
pub struct Family {
    /// Its name, as `model_type` in config.json and as `general.architecture` in GGUF.
    pub name: &'static str,
    /// From config.json to the architecture.
    pub from_hub: fn(&Keys<'_>) -> Result<ModelConfig>,
    /// From GGUF metadata to the architecture. What only the tensors tell is settled afterwards.
    pub from_gguf: fn(&Keys<'_>) -> Result<ModelConfig>,
    /// Where each parameter is: in a safetensors file, and in a GGUF. `{}` stands for the layer.
    pub places: &'static [Place],
    /// A prefix that names in a safetensors file may have or lack.
    pub hub_prefix: &'static str,
    /// Whether matrices of the blocks are stored `[in, out]` in safetensors (GPT-2's Conv1D).
    pub hub_transposed: bool,
    /// Whether a GGUF stores the rows of q and k so that neighbouring dimensions are rotated together.
    pub gguf_permuted: bool,
    /// Endings of tensor names that hold no parameter (buffers).
    pub buffers: &'static [&'static str],
}

/// Where a parameter is.
pub struct Place {
    /// Which parameter.
    pub param: Param,
    /// Its name in safetensors.
    pub hub: &'static str,
    /// Its name in GGUF.
    pub gguf: &'static str,
    /// Whether the tensor holds q, k and v one after the other, and this parameter is one of them.
    pub fused_qkv: bool,
}

const fn at(param: Param, hub: &'static str, gguf: &'static str) -> Place {
    Place { param, hub, gguf, fused_qkv: false }
}

const fn fused(param: Param, hub: &'static str, gguf: &'static str) -> Place {
    Place { param, hub, gguf, fused_qkv: true }
}

/// Llama and its descendants.
const LLAMA_PLACES: &[Place] = &[
    at(Param::Embed, "model.embed_tokens.weight", "token_embd.weight"),
    at(Param::Norm1, "model.layers.{}.input_layernorm.weight", "blk.{}.attn_norm.weight"),
    at(Param::Q, "model.layers.{}.self_attn.q_proj.weight", "blk.{}.attn_q.weight"),
    at(Param::QBias, "model.layers.{}.self_attn.q_proj.bias", "blk.{}.attn_q.bias"),
    at(Param::K, "model.layers.{}.self_attn.k_proj.weight", "blk.{}.attn_k.weight"),
    at(Param::KBias, "model.layers.{}.self_attn.k_proj.bias", "blk.{}.attn_k.bias"),
    at(Param::V, "model.layers.{}.self_attn.v_proj.weight", "blk.{}.attn_v.weight"),
    at(Param::VBias, "model.layers.{}.self_attn.v_proj.bias", "blk.{}.attn_v.bias"),
    at(Param::O, "model.layers.{}.self_attn.o_proj.weight", "blk.{}.attn_output.weight"),
    at(Param::OBias, "model.layers.{}.self_attn.o_proj.bias", "blk.{}.attn_output.bias"),
    at(Param::Norm2, "model.layers.{}.post_attention_layernorm.weight", "blk.{}.ffn_norm.weight"),
    at(Param::Gate, "model.layers.{}.mlp.gate_proj.weight", "blk.{}.ffn_gate.weight"),
    at(Param::GateBias, "model.layers.{}.mlp.gate_proj.bias", "blk.{}.ffn_gate.bias"),
    at(Param::Up, "model.layers.{}.mlp.up_proj.weight", "blk.{}.ffn_up.weight"),
    at(Param::UpBias, "model.layers.{}.mlp.up_proj.bias", "blk.{}.ffn_up.bias"),
    at(Param::Down, "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight"),
    at(Param::DownBias, "model.layers.{}.mlp.down_proj.bias", "blk.{}.ffn_down.bias"),
    at(Param::FinalNorm, "model.norm.weight", "output_norm.weight"),
    at(Param::Unembed, "lm_head.weight", "output.weight"),
];

const GPT2_PLACES: &[Place] = &[
    at(Param::Embed, "wte.weight", "token_embd.weight"),
    at(Param::PosEmbed, "wpe.weight", "position_embd.weight"),
    at(Param::Norm1, "h.{}.ln_1.weight", "blk.{}.attn_norm.weight"),
    at(Param::Norm1Bias, "h.{}.ln_1.bias", "blk.{}.attn_norm.bias"),
    fused(Param::Q, "h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::QBias, "h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    fused(Param::K, "h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::KBias, "h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    fused(Param::V, "h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::VBias, "h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    at(Param::O, "h.{}.attn.c_proj.weight", "blk.{}.attn_output.weight"),
    at(Param::OBias, "h.{}.attn.c_proj.bias", "blk.{}.attn_output.bias"),
    at(Param::Norm2, "h.{}.ln_2.weight", "blk.{}.ffn_norm.weight"),
    at(Param::Norm2Bias, "h.{}.ln_2.bias", "blk.{}.ffn_norm.bias"),
    at(Param::Up, "h.{}.mlp.c_fc.weight", "blk.{}.ffn_up.weight"),
    at(Param::UpBias, "h.{}.mlp.c_fc.bias", "blk.{}.ffn_up.bias"),
    at(Param::Down, "h.{}.mlp.c_proj.weight", "blk.{}.ffn_down.weight"),
    at(Param::DownBias, "h.{}.mlp.c_proj.bias", "blk.{}.ffn_down.bias"),
    at(Param::FinalNorm, "ln_f.weight", "output_norm.weight"),
    at(Param::FinalNormBias, "ln_f.bias", "output_norm.bias"),
    at(Param::Unembed, "lm_head.weight", "output.weight"),
];

/// A family whose files look like Llama's.
const LLAMA_LIKE: Family = Family {
    name: "llama",
    from_hub: llama_hub,
    from_gguf: llama_gguf,
    places: LLAMA_PLACES,
    hub_prefix: "model.",
    hub_transposed: false,
    gguf_permuted: true,
    buffers: &[".rotary_emb.inv_freq"],
};

/// Every family that can be opened.
pub const FAMILIES: &[Family] = &[
    LLAMA_LIKE,
    Family { name: "mistral", from_hub: mistral_hub, ..LLAMA_LIKE },
    Family { name: "qwen2", from_hub: qwen2_hub, from_gguf: qwen2_gguf, gguf_permuted: false, ..LLAMA_LIKE },
    Family {
        name: "gpt2",
        from_hub: gpt2_hub,
        from_gguf: gpt2_gguf,
        places: GPT2_PLACES,
        hub_prefix: "transformer.",
        hub_transposed: true,
        gguf_permuted: false,
        buffers: &[".attn.bias", ".attn.masked_bias"],
    },
];

impl Family {
    /// The family of a name, or a sentence that lists those that can be opened.
    pub fn find(name: &str, keys: &Keys<'_>) -> Result<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name).ok_or_else(|| {
            let name = printable(name);
            keys.bad(format!("holds a model of the family “{name}”, which is not supported yet"), remedy::UNSUPPORTED)
        })
    }
}

fn llama_hub(keys: &Keys<'_>) -> Result<ModelConfig> {
    let bias = keys.flag("attention_bias", false)?;
    let mlp_bias = keys.flag("mlp_bias", false)?;
    let config = llama_like(keys, &LLAMA_DEFAULTS)?;
    Ok(ModelConfig { qkv_bias: bias, attn_out_bias: bias, mlp_bias, ..config })
}

fn mistral_hub(keys: &Keys<'_>) -> Result<ModelConfig> {
    let defaults = Defaults { d_mlp: 14336, n_kv_heads: Some(8), n_ctx: 4096 * 32, ..LLAMA_DEFAULTS };
    // Left out, the window has a default; null means none.
    let sliding_window = keys.size("sliding_window")?.or((!keys.has("sliding_window")).then_some(4096));
    Ok(ModelConfig { family: "mistral".into(), sliding_window, ..llama_like(keys, &defaults)? })
}

fn qwen2_hub(keys: &Keys<'_>) -> Result<ModelConfig> {
    let defaults = Defaults { d_mlp: 22016, d_vocab: 151_936, n_kv_heads: Some(32), n_ctx: 32768, ..LLAMA_DEFAULTS };
    let config = llama_like(keys, &defaults)?;
    let sliding_window = qwen2_window(keys, config.n_layers)?;
    Ok(ModelConfig { family: "qwen2".into(), qkv_bias: true, sliding_window, ..config })
}

/// A Qwen2 may look back through a window in the layers from `max_window_layers` on.
fn qwen2_window(keys: &Keys<'_>, n_layers: usize) -> Result<Option<usize>> {
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

/// What a config of the Llama kind means where it leaves a key out.
struct Defaults {
    d_model: usize,
    n_heads: usize,
    /// None for one key/value head for each query head.
    n_kv_heads: Option<usize>,
    n_layers: usize,
    d_mlp: usize,
    d_vocab: usize,
    n_ctx: usize,
}

/// The defaults of transformers' `LlamaConfig`; the other families say what differs.
const LLAMA_DEFAULTS: Defaults =
    Defaults { d_model: 4096, n_heads: 32, n_kv_heads: None, n_layers: 32, d_mlp: 11008, d_vocab: 32000, n_ctx: 2048 };

/// The keys that Llama and its descendants share.
fn llama_like(keys: &Keys<'_>, defaults: &Defaults) -> Result<ModelConfig> {
    let d_model = keys.size_or("hidden_size", defaults.d_model)?;
    let n_heads = keys.size_or("num_attention_heads", defaults.n_heads)?;
    let d_head = match keys.size("head_dim")? {
        Some(d_head) => d_head,
        None => divide(keys, "hidden_size", d_model, "num_attention_heads", n_heads)?,
    };
    if let Some(types) = keys.get("layer_types") {
        refuse_mixed_layers(keys, &types)?;
    }
    let n_ctx = keys.size("max_position_embeddings")?.unwrap_or(defaults.n_ctx);
    let rotary = rope::from_hub(keys, d_head, n_ctx)?;
    // A null says what a Llama without the key means: one key/value head for each query head.
    let n_kv_heads = if keys.has("num_key_value_heads") { None } else { defaults.n_kv_heads };
    finish(
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
            norm_eps: keys.positive("rms_norm_eps", 1e-6)? as f32,
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
        },
    )
}

fn gpt2_hub(keys: &Keys<'_>) -> Result<ModelConfig> {
    keys.refuse_unless("add_cross_attention", &[json!(false)])?;
    // The same result in another order of operations.
    keys.flag("reorder_and_upcast_attn", false)?;
    let either = |a: &str, b: &str| Ok::<_, LoadError>(keys.size(a)?.or(keys.size(b)?));
    // The defaults of transformers' `GPT2Config`.
    let d_model = either("n_embd", "hidden_size")?.unwrap_or(768);
    let n_heads = either("n_head", "num_attention_heads")?.unwrap_or(12);
    let d_head = divide(keys, "n_embd", d_model, "n_head", n_heads)?;
    let scaled = keys.flag("scale_attn_weights", true)?;
    finish(
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

/// What every GPT-2 has.
fn gpt2_shape(d_model: usize, n_heads: usize, d_head: usize) -> ModelConfig {
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
    }
}

fn llama_gguf(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_model, n_heads) = (keys.needed("embedding_length")?, keys.needed("attention.head_count")?);
    let d_head = match keys.size("attention.key_length")? {
        Some(d_head) => d_head,
        None => divide(keys, "embedding_length", d_model, "attention.head_count", n_heads)?,
    };
    if keys.size("attention.value_length")?.is_some_and(|d| d != d_head) {
        return Err(keys.bad("has values of another width than its keys".into(), remedy::UNSUPPORTED));
    }
    let n_ctx = keys.needed("context_length")?;
    finish(
        keys,
        ModelConfig {
            family: "llama".into(),
            n_layers: keys.needed("block_count")?,
            d_model,
            n_heads,
            n_kv_heads: keys.size("attention.head_count_kv")?.unwrap_or(n_heads),
            d_head,
            d_mlp: keys.needed("feed_forward_length")?,
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
        },
    )
}

fn qwen2_gguf(keys: &Keys<'_>) -> Result<ModelConfig> {
    Ok(ModelConfig { family: "qwen2".into(), ..llama_gguf(keys)? })
}

fn gpt2_gguf(keys: &Keys<'_>) -> Result<ModelConfig> {
    let (d_model, n_heads) = (keys.needed("embedding_length")?, keys.needed("attention.head_count")?);
    let d_head = divide(keys, "embedding_length", d_model, "attention.head_count", n_heads)?;
    finish(
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

/// The checks that every architecture must pass before anything is computed from it.
fn finish(keys: &Keys<'_>, config: ModelConfig) -> Result<ModelConfig> {
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
    Ok(config)
}

fn activation(keys: &Keys<'_>, key: &str, default: &str) -> Result<Activation> {
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

fn divide(keys: &Keys<'_>, what: &str, n: usize, by_what: &str, by: usize) -> Result<usize> {
    if by == 0 || !n.is_multiple_of(by) {
        return Err(keys.bad(format!("has {what} = {n}, which {by_what} = {by} does not divide"), remedy::MISMATCH));
    }
    Ok(n / by)
}

/// Some configs list a kind for each layer. Layers that differ in kind are not supported yet.
fn refuse_mixed_layers(keys: &Keys<'_>, types: &super::keys::Answer) -> Result<()> {
    let all_full = match types {
        super::keys::Answer::Other(list) => {
            list.as_array().is_some_and(|list| list.iter().all(|kind| kind == "full_attention"))
        }
        _ => false,
    };
    if all_full {
        return Ok(());
    }
    Err(keys.bad("mixes kinds of attention layers, which is not supported".into(), remedy::UNSUPPORTED))
}
