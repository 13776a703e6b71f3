//! Models with experts, in every form of file, and under changes: against each other, and against plain loops.

#[path = "support/forge.rs"]
#[allow(dead_code)]
mod forge;
mod support;

use std::path::{Path, PathBuf};

use forge::{Gguf, Meta, Tensor, text};
use glassbox::engine::candle::CandleBackend;
use glassbox::engine::loader::{Checkpoint, Family};
use glassbox::engine::{Engine, Request};
use glassbox::model::{
    Axis, Backend, Capture, Edit, Encoding, Expert, HookPoint, Intervention, Interventions, LogitsWanted, Param,
    Positions, Region, Site, TensorId, TensorSpec, every_expert,
};
use support::{Reference, assert_close, data, greedy, on_cpu, on_gpu, open, references, run};

/// How a GGUF keeps the experts of a layer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// All in one tensor, as it has long been.
    Stacked,
    /// Each in a tensor of its own, as it was in the beginning.
    Single,
}

/// The parts of a model, each with its name in GGUF. `{}` stands for the layer, `{e}` for the expert.
const NAMES: &[(Param, &str)] = &[
    (Param::Embed, "token_embd.weight"),
    (Param::Norm1, "blk.{}.attn_norm.weight"),
    (Param::Q, "blk.{}.attn_q.weight"),
    (Param::QNorm, "blk.{}.attn_q_norm.weight"),
    (Param::K, "blk.{}.attn_k.weight"),
    (Param::KNorm, "blk.{}.attn_k_norm.weight"),
    (Param::V, "blk.{}.attn_v.weight"),
    (Param::O, "blk.{}.attn_output.weight"),
    (Param::Norm2, "blk.{}.ffn_norm.weight"),
    (Param::Router, "blk.{}.ffn_gate_inp.weight"),
    (Param::Gate, "blk.{}.ffn_gate"),
    (Param::Up, "blk.{}.ffn_up"),
    (Param::Down, "blk.{}.ffn_down"),
    (Param::FinalNorm, "output_norm.weight"),
    (Param::Unembed, "output.weight"),
];

fn gguf_name(id: TensorId, form: Form) -> String {
    let name = NAMES.iter().find(|(param, _)| *param == id.param).unwrap().1;
    let name = id.layer.map_or(name.to_owned(), |layer| name.replace("{}", &layer.to_string()));
    match (id.expert, form) {
        (None, _) => name,
        (Some(_), Form::Stacked) => format!("{name}_exps.weight"),
        (Some(expert), Form::Single) => format!("{name}.{expert}.weight"),
    }
}

/// A model's tensors in llama.cpp's layout. Matrices of experts are stored as `encoding`, everything else as F32.
fn tensors(model: &Checkpoint, form: Form, encoding: Encoding) -> Vec<Tensor> {
    let config = &model.config;
    let permuted = config.family == "mixtral";
    let mut tensors: Vec<Tensor> = Vec::new();
    for spec in config.tensors() {
        let mut values = model.tensor(&spec).unwrap().decode();
        if permuted && matches!(spec.id.param, Param::Q | Param::K) {
            values = alternate(&values, config.d_head, config.d_model);
        }
        let name = gguf_name(spec.id, form).into_bytes();
        let own = if spec.id.expert.is_some() { encoding } else { Encoding::F32 };
        let data = encode(own, &values);
        match tensors.iter_mut().find(|tensor| tensor.name == name) {
            Some(stack) => {
                stack.dims[2] += 1;
                stack.data.extend(data);
            }
            None => {
                let mut dims: Vec<u64> = spec.shape.iter().rev().map(|n| *n as u64).collect();
                dims.extend((spec.id.expert.is_some() && form == Form::Stacked).then_some(1));
                let kind = if own == Encoding::Q8_0 { 8 } else { 0 };
                tensors.push(Tensor { name, dims, kind, offset: None, data });
            }
        }
    }
    tensors
}

/// Rows of each head, so that those of the two halves alternate.
fn alternate(values: &[f32], d_head: usize, width: usize) -> Vec<f32> {
    let row = |head: &[f32], i: usize| head[i * width..(i + 1) * width].to_vec();
    let half = d_head / 2;
    values
        .chunks(d_head * width)
        .flat_map(|head| (0..half).flat_map(move |i| [row(head, i), row(head, i + half)]).flatten())
        .collect()
}

