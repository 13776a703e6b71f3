//! Every supported family against the reference implementation, hook by hook, on tiny random models.

mod support;

use std::path::Path;

use glassbox::engine::Engine;
use glassbox::model::{Capture, HookPoint, LogitsWanted, Site};
use support::{Reference, assert_close, data, greedy, on_cpu, on_gpu, references, run};

/// Families of the conformance suite that are opened, with the GGUF types that each folder has.
const FAMILIES: &[(&str, &[&str])] = &[
    ("llama", &["F32", "Q8_0", "Q4_0"]),
    ("gpt2", &["F32", "Q8_0", "Q4_0"]),
    ("qwen2", &["F32", "Q8_0", "Q4_0"]),
    ("mistral", &[]),
    ("llama_k256", &["Q4_K"]),
];

/// float32 arithmetic in another order: the suite's own tolerance, backed by float64 runs.
const ABS: f32 = 5e-5;
const REL: f32 = 2e-5;
/// Probabilities lie in 0..1.
const PATTERN: f32 = 1e-5;

#[test]
fn safetensors_hook_by_hook() {
    for (family, _) in FAMILIES.iter().filter(|(family, _)| *family != "llama_k256") {
        let folder = data(&format!("conformance/{family}"));
        let reference = references(&folder.join("reference.safetensors"));
        check_hooks(&format!("{family} safetensors CPU"), on_cpu(&folder, true).as_mut(), &reference);
        check_hooks(&format!("{family} safetensors GPU"), on_gpu(&folder).as_mut(), &reference);
    }
}

#[test]
fn hub_spelling_of_the_config() {
    for (family, _) in FAMILIES.iter().filter(|(family, _)| *family != "llama_k256") {
        let folder = data(&format!("conformance/{family}"));
        let copy = tempfile::tempdir().unwrap();
        for name in ["model.safetensors", "config.hub.json"] {
            let into = if name == "config.hub.json" { "config.json" } else { name };
            std::fs::copy(folder.join(name), copy.path().join(into)).unwrap();
        }
        let config = support::open(copy.path()).config;
        assert_eq!(config, support::open(&folder).config, "{family}");
    }
}

#[test]
fn gguf_hook_by_hook() {
    for (family, types) in FAMILIES {
        for kind in *types {
            let folder = data(&format!("conformance/{family}"));
            let file = folder.join(format!("{kind}.gguf"));
            let name = if *kind == "F32" { "reference".into() } else { format!("{kind}.reference") };
            let reference = references(&folder.join(format!("{name}.safetensors")));
            check_hooks(&format!("{family} {kind} CPU"), on_cpu(&file, true).as_mut(), &reference);
            check_hooks(&format!("{family} {kind} GPU"), on_gpu(&file).as_mut(), &reference);
        }
    }
}

#[test]
fn fast_path_stays_close() {
    // Activations in 8 bits: the suite's estimate for llama.cpp's arithmetic, rms error below 6 % of the logits' rms.
    for (family, types) in FAMILIES {
        for kind in types.iter().filter(|kind| kind.starts_with('Q')) {
            let file = data(&format!("conformance/{family}/{kind}.gguf"));
            let (mut fast, mut exact) = (on_cpu(&file, false), on_cpu(&file, true));
            // Two tokens take the path of generation, not that of a prompt.
            let tokens = [5, 17];
            let rows = |engine: &mut dyn Engine| run(engine, &tokens, &Capture::none(), LogitsWanted::All).logits;
            let (a, b) = (rows(fast.as_mut()), rows(exact.as_mut()));
            let rms = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let error = rms(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / rms(&mut b.iter().copied());
            assert!(error < 0.06, "{family} {kind}: {error}");
        }
    }
}

/// Compares every tensor that the reference has with what a run records.
fn check_hooks(what: &str, engine: &mut dyn Engine, reference: &std::collections::HashMap<String, Reference>) {
    let config = engine.config().clone();
    for n in 0..2 {
        let ids = reference[&format!("ids.p{n}")].ids();
        let output = run(engine, &ids, &Capture::all(&config), LogitsWanted::All);
        let recorded = |point: HookPoint| &output.trace.get(point).unwrap_or_else(|| panic!("{point}")).data;
        if let Some(hidden) = reference.get(&format!("hidden.p{n}")) {
            for layer in 0..=config.n_layers {
                let point = match layer {
                    0 => HookPoint::layer(0, Site::ResidPre),
                    _ => HookPoint::layer(layer - 1, Site::ResidPost),
                };
                assert_close(&format!("{what} p{n} {point}"), recorded(point), hidden.row(layer), ABS, REL);
            }
        }
        if let Some(attn) = reference.get(&format!("attn.p{n}")) {
            for layer in 0..config.n_layers {
                let point = HookPoint::layer(layer, Site::Pattern);
                assert_close(&format!("{what} p{n} {point}"), recorded(point), attn.row(layer), PATTERN, 0.0);
            }
        }
        let normed = HookPoint::global(Site::FinalNorm);
        assert_close(
            &format!("{what} p{n} {normed}"),
            recorded(normed),
            &reference[&format!("normed.p{n}")].data,
            ABS,
            REL,
        );
        assert_close(
            &format!("{what} p{n} logits"),
            &output.logits,
            &reference[&format!("logits.p{n}")].data,
            ABS,
            REL,
        );
    }
    let prompt = reference["ids.p0"].ids();
    assert_eq!(greedy(engine, &prompt, 16), reference["greedy"].ids(), "{what}: greedy");
}

#[test]
fn every_folder_of_the_data_is_tested() {
    let folders = std::fs::read_dir(data("conformance")).unwrap().flatten().filter(|e| e.path().is_dir());
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(FAMILIES.iter().any(|(family, _)| *family == name), "{name} is not tested");
        assert!(Path::new(&folder.path()).join("config.json").exists());
    }
}
