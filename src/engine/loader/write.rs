//! A model as a folder that transformers and this program open: `config.json` and `model.safetensors` under the names of
//! the Hub, in f32.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};

use super::error::{LoadError, Result, remedy};
use super::families::FAMILIES;
use crate::model::{ModelConfig, Positions, RopeScaling, TensorId};

/// The parts of a model that go into its folder.
pub struct Saved<'a> {
    /// Its architecture: a `llama` or a `mixtral` with plain rotary positions.
    pub config: &'a ModelConfig,
    /// The token that ends a text.
    pub end: u32,
    /// Every parameter of the config's table, `[out, in]`.
    pub tensors: &'a [(TensorId, Vec<usize>, Vec<f32>)],
}

/// Writes `config.json` and `model.safetensors` into a folder, which is made if it is not there.
pub fn save_hub(folder: &Path, saved: &Saved<'_>) -> Result<()> {
    let io = |e: std::io::Error| LoadError::io(folder, &e);
    std::fs::create_dir_all(folder).map_err(io)?;
    let config = serde_json::to_string_pretty(&config_json(folder, saved)?).map_err(|e| io(e.into()))?;
    std::fs::write(folder.join("config.json"), config + "\n").map_err(io)?;

    let family = FAMILIES.iter().find(|family| family.name == saved.config.family);
    let mut views = Vec::new();
    for (id, shape, values) in saved.tensors {
        let Some(name) = family.and_then(|family| family.hub_name(*id)) else {
            return Err(LoadError::new(folder, format!("cannot hold the tensor {id}"), remedy::UNSUPPORTED));
        };
        let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
        views.push((name, view.map_err(|e| LoadError::new(folder, e.to_string(), remedy::DAMAGED))?));
    }
    let metadata = Some([("format".to_string(), "pt".to_string())].into());
    safetensors::serialize_to_file(views, metadata, &folder.join("model.safetensors"))
        .map_err(|e| LoadError::new(folder, format!("could not be written ({e})"), remedy::DAMAGED))
}

/// An f32 as the f64 that prints the same: 1e-5, not 9.999999747378752e-6.
fn as_written(x: f32) -> f64 {
    x.to_string().parse().unwrap_or(f64::from(x))
}

/// The keys of transformers' `LlamaConfig` and `MixtralConfig`.
fn config_json(folder: &Path, saved: &Saved<'_>) -> Result<Value> {
    let c = saved.config;
    let Positions::Rotary(rotary) = &c.positions else {
        return Err(LoadError::new(folder, "can hold rotary models only".to_string(), remedy::UNSUPPORTED));
    };
    debug_assert_eq!(rotary.scaling, RopeScaling::None);
    let architecture = if c.moe.is_some() { "MixtralForCausalLM" } else { "LlamaForCausalLM" };
    let mut json = json!({
        "architectures": [architecture],
        "model_type": c.family,
        "vocab_size": c.d_vocab,
        "hidden_size": c.d_model,
        "intermediate_size": c.d_mlp,
        "num_hidden_layers": c.n_layers,
        "num_attention_heads": c.n_heads,
        "num_key_value_heads": c.n_kv_heads,
        "head_dim": c.d_head,
        "max_position_embeddings": c.n_ctx,
        "rms_norm_eps": as_written(c.norm_eps),
        "rope_theta": rotary.theta,
        "hidden_act": "silu",
        "tie_word_embeddings": c.tied_embeddings,
        "bos_token_id": saved.end,
        "eos_token_id": saved.end,
        "torch_dtype": "float32",
    });
    if c.moe.is_none() {
        json["attention_bias"] = json!(false);
        json["mlp_bias"] = json!(false);
    }
    if let Some(moe) = &c.moe {
        json["intermediate_size"] = json!(moe.d_expert);
        json["num_local_experts"] = json!(moe.n_experts);
        json["num_experts_per_tok"] = json!(moe.top_k);
        json["sliding_window"] = Value::Null;
    }
    Ok(json)
}