fn encode(encoding: Encoding, values: &[f32]) -> Vec<u8> {
    match encoding {
        Encoding::Q8_0 => values.chunks(32).flat_map(q8_0).collect(),
        _ => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

fn q8_0(block: &[f32]) -> Vec<u8> {
    let largest = block.iter().fold(0f32, |largest, x| largest.max(x.abs()));
    let scale = half::f16::from_f32(largest / 127.0);
    let quant = |x: &f32| (x / scale.to_f32().max(f32::MIN_POSITIVE)).round().clamp(-127.0, 127.0) as i8 as u8;
    scale.to_le_bytes().into_iter().chain(block.iter().map(quant)).collect()
}

/// A conformance model as a GGUF.
fn gguf(model: &Checkpoint, form: Form, encoding: Encoding, path: &Path) -> PathBuf {
    let (c, moe) = (&model.config, model.config.moe.unwrap());
    let Positions::Rotary(rotary) = &c.positions else { panic!("a rotary model") };
    let architecture = match c.family.as_str() {
        "mixtral" => "llama",
        "qwen3_moe" => "qwen3moe",
        other => other,
    };
    let number = |n: usize| Meta::U32(n as u32);
    let own = [
        ("block_count", number(c.n_layers)),
        ("context_length", number(c.n_ctx)),
        ("embedding_length", number(c.d_model)),
        ("feed_forward_length", number(if c.family == "qwen3_moe" { c.d_mlp } else { moe.d_expert })),
        ("attention.head_count", number(c.n_heads)),
        ("attention.head_count_kv", number(c.n_kv_heads)),
        ("attention.key_length", number(c.d_head)),
        ("attention.value_length", number(c.d_head)),
        ("attention.layer_norm_rms_epsilon", Meta::F32(c.norm_eps)),
        ("rope.freq_base", Meta::F32(rotary.theta as f32)),
        ("expert_count", number(moe.n_experts)),
        ("expert_used_count", number(moe.top_k)),
    ];
    let mut pairs: Vec<(Vec<u8>, Meta)> =
        own.into_iter().map(|(key, value)| (format!("{architecture}.{key}").into_bytes(), value)).collect();
    pairs.push((b"general.architecture".to_vec(), text(architecture)));
    if c.family == "qwen3_moe" {
        pairs.push((b"qwen3moe.expert_feed_forward_length".to_vec(), number(moe.d_expert)));
    }
    let tensors = tensors(model, form, encoding);
    Gguf { version: 3, n_tensors: None, n_pairs: None, pairs, tensors }.write(path)
}

/// The conformance models that have experts.
fn models() -> Vec<(String, PathBuf)> {
    let folders = std::fs::read_dir(data("conformance")).unwrap().flatten().map(|entry| entry.path());
    let models: Vec<_> = folders
        .filter(|path| path.join("config.json").exists() && path.join("reference.safetensors").exists())
        .filter(|path| open(path).config.moe.is_some())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path))
        .collect();
    assert!(!models.is_empty());
    models
}

fn last_logits(engine: &mut dyn Engine, reference: &Reference) -> Vec<f32> {
    run(engine, &reference.ids(), &Capture::none(), LogitsWanted::All).logits
}

#[test]
fn every_form_of_file_gives_the_same_logits() {
    let folder = tempfile::tempdir().unwrap();
    for (name, path) in models() {
        let (model, reference) = (open(&path), references(&path.join("reference.safetensors")));
        let prompt = &reference["ids.p1"];
        let want = last_logits(on_cpu(&path, true).as_mut(), prompt);
        for form in [Form::Stacked, Form::Single] {
            let file = gguf(&model, form, Encoding::F32, &folder.path().join("model.gguf"));
            let opened = open(&file);
            assert_eq!(opened.config, model.config, "{name} {form:?}");
            assert_eq!(opened.report.warnings, Vec::<String>::new());
            assert_eq!(opened.report.n_active_params, model.report.n_active_params);
            // The same numbers in the same order, so the same logits to the bit, but for BF16 against F32 on the CPU.
            let got = last_logits(on_cpu(&file, true).as_mut(), prompt);
            assert_close(&format!("{name} {form:?} CPU"), &got, &want, 2e-5, 2e-5);
            let got = last_logits(on_gpu(&file).as_mut(), prompt);
            assert_close(&format!("{name} {form:?} GPU"), &got, &reference["logits.p1"].data, 5e-5, 2e-5);
            assert_eq!(greedy(on_cpu(&file, true).as_mut(), &reference["ids.p0"].ids(), 16), reference["greedy"].ids());
        }
    }
}

