//! GGUF files that lie.

use std::path::Path;

use crate::forge::{Gguf, Meta, Tensor, text};
use crate::{calmly, check_sentence, open_and_run, refused, works};

/// Asserts that each variant of the tiny model is refused with a sentence that holds the word beside it.
fn all_refused(variants: Vec<(&str, Gguf, &str)>) {
    let folder = tempfile::tempdir().unwrap();
    for (what, model, says) in variants {
        refused(what, &model.write(&folder.path().join("tiny.gguf")), &["tiny.gguf", says]);
    }
}

#[test]
fn the_whole_model_works() {
    let folder = tempfile::tempdir().unwrap();
    let logits = works("the whole model", &Gguf::llama().write(&folder.path().join("tiny.gguf")));
    assert_eq!(logits.len(), 8);
}

#[test]
fn counts_and_lengths_that_lie() {
    let first = |key: &str, bytes: Vec<u8>| Gguf::llama().with(key, Meta::Raw(9, bytes));
    let list = |type_id: u32, n: u64| [&type_id.to_le_bytes()[..], &n.to_le_bytes()].concat();
    let long_text = |n: u64| Gguf::llama().with("general.name", Meta::Raw(8, n.to_le_bytes().to_vec()));
    let named = |name: Vec<u8>| Gguf::llama().but(|g| g.pairs.push((name, Meta::U8(1))));
    all_refused(vec![
        ("2^63 tensors", Gguf::llama().but(|g| g.n_tensors = Some(1 << 63)), "tensors"),
        ("2^64 - 1 tensors", Gguf::llama().but(|g| g.n_tensors = Some(u64::MAX)), "tensors"),
        ("2^60 pairs", Gguf::llama().but(|g| g.n_pairs = Some(1 << 60)), "metadata"),
        ("2^64 - 1 pairs", Gguf::llama().but(|g| g.n_pairs = Some(u64::MAX)), "metadata"),
        ("one tensor more than there are", Gguf::llama().but(|g| g.n_tensors = Some(13)), ""),
        ("one pair more than there are", Gguf::llama().but(|g| g.n_pairs = Some(18)), ""),
        ("a text past the end", long_text(1 << 20), "text"),
        ("a text of 2^64 - 1", long_text(u64::MAX), "text"),
        ("a text of 1 GiB", long_text(1 << 30), "text"),
        ("a list of 2^60 unknown", first("x", list(77, 1 << 60)), "type 77"),
        ("a list of 2^60 bytes", first("x", list(0, 1 << 60)), "values"),
        ("a list of 2^64 - 1 texts", first("x", list(8, u64::MAX)), "values"),
        ("a list of lists", first("x", list(9, 1)), "type 9"),
        ("an unknown type", Gguf::llama().with("x", Meta::Raw(13, vec![0; 8])), "type 13"),
        ("a truth of 2", Gguf::llama().with("x", Meta::Bool(2)), "truth"),
        ("an empty key", named(Vec::new()), "key of 0 bytes"),
        ("a key that is no text", named(vec![0xff, 0xfe]), "not text"),
        ("a key of 64 KiB and one", named(vec![b'k'; 65_537]), "65537 bytes"),
        ("a key twice", named(b"llama.block_count".to_vec()), "twice"),
    ]);
}

#[test]
fn versions_and_magic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    for version in [0, 1, 4, 3u32.swap_bytes(), u32::MAX] {
        refused("version", &Gguf::llama().but(|g| g.version = version).write(&path), &["tiny.gguf"]);
    }
    for (bytes, says) in [
        (b"".to_vec(), "empty"),
        (b"GGU".to_vec(), "neither"),
        (b"GGUF".to_vec(), "ends"),
        (b"FUGG\0\0\0\x03".to_vec(), "big-endian"),
        (b"Once upon a time there was a text file that somebody renamed.\n".to_vec(), "neither"),
        (vec![0; 4096], "neither"),
        (b"\x80\x02}q\x00.".to_vec(), "pickle"),
        (b"PK\x03\x04 and so on".to_vec(), "pickle or zip"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        refused(says, &path, &["tiny.gguf", says]);
    }
}

