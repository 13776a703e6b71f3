//! Folders that lie: config.json, the index of shards, what lies beside the weights, and what is no file at all.

use std::path::Path;

use serde_json::{Value, json};

use crate::forge::{Gguf, Safetensors, hub_folder, llama_config};
use crate::{calmly, check_sentence, open_and_run, refused, works};

/// A folder with the tiny model whose config.json is changed.
fn with_config(change: impl FnOnce(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let mut config = llama_config();
    change(&mut config);
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

#[test]
fn configs_that_lie() {
    let set = |key: &'static str, value: Value, says: &'static str| {
        let folder = with_config(|c| c[key] = value.clone());
        refused(&format!("{key} = {value}"), folder.path(), &[says]);
    };
    for key in ["hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "intermediate_size"] {
        for value in [
            json!(0),
            json!(-1),
            json!(1u64 << 40),
            json!(1_000_000_000),
            json!(1e308),
            json!(0.5),
            json!("8"),
            json!([8]),
            json!(true),
        ] {
            set(key, value, "config.json");
        }
        let folder = with_config(|c| c[key] = Value::Null);
        refused(&format!("{key} null"), folder.path(), &["config.json", key]);
        // Left out, it has a default, which is not this tiny model's.
        let folder = with_config(|c| drop(c.as_object_mut().unwrap().remove(key)));
        refused(&format!("{key} missing"), folder.path(), &["config"]);
    }
    for (key, value) in [
        ("num_key_value_heads", json!(0)),
        ("num_key_value_heads", json!(3)),
        ("head_dim", json!(1u64 << 40)),
        ("head_dim", json!(3)),
        ("max_position_embeddings", json!(-1)),
        ("rms_norm_eps", json!(0)),
        ("rms_norm_eps", json!(1e-300)),
        ("rms_norm_eps", json!("tiny")),
        ("rope_theta", json!(0)),
        ("rope_theta", json!(-1e4)),
        ("rope_theta", json!(1e308)),
        ("rope_scaling", json!("linear")),
        ("rope_scaling", json!({"type": "linear"})),
        ("rope_scaling", json!({"type": "linear", "factor": 0})),
        ("rope_scaling", json!({"type": "linear", "factor": -2})),
        ("rope_scaling", json!({"type": "longrope", "factor": 2})),
        ("rope_scaling", json!({"type": "llama3", "factor": 2, "low_freq_factor": 1, "high_freq_factor": 1})),
        ("rope_scaling", json!({"type": "yarn", "factor": 2, "attention_factor": "x"})),
        ("hidden_act", json!("quantum")),
        ("hidden_act", json!(7)),
        ("tie_word_embeddings", json!("yes")),
        ("attention_bias", json!(1)),
        ("model_type", json!("warp-drive")),
        ("model_type", json!(null)),
        ("model_type", json!(["llama"])),
        ("quantization_config", json!({"quant_method": "gptq"})),
        ("layer_types", json!(["sliding_attention"])),
        ("partial_rotary_factor", json!(0.5)),
    ] {
        set(key, value, "config.json");
    }
    // The config is fine alone, but the tensors are another model's.
    for (key, value, says) in [
        ("vocab_size", json!(9), "shape [8, 8]"),
        ("intermediate_size", json!(13), "shape [12, 8]"),
        ("num_hidden_layers", json!(2), "model.layers.1."),
        ("attention_bias", json!(true), "q_proj.bias"),
        ("num_key_value_heads", json!(2), "k_proj"),
    ] {
        set(key, value, says);
    }
}

#[test]
fn configs_that_are_no_config() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let path = folder.path().join("config.json");
    let deep = format!("{{\"model_type\":\"llama\",\"a\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let long = format!("{{\"model_type\":\"llama\",\"a\":\"{}\"}}", "x".repeat(20 << 20));
    for text in ["", "{", "[]", "null", "\u{feff}{}", "{\"model_type\":\"llama\",}", &deep, &long] {
        std::fs::write(&path, text).unwrap();
        refused(&text.chars().take(30).collect::<String>(), folder.path(), &["config.json"]);
    }
    std::fs::write(&path, [b'{', 0xff, b'}']).unwrap();
    refused("no text", folder.path(), &["config.json"]);
    std::fs::remove_file(&path).unwrap();
    refused("no config", folder.path(), &["config.json"]);
    refused(
        "no config beside the file",
        &folder.path().join("model.safetensors"),
        &["model.safetensors", "config.json"],
    );
    std::fs::create_dir(&path).unwrap();
    refused("the config is a folder", folder.path(), &["config.json"]);
}

#[test]
fn garbage_beside_the_weights_is_left_out_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let want = works("the whole model", folder.path());
    let nasty = json!({"eos_token_id": [-1, 1.5, "x", u64::MAX, {}], "bos_token_id": {"a": 1}}).to_string();
    for text in ["", "[]", "{{{", "null", nasty.as_str()] {
        std::fs::write(folder.path().join("generation_config.json"), text).unwrap();
        std::fs::write(folder.path().join("tokenizer_config.json"), text).unwrap();
        assert_eq!(works(text, folder.path()), want);
    }
    let report = glassbox::engine::loader::open(folder.path()).unwrap().report;
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    std::fs::write(folder.path().join("generation_config.json"), "{{{").unwrap();
    let report = glassbox::engine::loader::open(folder.path()).unwrap().report;
    assert!(report.warnings[0].contains("generation_config.json"), "{:?}", report.warnings);

    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    refused("an empty tokenizer", folder.path(), &["tokenizer.json"]);
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    refused("no tokenizer", folder.path(), &["tokenizer.json"]);
}

#[test]
fn indices_of_shards_that_lie() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let at = |name: &str| folder.path().join(name);
    std::fs::remove_file(at("model.safetensors")).unwrap();
    let is_block = |name: &str| name.contains("layers");
    std::fs::write(at("model-00001-of-00002.safetensors"), Safetensors::llama().only(is_block).bytes()).unwrap();
    std::fs::write(at("model-00002-of-00002.safetensors"), Safetensors::llama().only(|n| !is_block(n)).bytes())
        .unwrap();
    let index = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let shard = |n: &str| json!(format!("model-0000{}-of-00002.safetensors", if is_block(n) { 1 } else { 2 }));
        let mut map = Safetensors::llama().header.keys().map(|n| (n.clone(), shard(n))).collect();
        change(&mut map);
        json!({"metadata": {"total_size": 0}, "weight_map": map}).to_string()
    };
    let write = |text: &str| std::fs::write(at("model.safetensors.index.json"), text).unwrap();
    write(&index(&|_| ()));
    let want = works("two shards", folder.path());
    assert_eq!(works("by a shard", &at("model-00002-of-00002.safetensors")), want);
    assert_eq!(works("by the index", &at("model.safetensors.index.json")), want);

    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("x.safetensors"), Safetensors::llama().bytes()).unwrap();
    let absolute = outside.path().join("x.safetensors").display().to_string();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&absolute, at("link.safetensors")).unwrap();
    for name in [
        "../x",
        "../../etc/passwd",
        &absolute,
        "sub/x",
        "sub\\x",
        "",
        ".",
        "..",
        "C:x",
        "http://example.org/x",
        "missing.safetensors",
        "link.safetensors",
        "a\u{1b}[2Jb",
        "x\0y",
    ] {
        write(&index(&|map| drop(map.insert("lm_head.weight".into(), json!(name)))));
        refused(&format!("the shard {name:?}"), folder.path(), &[""]);
    }
    write(&index(&|map| drop(map.insert("lm_head.weight".into(), json!("model-00001-of-00002.safetensors")))));
    refused("in another shard", folder.path(), &["index.json", "lm_head.weight"]);
    write(&index(&|map| drop(map.insert("ghost".into(), json!("model-00001-of-00002.safetensors")))));
    refused("a tensor that is nowhere", folder.path(), &["index.json", "ghost"]);
    for text in ["", "{}", "[]", r#"{"weight_map":[]}"#, r#"{"weight_map":{"a":1}}"#, r#"{"weight_map":{}}"#] {
        write(text);
        refused(text, folder.path(), &[""]);
    }
    write(&index(&|_| ()));
    std::fs::write(at("model-00002-of-00002.safetensors"), Safetensors::llama().bytes()).unwrap();
    refused("a tensor in two shards", folder.path(), &["index.json", "twice"]);
    std::fs::remove_file(at("model-00002-of-00002.safetensors")).unwrap();
    refused("a missing shard", folder.path(), &["model-00002-of-00002.safetensors", "does not exist"]);
}

