//! SmolLM2 against an independent implementation: token ids are in `tokenizer.rs`; here logits, the residual stream,
//! attention and greedy text.

mod support;

use glassbox::engine::Engine;
use glassbox::model::{Capture, HookPoint, LogitsWanted, Site, sampler};
use serde_json::Value;
use support::{argmax, assert_close, data, greedy, on_cpu, on_gpu, references, run, smollm2};

/// float32 against float64 moves these logits by up to 4e-5; another order of operations stays well under this.
const LOGITS: f32 = 1e-3;
/// Relative, as the reference's own noise is 2.5e-6.
const NORMS: f32 = 1e-4;
const PATTERN: f32 = 1e-4;
/// A greedy step whose two best logits are closer than this may go either way.
const MARGIN: f64 = 2e-3;

struct Prompt {
    name: String,
    ids: Vec<u32>,
    greedy: Vec<u32>,
    margins: Vec<f64>,
}

#[test]
fn exact_cpu() {
    let Some(model) = smollm2() else { return };
    check(on_cpu(&model, true).as_mut(), &prompts(), 40);
}

#[test]
fn gpu() {
    let Some(model) = smollm2() else { return };
    check(on_gpu(&model).as_mut(), &prompts(), 40);
}

#[test]
fn fast_cpu() {
    let Some(model) = smollm2() else { return };
    let (reference, mut engine) = (references(&data("reference/reference.safetensors")), on_cpu(&model, false));
    for prompt in prompts() {
        let want = &reference[&format!("{}.logits_last", prompt.name)].data;
        // Token by token, so that every product takes the path of 16-bit activations.
        engine.truncate(0);
        let mut logits = Vec::new();
        for id in &prompt.ids {
            let before = engine.cached();
            logits = step(engine.as_mut(), *id);
            assert_eq!(engine.cached(), before + 1);
        }
        let kl = sampler::kl(want, &logits);
        assert_eq!(argmax(&logits), argmax(want), "{}: most probable token", prompt.name);
        assert!(kl < 0.005, "{}: KL {kl}", prompt.name);
    }
}

fn step(engine: &mut dyn Engine, id: u32) -> Vec<f32> {
    let (capture, interventions) = (Capture::none(), glassbox::model::Interventions::none());
    let request = glassbox::engine::Request {
        tokens: &[id],
        capture: &capture,
        interventions: &interventions,
        logits: LogitsWanted::Last,
    };
    engine.run(request).unwrap().logits
}

fn check(engine: &mut dyn Engine, prompts: &[Prompt], n_greedy: usize) {
    let reference = references(&data("reference/reference.safetensors"));
    let config = engine.config().clone();
    let layers = [0, 10, 29];
    let capture = layers
        .iter()
        .fold(Capture::none(), |c, layer| c.with(HookPoint::layer(*layer, Site::Pattern)))
        .with(HookPoint::layer(0, Site::ResidPre))
        .with(HookPoint::global(Site::FinalNorm))
        .with_site(Site::ResidPost, &config);
    for prompt in prompts {
        let name = &prompt.name;
        let output = run(engine, &prompt.ids, &capture, LogitsWanted::Last);
        let recorded = |point: HookPoint| &output.trace.get(point).unwrap().data;
        assert_close(
            &format!("{name} logits"),
            &output.logits,
            &reference[&format!("{name}.logits_last")].data,
            LOGITS,
            0.0,
        );
        for layer in layers {
            let want = &reference[&format!("{name}.attn.{layer}")].data;
            assert_close(
                &format!("{name} pattern {layer}"),
                recorded(HookPoint::layer(layer, Site::Pattern)),
                want,
                PATTERN,
                0.0,
            );
        }
        let rows = std::iter::once(HookPoint::layer(0, Site::ResidPre))
            .chain((0..config.n_layers).map(|l| HookPoint::layer(l, Site::ResidPost)))
            .chain([HookPoint::global(Site::FinalNorm)]);
        let norms = &reference[&format!("{name}.resid_l2")];
        for (i, point) in rows.enumerate() {
            let got: Vec<f32> = recorded(point).chunks(config.d_model).map(norm).collect();
            assert_close(&format!("{name} norm of {point}"), &got, norms.row(i), 0.0, NORMS);
        }
        let worst = |got: &[f32], want: &[f32]| got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
        let off = worst(&output.logits, &reference[&format!("{name}.logits_last")].data);
        println!("{name} on {}: logits off by {off:e} at most", engine.device().name);
        check_greedy(engine, prompt, n_greedy);
    }
}

/// The greedy text is the reference's up to the first step that could go either way.
fn check_greedy(engine: &mut dyn Engine, prompt: &Prompt, n: usize) {
    let sure = prompt.margins.iter().take_while(|margin| **margin > MARGIN).count().min(n);
    let got = greedy(engine, &prompt.ids, sure);
    assert_eq!(got, prompt.greedy[..sure], "{}: greedy", prompt.name);
}

fn norm(row: &[f32]) -> f32 {
    row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32
}

fn prompts() -> Vec<Prompt> {
    let text = std::fs::read_to_string(data("reference/reference.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let ids = |v: &Value| v.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect();
    let prompt = |(name, p): (&String, &Value)| Prompt {
        name: name.clone(),
        ids: ids(&p["token_ids"]),
        greedy: ids(&p["greedy40_ids"]),
        margins: p["greedy_top1_minus_top2"].as_array().unwrap().iter().map(|m| m.as_f64().unwrap()).collect(),
    };
    json["prompts"].as_object().unwrap().iter().map(prompt).collect()
}
