//! What several tests share: where the data are, and reading the references.
#![allow(dead_code)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glassbox::engine::loader::{self, Checkpoint};
use glassbox::engine::{DeviceChoice, Engine, Output, Request, open_engine};
use glassbox::model::{Cancel, Capture, Interventions, LogitsWanted};

/// A file under `tests/data`.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// The real test model, SmolLM2-135M-Instruct as Q4_1: named by `GLASSBOX_SMOLLM2`, or fetched into `target/smollm2` by
/// the gate. `None`, with a line printed, where it is not there.
pub fn smollm2() -> Option<PathBuf> {
    let named = std::env::var_os("GLASSBOX_SMOLLM2").map(PathBuf::from);
    if let Some(path) = &named {
        assert!(path.is_file(), "GLASSBOX_SMOLLM2 names {}, which is not a file", path.display());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/smollm2");
    let fetched = || {
        let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "gguf"))
    };
    let found = named.or_else(fetched);
    if found.is_none() {
        println!("skipped: no SmolLM2 (set GLASSBOX_SMOLLM2 to its GGUF file)");
    }
    found
}

/// Opens a model on the CPU.
pub fn on_cpu(path: &Path, exact: bool) -> Box<dyn Engine> {
    on(path, &DeviceChoice::Cpu, exact)
}

/// Opens a model on the best graphics adapter; without one the test fails.
pub fn on_gpu(path: &Path) -> Box<dyn Engine> {
    let checkpoint = open(path);
    let opened = open_engine(&checkpoint, &DeviceChoice::Gpu("gpu".into()), true, &Cancel::new(), &|_| {}).unwrap();
    assert_eq!(opened.fallback, None, "a graphics adapter is needed: install mesa-vulkan-drivers for a software one");
    opened.engine
}

/// Opens a model on a device of choice.
pub fn on(path: &Path, choice: &DeviceChoice, exact: bool) -> Box<dyn Engine> {
    open_engine(&open(path), choice, exact, &Cancel::new(), &|_| {}).unwrap().engine
}

/// Reads a model's headers.
pub fn open(path: &Path) -> Checkpoint {
    loader::open(path).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs tokens from an empty cache, recording everything that `capture` asks for.
pub fn run(engine: &mut dyn Engine, tokens: &[u32], capture: &Capture, logits: LogitsWanted) -> Output {
    engine.truncate(0);
    let interventions = Interventions::none();
    engine.run(Request { tokens, capture, interventions: &interventions, logits }).unwrap()
}

/// Greedy continuation, with the cache.
pub fn greedy(engine: &mut dyn Engine, tokens: &[u32], n: usize) -> Vec<u32> {
    let (capture, interventions) = (Capture::none(), Interventions::none());
    engine.truncate(0);
    let (mut fresh, mut out) = (tokens.to_vec(), Vec::new());
    while out.len() < n {
        let request =
            Request { tokens: &fresh, capture: &capture, interventions: &interventions, logits: LogitsWanted::Last };
        let next = argmax(&engine.run(request).unwrap().logits);
        out.push(next);
        fresh = vec![next];
    }
    out
}

/// The index of the largest value; ties go to the lowest.
pub fn argmax(values: &[f32]) -> u32 {
    let best = values.iter().enumerate().fold((0, f32::NEG_INFINITY), |b, (i, x)| if *x > b.1 { (i, *x) } else { b });
    best.0 as u32
}

/// A tensor of a reference file.
#[derive(Debug, Clone)]
pub struct Reference {
    /// Its axes.
    pub shape: Vec<usize>,
    /// Its values; integers are converted.
    pub data: Vec<f32>,
}

impl Reference {
    /// The values as token ids.
    pub fn ids(&self) -> Vec<u32> {
        self.data.iter().map(|x| *x as u32).collect()
    }

    /// The values at one index of the slowest axis.
    pub fn row(&self, i: usize) -> &[f32] {
        let n: usize = self.shape[1..].iter().product();
        &self.data[i * n..(i + 1) * n]
    }
}

/// Reads a reference file whole.
pub fn references(path: &Path) -> HashMap<String, Reference> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, t)| {
            let data = match t.dtype() {
                safetensors::Dtype::F32 => t.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
                safetensors::Dtype::I64 => {
                    t.data().as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect()
                }
                other => panic!("{name} is {other:?}"),
            };
            (name, Reference { shape: t.shape().to_vec(), data })
        })
        .collect()
}

/// Fails with the first place where two lists differ by more than `abs + rel·|want|`, and the largest difference.
pub fn assert_close(what: &str, got: &[f32], want: &[f32], abs: f32, rel: f32) {
    assert_eq!(got.len(), want.len(), "{what}: lengths differ");
    let excess = |(g, w): (&f32, &f32)| (g - w).abs() - (abs + rel * w.abs());
    let worst = got.iter().zip(want).enumerate().max_by(|a, b| excess(a.1).total_cmp(&excess(b.1)));
    if let Some((i, (g, w))) = worst {
        assert!(excess((g, w)) <= 0.0, "{what}: at {i} got {g}, want {w}, allowed {abs} + {rel}·|want|");
        assert!(g.is_finite() || g == w, "{what}: at {i} got {g}");
    }
}
