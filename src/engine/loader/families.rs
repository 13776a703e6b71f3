//! Families as data: what each calls its sizes, switches and tensors, mapped to the one [`ModelConfig`].
//!
//! To add a family, add a row to [`FAMILIES`]: its names on both kinds of file ([`places`]), and a function from its keys
//! to the config ([`hub_config`], [`gguf_config`]). The forward pass does not change.

use super::error::{Result, printable, remedy};
use super::keys::Keys;
use super::places::{self, Place};
use super::{gguf_config, hub_config};
use crate::model::{ModelConfig, TensorId};

/// One family of models.
pub struct Family {
    /// Its name, as `model_type` in config.json.
    pub name: &'static str,
    /// Its name as `general.architecture` in GGUF, or that of a family that its files cannot be told from.
    pub(super) gguf_name: &'static str,
    /// From config.json to the architecture.
    pub(super) from_hub: fn(&Keys<'_>) -> Result<ModelConfig>,
    /// From GGUF metadata to the architecture. What only the tensors tell is settled afterwards.
    pub(super) from_gguf: fn(&Keys<'_>) -> Result<ModelConfig>,
    /// Where each parameter is.
    pub(super) places: &'static [&'static [Place]],
    /// Options that it reads, and that are refused where a family does not.
    pub(super) reads: &'static [&'static str],
    /// A prefix that names in a safetensors file may have or lack.
    pub(super) hub_prefix: &'static str,
    /// Whether matrices of the blocks are stored `[in, out]` in safetensors (GPT-2's Conv1D).
    pub(super) hub_transposed: bool,
    /// Whether a GGUF stores the rows of q and k so that neighbouring dimensions are rotated together.
    pub(super) gguf_permuted: bool,
    /// Endings of tensor names that hold no parameter (buffers).
    pub(super) buffers: &'static [&'static str],
}

/// A family whose files look like Llama's.
const LLAMA_LIKE: Family = Family {
    name: "llama",
    gguf_name: "llama",
    from_hub: hub_config::llama,
    from_gguf: gguf_config::llama,
    places: &[places::LLAMA_STREAM, places::LLAMA_MLP],
    reads: &["expert_count"],
    hub_prefix: "model.",
    hub_transposed: false,
    gguf_permuted: true,
    buffers: &[".rotary_emb.inv_freq"],
};

/// Options about experts.
const EXPERTS: &[&str] = &["num_local_experts", "num_experts", "expert_count"];

/// Every family that can be opened.
pub const FAMILIES: &[Family] = &[
    LLAMA_LIKE,
    Family { name: "mistral", gguf_name: "mistral", from_hub: hub_config::mistral, ..LLAMA_LIKE },
    Family {
        name: "mixtral",
        from_hub: hub_config::mixtral,
        places: &[places::LLAMA_STREAM, places::MIXTRAL_EXPERTS],
        reads: EXPERTS,
        ..LLAMA_LIKE
    },
    Family {
        name: "qwen2",
        gguf_name: "qwen2",
        from_hub: hub_config::qwen2,
        from_gguf: gguf_config::qwen2,
        reads: &[],
        gguf_permuted: false,
        ..LLAMA_LIKE
    },
    Family {
        name: "qwen3",
        gguf_name: "qwen3",
        from_hub: hub_config::qwen3,
        from_gguf: gguf_config::qwen3,
        places: &[places::LLAMA_STREAM, places::QK_NORMS, places::LLAMA_MLP],
        reads: &[],
        gguf_permuted: false,
        ..LLAMA_LIKE
    },
    Family {
        name: "qwen3_moe",
        gguf_name: "qwen3moe",
        from_hub: hub_config::qwen3_moe,
        from_gguf: gguf_config::qwen3,
        places: &[places::LLAMA_STREAM, places::QK_NORMS, places::LLAMA_MLP, places::LLAMA_EXPERTS],
        reads: EXPERTS,
        gguf_permuted: false,
        ..LLAMA_LIKE
    },
    Family {
        name: "olmoe",
        gguf_name: "olmoe",
        from_hub: hub_config::olmoe,
        from_gguf: gguf_config::olmoe,
        places: &[places::LLAMA_STREAM, places::QK_NORMS, places::LLAMA_EXPERTS],
        reads: EXPERTS,
        gguf_permuted: false,
        ..LLAMA_LIKE
    },
    Family {
        name: "gpt2",
        gguf_name: "gpt2",
        from_hub: hub_config::gpt2,
        from_gguf: gguf_config::gpt2,
        places: &[places::GPT2],
        reads: &[],
        hub_prefix: "transformer.",
        hub_transposed: true,
        gguf_permuted: false,
        buffers: &[".attn.bias", ".attn.masked_bias"],
    },
];

