//! The graphics processor against the CPU, at every hook point of whole models.
//!
//! The models are small and random, one per family of switches, in every encoding of weights. Where the two differ, the
//! test names the first hook point in the order of the pass, which is where to look.

#[path = "support/random_model.rs"]
mod random_model;
mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glassbox::engine::candle::CandleBackend;
use glassbox::engine::wgpu::{Style, WgpuBackend};
use glassbox::engine::{DeviceChoice, Engine, Output, Request, Runner};
use glassbox::model::{
    Axis, Backend, Cancel, Capture, Edit, Encoding, Error, HookPoint, Intervention, Interventions, LogitsWanted, Mask,
    ModelConfig, Positions, Region, RopeScaling, RotaryConfig, Site, TensorId, WeightData, Weights,
};
use random_model::{base, models, models_of_experts, random_model};
use support::{data, smollm2};

/// Both sides add f32 numbers, in different orders; the conformance suite measured 1e-5 between f32 and f64.
const ABSOLUTE: f32 = 5e-5;
const RELATIVE: f32 = 2e-5;

fn open() -> WgpuBackend {
    WgpuBackend::open(&DeviceChoice::Auto, Cancel::new())
        .unwrap_or_else(|e| panic!("no adapter to compare with the CPU; install mesa-vulkan-drivers ({e})"))
}

fn runner<B: Backend>(backend: B, config: &ModelConfig, data: &HashMap<TensorId, WeightData>) -> Runner<B> {
    let table = data.iter().map(|(id, data)| (*id, backend.upload(data).unwrap())).collect();
    Runner::new(backend, config.clone(), Weights::new(table)).unwrap()
}

fn tokens(n: usize) -> Vec<u32> {
    (0..n as u32).map(|i| (i * 37 + 11) % 101).collect()
}

fn run(engine: &mut dyn Engine, tokens: &[u32], capture: &Capture, interventions: &Interventions) -> Output {
    engine.run(Request { tokens, capture, interventions, logits: LogitsWanted::All }).unwrap()
}

/// The first value that differs by more than the tolerance, which grows with the tensor's typical value: a sum loses
/// digits in proportion to its terms.
fn difference(got: &[f32], want: &[f32]) -> Option<String> {
    if got.len() != want.len() {
        return Some(format!("{} values, not {}", got.len(), want.len()));
    }
    let (n, power) = want.iter().filter(|w| w.is_finite()).fold((1.0, 0.0), |(n, sum), w| (n + 1.0, sum + w * w));
    let absolute = ABSOLUTE * (power / n).sqrt().max(1.0);
    let close = |g: f32, w: f32| g == w || (g - w).abs() <= absolute + RELATIVE * w.abs();
    let i = got.iter().zip(want).position(|(g, w)| !close(*g, *w))?;
    Some(format!("value {i} is {}, not {}", got[i], want[i]))
}

fn assert_same_trace(what: &str, config: &ModelConfig, got: &Output, want: &Output) {
    assert_eq!(got.trace.tensors.len(), want.trace.tensors.len(), "{what}: hook points");
    for point in HookPoint::all(config) {
        let (Some(got), Some(want)) = (got.trace.get(point), want.trace.get(point)) else { continue };
        assert_eq!(got.shape, want.shape, "{what}: shape at {point}");
        if let Some(difference) = difference(&got.data, &want.data) {
            panic!("{what}: the first hook point that differs is {point} {:?}: {difference}", got.shape);
        }
    }
}

fn assert_same_logits(what: &str, got: &[f32], want: &[f32]) {
    if let Some(difference) = difference(got, want) {
        panic!("{what}: logits: {difference}");
    }
}

#[test]
fn every_hook_point_agrees_with_the_cpu() {
    for (seed, (name, config, encoding)) in (1..).zip(models()) {
        println!("{name}");
        let data = random_model(&config, encoding, seed);
        let (tokens, all, none) = (tokens(19), Capture::all(&config), Interventions::none());
        let want = run(&mut runner(CandleBackend::new(true), &config, &data), &tokens, &all, &none);
        assert_eq!(want.trace.tensors.len(), HookPoint::all(&config).len());
        for style in [Style::FewBarriers, Style::ManyLanes] {
            let mut backend = open();
            backend.set_style(style);
            let mut gpu = runner(backend, &config, &data);
            let seen = run(&mut gpu, &tokens, &all, &none);
            assert_same_trace(&name, &config, &seen, &want);
            assert_same_logits(&name, &seen.logits, &want.logits);

            // The fused kernels, which keep no scores.
            gpu.truncate(0);
            let unseen = run(&mut gpu, &tokens, &Capture::none(), &none);
            assert_same_logits(&format!("{name}, fused"), &unseen.logits, &want.logits);
        }
    }
}

