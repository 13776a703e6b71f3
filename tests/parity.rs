//! The graphics processor against the CPU, at every hook point of whole models.
//!
//! The models are small and random, one per family of switches, in every encoding of weights. Where the two differ, the
//! test names the first hook point in the order of the pass, which is where to look.

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use glassbox::engine::candle::CandleBackend;
use glassbox::engine::wgpu::{Style, WgpuBackend};
use glassbox::engine::{DeviceChoice, Engine, Output, Request, Runner};
use glassbox::model::{
    Activation, Axis, Backend, Cancel, Capture, Edit, Encoding, Error, HookPoint, Intervention, Interventions,
    LogitsWanted, Mask, ModelConfig, NormKind, Positions, Region, RopeScaling, RotaryConfig, Site, TensorId,
    WeightData, Weights,
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use support::{data, smollm2};

/// Both sides add f32 numbers, in different orders; the conformance suite measured 1e-5 between f32 and f64.
const ABSOLUTE: f32 = 5e-5;
const RELATIVE: f32 = 2e-5;

fn open() -> WgpuBackend {
    WgpuBackend::open(&DeviceChoice::Auto, Cancel::new())
        .unwrap_or_else(|e| panic!("no adapter to compare with the CPU; install mesa-vulkan-drivers ({e})"))
}

/// Sizes that no workgroup divides, grouped heads, a context that needs several key tiles.
fn base() -> ModelConfig {
    ModelConfig {
        family: "test".into(),
        n_layers: 2,
        d_model: 32,
        n_heads: 6,
        n_kv_heads: 2,
        d_head: 10,
        d_mlp: 96,
        d_vocab: 101,
        n_ctx: 128,
        norm: NormKind::Rms,
        norm_eps: 1e-5,
        positions: Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: 10, scaling: RopeScaling::None }),
        activation: Activation::Silu,
        gated_mlp: true,
        qkv_bias: false,
        attn_out_bias: false,
        mlp_bias: false,
        tied_embeddings: false,
        attn_scale: 10f32.powf(-0.5),
        scale_by_inverse_layer: false,
        sliding_window: None,
    }
}

/// (name, config, encoding of the matrices)
fn models() -> Vec<(String, ModelConfig, Encoding)> {
    let gpt = ModelConfig {
        norm: NormKind::Layer,
        positions: Positions::Learned,
        activation: Activation::GeluTanh,
        gated_mlp: false,
        qkv_bias: true,
        attn_out_bias: true,
        mlp_bias: true,
        tied_embeddings: true,
        n_kv_heads: 6,
        scale_by_inverse_layer: true,
        ..base()
    };
    let half_rotary = Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: 4, scaling: RopeScaling::None });
    let windowed = ModelConfig {
        positions: half_rotary,
        sliding_window: Some(5),
        qkv_bias: true,
        activation: Activation::Gelu,
        n_kv_heads: 1,
        ..base()
    };
    let odd = ModelConfig { d_model: 27, d_mlp: 33, activation: Activation::Relu, ..base() };
    let mut models = vec![
        ("grouped heads, rotary, gated".to_string(), base(), Encoding::F32),
        ("learned positions, layer norm, biases, tied".into(), gpt, Encoding::F32),
        ("half rotary, window, one key head".into(), windowed, Encoding::F16),
        ("odd widths".into(), odd, Encoding::BF16),
    ];
    for encoding in Encoding::ALL.into_iter().filter(|e| e.block_len() > 1) {
        let width = encoding.block_len();
        let config = ModelConfig {
            d_model: width,
            d_mlp: 2 * width,
            n_heads: 4,
            d_head: width / 4,
            positions: Positions::Rotary(RotaryConfig { theta: 1e4, d_rotary: width / 4, scaling: RopeScaling::None }),
            ..base()
        };
        models.push((encoding.name().to_string(), config, encoding));
    }
    models
}

/// A random parameter: matrices of about 1/√in, gains near 1.
fn random_weight(rng: &mut ChaCha8Rng, encoding: Encoding, shape: &[usize]) -> WeightData {
    let mut unit = || (f64::from(rng.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
    let n: usize = shape.iter().product();
    let d_in = shape[shape.len() - 1];
    if shape.len() == 1 {
        let bytes: Vec<u8> = (0..n).flat_map(|_| (1.0 + 0.2 * unit()).to_le_bytes()).collect();
        return WeightData { encoding: Encoding::F32, shape: shape.to_vec(), bytes: bytes.into() };
    }
    let size = 1.7 / (d_in as f32).sqrt();
    let mut bytes = vec![0u8; n / encoding.block_len() * encoding.block_bytes()];
    for b in bytes.chunks_exact_mut(encoding.block_bytes()) {
        let half = |x: f32| half::f16::from_f32(x).to_le_bytes();
        match encoding {
            Encoding::F32 => b.copy_from_slice(&(size * unit()).to_le_bytes()),
            Encoding::F16 => b.copy_from_slice(&half(size * unit())),
            Encoding::BF16 => b.copy_from_slice(&half::bf16::from_f32(size * unit()).to_le_bytes()),
            _ => {
                b.iter_mut().for_each(|b| *b = (128.0 + 127.0 * unit()) as u8);
                // Scales such that the decoded weights have about the wanted size, and offsets that centre them.
                let (at, scale, offset) = match encoding {
                    Encoding::Q4_0 => (0, 1.0 / 8.0, None),
                    Encoding::Q5_0 => (0, 1.0 / 16.0, None),
                    Encoding::Q8_0 => (0, 1.0 / 127.0, None),
                    Encoding::Q4_1 => (0, 1.0 / 8.0, Some(-1.0)),
                    Encoding::Q5_1 => (0, 1.0 / 16.0, Some(-1.0)),
                    Encoding::Q4_K => (0, 1.0 / 8.0 / 120.0, Some(1.0 / 120.0)),
                    Encoding::Q5_K => (0, 1.0 / 16.0 / 120.0, Some(1.0 / 120.0)),
                    _ => (208, 1.0 / 32.0 / 70.0, None),
                };
                b[at..at + 2].copy_from_slice(&half(size * scale * (1.0 + 0.2 * unit())));
                if let Some(offset) = offset {
                    b[2..4].copy_from_slice(&half(size * offset));
                }
            }
        }
    }
    WeightData { encoding, shape: shape.to_vec(), bytes: bytes.into() }
}

fn random_model(config: &ModelConfig, encoding: Encoding, seed: u64) -> HashMap<TensorId, WeightData> {
    println!("seed {seed}");
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    config.tensors().iter().map(|spec| (spec.id, random_weight(&mut rng, encoding, &spec.shape))).collect()
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
    for (seed, (name, config, encoding)) in (20..).zip(models().into_iter().take(3)) {
        let data = random_model(&config, encoding, seed);
        let mut gpu = runner(open(), &config, &data);
        let (tokens, all, none) = (tokens(100), Capture::all(&config), Interventions::none());
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
    let (tokens, all) = (tokens(11), Capture::all(&config));
    for (what, changes) in cases {
        let changes = Interventions(changes);
        let want = run(&mut runner(CandleBackend::new(true), &config, &data), &tokens, &all, &changes);
        let mut gpu = runner(open(), &config, &data);
        let seen = run(&mut gpu, &tokens, &all, &changes);
        assert_same_trace(&format!("{name}, {what}"), &config, &seen, &want);
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
