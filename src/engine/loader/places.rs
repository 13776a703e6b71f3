//! Where families keep their parameters: the names of tensors in both kinds of file, as tables.
//!
//! In a name, `{}` stands for the layer and `{e}` for the expert. A family is made of a few of these tables.

use crate::model::{Param, TensorId};

/// Where a parameter is.
pub struct Place {
    /// Which parameter.
    pub param: Param,
    /// Its name in safetensors, as transformers saves it.
    pub hub: &'static str,
    /// Its name in GGUF.
    pub gguf: &'static str,
    /// How the tensor of that name holds it.
    pub held: Held,
}

/// How a tensor of a file holds a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Alone.
    Alone,
    /// Together with others: q, k and v one after the other.
    FusedQkv,
    /// One expert's, alone. A GGUF may stack those of all experts in one tensor `[E, out, in]` of this name instead.
    OfExpert {
        /// The name of the stack.
        stack: &'static str,
    },
}

impl Place {
    /// Whether a parameter is kept here.
    pub fn is_of(&self, id: TensorId) -> bool {
        self.param == id.param && matches!(self.held, Held::OfExpert { .. }) == id.expert.is_some()
    }
}

/// A name with the layer and the expert put in. `None` where the name has a place for one that is not given.
pub fn fill(name: &str, layer: Option<usize>, expert: Option<usize>) -> Option<String> {
    let put = |name: String, mark: &str, number: Option<usize>| match (name.contains(mark), number) {
        (false, _) => Some(name),
        (true, number) => Some(name.replace(mark, &number?.to_string())),
    };
    put(put(name.to_owned(), "{}", layer)?, "{e}", expert)
}

/// The layer and the expert of a name that was made by [`fill`] from `pattern`, `None` for those that it does not have.
pub fn read(pattern: &str, name: &str) -> Option<(Option<usize>, Option<usize>)> {
    // What stands before the first mark must begin the name; then comes a number, and the rest must fit the rest.
    let Some(at) = pattern.find('{') else { return (pattern == name).then_some((None, None)) };
    let (mark, after) = pattern[at..].split_once('}')?;
    let rest = name.strip_prefix(&pattern[..at])?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let number = rest[..end].parse().ok()?;
    let (layer, expert) = read(after, &rest[end..])?;
    Some(if mark == "{e" { (layer, Some(number)) } else { (Some(number), expert) })
}

const fn at(param: Param, hub: &'static str, gguf: &'static str) -> Place {
    Place { param, hub, gguf, held: Held::Alone }
}

const fn fused(param: Param, hub: &'static str, gguf: &'static str) -> Place {
    Place { param, hub, gguf, held: Held::FusedQkv }
}

const fn of_expert(param: Param, hub: &'static str, gguf: &'static str, stack: &'static str) -> Place {
    Place { param, hub, gguf, held: Held::OfExpert { stack } }
}

/// All of a Llama but its MLP, as its descendants have it too.
pub const LLAMA_STREAM: &[Place] = &[
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
    at(Param::FinalNorm, "model.norm.weight", "output_norm.weight"),
    at(Param::Unembed, "lm_head.weight", "output.weight"),
];

/// A Llama's MLP.
pub const LLAMA_MLP: &[Place] = &[
    at(Param::Gate, "model.layers.{}.mlp.gate_proj.weight", "blk.{}.ffn_gate.weight"),
    at(Param::GateBias, "model.layers.{}.mlp.gate_proj.bias", "blk.{}.ffn_gate.bias"),
    at(Param::Up, "model.layers.{}.mlp.up_proj.weight", "blk.{}.ffn_up.weight"),
    at(Param::UpBias, "model.layers.{}.mlp.up_proj.bias", "blk.{}.ffn_up.bias"),
    at(Param::Down, "model.layers.{}.mlp.down_proj.weight", "blk.{}.ffn_down.weight"),
    at(Param::DownBias, "model.layers.{}.mlp.down_proj.bias", "blk.{}.ffn_down.bias"),
];

/// The experts of a Mixtral.
pub const MIXTRAL_EXPERTS: &[Place] = &[
    at(Param::Router, "model.layers.{}.block_sparse_moe.gate.weight", "blk.{}.ffn_gate_inp.weight"),
    of_expert(
        Param::Gate,
        "model.layers.{}.block_sparse_moe.experts.{e}.w1.weight",
        "blk.{}.ffn_gate.{e}.weight",
        "blk.{}.ffn_gate_exps.weight",
    ),
    of_expert(
        Param::Up,
        "model.layers.{}.block_sparse_moe.experts.{e}.w3.weight",
        "blk.{}.ffn_up.{e}.weight",
        "blk.{}.ffn_up_exps.weight",
    ),
    of_expert(
        Param::Down,
        "model.layers.{}.block_sparse_moe.experts.{e}.w2.weight",
        "blk.{}.ffn_down.{e}.weight",
        "blk.{}.ffn_down_exps.weight",
    ),
];