#[test]
fn tensors_that_lie() {
    let embed = |change: fn(&mut Tensor)| Gguf::llama().tensor("token_embd.weight", change);
    all_refused(vec![
        ("no axes", embed(|t| t.dims.clear()), "0 axes"),
        ("five axes", embed(|t| t.dims = vec![1; 5]), "5 axes"),
        ("nine axes", embed(|t| t.dims = vec![1; 9]), "9 axes"),
        ("a zero", embed(|t| t.dims = vec![4, 0]), "shape"),
        ("only zeros", embed(|t| t.dims = vec![0, 0]), "shape"),
        ("a product of 2^80", embed(|t| t.dims = vec![1 << 40, 1 << 40]), "shape"),
        ("a product that wraps to 4", embed(|t| t.dims = vec![(1 << 62) + 1, 4]), "shape"),
        ("an axis of 2^64 - 1", embed(|t| t.dims = vec![u64::MAX, 1]), "shape"),
        ("2^47 values", embed(|t| t.dims = vec![1 << 20, 1 << 27]), "ends before"),
        ("past the end", embed(|t| t.offset = Some(1 << 20)), "ends before"),
        ("2^64 - 64", embed(|t| t.offset = Some(u64::MAX - 63)), "ends before"),
        ("off the alignment", embed(|t| t.offset = Some(8)), "alignment"),
        ("on another tensor", embed(|t| t.offset = Some(256)), "overlap"),
        ("a removed type", embed(|t| t.kind = 4), "unknown type 4"),
        ("a type of 2^31", embed(|t| t.kind = 1 << 31), "unknown type 2147483648"),
        ("an unsupported type", embed(|t| t.kind = 16), "IQ2_XXS"),
        ("integers", embed(|t| t.kind = 26), "I32"),
        ("blocks that are not filled", embed(|t| t.kind = 8), "blocks"),
        ("a transposed gate", Gguf::llama().tensor("blk.0.ffn_gate.weight", |t| t.dims.reverse()), "shape [8, 12]"),
        ("another shape", embed(|t| (t.dims, t.data) = (vec![7, 8], vec![0; 224])), "shape [8, 7]"),
        ("no name", embed(|t| t.name.clear()), "name of 0 bytes"),
        ("a name twice", embed(|t| t.name = b"output.weight".to_vec()), "twice"),
        ("a tensor less", Gguf::llama().but(|g| drop(g.tensors.remove(4))), "blk.0.attn_q.weight"),
        ("no tensors", Gguf::llama().but(|g| g.tensors.clear()), "no tensors"),
        ("a vector in blocks that is taken apart", biased_in_blocks(), "vector"),
    ]);
}

/// A model whose query bias is stored in blocks, which cannot be put into the order of the rows.
fn biased_in_blocks() -> Gguf {
    let bias = |name: &str, n: u64, kind: u32, bytes: usize| Tensor {
        name: format!("blk.0.{name}.bias").into_bytes(),
        dims: vec![n],
        kind,
        offset: None,
        data: vec![0; bytes],
    };
    let wide = |t: &mut Tensor, n: u64| (t.dims, t.data) = (vec![8, n], vec![0; 32 * n as usize]);
    Gguf::llama()
        .with("attention.key_length", Meta::U32(32))
        .with("attention.value_length", Meta::U32(32))
        .with("rope.dimension_count", Meta::U32(32))
        .tensor("blk.0.attn_q.weight", |t| wide(t, 64))
        .tensor("blk.0.attn_k.weight", |t| wide(t, 32))
        .tensor("blk.0.attn_v.weight", |t| wide(t, 32))
        .tensor("blk.0.attn_output.weight", |t| (t.dims, t.data) = (vec![64, 8], vec![0; 2048]))
        .but(|g| {
            g.tensors.push(bias("attn_q", 64, 8, 68));
            g.tensors.push(bias("attn_k", 32, 8, 34));
            g.tensors.push(bias("attn_v", 32, 0, 128));
        })
}

