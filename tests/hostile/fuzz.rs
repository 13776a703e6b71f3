//! Random damage. The seed is printed; `GLASSBOX_SEED` repeats a run and `GLASSBOX_ROUNDS` makes it longer.

use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::forge::{Gguf, Safetensors, hub_folder, llama_config, tokenizer_json};
use crate::{calmly, check_sentence, open_and_run};

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Damages a file again and again: bytes are changed, copied, cut out or put in. `header` is how many of the first bytes
/// get most of it.
fn damage(path: &Path, open: &Path, whole: &[u8], header: usize, rounds: u64) {
    let seed = number("GLASSBOX_SEED").unwrap_or_else(|| rand::rng().random());
    println!("GLASSBOX_SEED={seed} for {}", path.display());
    let rounds = number("GLASSBOX_ROUNDS").unwrap_or(rounds);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for round in 0..rounds {
        let mut bytes = whole.to_vec();
        for _ in 0..random.random_range(1..=4) {
            let end = if random.random_bool(0.9) { header.min(bytes.len()) } else { bytes.len() };
            let at = random.random_range(0..end.max(1)).min(bytes.len() - 1);
            match random.random_range(0..8) {
                0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
                2 => bytes[at] = random.random(),
                3 => bytes[at] = *[0, 1, 0x7f, 0x80, 0xff].get(random.random_range(0..5)).unwrap_or(&0),
                4 => drop(bytes.drain(at..(at + random.random_range(1..9)).min(bytes.len()))),
                5 => bytes.insert(at, random.random()),
                6 => bytes.iter_mut().skip(at).take(8).for_each(|b| *b = 0xff),
                _ => {
                    let from = random.random_range(0..bytes.len());
                    let n = random.random_range(1..17).min(bytes.len() - from.max(at));
                    bytes.copy_within(from..from + n, at);
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        std::fs::write(path, &bytes).unwrap();
        let what = format!("seed {seed}, round {round}");
        if let Err(sentence) = calmly(&what, || open_and_run(open)) {
            check_sentence(&what, &sentence, &[]);
        }
    }
}

#[test]
fn a_damaged_gguf() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let whole = Gguf::llama().bytes();
    damage(&path, &path, &whole, 1700, 2000);
}

#[test]
fn a_damaged_gguf_of_experts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    damage(&path, &path, &Gguf::mixtral().bytes(), 1900, 1000);
}

#[test]
fn a_damaged_scored_vocabulary() {
    use crate::forge::{Meta, text};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.gguf");
    let scores = Meta::F32s((0..8).map(|i| -(i as f32)).collect());
    let model = Gguf::llama().with("tokenizer.ggml.model", text("llama")).with("tokenizer.ggml.scores", scores);
    damage(&path, &path, &model.bytes(), 1700, 500);
}

#[test]
fn a_damaged_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let whole = Safetensors::llama().bytes();
    damage(&folder.path().join("model.safetensors"), folder.path(), &whole, 1200, 500);
}

#[test]
fn a_damaged_config() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let whole = llama_config().to_string();
    damage(&folder.path().join("config.json"), folder.path(), whole.as_bytes(), whole.len(), 700);
}

#[test]
fn a_damaged_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    let whole = tokenizer_json().to_string();
    damage(&folder.path().join("tokenizer.json"), folder.path(), whole.as_bytes(), whole.len(), 700);
}

#[test]
fn a_damaged_index() {
    let folder = tempfile::tempdir().unwrap();
    hub_folder(folder.path());
    std::fs::rename(folder.path().join("model.safetensors"), folder.path().join("a.safetensors")).unwrap();
    let map: serde_json::Map<_, _> =
        Safetensors::llama().header.keys().map(|name| (name.clone(), "a.safetensors".into())).collect();
    let whole = serde_json::json!({ "weight_map": map }).to_string();
    damage(&folder.path().join("model.safetensors.index.json"), folder.path(), whole.as_bytes(), whole.len(), 300);
}