#[test]
fn encoded_stacks_are_cut_between_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let model = open(&data("conformance/mixtral"));
    let at = |name: &str| folder.path().join(name);
    let stacked = open(&gguf(&model, Form::Stacked, Encoding::Q8_0, &at("stacked.gguf")));
    let single = open(&gguf(&model, Form::Single, Encoding::Q8_0, &at("single.gguf")));
    for spec in model.config.tensors() {
        let (a, b) = (stacked.tensor(&spec).unwrap(), single.tensor(&spec).unwrap());
        assert!((a.encoding, &a.shape, &a.bytes) == (b.encoding, &b.shape, &b.bytes), "{}", spec.id);
        let (near, want) = (a.decode(), model.tensor(&spec).unwrap().decode());
        let largest = want.iter().fold(0f32, |largest, x| largest.max(x.abs()));
        assert_close(&spec.id.to_string(), &near, &want, largest / 127.0, 0.0);
    }
    assert_eq!(stacked.report.bytes_in_memory, single.report.bytes_in_memory);
    let prompt = [5, 17, 200, 3];
    let logits =
        |path: &Path, exact| run(on_cpu(path, exact).as_mut(), &prompt, &Capture::none(), LogitsWanted::All).logits;
    assert_eq!(logits(&at("stacked.gguf"), true), logits(&at("single.gguf"), true));
    // Products with 16-bit activations: 0.1 % of values of size 1 is ample.
    assert_close("fast", &logits(&at("stacked.gguf"), false), &logits(&at("single.gguf"), true), 5e-3, 1e-3);
}

#[test]
fn every_parameter_has_its_name_on_the_hub() {
    for (name, path) in models() {
        let model = open(&path);
        let family = Family::of(&model.config).unwrap();
        let mut names: Vec<_> = model.config.tensors().iter().map(|spec| family.hub_name(spec.id).unwrap()).collect();
        let mut listed: Vec<_> = model.report.tensors.iter().map(|tensor| tensor.name.clone()).collect();
        names.sort();
        listed.sort();
        assert_eq!(names, listed, "{name}");
    }
}

/// One expert switched off and one forced on: what the layer then adds must be what plain loops make of the recorded
/// input and the changed gates.
#[test]
fn edited_gates_are_what_counts() {
    let path = data("conformance/mixtral");
    let (model, reference) = (open(&path), references(&path.join("reference.safetensors")));
    let config = &model.config;
    let (layer, n_experts) = (1, config.moe.unwrap().n_experts);
    let at = |site| HookPoint::layer(layer, site);
    let expert = |e| Region::whole().index(Axis::Expert, e);
    let edit = |site, region, edit| Intervention::Edit { at: at(site), region, edit };
    let tokens = reference["ids.p0"].ids();
    for mut engine in [on_cpu(&path, true), on_gpu(&path)] {
        let device = engine.device().name;
        let mut changed = |changes: Vec<Intervention>| {
            engine.truncate(0);
            let (capture, interventions) = (Capture::all(config), Interventions(changes));
            let request = Request {
                tokens: &tokens,
                capture: &capture,
                interventions: &interventions,
                logits: LogitsWanted::All,
            };
            let trace = engine.run(request).unwrap().trace;
            [Site::Norm2, Site::ExpertWeights, Site::MlpOut].map(|site| trace.get(at(site)).unwrap().data.clone())
        };
        let cases = [
            ("as it is", vec![]),
            ("expert 2 off", vec![edit(Site::ExpertWeights, expert(2), Edit::Scale(0.0))]),
            ("expert 0 on", vec![edit(Site::ExpertWeights, expert(0), Edit::Set([0.75].into()))]),
            ("to expert 3", vec![edit(Site::RouterLogits, expert(3), Edit::Set([1e4].into()))]),
            ("never to expert 1", vec![edit(Site::RouterLogits, expert(1), Edit::Set([f32::NEG_INFINITY].into()))]),
        ];
        for (what, changes) in cases {
            let [x, gates, out] = changed(changes);
            let column = |e: usize| gates.iter().skip(e).step_by(n_experts).copied().collect::<Vec<f32>>();
            match what {
                "expert 2 off" => assert!(column(2).iter().all(|gate| *gate == 0.0)),
                "expert 0 on" => assert!(column(0).iter().all(|gate| *gate == 0.75)),
                "to expert 3" => assert!(column(3).iter().all(|gate| *gate == 1.0)),
                "never to expert 1" => assert!(column(1).iter().all(|gate| *gate == 0.0)),
                _ => assert!(gates.chunks(n_experts).all(|row| row.iter().filter(|gate| **gate > 0.0).count() == 2)),
            }
            let want = plain_layer(&model, layer, &x, &gates);
            assert_close(&format!("{what} on {device}"), &out, &want, 2e-5, 2e-5);
        }
    }
}

