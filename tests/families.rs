//! Every supported family against the reference implementation, hook by hook, on tiny random models.

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glassbox::engine::Engine;
use glassbox::model::{Capture, HookPoint, LogitsWanted, Site};
use support::{Reference, assert_close, data, greedy, on_cpu, on_gpu, references, run};

/// The folders of the conformance suites. A folder is tested by being there; `GLASSBOX_CONFORMANCE` names another suite.
fn folders() -> Vec<PathBuf> {
    let more = std::env::var_os("GLASSBOX_CONFORMANCE").map(PathBuf::from);
    let suites = [Some(data("conformance")), Some(data("conformance_more")), more];
    let inside = |suite: PathBuf| std::fs::read_dir(suite).unwrap().flatten().map(|entry| entry.path());
    let mut folders: Vec<_> = suites.into_iter().flatten().flat_map(inside).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// What the reference says of a folder's safetensors, where it has some.
fn safetensors_reference(folder: &Path) -> Option<HashMap<String, Reference>> {
    let has = |name: &str| folder.join(name).exists();
    (has("model.safetensors") || has("model.safetensors.index.json"))
        .then(|| references(&folder.join("reference.safetensors")))
}

/// A folder's GGUF files, each with what the reference says of it.
fn ggufs(folder: &Path) -> Vec<(PathBuf, HashMap<String, Reference>)> {
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|e| e == "gguf"));
    let reference = |file: &Path| match file.with_extension("reference.safetensors") {
        own if own.exists() => own,
        _ => folder.join("reference.safetensors"),
    };
    files.map(|file| (file.clone(), references(&reference(&file)))).collect()
}

fn name(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// float32 arithmetic in another order: the suite's own tolerance, backed by float64 runs.
const ABS: f32 = 5e-5;
const REL: f32 = 2e-5;
/// Probabilities lie in 0..1.
const PATTERN: f32 = 1e-5;

#[test]
fn safetensors_hook_by_hook() {
    let mut n = 0;
    for folder in folders() {
        let Some(reference) = safetensors_reference(&folder) else { continue };
        check_hooks(&format!("{} CPU", name(&folder)), on_cpu(&folder, true).as_mut(), &reference);
        check_hooks(&format!("{} GPU", name(&folder)), on_gpu(&folder).as_mut(), &reference);
        n += 1;
    }
    assert!(n >= 14, "{n} folders");
}

#[test]
fn hub_spelling_of_the_config() {
    for folder in folders().into_iter().filter(|folder| folder.join("config.hub.json").exists()) {
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(&folder).unwrap().flatten() {
            let name = file.file_name();
            let into = if name == "config.hub.json" { "config.json".into() } else { name.clone() };
            if name != "config.json" {
                std::fs::copy(file.path(), copy.path().join(into)).unwrap();
            }
        }
        let config = support::open(copy.path()).config;
        assert_eq!(config, support::open(&folder).config, "{}", name(&folder));
    }
}

#[test]
fn gguf_hook_by_hook() {
    let mut n = 0;
    for (file, reference) in folders().iter().flat_map(|folder| ggufs(folder)) {
        check_hooks(&format!("{} CPU", name(&file)), on_cpu(&file, true).as_mut(), &reference);
        check_hooks(&format!("{} GPU", name(&file)), on_gpu(&file).as_mut(), &reference);
        n += 1;
    }
    assert!(n >= 13, "{n} files");
}

#[test]
fn fast_path_stays_close() {
    // Activations in 16 bits: each product is off by 1/65534 of a block at most, so 0.1 % of the logits' rms is ample.
    for (file, _) in folders().iter().flat_map(|folder| ggufs(folder)) {
        let (mut fast, mut exact) = (on_cpu(&file, false), on_cpu(&file, true));
        // Two tokens take the path of generation, not that of a prompt.
        let tokens = [5, 17];
        let rows = |engine: &mut dyn Engine| run(engine, &tokens, &Capture::none(), LogitsWanted::All).logits;
        let (a, b) = (rows(fast.as_mut()), rows(exact.as_mut()));
        let rms = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        let error = rms(&mut a.iter().zip(&b).map(|(a, b)| a - b)) / rms(&mut b.iter().copied());
        assert!(error < 1e-3, "{}: {error}", name(&file));
    }
}

/// Compares every tensor that the reference has with what a run records.
fn check_hooks(what: &str, engine: &mut dyn Engine, reference: &HashMap<String, Reference>) {
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
        let with_experts = config.moe_layers().enumerate();
        for (i, layer) in with_experts.filter(|_| reference.contains_key(&format!("router.p{n}"))) {
            let (logits, weights) =
                (HookPoint::layer(layer, Site::RouterLogits), HookPoint::layer(layer, Site::ExpertWeights));
            let want = reference[&format!("router.p{n}")].row(i);
            assert_close(&format!("{what} p{n} {logits}"), recorded(logits), want, ABS, REL);
            let moe = config.moe_in(layer).unwrap();
            let chosen = recorded(weights).iter().enumerate().filter(|(_, weight)| **weight > 0.0);
            let chosen: Vec<f32> = chosen.map(|(at, _)| (at % moe.n_experts) as f32).collect();
            assert_eq!(chosen, reference[&format!("experts.p{n}")].row(i), "{what} p{n} {weights}");
            let sums = recorded(weights).chunks(moe.n_experts).map(|row| row.iter().sum::<f32>());
            sums.for_each(|sum| assert!(sum < 1.0 + PATTERN && (!moe.normalise || sum > 1.0 - PATTERN), "{sum}"));
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
