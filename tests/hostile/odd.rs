//! Models that are strange but allowed: what opens must also run.

use crate::forge::{Gguf, Meta, Tensor, hub_folder, llama_config, text, values};
use crate::{calmly, open, run, works};

/// A Llama of any sizes, with the tensors to fit.
fn sized(d: u64, heads: u64, kv: u64, d_head: u64, d_mlp: u64, vocab: u64) -> Gguf {
    let shape = |name: &str| match name {
        "token_embd.weight" | "output.weight" => vec![d, vocab],
        "blk.0.attn_q.weight" => vec![d, heads * d_head],
        "blk.0.attn_k.weight" | "blk.0.attn_v.weight" => vec![d, kv * d_head],
        "blk.0.attn_output.weight" => vec![heads * d_head, d],
        "blk.0.ffn_gate.weight" | "blk.0.ffn_up.weight" => vec![d, d_mlp],
        "blk.0.ffn_down.weight" => vec![d_mlp, d],
        _ => vec![d],
    };
    let fit = |t: &mut Tensor| {
        let name = String::from_utf8_lossy(&t.name).into_owned();
        t.dims = shape(&name);
        t.data = values(&name, t.dims.iter().product());
    };
    let u32 = |n: u64| Meta::U32(n as u32);
    Gguf::llama()
        .with("embedding_length", u32(d))
        .with("attention.head_count", u32(heads))
        .with("attention.head_count_kv", u32(kv))
        .with("llama.attention.key_length", u32(d_head))
        .with("llama.attention.value_length", u32(d_head))
        .with("rope.dimension_count", u32(d_head))
        .with("feed_forward_length", u32(d_mlp))
        .but(|g| g.tensors.iter_mut().for_each(fit))
}

#[test]
fn odd_sizes_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    for (d, heads, kv, d_head, d_mlp, vocab) in [
        (8, 2, 1, 4, 12, 8),
        (1, 1, 1, 2, 1, 8),
        (3, 3, 1, 2, 5, 11),
        (7, 5, 5, 6, 1, 8),
        (2, 16, 4, 34, 3, 9),
        (33, 1, 1, 2, 65, 257),
    ] {
        let what = format!("{:?}", (d, heads, kv, d_head, d_mlp, vocab));
        sized(d, heads, kv, d_head, d_mlp, vocab).write(&path);
        assert_eq!(works(&what, &path).len() as u64, vocab, "{what}");
    }
}

#[test]
fn a_vocabulary_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let one = sized(4, 2, 1, 2, 6, 1)
        .with("tokenizer.ggml.tokens", Meta::Texts(vec!["a"]))
        .with("tokenizer.ggml.token_type", Meta::I32s(vec![1]))
        .with("tokenizer.ggml.merges", Meta::Texts(vec![]));
    assert_eq!(works("a vocabulary of one", &one.write(&folder.path().join("tiny.gguf"))).len(), 1);
}

#[test]
fn the_context_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = Gguf::llama().with("context_length", Meta::U32(2)).write(&folder.path().join("tiny.gguf"));
    let mut model = open(&path).unwrap();
    assert_eq!(run(&mut model, &[1, 2]).unwrap().len(), 8);
    for (tokens, says) in [(&[][..], "empty"), (&[1, 2, 3], "3 tokens"), (&[8], "id 8"), (&[u32::MAX], "4294967295")] {
        let sentence = calmly("a bad prompt", || run(&mut model, tokens)).unwrap_err();
        crate::check_sentence("a bad prompt", &sentence, &[says]);
    }
    assert_eq!(run(&mut model, &[3]).unwrap().len(), 8, "the engine still works");
}

#[test]
fn odd_positions_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let scaled = |kind: &str, factor: f32| {
        Gguf::llama().with("llama.rope.scaling.type", text(kind)).with("llama.rope.scaling.factor", Meta::F32(factor))
    };
    for (what, model) in [
        ("half of each head", Gguf::llama().with("rope.dimension_count", Meta::U32(2))),
        ("a base near 1", Gguf::llama().with("rope.freq_base", Meta::F32(1.001))),
        ("a huge base", Gguf::llama().with("rope.freq_base", Meta::F32(3e38))),
        ("linear", scaled("linear", 4.0)),
        ("linear by 1e30", scaled("linear", 1e30)),
        ("yarn", scaled("yarn", 4.0)),
        ("yarn by 1e30", scaled("yarn", 1e30)),
        ("a window of one", Gguf::llama().with("llama.attention.sliding_window", Meta::U32(1))),
    ] {
        works(what, &model.write(&path));
    }
}

#[test]
fn partly_rotated_heads_keep_the_rest() {
    // With no dimension to move, a model that rotates two of four dimensions stores those two rows in place.
    let folder = tempfile::tempdir().unwrap();
    let half = Gguf::llama().with("rope.dimension_count", Meta::U32(2)).write(&folder.path().join("half.gguf"));
    let spec_of = |c: &glassbox::engine::loader::Checkpoint| {
        let is_q = |s: &glassbox::model::TensorSpec| s.id.param == glassbox::model::Param::Q;
        c.config.tensors().into_iter().find(is_q).unwrap()
    };
    let checkpoint = glassbox::engine::loader::open(&half).unwrap();
    let bytes = checkpoint.tensor(&spec_of(&checkpoint)).unwrap().bytes;
    assert_eq!(*bytes, values("blk.0.attn_q.weight", 64));
}

#[test]
fn odd_hub_configs_run() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let want = works("the whole model", folder.path());
    let changes: [fn(&mut serde_json::Value); 6] = [
        |c| c["rope_scaling"] = serde_json::json!({"type": "dynamic", "factor": 2.0}),
        |c| c["rope_scaling"] = serde_json::Value::Null,
        |c| c["hidden_size"] = serde_json::json!(8.0),
        |c| c["quantization_config"] = serde_json::Value::Null,
        |c| c["some_new_key"] = serde_json::json!({"a": [1, 2]}),
        |c| c["sliding_window"] = serde_json::json!(4),
    ];
    for change in changes {
        let mut config = llama_config();
        change(&mut config);
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        assert_eq!(works(&config.to_string(), folder.path()), want);
    }
}