/// Σ_e gates\[:, e\] · expert_e(x), by plain loops in f64, every expert for every row.
fn plain_layer(model: &Checkpoint, layer: usize, x: &[f32], gates: &[f32]) -> Vec<f32> {
    let (d, moe) = (model.config.d_model, model.config.moe.unwrap());
    let get = |expert, param| -> Vec<f64> {
        let is_it = |spec: &TensorSpec| spec.id == TensorId::expert(layer, expert, param);
        let spec = model.config.tensors().into_iter().find(is_it).unwrap();
        model.tensor(&spec).unwrap().decode().into_iter().map(f64::from).collect()
    };
    let times = |matrix: &[f64], x: &[f64]| -> Vec<f64> {
        matrix.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum()).collect()
    };
    let mut out = vec![0.0f64; x.len()];
    for expert in 0..moe.n_experts {
        let [gate, up, down] = [Param::Gate, Param::Up, Param::Down].map(|param| get(expert, param));
        for (t, row) in x.chunks(d).enumerate() {
            let row: Vec<f64> = row.iter().map(|x| f64::from(*x)).collect();
            let (g, u) = (times(&gate, &row), times(&up, &row));
            let hidden: Vec<f64> = g.iter().zip(&u).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            let weight = f64::from(gates[t * moe.n_experts + expert]);
            let into = &mut out[t * d..(t + 1) * d];
            into.iter_mut().zip(times(&down, &hidden)).for_each(|(out, y)| *out += weight * y);
        }
    }
    out.into_iter().map(|x| x as f32).collect()
}

/// The CPU computes only the rows that are sent to an expert; the definition computes all.
#[test]
fn gathering_rows_changes_nothing() {
    let model = open(&data("conformance/mixtral"));
    let (cpu, config) = (CandleBackend::new(true), &model.config);
    let upload = |id| {
        let spec = config.tensors().into_iter().find(|spec: &TensorSpec| spec.id == id).unwrap();
        cpu.upload(&model.tensor(&spec).unwrap()).unwrap()
    };
    let n_experts = config.moe.unwrap().n_experts;
    let weights: Vec<_> = (0..n_experts)
        .map(|e| [Param::Gate, Param::Up, Param::Down].map(|param| upload(TensorId::expert(0, e, param))))
        .collect();
    let experts: Vec<_> = weights.iter().map(|[gate, up, down]| Expert { gate, up, down }).collect();
    let choices: [fn(usize, usize) -> bool; 5] =
        [|t, e| (t + e) % 2 == 0, |_, e| e == 3, |_, _| false, |_, _| true, |t, e| t == 2 && e == 0];
    for n_tokens in [1, 5, 6, 40] {
        let x: Vec<f32> = (0..n_tokens * config.d_model).map(|i| (i as f32 * 0.37).sin()).collect();
        let x = cpu.tensor(&x, &[n_tokens, config.d_model]).unwrap();
        for choose in choices {
            let gate = |i: usize| if choose(i / n_experts, i % n_experts) { 0.1 + i as f32 * 0.01 } else { 0.0 };
            let gates: Vec<f32> = (0..n_tokens * n_experts).map(gate).collect();
            let gates = cpu.tensor(&gates, &[n_tokens, n_experts]).unwrap();
            let got = cpu.experts(&x, &gates, &experts, config.activation).unwrap();
            let want = every_expert(&cpu, &x, &gates, &experts, config.activation).unwrap();
            let values = cpu.read(&[got, want]).unwrap();
            // The same sums, perhaps cut into other blocks.
            assert_close(&format!("{n_tokens} tokens"), &values[0], &values[1], 1e-5, 1e-5);
        }
    }
}

#[test]
fn hook_points_differ_by_layer() {
    let mut config = open(&data("conformance/mixtral")).config;
    config.moe.as_mut().unwrap().first_layer = 1;
    let points = HookPoint::all(&config);
    let has = |layer, site| points.contains(&HookPoint::layer(layer, site));
    for site in [Site::MlpPre, Site::MlpPreLinear, Site::MlpPost] {
        assert_eq!([0, 1, 2].map(|layer| has(layer, site)), [true, false, false]);
        assert!(site.exists_in(&config));
    }
    for site in [Site::RouterLogits, Site::ExpertWeights] {
        assert_eq!([0, 1, 2].map(|layer| has(layer, site)), [false, true, true]);
    }
    assert!(points.iter().all(|point| point.exists_in(&config)));
    let edit = |layer, site| {
        let (at, region) = (HookPoint::layer(layer, site), Region::whole());
        Interventions(vec![Intervention::Edit { at, region, edit: Edit::Scale(0.0) }]).check(&config)
    };
    assert!(edit(1, Site::ExpertWeights).is_ok() && edit(0, Site::MlpPost).is_ok());
    for (layer, site) in [(0, Site::ExpertWeights), (1, Site::MlpPost), (3, Site::ExpertWeights), (0, Site::Logits)] {
        let sentence = edit(layer, site).unwrap_err().to_string();
        assert!(sentence.contains("no such place"), "{sentence}");
    }
}
