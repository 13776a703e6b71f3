//! Models whose parts contradict each other, and models that mean something that is not computed here. Opened all the
//! same, they would run and quietly give other numbers than their makers meant.

use serde_json::{Value, json};

use crate::forge::{Gguf, Meta, Safetensors, Tensor, hub_folder, llama_config, text, values};
use crate::{refused, works};

/// The tiny model's folder with another config.
fn folder_with(change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let mut config = llama_config();
    change(&mut config);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

/// The tiny model's tensors and one more.
fn and_tensor(name: &str, shape: &[u64]) -> Vec<u8> {
    let mut model = Safetensors::llama();
    model.add(name, shape);
    model.bytes()
}

fn and_gguf_tensor(name: &str, dims: &[u64]) -> Gguf {
    let data = values(name, dims.iter().product());
    let tensor = Tensor { name: name.into(), dims: dims.to_vec(), kind: 0, offset: None, data };
    Gguf::llama().but(|g| g.tensors.push(tensor))
}

#[test]
fn tensors_that_the_config_does_not_know() {
    let folder = folder_with(|_| ());
    let path = folder.path().join("model.safetensors");
    for (name, shape, says) in [
        ("model.layers.1.mlp.up_proj.weight", &[12, 8][..], "there is 1 layer"),
        ("layers.7.mlp.up_proj.weight", &[12, 8], "there is 1 layer"),
        ("model.layers.0.self_attn.q_proj.bias", &[8], "no such bias"),
        ("model.layers.0.mlp.down_proj.bias", &[8], "no such bias"),
        ("model.layers.0.self_attn.q_norm.weight", &[4], "supported"),
        ("model.layers.0.mlp.up_proj.lora_A.weight", &[8], "supported"),
        ("embed_tokens.weight", &[8, 8], "another name"),
        ("lm_head.bias", &[8], "lm_head.bias"),
    ] {
        std::fs::write(&path, and_tensor(name, shape)).unwrap();
        refused(name, folder.path(), &["model.safetensors", says]);
    }
    let file = folder.path().join("tiny.gguf");
    for (name, dims, says) in [
        ("blk.1.attn_q.weight", &[8, 8][..], "there is 1 layer"),
        ("blk.0.attn_k.bias", &[4], "no such bias"),
        ("blk.0.ffn_down.bias", &[8], "no such bias"),
        ("blk.0.attn_q_norm.weight", &[4], "attn_q_norm"),
    ] {
        refused(name, &and_gguf_tensor(name, dims).write(&file), &["tiny.gguf", says]);
    }
    for n in [4, 9, 10_000] {
        refused("vocab_size", &Gguf::llama().with("llama.vocab_size", Meta::U32(n)).write(&file), &["8 rows"]);
    }
    works("the right vocab_size", &Gguf::llama().with("llama.vocab_size", Meta::U32(8)).write(&file));
}

#[test]
fn extra_tensors_are_a_warning() {
    let folder = folder_with(|_| ());
    let path = folder.path().join("model.safetensors");
    let want = works("the whole model", folder.path());
    let warnings = || glassbox::engine::loader::open(folder.path()).unwrap().report.warnings;
    std::fs::write(&path, and_tensor("model.layers.0.self_attn.rotary_emb.inv_freq", &[2])).unwrap();
    assert_eq!((works("a buffer", folder.path()), warnings()), (want.clone(), Vec::new()));
    std::fs::write(&path, and_tensor("value_head.weight", &[8])).unwrap();
    assert_eq!(works("a head", folder.path()), want);
    assert_eq!(warnings(), ["1 tensor of the file is not used: value_head.weight."]);

    let tied = folder_with(|c| c["tie_word_embeddings"] = json!(true));
    works("a tied model with a copy of its table", tied.path());
}

#[test]
fn options_that_are_not_supported() {
    for (key, value) in [
        ("attn_logit_softcapping", json!(50.0)),
        ("final_logit_softcapping", json!(30)),
        ("num_local_experts", json!(8)),
        ("num_experts", json!(60)),
        ("embedding_multiplier", json!(12.0)),
        ("residual_multiplier", json!(0.22)),
        ("attention_multiplier", json!(0.015)),
        ("logits_scaling", json!(8.0)),
        ("rope_interleaved", json!(true)),
        ("clip_qkv", json!(8.0)),
        ("use_qk_norm", json!(true)),
        ("partial_rotary_factor", json!(0.25)),
        ("use_parallel_residual", json!(true)),
        ("is_encoder_decoder", json!(true)),
        ("logit_scale", json!("much")),
    ] {
        let folder = folder_with(|c| c[key] = value.clone());
        refused(&format!("{key} = {value}"), folder.path(), &["config.json", key]);
    }
    let want = works("the whole model", folder_with(|_| ()).path());
    for (key, value) in [
        ("attn_logit_softcapping", Value::Null),
        ("num_local_experts", json!(0)),
        ("embedding_multiplier", json!(1.0)),
        ("logits_scaling", json!(1)),
        ("rope_interleaved", json!(false)),
        ("partial_rotary_factor", json!(1.0)),
        ("is_encoder_decoder", json!(false)),
    ] {
        let folder = folder_with(|c| c[key] = value.clone());
        assert_eq!(works(&format!("{key} = {value}"), folder.path()), want);
        assert!(glassbox::engine::loader::open(folder.path()).unwrap().report.warnings.is_empty(), "{key}");
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    for (key, value) in [
        ("attention.causal", Meta::Bool(0)),
        ("logit_scale", Meta::F32(0.5)),
        ("final_logit_softcapping", Meta::F32(30.0)),
        ("attn_logit_softcapping", Meta::F32(50.0)),
        ("expert_shared_count", Meta::U32(1)),
        ("residual_scale", Meta::F32(0.2)),
        ("embedding_scale", Meta::F32(12.0)),
        ("attention.clamp_kqv", Meta::F32(8.0)),
        ("rope.dimension_sections", Meta::I32s(vec![1, 1, 0, 0])),
    ] {
        let model = Gguf::llama().with(&format!("llama.{key}"), value);
        refused(key, &model.write(&file), &[key]);
    }
    for (key, value) in [
        ("attention.causal", Meta::Bool(1)),
        ("logit_scale", Meta::F32(1.0)),
        ("expert_count", Meta::U32(0)),
        ("residual_scale", Meta::F32(0.0)),
    ] {
        works(key, &Gguf::llama().with(&format!("llama.{key}"), value).write(&file));
    }
}

#[test]
fn positions_that_contradict_or_are_unknown() {
    let linear = json!({"rope_type": "linear", "factor": 4.0});
    let config = |change: &dyn Fn(&mut Value)| {
        let folder = folder_with(|c| change(c));
        let opened = glassbox::engine::loader::open(folder.path()).map(|c| c.config.positions);
        (folder, opened)
    };
    let (_keep, want) = config(&|c| c["rope_scaling"] = linear.clone());
    let (_keep, plain) = config(&|_| ());
    assert_ne!(want, plain);
    for beside in [json!({}), Value::Null, json!({"rope_theta": 10_000.0}), linear.clone()] {
        let (_keep, found) = config(&|c| (c["rope_parameters"], c["rope_scaling"]) = (beside.clone(), linear.clone()));
        assert_eq!(found, want, "{beside}");
    }
    for (what, new, old, says) in [
        ("default and linear", json!({"rope_type": "default"}), linear.clone(), "different"),
        ("two bases", json!({"rope_theta": 1e4}), json!({"rope_theta": 1e5}), "different"),
        ("by kind of layer", json!({"full_attention": linear}), Value::Null, "full_attention"),
        ("sections", json!({"rope_type": "default", "mrope_section": [1, 1, 0]}), Value::Null, "mrope_section"),
        ("a factor of no kind", json!({"factor": 4.0}), Value::Null, "rope_type"),
        ("yarn without a factor", json!({"rope_type": "yarn"}), Value::Null, "factor"),
        ("yarn by -1", json!({"rope_type": "yarn", "factor": -1}), Value::Null, "factor"),
        ("a base of 1", json!({"rope_theta": 1.0}), Value::Null, "base"),
        ("longrope", json!({"rope_type": "longrope", "long_factor": [1, 1]}), Value::Null, "longrope"),
    ] {
        let (folder, _) = config(&|c| (c["rope_parameters"], c["rope_scaling"]) = (new.clone(), old.clone()));
        refused(what, folder.path(), &["config.json", says]);
    }

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    let kind = |kind: &str| Gguf::llama().with("llama.rope.scaling.type", text(kind));
    let by = |model: Gguf, factor: f32| model.with("llama.rope.scaling.factor", Meta::F32(factor));
    for (what, model, says) in [
        ("longrope", kind("longrope"), "longrope"),
        ("longrope by 1", by(kind("longrope"), 1.0), "longrope"),
        ("linear without a factor", kind("linear"), "factor"),
        ("yarn without a factor", kind("yarn"), "factor"),
        ("yarn by 0", by(kind("yarn"), 0.0), "factor"),
        ("by -2", by(Gguf::llama(), -2.0), "factor"),
        ("a base of 1", Gguf::llama().with("rope.freq_base", Meta::F32(1.0)), "base"),
        ("eps 2", Gguf::llama().with("attention.layer_norm_rms_epsilon", Meta::F32(2.0)), "epsilon"),
    ] {
        refused(what, &model.write(&file), &["tiny.gguf", says]);
    }
    let want = works("plain", &Gguf::llama().write(&file));
    for (what, model) in
        [("none", kind("none")), ("linear by 1", by(kind("linear"), 1.0)), ("by 0", by(Gguf::llama(), 0.0))]
    {
        assert_eq!(works(what, &model.write(&file)), want, "{what}");
    }
}

#[test]
fn keys_that_are_left_out_have_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let gpt2 = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/conformance/gpt2/model.safetensors"));
    std::fs::write(folder.path().join("model.safetensors"), gpt2.unwrap()).unwrap();
    // The tensors are a tiny model's, so the defaults show in what is asked of them.
    for (config, says) in [
        (json!({"model_type": "gpt2"}), "[50257, 768]"),
        (json!({"model_type": "gpt2", "vocab_size": 353, "n_embd": 32, "n_head": 4}), "[1024, 32]"),
    ] {
        std::fs::write(&path, config.to_string()).unwrap();
        refused("gpt2", folder.path(), &["model.safetensors", says]);
    }
    for (family, vocab, width) in [
        ("llama", 32_000, 4096),
        ("mistral", 32_000, 4096),
        ("mixtral", 32_000, 4096),
        ("qwen2", 151_936, 4096),
        ("qwen3", 151_936, 4096),
        ("qwen3_moe", 151_936, 2048),
        ("olmoe", 50_304, 2048),
    ] {
        std::fs::write(&path, json!({ "model_type": family }).to_string()).unwrap();
        std::fs::write(folder.path().join("model.safetensors"), Safetensors::llama().bytes()).unwrap();
        refused(family, folder.path(), &["model.safetensors", &format!("[{vocab}, {width}]")]);
    }
}

#[test]
fn windows_of_qwen2() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/conformance/qwen2/");
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "config.json"] {
        std::fs::copy(format!("{data}{name}"), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("config.json");
    let base: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let window = |first: u64| {
        let mut config = base.clone();
        config.as_object_mut().unwrap().remove("layer_types");
        (config["use_sliding_window"], config["sliding_window"]) = (json!(true), json!(16));
        config["max_window_layers"] = json!(first);
        std::fs::write(&path, config.to_string()).unwrap();
        glassbox::engine::loader::open(folder.path()).map(|c| c.config.sliding_window).map_err(|e| e.to_string())
    };
    assert_eq!((window(3), window(28), window(0)), (Ok(None), Ok(None), Ok(Some(16))));
    assert!(window(1).unwrap_err().contains("only some of its layers"));
}

#[test]
fn a_gguf_beside_a_config() {
    let folder = folder_with(|_| ());
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    Gguf::llama().write(&folder.path().join("tiny.gguf"));
    let opened = glassbox::engine::loader::open(folder.path()).unwrap();
    assert_eq!(opened.report.container, "GGUF");
    Gguf::llama().write(&folder.path().join("other.gguf"));
    refused("two of them", folder.path(), &["several .gguf"]);
}

#[test]
fn vocabularies_of_a_wrong_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    for (key, value) in [
        ("model", Meta::U32(1)),
        ("pre", Meta::F32s(vec![1.0])),
        ("merges", Meta::I32s(vec![1])),
        ("merges", text("a b")),
        ("token_type", Meta::F32s(vec![1.0; 8])),
        ("scores", Meta::I32s(vec![1; 8])),
        ("bos_token_id", text("0")),
        ("add_bos_token", Meta::U32(1)),
    ] {
        let model = Gguf::llama().with(&format!("tokenizer.ggml.{key}"), value);
        refused(key, &model.write(&path), &["tiny.gguf", key]);
    }
}