/// Weight files under `folder`, of every family and encoding.
fn weight_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            weight_files(&path, found);
        } else if name.ends_with(".gguf") || name == "model.safetensors" {
            found.push(path);
        }
    }
}

/// Runs a file's model on both devices and compares every hook point.
fn compare_file(path: &Path, tokens: &[u32]) {
    let checkpoint = support::open(path);
    let config = &checkpoint.config;
    let data = config.tensors().iter().map(|spec| (spec.id, checkpoint.tensor(spec).unwrap())).collect();
    let (all, none) = (Capture::all(config), Interventions::none());
    let want = run(&mut runner(CandleBackend::new(true), config, &data), tokens, &all, &none);
    let mut gpu = runner(open(), config, &data);
    let what = path.display().to_string();
    assert_same_trace(&what, config, &run(&mut gpu, tokens, &all, &none), &want);
    gpu.truncate(0);
    let unseen = run(&mut gpu, tokens, &Capture::none(), &none);
    assert_same_logits(&format!("{what}, fused"), &unseen.logits, &want.logits);
}

#[test]
fn every_conformance_model_agrees_with_the_cpu() {
    let mut files = Vec::new();
    weight_files(&data("conformance"), &mut files);
    assert!(files.len() >= 10, "the conformance models were not found");
    for file in files {
        compare_file(&file, &tokens(23));
    }
}

#[test]
fn smollm2_agrees_with_the_cpu() {
    let Some(path) = smollm2() else { return };
    compare_file(&path, &[504, 3575, 282, 4649, 314, 260]);
}

#[test]
fn a_device_with_small_bindings_holds_tensors_in_parts() {
    for (seed, encoding) in [(80, Encoding::F32), (81, Encoding::Q4_1), (82, Encoding::Q6_K)] {
        let width = encoding.block_len().max(64);
        let d_head = width / 4;
        let config = ModelConfig {
            d_model: width,
            d_mlp: width,
            n_heads: 4,
            d_head,
            d_vocab: 1000,
            tied_embeddings: true,
            positions: Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: d_head, scaling: RopeScaling::None }),
            ..base()
        };
        let data = random_model(&config, encoding, seed);
        let (tokens, all, none) = (tokens(5), Capture::all(&config), Interventions::none());
        let want = run(&mut runner(CandleBackend::new(true), &config, &data), &tokens, &all, &none);
        let mut backend = open();
        // The vocabulary's rows and the logits need more than one binding of this size, everything else fits.
        backend.limit_tensors(24 << 10);
        let mut gpu = runner(backend, &config, &data);
        assert_same_trace(encoding.name(), &config, &run(&mut gpu, &tokens, &all, &none), &want);
        gpu.truncate(0);
        assert_same_logits(encoding.name(), &run(&mut gpu, &tokens, &Capture::none(), &none).logits, &want.logits);

        // What cannot be split is refused in one sentence, and the next run is right again.
        gpu.truncate(0);
        let many: Vec<u32> = (0..100).collect();
        let request = Request { tokens: &many, capture: &all, interventions: &none, logits: LogitsWanted::All };
        let error = gpu.run(request).unwrap_err();
        assert!(error.to_string().contains("use a shorter prompt or the CPU"), "{error}");
        assert_same_logits(encoding.name(), &run(&mut gpu, &tokens, &Capture::none(), &none).logits, &want.logits);
    }
}

#[test]
fn a_cached_pass_equals_a_whole_one() {
    let few = models().into_iter().take(3).chain(models_of_experts());
    for (seed, (name, config, encoding)) in (20..).zip(few) {
        let data = random_model(&config, encoding, seed);
        let (tokens, all, none) = (tokens(100), Capture::all(&config), Interventions::none());
        let mut cpu = runner(CandleBackend::new(true), &config, &data);
        let on_the_cpu = run(&mut cpu, &tokens, &Capture::none(), &none);
        cpu.truncate(60);
        let again = run(&mut cpu, &tokens[60..], &Capture::none(), &none);
        assert_same_logits(&name, &again.logits, &on_the_cpu.logits[60 * config.d_vocab..]);
        let mut gpu = runner(open(), &config, &data);
        let whole = run(&mut gpu, &tokens, &Capture::none(), &none);
        gpu.truncate(0);
        let mut logits = Vec::new();
        // Prompts and single tokens in turn; every other piece takes the path that keeps the scores.
        for (i, piece) in [0..7, 7..8, 8..9, 9..70, 70..71, 71..100].into_iter().enumerate() {
            let capture = if i % 2 == 0 { &all } else { &Capture::none() };
            logits.extend(run(&mut gpu, &tokens[piece], capture, &none).logits);
        }
        assert_same_logits(&name, &logits, &whole.logits);
        // Cut back and continued, the cache must hold what it held.
        gpu.truncate(50);
        let again = run(&mut gpu, &tokens[50..], &Capture::none(), &none);
        assert_same_logits(&name, &again.logits, &whole.logits[50 * config.d_vocab..]);
    }
}

