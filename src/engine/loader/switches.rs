//! Options that change what a model computes and that are not supported.
//!
//! A model that opens although one of these is set would run and quietly give other numbers than its makers meant. Each
//! option stands here with the values that leave the computation as it is; with any other value the file is refused.
//! An option that is absent or null is not set. To support one, take its row out and read it in its family.

use super::error::{Result, printable, remedy};
use super::keys::{Answer, Keys};

/// A value that leaves the computation as it is.
#[derive(Debug, Clone, Copy)]
pub enum Neutral {
    /// This number.
    Number(f64),
    /// This truth value.
    Flag(bool),
    /// This text.
    Text(&'static str),
}

/// An option's key, and its neutral values.
pub type Switch = (&'static str, &'static [Neutral]);

const OFF: &[Neutral] = &[Neutral::Flag(false)];
const ON: &[Neutral] = &[Neutral::Flag(true)];
const ZERO: &[Neutral] = &[Neutral::Number(0.0), Neutral::Flag(false)];
const ONE: &[Neutral] = &[Neutral::Number(1.0)];
/// A factor, or zero for “not used”.
const ONE_OR_ZERO: &[Neutral] = &[Neutral::Number(1.0), Neutral::Number(0.0)];
const NOTHING: &[Neutral] = &[];

/// Options in config.json, by their names in transformers and in the original repositories.
pub const HUB: &[Switch] = &[
    ("attn_logit_softcapping", ZERO),
    ("final_logit_softcapping", ZERO),
    ("num_local_experts", ONE_OR_ZERO),
    ("num_experts", ONE_OR_ZERO),
    ("n_routed_experts", ONE_OR_ZERO),
    ("moe_num_experts", ONE_OR_ZERO),
    ("n_shared_experts", ZERO),
    ("shared_expert_intermediate_size", ZERO),
    ("first_k_dense_replace", ZERO),
    ("routed_scaling_factor", ONE),
    ("scoring_func", &[Neutral::Text("softmax")]),
    ("embedding_multiplier", ONE),
    ("residual_multiplier", ONE),
    ("attention_multiplier", NOTHING),
    ("query_pre_attn_scalar", NOTHING),
    ("logits_scaling", ONE),
    ("logit_scale", ONE),
    ("scale_emb", ONE),
    ("scale_depth", NOTHING),
    ("dim_model_base", NOTHING),
    ("rope_interleaved", OFF),
    ("rope_interleave", OFF),
    ("partial_rotary_factor", ONE),
    ("rotary_pct", ONE),
    ("position_embedding_type", &[Neutral::Text("rope"), Neutral::Text("rotary"), Neutral::Text("absolute")]),
    ("alibi", OFF),
    ("clip_qkv", ZERO),
    ("use_qk_norm", OFF),
    ("qk_norm", OFF),
    ("qk_layernorm", OFF),
    ("use_parallel_residual", OFF),
    ("parallel_attn", OFF),
    ("attention_chunk_size", NOTHING),
    ("is_encoder_decoder", OFF),
    ("is_causal", ON),
    ("use_bidirectional_attention", OFF),
    ("lm_head_bias", OFF),
];

/// Options in a group of RoPE parameters.
pub const ROPE: &[Switch] = &[("partial_rotary_factor", ONE), ("mrope_section", NOTHING), ("mrope_interleaved", OFF)];

/// Options in GGUF metadata, without the architecture's prefix.
pub const GGUF: &[Switch] = &[
    ("attention.causal", ON),
    ("attn_logit_softcapping", ZERO),
    ("final_logit_softcapping", ZERO),
    ("logit_scale", ONE_OR_ZERO),
    ("residual_scale", ONE_OR_ZERO),
    ("embedding_scale", ONE_OR_ZERO),
    ("expert_count", ONE_OR_ZERO),
    ("expert_shared_count", ZERO),
    ("expert_weights_scale", ONE_OR_ZERO),
    // 1 stands for the softmax.
    ("expert_gating_func", ONE_OR_ZERO),
    ("expert_group_count", ONE_OR_ZERO),
    ("leading_dense_block_count", ZERO),
    ("interleave_moe_layer_step", ONE_OR_ZERO),
    ("use_parallel_residual", OFF),
    ("attention.clamp_kqv", ZERO),
    ("attention.max_alibi_bias", ZERO),
    ("attention.temperature_scale", ZERO),
    ("rope.dimension_sections", NOTHING),
];

/// Endings of tensors of a block, or of the output, that would take part in the computation and that no supported family
/// has: norms of q and k or after a sublayer, biases of RMS norms, scales of quantised matrices, adapters.
pub const TENSORS: &[&str] = &[
    "norm.weight",
    "norm.bias",
    "lm_head.bias",
    "output.bias",
    "sinks",
    "sinks.weight",
    "scale",
    "scale_inv",
    "lora_A.weight",
    "lora_B.weight",
    "rope_factors_long.weight",
    "rope_factors_short.weight",
];

/// Parts of names of such tensors: experts, also those that every token visits.
pub const TENSORS_OF_EXPERTS: &[&str] = &["expert", "_exps.", "_shexp.", "ffn_gate_inp"];

/// Refuses a config that sets any of the options, but for those that its family reads.
pub fn refuse(keys: &Keys<'_>, switches: &[Switch], reads: &[&str]) -> Result<()> {
    for (key, neutral) in switches.iter().filter(|(key, _)| !reads.contains(key)) {
        let Some(answer) = keys.get(key) else { continue };
        if !neutral.iter().any(|neutral| is(&answer, neutral)) {
            let problem = format!("sets {key} to {}, which is not supported", shown(&answer));
            return Err(keys.bad(problem, remedy::UNSUPPORTED));
        }
    }
    Ok(())
}

fn is(answer: &Answer, neutral: &Neutral) -> bool {
    match (answer, neutral) {
        (Answer::Int(n), Neutral::Number(x)) => *n as f64 == *x,
        (Answer::Float(a), Neutral::Number(b)) => a == b,
        (Answer::Bool(a), Neutral::Flag(b)) => a == b,
        (Answer::Text(a), Neutral::Text(b)) => a == b,
        _ => false,
    }
}

fn shown(answer: &Answer) -> String {
    match answer {
        Answer::Int(n) => n.to_string(),
        Answer::Float(x) => x.to_string(),
        Answer::Bool(b) => b.to_string(),
        Answer::Text(text) => format!("“{}”", printable(text)),
        Answer::Ints(_) | Answer::Other(_) => "several values".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::engine::loader::keys::Origin;

    fn verdict(config: serde_json::Value) -> Result<()> {
        let map = config.as_object().cloned().unwrap_or_default();
        refuse(&Keys::new(Origin::Json(&map), PathBuf::from("config.json")), HUB, &[])
    }

    #[test]
    fn neutral_values_pass_and_others_do_not() {
        for fine in [json!({}), json!({"num_experts": null}), json!({"logits_scaling": 1}), json!({"clip_qkv": 0.0})] {
            assert_eq!(verdict(fine.clone()), Ok(()), "{fine}");
        }
        for bad in [json!({"num_experts": 8}), json!({"use_qk_norm": true}), json!({"attention_multiplier": [1]})] {
            assert!(verdict(bad.clone()).is_err(), "{bad}");
        }
    }
}