#[test]
fn pickles_are_never_read() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    refused("no weights", folder.path(), &["weights"]);
    for bytes in [&b"PK\x03\x04archive/data.pkl"[..], b"\x80\x02}q\x00."] {
        std::fs::write(folder.path().join("pytorch_model.bin"), bytes).unwrap();
        refused("a folder of pickle", folder.path(), &["pickle"]);
        refused("a pickle", &folder.path().join("pytorch_model.bin"), &["pytorch_model.bin", "pickle"]);
        std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        refused("a pickle named safetensors", folder.path(), &["model.safetensors", "pickle"]);
        std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    }
}

#[test]
fn a_gguf_by_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let want = works("a GGUF", &Gguf::llama().write(&folder.path().join("a.gguf")));
    assert_eq!(works("named .safetensors", &Gguf::llama().write(&folder.path().join("a.safetensors"))), want);
    assert_eq!(works("its folder", folder.path()), want);
    Gguf::llama().write(&folder.path().join("b.gguf"));
    refused("a folder of two", folder.path(), &["several"]);
}

#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    refused("an empty folder", folder.path(), &["config.json"]);
    refused("nothing", &folder.path().join("nothing.gguf"), &["nothing.gguf", "does not exist"]);
    let file = Gguf::llama().write(&folder.path().join("file.gguf"));
    refused("a file as a folder", &file.join("config.json"), &["config.json"]);
    refused("no path", Path::new(""), &[]);
    if cfg!(target_os = "linux") {
        refused("a device", Path::new("/dev/zero"), &["zero", "regular file"]);
        refused("no file", Path::new("/proc/self/mem"), &["mem"]);
        let pipe = folder.path().join("pipe.gguf");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        refused("a pipe without a writer", &pipe, &["pipe.gguf", "regular file"]);
    }
    let name = format!("{}.gguf", "x".repeat(300));
    refused("a name that is too long", &folder.path().join(name), &["xxx"]);
}

