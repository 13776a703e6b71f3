//! Experts that do not add up.

use std::path::Path;

use serde_json::{Value, json};

use crate::forge::{Gguf, Meta, Safetensors, Tensor, hub_folder, mixtral_config, values};
use crate::{refused, works};

/// The tiny model with experts as a folder, with another config.
fn folder_with(change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    write(folder.path(), Safetensors::mixtral());
    let mut config = mixtral_config();
    change(&mut config);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

fn write(folder: &Path, model: Safetensors) {
    std::fs::write(folder.join("model.safetensors"), model.bytes()).unwrap();
}

/// The stacks taken apart, as old files have them.
fn single() -> Gguf {
    Gguf::mixtral().but(|g| {
        let (stacks, mut rest): (Vec<Tensor>, Vec<Tensor>) =
            g.tensors.drain(..).partition(|t| t.name.ends_with(b"_exps.weight"));
        for stack in stacks {
            let name = String::from_utf8(stack.name).unwrap().replace("_exps.weight", "");
            for (expert, data) in stack.data.chunks(stack.data.len() / 4).enumerate() {
                let name = format!("{name}.{expert}.weight").into_bytes();
                rest.push(Tensor { name, dims: stack.dims[..2].to_vec(), data: data.to_vec(), ..stack });
            }
        }
        g.tensors = rest;
    })
}

#[test]
fn both_forms_work_and_agree() {
    let folder = tempfile::tempdir().unwrap();
    let stacked = works("stacked", &Gguf::mixtral().write(&folder.path().join("stacked.gguf")));
    assert_eq!(works("single", &single().write(&folder.path().join("single.gguf"))), stacked);
    works("a folder", folder_with(|_| ()).path());
    // All experts for every token, and one expert alone, are odd but right.
    works("all", &Gguf::mixtral().with("llama.expert_used_count", Meta::U32(4)).write(&folder.path().join("a.gguf")));
    let one = Gguf::mixtral()
        .with("llama.expert_count", Meta::U32(1))
        .with("llama.expert_used_count", Meta::U32(1))
        .but(|g| {
            for t in g.tensors.iter_mut().filter(|t| t.name.ends_with(b"_exps.weight")) {
                (t.dims[2], t.data) = (1, t.data[..t.data.len() / 4].to_vec());
            }
        })
        .tensor("blk.0.ffn_gate_inp.weight", |t| (t.dims[1], t.data) = (1, t.data[..32].to_vec()));
    works("one", &one.write(&folder.path().join("one.gguf")));
}

#[test]
fn counts_that_lie() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    for (key, n, says) in [
        ("expert_count", 0, "ffn_gate"),
        ("expert_count", 1_000_000_000, "expert_count"),
        ("expert_count", u32::MAX, "expert_count"),
        ("expert_count", 2_000_000, "2000000 experts"),
        ("expert_count", 3, "[3, 8]"),
        ("expert_count", 5, "[5, 8]"),
        ("expert_count", 1, "2 of its 1 experts"),
        ("expert_used_count", 0, "expert_used_count"),
        ("expert_used_count", 5, "5 of its 4 experts"),
        ("expert_used_count", 1_000_000_000, "expert_used_count"),
        ("expert_feed_forward_length", 7, "[4, 7, 8]"),
        ("expert_feed_forward_length", 0, "expert_feed_forward_length"),
        ("expert_shared_count", 1, "expert_shared_count"),
        ("expert_gating_func", 2, "expert_gating_func"),
        ("leading_dense_block_count", 1, "leading_dense_block_count"),
    ] {
        let model = Gguf::mixtral().with(&format!("llama.{key}"), Meta::U32(n));
        refused(&format!("{key} = {n}"), &model.write(&file), &["tiny.gguf", says]);
    }
    let without = Gguf::mixtral().without("expert_used_count");
    refused("no expert_used_count", &without.write(&file), &["tiny.gguf", "expert_used_count"]);
    let fraction = Gguf::mixtral().with("llama.expert_count", Meta::F32(4.0));
    refused("a fraction", &fraction.write(&file), &["tiny.gguf", "expert_count"]);
    let scaled = Gguf::mixtral().with("llama.expert_weights_scale", Meta::F32(2.5));
    refused("scaled weights", &scaled.write(&file), &["tiny.gguf", "expert_weights_scale"]);
    let unscaled = Gguf::mixtral().with("llama.expert_weights_norm", Meta::Bool(0));
    refused("weights as they are", &unscaled.write(&file), &["tiny.gguf", "expert_weights_norm"]);
    let dense = Gguf::llama().with("llama.expert_count", Meta::U32(8));
    refused("a dense model", &dense.write(&file), &["tiny.gguf", "expert_used_count"]);

    for (key, value, says) in [
        ("num_local_experts", json!(0), "num_local_experts"),
        ("num_local_experts", json!(-4), "num_local_experts"),
        ("num_local_experts", json!(1_000_000_000), "num_local_experts"),
        ("num_local_experts", json!(40_000), "40000 experts"),
        ("num_local_experts", json!("four"), "num_local_experts"),
        ("num_local_experts", json!(4.5), "num_local_experts"),
        ("num_local_experts", json!(3), "[3, 8]"),
        ("num_local_experts", json!(5), "[5, 8]"),
        ("num_experts", json!(8), "different"),
        ("num_experts_per_tok", json!(0), "num_experts_per_tok"),
        ("num_experts_per_tok", json!(5), "5 of its 4 experts"),
        ("num_experts_per_tok", Value::Null, "num_experts_per_tok"),
        ("intermediate_size", json!(11), "[11, 8]"),
        ("routed_scaling_factor", json!(2.5), "routed_scaling_factor"),
        ("model_type", json!("llama"), "num_local_experts"),
    ] {
        let folder = folder_with(|c| c[key] = value.clone());
        refused(&format!("{key} = {value}"), folder.path(), &[says]);
    }
}