/// Experts that are called like a Llama's MLP.
pub const LLAMA_EXPERTS: &[Place] = &[
    at(Param::Router, "model.layers.{}.mlp.gate.weight", "blk.{}.ffn_gate_inp.weight"),
    of_expert(
        Param::Gate,
        "model.layers.{}.mlp.experts.{e}.gate_proj.weight",
        "blk.{}.ffn_gate.{e}.weight",
        "blk.{}.ffn_gate_exps.weight",
    ),
    of_expert(
        Param::Up,
        "model.layers.{}.mlp.experts.{e}.up_proj.weight",
        "blk.{}.ffn_up.{e}.weight",
        "blk.{}.ffn_up_exps.weight",
    ),
    of_expert(
        Param::Down,
        "model.layers.{}.mlp.experts.{e}.down_proj.weight",
        "blk.{}.ffn_down.{e}.weight",
        "blk.{}.ffn_down_exps.weight",
    ),
];

/// Norms of q and k.
pub const QK_NORMS: &[Place] = &[
    at(Param::QNorm, "model.layers.{}.self_attn.q_norm.weight", "blk.{}.attn_q_norm.weight"),
    at(Param::KNorm, "model.layers.{}.self_attn.k_norm.weight", "blk.{}.attn_k_norm.weight"),
];

/// A GPT-2.
pub const GPT2: &[Place] = &[
    at(Param::Embed, "transformer.wte.weight", "token_embd.weight"),
    at(Param::PosEmbed, "transformer.wpe.weight", "position_embd.weight"),
    at(Param::Norm1, "transformer.h.{}.ln_1.weight", "blk.{}.attn_norm.weight"),
    at(Param::Norm1Bias, "transformer.h.{}.ln_1.bias", "blk.{}.attn_norm.bias"),
    fused(Param::Q, "transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::QBias, "transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    fused(Param::K, "transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::KBias, "transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    fused(Param::V, "transformer.h.{}.attn.c_attn.weight", "blk.{}.attn_qkv.weight"),
    fused(Param::VBias, "transformer.h.{}.attn.c_attn.bias", "blk.{}.attn_qkv.bias"),
    at(Param::O, "transformer.h.{}.attn.c_proj.weight", "blk.{}.attn_output.weight"),
    at(Param::OBias, "transformer.h.{}.attn.c_proj.bias", "blk.{}.attn_output.bias"),
    at(Param::Norm2, "transformer.h.{}.ln_2.weight", "blk.{}.ffn_norm.weight"),
    at(Param::Norm2Bias, "transformer.h.{}.ln_2.bias", "blk.{}.ffn_norm.bias"),
    at(Param::Up, "transformer.h.{}.mlp.c_fc.weight", "blk.{}.ffn_up.weight"),
    at(Param::UpBias, "transformer.h.{}.mlp.c_fc.bias", "blk.{}.ffn_up.bias"),
    at(Param::Down, "transformer.h.{}.mlp.c_proj.weight", "blk.{}.ffn_down.weight"),
    at(Param::DownBias, "transformer.h.{}.mlp.c_proj.bias", "blk.{}.ffn_down.bias"),
    at(Param::FinalNorm, "transformer.ln_f.weight", "output_norm.weight"),
    at(Param::FinalNormBias, "transformer.ln_f.bias", "output_norm.bias"),
    at(Param::Unembed, "lm_head.weight", "output.weight"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_made() {
        let pattern = "model.layers.{}.block_sparse_moe.experts.{e}.w1.weight";
        let name = fill(pattern, Some(12), Some(7)).unwrap();
        assert_eq!(name, "model.layers.12.block_sparse_moe.experts.7.w1.weight");
        assert_eq!(read(pattern, &name), Some((Some(12), Some(7))));
        assert_eq!(fill(pattern, Some(12), None), None);
        assert_eq!(read("blk.{}.attn_q.weight", "blk.3.attn_q.weight"), Some((Some(3), None)));
        assert_eq!(read("output.weight", "output.weight"), Some((None, None)));
        for other in ["blk.3.attn_q.bias", "blk.x.attn_q.weight", "blk..attn_q.weight", "blk.3", "blk.-1.attn_q.weight"]
        {
            assert_eq!(read("blk.{}.attn_q.weight", other), None, "{other}");
        }
    }
}