#[test]
fn interventions_agree_with_the_cpu() {
    let (name, config, encoding) = models().swap_remove(0);
    let data = random_model(&config, encoding, 40);
    let at = |layer, site| HookPoint::layer(layer, site);
    let head = |head| Region::whole().index(Axis::Head, head);
    let row = || Region::whole().index(Axis::Head, 1).index(Axis::QueryPos, 6);
    let edit = |at, region, edit| Intervention::Edit { at, region, edit };
    let width = config.d_model;
    let steering: Vec<f32> = (0..width).map(|i| i as f32 * 0.1 - 1.0).collect();
    let cases = [
        ("a silenced head", vec![edit(at(0, Site::Z), head(3), Edit::Scale(0.0))]),
        ("a temperature", vec![edit(at(1, Site::ScaledScores), head(2), Edit::Scale(0.25))]),
        (
            "a pattern row",
            vec![
                edit(at(0, Site::Pattern), row(), Edit::Scale(0.0)),
                edit(at(0, Site::Pattern), row().range(Axis::KeyPos, 0..2), Edit::Set([0.25, 0.75].into())),
            ],
        ),
        ("a hidden score", vec![edit(at(0, Site::Scores), row(), Edit::Set([f32::NEG_INFINITY].into()))]),
        (
            "steering",
            vec![edit(at(0, Site::ResidPost), Region::whole().range(Axis::Pos, 2..5), Edit::Add(steering.into()))],
        ),
        ("no causal mask", vec![Intervention::Mask { layer: None, mask: Mask { causal: false, window: None } }]),
        ("a window", vec![Intervention::Mask { layer: Some(1), mask: Mask { causal: true, window: Some(2) } }]),
    ];
    compare_changes(&name, &config, &data, cases);

    let (name, config, encoding) = models_of_experts().swap_remove(0);
    let data = random_model(&config, encoding, 41);
    let expert = |e| Region::whole().index(Axis::Expert, e);
    let cases = [
        ("an expert that does not count", vec![edit(at(0, Site::ExpertWeights), expert(1), Edit::Scale(0.0))]),
        (
            "one that nobody may choose",
            vec![edit(at(1, Site::RouterLogits), expert(0), Edit::Set([f32::NEG_INFINITY].into()))],
        ),
        ("one that all must choose", vec![edit(at(0, Site::RouterLogits), expert(4), Edit::Add([1e4].into()))]),
        (
            "one that counts for some",
            vec![edit(at(1, Site::ExpertWeights), expert(2).range(Axis::Pos, 3..6), Edit::Set([0.5].into()))],
        ),
        ("no expert", vec![edit(at(1, Site::ExpertWeights), Region::whole(), Edit::Scale(0.0))]),
    ];
    compare_changes(&name, &config, &data, cases);
}

/// Runs each list of changes on both devices and compares every hook point.
fn compare_changes<const N: usize>(
    name: &str,
    config: &ModelConfig,
    data: &HashMap<TensorId, WeightData>,
    cases: [(&str, Vec<Intervention>); N],
) {
    let (tokens, all) = (tokens(11), Capture::all(config));
    for (what, changes) in cases {
        let changes = Interventions(changes);
        let want = run(&mut runner(CandleBackend::new(true), config, data), &tokens, &all, &changes);
        let mut gpu = runner(open(), config, data);
        let seen = run(&mut gpu, &tokens, &all, &changes);
        assert_same_trace(&format!("{name}, {what}"), config, &seen, &want);
        gpu.truncate(0);
        let unseen = run(&mut gpu, &tokens, &Capture::none(), &changes);
        assert_same_logits(&format!("{name}, {what}, nothing recorded"), &unseen.logits, &want.logits);
    }
}