#[test]
fn tensors_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tiny.gguf");
    let stack = "blk.0.ffn_up_exps.weight";
    for (what, dims, says) in [
        ("the wrong way round", &[12, 8, 4][..], "shape [4, 8, 12]"),
        ("the experts first", &[4, 12, 8], "shape [8, 12, 4]"),
        ("too few experts", &[8, 12, 3], "shape [3, 12, 8]"),
        ("flattened", &[8, 48], "shape [48, 8]"),
        ("four axes", &[8, 12, 4, 1], "shape [1, 4, 12, 8]"),
        ("one value", &[1], "shape [1]"),
    ] {
        let model = Gguf::mixtral().tensor(stack, |t| {
            t.dims = dims.to_vec();
            t.data = values(stack, dims.iter().product());
        });
        refused(what, &model.write(&file), &["tiny.gguf", stack, says]);
    }
    let lacks = |model: Gguf, name: &str| model.but(|g| g.tensors.retain(|t| t.name != name.as_bytes()));
    let router = "blk.0.ffn_gate_inp.weight";
    refused("no stack", &lacks(Gguf::mixtral(), stack).write(&file), &["tiny.gguf", "ffn_up"]);
    refused("no router", &lacks(Gguf::mixtral(), router).write(&file), &["tiny.gguf", router]);
    let one = "blk.0.ffn_down.2.weight";
    refused("an expert without one matrix", &lacks(single(), one).write(&file), &["tiny.gguf", one]);

    let and = |model: Gguf, name: &str, dims: &[u64]| {
        let data = values(name, dims.iter().product());
        model.but(|g| g.tensors.push(Tensor { name: name.into(), dims: dims.to_vec(), kind: 0, offset: None, data }))
    };
    for (what, model, says) in [
        ("a fifth expert", and(single(), "blk.0.ffn_up.4.weight", &[8, 12]), "4 experts"),
        ("both forms", and(Gguf::mixtral(), "blk.0.ffn_up.1.weight", &[8, 12]), "does not ask for it"),
        ("a second layer", and(Gguf::mixtral(), "blk.1.ffn_up_exps.weight", &[8, 12, 4]), "1 layer"),
        ("a shared expert", and(Gguf::mixtral(), "blk.0.ffn_up_shexp.weight", &[8, 12]), "ffn_up_shexp"),
        ("experts of a dense model", and(Gguf::llama(), stack, &[8, 12, 4]), stack),
        ("a router of a dense model", and(Gguf::llama(), router, &[8, 4]), router),
    ] {
        refused(what, &model.write(&file), &["tiny.gguf", says]);
    }

    let folder = folder_with(|_| ());
    let moe = "model.layers.0.block_sparse_moe";
    for name in [format!("{moe}.experts.2.w3.weight"), format!("{moe}.gate.weight")] {
        write(folder.path(), Safetensors::mixtral().only(|n| n != name));
        refused("a missing tensor", folder.path(), &["model.safetensors", &name]);
    }
    for (name, says) in [
        (format!("{moe}.experts.4.w1.weight"), "4 experts"),
        (format!("{moe}.shared_expert.w1.weight"), "shared_expert"),
    ] {
        let mut model = Safetensors::mixtral();
        model.add(&name, &[12, 8]);
        write(folder.path(), model);
        refused(&name, folder.path(), &["model.safetensors", says]);
    }
}

#[test]
fn layers_with_and_without_experts() {
    let (folder, data) =
        (tempfile::tempdir().unwrap(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/conformance/"));
    let base: Value = serde_json::from_slice(&std::fs::read(format!("{data}qwen3_moe/config.json")).unwrap()).unwrap();
    write(folder.path(), Safetensors::llama());
    let says = |key: &str, value: Value| {
        let mut config = base.clone();
        config[key] = value;
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        glassbox::engine::loader::open(folder.path()).unwrap_err().to_string()
    };
    for (key, value) in [
        ("mlp_only_layers", json!([1])),
        ("mlp_only_layers", json!([0, 2])),
        ("mlp_only_layers", json!([-1])),
        ("mlp_only_layers", json!("none")),
        ("decoder_sparse_step", json!(0)),
        ("moe_intermediate_size", json!(0)),
    ] {
        let sentence = says(key, value.clone());
        assert!(sentence.contains(key) || sentence.contains("with and without experts"), "{key} = {value}: {sentence}");
    }
    // These are understood, so that the tensors are asked for.
    for (key, value) in [("mlp_only_layers", json!([1, 0])), ("decoder_sparse_step", json!(2))] {
        let sentence = says(key, value);
        assert!(sentence.contains("model.safetensors"), "{sentence}");
    }
}
