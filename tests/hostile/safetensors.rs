//! Safetensors files that lie.

use serde_json::{Value, json};

use crate::forge::{Safetensors, hub_folder, raw_safetensors};
use crate::{refused, works};

/// Asserts that each file, put where the tiny model's weights are, is refused with a sentence that holds the word.
fn all_refused(variants: Vec<(&str, Vec<u8>, &str)>) {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    for (what, bytes, says) in variants {
        std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
        refused(what, &folder.path().join("model.safetensors"), &["model.safetensors", says]);
        refused(what, folder.path(), &["model.safetensors", says]);
    }
}

fn header() -> String {
    serde_json::to_string(&Safetensors::llama().header).unwrap()
}

#[test]
fn headers_that_lie() {
    let data = Safetensors::llama().data;
    let whole = Safetensors::llama().bytes();
    let claim = |n: u64| [&n.to_le_bytes(), &whole[8..]].concat();
    let with = |header: &str| raw_safetensors(header.as_bytes(), &data);
    let more = |text: &str| with(&format!("{},{text}}}", header().trim_end_matches('}').to_owned() + "}"));
    let again = r#""lm_head.weight":{"dtype":"F32","shape":[8,8],"data_offsets":[288,544]}"#;
    all_refused(vec![
        ("empty", Vec::new(), "download"),
        ("seven bytes", vec![1; 7], "too short"),
        ("a header of 0", claim(0), ""),
        ("a header past the end", claim(1 << 20), "header"),
        ("a header of 101 MB", claim(101_000_000), "header"),
        ("a header of 2^64 - 1", claim(u64::MAX), "header"),
        ("no object", with("[1, 2]"), "header"),
        ("no text", raw_safetensors(&[b'{', 0xff, 0xfe, b'}'], &data), "header"),
        ("NaN", with(r#"{"a":NaN}"#), "header"),
        ("100,000 deep", with(&format!("{{\"a\":{}", "[".repeat(100_000))), "header"),
        (
            "100,000 deep and closed",
            with(&format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))),
            "header",
        ),
        ("a name twice", more(again), "twice"),
        ("metadata that are numbers", more(r#""__metadata__":{"a":1}"#), "header"),
        (
            "metadata that are a tensor",
            more(r#""__metadata__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#),
            "header",
        ),
        ("bytes left over", [whole.clone(), vec![0; 4]].concat(), "bytes"),
        ("bytes missing", whole[..whole.len() - 4].to_vec(), "bytes"),
        ("no tensors", raw_safetensors(b"{}", &[]), "tensors"),
        ("a nasty name twice", more("\"\\u001b[2J\":{},\"\\u001b[2J\":{}"), "twice"),
    ]);
}

#[test]
fn rows_that_lie() {
    let row = |key: &str, value: Value| Safetensors::llama().row("model.embed_tokens.weight", key, value).bytes();
    all_refused(vec![
        ("reversed", row("data_offsets", json!([256, 0])), "header"),
        ("negative", row("data_offsets", json!([-4, 252])), "header"),
        ("fractions", row("data_offsets", json!([0.0, 256.5])), "header"),
        ("one offset", row("data_offsets", json!([0])), "header"),
        ("three offsets", row("data_offsets", json!([0, 256, 512])), "header"),
        ("past the end", row("data_offsets", json!([0, 1u64 << 40])), "header"),
        ("overlapping", row("data_offsets", json!([0, 260])), "header"),
        ("a hole", row("data_offsets", json!([4, 256])), "header"),
        ("a huge shape", row("shape", json!([1u64 << 40, 8])), "header"),
        ("a shape that overflows", row("shape", json!([1u64 << 63, 1u64 << 63])), "header"),
        ("a negative shape", row("shape", json!([-8, -8])), "header"),
        ("another shape", row("shape", json!([64])), "shape [64]"),
        ("no shape", row("shape", json!([])), "header"),
        ("an unknown type", row("dtype", json!("F7")), "header"),
        ("integers", row("dtype", json!("I32")), "I32"),
        (
            "doubles",
            Safetensors::llama()
                .row("model.embed_tokens.weight", "dtype", json!("F64"))
                .row("model.embed_tokens.weight", "shape", json!([4, 8]))
                .bytes(),
            "F64",
        ),
        ("the type a number", row("dtype", json!(1)), "header"),
    ]);
}

#[test]
fn truncated_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let whole = Safetensors::llama().bytes();
    for len in (0..1200).step_by(3).chain((1200..whole.len()).step_by(29)) {
        std::fs::write(folder.path().join("model.safetensors"), &whole[..len]).unwrap();
        refused(&format!("cut to {len} bytes"), folder.path(), &["model.safetensors"]);
    }
}

#[test]
fn what_the_format_allows() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let path = folder.path().join("model.safetensors");
    let want = works("the whole model", &path);
    let text = header();
    let data = Safetensors::llama().data;
    let n = data.len();
    for (what, more) in [
        ("text metadata", r#""__metadata__":{"format":"pt"},"#.to_owned()),
        ("an empty tensor", format!(r#""none":{{"dtype":"F32","shape":[0],"data_offsets":[{n},{n}]}},"#)),
        ("names like paths", format!(r#""../../etc/passwd":{{"dtype":"F32","shape":[0],"data_offsets":[{n},{n}]}},"#)),
        ("spaces before", String::new()),
    ] {
        let text = text.replacen('{', &format!("{{{more}"), 1);
        let text = if what == "spaces before" { format!("{text}      ") } else { text };
        std::fs::write(&path, raw_safetensors(text.as_bytes(), &data)).unwrap();
        assert_eq!(works(what, &path), want, "{what}");
    }
    // Other names of the file, and no prefix before the tensors' names.
    let bare = text.replace("\"model.", "\"");
    std::fs::write(&path, raw_safetensors(bare.as_bytes(), &data)).unwrap();
    assert_eq!(works("bare names", folder.path()), want);
    std::fs::rename(&path, folder.path().join("weights.gguf")).unwrap();
    assert_eq!(works("safetensors named .gguf", &folder.path().join("weights.gguf")), want);
}