#[test]
fn memory_stays_flat_over_a_long_generation() {
    let (_, config, encoding) = models().swap_remove(0);
    let data = random_model(&config, encoding, 50);
    let mut gpu = runner(open(), &config, &data);
    let (none, nothing) = (Interventions::none(), Capture::none());
    let mut bytes = Vec::new();
    for _ in 0..3 {
        gpu.truncate(0);
        run(&mut gpu, &tokens(3), &nothing, &none);
        for token in tokens(100) {
            run(&mut gpu, &[token], &nothing, &none);
        }
        bytes.push(gpu.backend().allocated_bytes());
    }
    // The KV cache keeps its room, and everything else is used again.
    assert!(bytes[1] <= bytes[0] && bytes[2] <= bytes[0], "bytes on the device after each of three texts: {bytes:?}");
}

#[test]
fn a_cancelled_run_stops_and_the_next_one_is_right() {
    let (name, config, encoding) = models().swap_remove(0);
    let data = random_model(&config, encoding, 60);
    let mut gpu = runner(open(), &config, &data);
    let (tokens, none, nothing) = (tokens(9), Interventions::none(), Capture::none());
    let want = run(&mut gpu, &tokens, &nothing, &none);
    gpu.truncate(4);
    let cancel = Cancel::new();
    cancel.cancel();
    gpu.set_cancel(cancel);
    let request = Request { tokens: &tokens[4..], capture: &nothing, interventions: &none, logits: LogitsWanted::All };
    assert!(matches!(gpu.run(request), Err(Error::Cancelled)));
    assert_eq!(gpu.cached(), 4);
    gpu.set_cancel(Cancel::new());
    let again = run(&mut gpu, &tokens[4..], &nothing, &none);
    assert_same_logits(&name, &again.logits, &want.logits[4 * config.d_vocab..]);
}

/// Prompts take long on a large model. The bound is generous, since this machine may be busy with other tests; a run
/// that ignored the flag would take several times as long.
#[test]
fn a_cancel_takes_effect_in_the_middle_of_a_pass() {
    let heads = ModelConfig { n_heads: 8, d_head: 64, ..base() };
    let config = ModelConfig { n_layers: 2, d_model: 512, d_mlp: 2048, d_vocab: 4000, n_ctx: 1024, ..heads };
    let data = random_model(&config, Encoding::Q4_0, 90);
    let mut gpu = runner(open(), &config, &data);
    let tokens: Vec<u32> = (0..256).collect();
    let (none, nothing) = (Interventions::none(), Capture::none());
    run(&mut gpu, &tokens[..4], &nothing, &none);
    gpu.truncate(0);
    let begin = Instant::now();
    run(&mut gpu, &tokens, &nothing, &none);
    let whole = begin.elapsed();

    gpu.truncate(0);
    let cancel = Cancel::new();
    gpu.set_cancel(cancel.clone());
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(whole / 4);
        cancel.cancel();
        Instant::now()
    });
    let request = Request { tokens: &tokens, capture: &nothing, interventions: &none, logits: LogitsWanted::All };
    let result = gpu.run(request);
    let cancelled = canceller.join().unwrap();
    assert!(matches!(result, Err(Error::Cancelled)));
    let late = cancelled.elapsed();
    println!("the whole pass took {whole:?}; the cancel took effect after {late:?}");
    assert!(late < (whole / 4).max(Duration::from_millis(300)), "{late:?} of {whole:?}");
}

/// The engine lives on a thread of its own.
#[test]
fn the_backend_can_move_to_another_thread() {
    fn assert_send<T: Send>() {}
    assert_send::<WgpuBackend>();
    assert_send::<Runner<WgpuBackend>>();
}

#[test]
fn a_lost_device_is_an_error_that_says_so() {
    let (_, config, encoding) = models().swap_remove(0);
    let data = random_model(&config, encoding, 70);
    let mut gpu = runner(open(), &config, &data);
    let (tokens, none, nothing) = (tokens(9), Interventions::none(), Capture::none());
    run(&mut gpu, &tokens, &nothing, &none);
    assert!(!gpu.backend().is_lost());
    gpu.backend().lose_device();
    let request = Request { tokens: &tokens, capture: &nothing, interventions: &none, logits: LogitsWanted::All };
    let error = gpu.run(request).unwrap_err();
    assert!(matches!(error, Error::Device { .. }), "{error}");
    println!("{error}");
    assert!(gpu.backend().is_lost());
    // Opening anew works.
    run(&mut runner(open(), &config, &data), &tokens, &nothing, &none);
}