impl Family {
    /// The family that a config is of.
    pub fn of(config: &ModelConfig) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| family.name == config.family)
    }

    /// The family that config.json names, or a sentence about one that cannot be opened.
    pub(super) fn of_hub(name: &str, keys: &Keys<'_>) -> Result<&'static Self> {
        FAMILIES.iter().find(|family| family.name == name).ok_or_else(|| unknown(name, keys))
    }

    /// The first of the families that a GGUF may mean by a name.
    pub(super) fn of_gguf(name: &str, keys: &Keys<'_>) -> Result<&'static Self> {
        FAMILIES.iter().find(|family| family.gguf_name == name).ok_or_else(|| unknown(name, keys))
    }

    /// Every place.
    pub(super) fn places(&self) -> impl Iterator<Item = &'static Place> {
        self.places.iter().copied().flatten()
    }

    /// Where a parameter is.
    pub(super) fn place(&self, id: TensorId) -> Option<&'static Place> {
        self.places().find(|place| place.is_of(id))
    }

    /// The name under which a newly saved safetensors file holds a parameter. A GPT-2 holds q, k and v in one tensor, so
    /// these three have one name there. `None` for a parameter that models of the family do not have.
    pub fn hub_name(&self, id: TensorId) -> Option<String> {
        places::fill(self.place(id)?.hub, id.layer, id.expert)
    }
}

fn unknown(name: &str, keys: &Keys<'_>) -> super::LoadError {
    let name = printable(name);
    keys.bad(format!("holds a model of the family “{name}”, which is not supported yet"), remedy::UNSUPPORTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Param;

    #[test]
    fn the_remedy_names_every_family() {
        for family in FAMILIES {
            assert!(remedy::UNSUPPORTED.contains(family.name), "{}", family.name);
        }
    }

    #[test]
    fn names_of_newly_saved_files() {
        let name = |family: &str, id| FAMILIES.iter().find(|f| f.name == family).and_then(|f| f.hub_name(id));
        let expert = TensorId::expert(2, 5, Param::Down);
        for (family, id, want) in [
            ("llama", TensorId::global(Param::Embed), Some("model.embed_tokens.weight")),
            ("llama", TensorId::layer(3, Param::Down), Some("model.layers.3.mlp.down_proj.weight")),
            ("llama", expert, None),
            ("mixtral", expert, Some("model.layers.2.block_sparse_moe.experts.5.w2.weight")),
            ("mixtral", TensorId::layer(2, Param::Router), Some("model.layers.2.block_sparse_moe.gate.weight")),
            ("mixtral", TensorId::layer(2, Param::Down), None),
            ("qwen3_moe", expert, Some("model.layers.2.mlp.experts.5.down_proj.weight")),
            ("qwen3_moe", TensorId::layer(2, Param::Down), Some("model.layers.2.mlp.down_proj.weight")),
            ("gpt2", TensorId::layer(1, Param::K), Some("transformer.h.1.attn.c_attn.weight")),
            ("gpt2", TensorId::global(Param::Unembed), Some("lm_head.weight")),
        ] {
            assert_eq!(name(family, id).as_deref(), want, "{id} of {family}");
        }
    }
}