#[test]
fn configs_that_lie() {
    let with = |key: &str, value: Meta| Gguf::llama().with(key, value);
    let f32 = Meta::F32;
    let u32 = Meta::U32;
    let mut variants = vec![
        ("no architecture", Gguf::llama().without("general.architecture"), "general.architecture"),
        ("another architecture", with("general.architecture", text("warp-drive")), "warp-drive"),
        ("an architecture that is a number", with("general.architecture", u32(3)), "general.architecture"),
        ("no layers", with("block_count", u32(0)), "block_count"),
        ("513 layers", with("block_count", u32(513)), "blk.1."),
        ("2^32 - 1 layers", with("block_count", u32(u32::MAX)), "block_count"),
        ("-1 layers", with("block_count", Meta::I32(-1)), "block_count"),
        ("layers missing", Gguf::llama().without("block_count"), "block_count"),
        ("no heads", with("attention.head_count", u32(0)), "head_count"),
        ("heads as text", with("attention.head_count", text("2")), "head_count"),
        ("heads as a float", with("attention.head_count", f32(2.0)), "head_count"),
        ("heads as an empty list", with("attention.head_count", Meta::I32s(vec![])), "head_count"),
        ("heads that differ by layer", with("attention.head_count", Meta::I32s(vec![2, 1])), "head_count"),
        ("3 heads of width 8 / 3", with("attention.head_count", u32(3)), "does not divide"),
        ("no kv heads", with("attention.head_count_kv", u32(0)), "head_count_kv"),
        ("3 kv heads for 2", with("attention.head_count_kv", u32(3)), "does not divide"),
        ("more kv heads", with("attention.head_count_kv", u32(4)), "does not divide"),
        ("eps NaN", with("attention.layer_norm_rms_epsilon", f32(f32::NAN)), "epsilon"),
        ("eps 0", with("attention.layer_norm_rms_epsilon", f32(0.0)), "epsilon"),
        ("eps 1e-300", with("attention.layer_norm_rms_epsilon", Meta::F64(1e-300)), "epsilon"),
        ("eps -1", with("attention.layer_norm_rms_epsilon", f32(-1.0)), "epsilon"),
        ("base 0", with("rope.freq_base", f32(0.0)), "freq_base"),
        ("base NaN", with("rope.freq_base", f32(f32::NAN)), "freq_base"),
        ("base inf", with("rope.freq_base", f32(f32::INFINITY)), "freq_base"),
        ("base as text", with("rope.freq_base", text("1e4")), "freq_base"),
        ("more dimensions than a head has", with("rope.dimension_count", u32(6)), "rotates 6"),
        ("an odd number of dimensions", with("rope.dimension_count", u32(3)), "even"),
        (
            "an unknown scaling",
            with("llama.rope.scaling.type", text("longrope")).with("llama.rope.scaling.factor", f32(2.0)),
            "longrope",
        ),
        ("values of another width", with("llama.attention.value_length", u32(2)), "width"),
        ("experts", with("llama.expert_count", u32(8)), "expert_used_count"),
        ("2^32 - 1 positions", with("context_length", u32(u32::MAX)), "context_length"),
        ("a width of 2^40", with("embedding_length", Meta::U64(1 << 40)), "embedding_length"),
        (
            "heads of width 5000",
            with("llama.attention.key_length", u32(5000)).with("rope.dimension_count", u32(4)),
            "5000",
        ),
        ("one part of three", with("split.count", u32(3)), "3 parts"),
    ];
    for alignment in [Meta::U32(0), Meta::U32(3), Meta::U32(1 << 30), Meta::U32(1 << 31), Meta::I32(-32), text("32")] {
        variants.push(("an alignment", with("general.alignment", alignment), "alignment"));
    }
    all_refused(variants);
}

#[test]
fn vocabularies_that_lie() {
    let with = |key: &str, value: Meta| Gguf::llama().with(&format!("tokenizer.ggml.{key}"), value);
    all_refused(vec![
        ("no tokenizer", Gguf::llama().without("tokenizer.ggml.tokens"), "tokenizer"),
        ("tokens that are numbers", with("tokens", Meta::I32s(vec![1, 2])), "vocabulary"),
        ("more tokens than rows", with("tokens", Meta::Texts(vec!["x"; 9])), "9 tokens"),
        ("no tokens", with("tokens", Meta::Texts(vec![])), "tokens"),
        ("types that are fewer", with("token_type", Meta::I32s(vec![1])), "token_type"),
        ("a begin token past the end", with("bos_token_id", Meta::U32(8)), "begin token"),
        ("an end token of 2^32 - 1", with("eos_token_id", Meta::U32(u32::MAX)), "end token"),
        ("a merge of absent tokens", with("merges", Meta::Texts(vec!["x y"])), "merge 0"),
        ("a merge of one", with("merges", Meta::Texts(vec!["ab"])), "merge 0"),
        ("an unknown kind", with("model", text("warp")), "warp"),
        ("scores missing", with("model", text("llama")), "scores"),
        (
            "scores that are NaN",
            with("model", text("llama")).with("tokenizer.ggml.scores", Meta::F32s(vec![f32::NAN; 8])),
            "score",
        ),
    ]);
}

#[test]
fn names_with_terminal_codes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let nasty = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\r\n";
    let name = nasty.as_bytes().to_vec();
    let twice = Gguf::llama().but(|g| (0..2).for_each(|_| g.pairs.push((name.clone(), Meta::U8(1)))));
    refused("a nasty key twice", &twice.write(&path), &["twice"]);
    refused("a nasty family", &Gguf::llama().with("general.architecture", text(nasty)).write(&path), &["family"]);
    refused(
        "a long family",
        &Gguf::llama().with("general.architecture", text(&"x".repeat(5000))).write(&path),
        &["not supported"],
    );
    let extra = Tensor { name, dims: vec![8], kind: 0, offset: None, data: vec![0; 32] };
    let odd = Gguf::llama().with("general.name", text(nasty)).but(|g| g.tensors.push(extra)).write(&path);
    let report = glassbox::engine::loader::open(&odd).unwrap().report;
    assert_eq!(report.ignored_tensors.len(), 1);
    let shown = format!("{report}{}", report.warnings.concat());
    assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
}