#[cfg(unix)]
#[test]
fn what_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let file = folder.path().join("config.json");
    mode(&file, 0);
    let is_root = std::fs::read(&file).is_ok();
    if is_root {
        println!("skipped: the superuser may read everything");
    } else {
        refused("a file", folder.path(), &["config.json", "may not be read"]);
        for no in [0, 0o444] {
            mode(folder.path(), no);
            refused("a folder", folder.path(), &["may not be read"]);
        }
    }
    mode(folder.path(), 0o755);
}

#[test]
fn a_model_larger_than_the_memory() {
    // A file with a hole in it: its header promises 2^46 bytes, and the system agrees that it has them.
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let rows = (1u64 << 21) - 1;
    let mut config = llama_config();
    (config["vocab_size"], config["hidden_size"], config["num_attention_heads"]) =
        (json!(rows), json!(1 << 20), json!(1 << 18));
    (config["num_key_value_heads"], config["tie_word_embeddings"]) = (json!(1), json!(true));
    let (d, heads) = (1u64 << 20, 4u64);
    let shapes: [(&str, Vec<u64>); 11] = [
        ("model.embed_tokens.weight", vec![rows, d]),
        ("model.norm.weight", vec![d]),
        ("model.layers.0.input_layernorm.weight", vec![d]),
        ("model.layers.0.self_attn.q_proj.weight", vec![d, d]),
        ("model.layers.0.self_attn.k_proj.weight", vec![heads, d]),
        ("model.layers.0.self_attn.v_proj.weight", vec![heads, d]),
        ("model.layers.0.self_attn.o_proj.weight", vec![d, d]),
        ("model.layers.0.post_attention_layernorm.weight", vec![d]),
        ("model.layers.0.mlp.gate_proj.weight", vec![12, d]),
        ("model.layers.0.mlp.up_proj.weight", vec![12, d]),
        ("model.layers.0.mlp.down_proj.weight", vec![d, 12]),
    ];
    config["num_attention_heads"] = json!(1 << 16);
    config["head_dim"] = json!(4);
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, mut shape) in shapes {
        match name.split('.').nth_back(1) {
            Some("q_proj") => shape[0] = 1 << 18,
            Some("o_proj") => shape[1] = 1 << 18,
            _ => {}
        }
        let begin = end;
        end += 4 * shape.iter().product::<u64>();
        header.insert(name.into(), json!({"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}));
    }
    let header = serde_json::to_string(&header).unwrap();
    let file = std::fs::File::create(folder.path().join("model.safetensors")).unwrap();
    std::io::Write::write_all(&mut &file, &[&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()).unwrap();
    if file.set_len(8 + header.len() as u64 + end).is_err() {
        println!("skipped: this file system keeps no such large files");
        return;
    }
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let sentence = calmly("a huge model", || open_and_run(folder.path())).unwrap_err();
    check_sentence("a huge model", &sentence, &["memory"]);
}