#[test]
fn truncated_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let whole = Gguf::llama().bytes();
    // The last tensor's padding may be missing without harm.
    let needed = whole.len() - 32;
    for len in (0..1700).chain((1700..needed).step_by(13)) {
        std::fs::write(&path, &whole[..len]).unwrap();
        refused(&format!("cut to {len} bytes"), &path, &["tiny.gguf"]);
    }
}

#[test]
fn truncated_conformance_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let whole =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/conformance/llama/Q4_0.gguf")).unwrap();
    let places = (0..4096).step_by(7).chain((1..40).map(|i| whole.len() * i / 40)).chain([whole.len() - 33]);
    for len in places {
        std::fs::write(&path, &whole[..len]).unwrap();
        refused(&format!("cut to {len} bytes"), &path, &["model.gguf"]);
    }
}

#[test]
fn a_header_of_many_small_values_stays_small() {
    // A list of bytes would grow eightfold: more than any vocabulary needs is refused while it is read.
    let folder = tempfile::tempdir().unwrap();
    let n: u64 = 12 << 20;
    let list = [&0u32.to_le_bytes()[..], &n.to_le_bytes(), &vec![7; n as usize]].concat();
    let path = Gguf::llama().with("x", Meta::Raw(9, list)).write(&folder.path().join("tiny.gguf"));
    refused("12 million bytes in a list", &path, &["tiny.gguf", "lists more than"]);
}

#[test]
fn a_file_that_changes_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = Gguf::llama().write(&folder.path().join("tiny.gguf"));
    let whole = std::fs::read(&path).unwrap();
    let open_after = |change: &dyn Fn()| {
        std::fs::write(&path, &whole).unwrap();
        let checkpoint = glassbox::engine::loader::open(&path).unwrap();
        change();
        let choice = glassbox::engine::DeviceChoice::Cpu;
        let cancel = glassbox::model::Cancel::new();
        glassbox::engine::open_engine(&checkpoint, &choice, true, &cancel, &|_| {}).map(|_| ())
    };
    let shrink = || std::fs::File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
    let sentence = calmly("it shrinks", || open_after(&shrink)).unwrap_err();
    check_sentence("it shrinks", &sentence, &["tiny.gguf", "shorter"]);
    // A file that is deleted stays readable where it is open; elsewhere it gives a sentence.
    if let Err(sentence) = calmly("it vanishes", || open_after(&|| std::fs::remove_file(&path).unwrap())) {
        check_sentence("it vanishes", &sentence, &["tiny.gguf"]);
    }
    let sentence = calmly("it is gone", || open_and_run(&path)).unwrap_err();
    check_sentence("it is gone", &sentence, &["tiny.gguf", "does not exist"]);
}

#[test]
fn weights_that_are_not_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    for (bad, name, place) in [
        (f32::NAN, "token_embd.weight", "hook_embed"),
        (f32::NAN, "blk.0.ffn_up.weight", "blocks.0.mlp.hook_pre_linear"),
        (f32::INFINITY, "blk.0.attn_k.weight", "blocks.0.attn.hook_k"),
        (f32::NAN, "output_norm.weight", "ln_final.hook_normalized"),
        (f32::NAN, "output.weight", "hook_logits"),
    ] {
        Gguf::llama().tensor(name, |t| t.data = bad.to_le_bytes().repeat(t.data.len() / 4)).write(&path);
        let mut model = crate::open(&path).unwrap();
        let not_numbers = model.opened.not_numbers.clone().expect("they are found");
        check_sentence(name, &not_numbers.to_string(), &["tiny.gguf", "not numbers", name, "again"]);
        let sentence = calmly(name, || crate::run(&mut model, &[1, 2])).unwrap_err();
        check_sentence(name, &sentence, &[place]);
        check_sentence(name, &not_numbers.blame("hook_embed".parse().unwrap()), &["tiny.gguf", name, "hook_embed"]);
        assert_eq!(model.opened.engine.cached(), 0, "a failed run leaves the cache as it was");
    }
    // All zeros, and numbers too small to matter, are numbers.
    Gguf::llama().but(|g| g.tensors.iter_mut().for_each(|t| t.data.fill(0))).write(&path);
    works("all zeros", &path);
    Gguf::llama().tensor("output.weight", |t| t.data = 1e-40f32.to_le_bytes().repeat(64)).write(&path);
    works("denormals", &path);
}
