//! The student's changes against the same changes made by plain loops: a second, independent Llama in f64.

mod support;

use glassbox::engine::Request;
use glassbox::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile};
use glassbox::model::{Capture, LogitsWanted, Param, Positions, TensorId};
use support::{assert_close, data, on_cpu, on_gpu, open};

const TOKENS: [u32; 9] = [5, 17, 200, 3, 44, 17, 200, 9, 81];

/// What the plain model does differently.
#[derive(Default)]
struct Edits {
    silent: Option<(usize, usize)>,
    temperature: Option<f64>,
    unscaled: bool,
    /// Layer, head, query, weights.
    row: Option<(usize, usize, usize, Vec<f64>)>,
}

#[test]
fn tweaks_equal_plain_edits() {
    let weights = vec![1.0, 0.0, 3.0];
    let cases = [
        (vec![], Edits::default()),
        (
            vec![Tweak::AblateHeads { heads: vec![HeadRef { layer: 1, head: 2 }], with: Ablation::Zero }],
            Edits { silent: Some((1, 2)), ..Edits::default() },
        ),
        (vec![Tweak::Temperature { heads: vec![], value: 0.4 }], Edits { temperature: Some(0.4), ..Edits::default() }),
        (vec![Tweak::Unscaled], Edits { unscaled: true, ..Edits::default() }),
        (
            vec![Tweak::PatternRow { layer: 0, head: 3, query: 6, weights }],
            Edits { row: Some((0, 3, 6, vec![0.25, 0.0, 0.75])), ..Edits::default() },
        ),
    ];
    let path = data("conformance/llama/F32.gguf");
    let (mut cpu, mut gpu) = (on_cpu(&path, true), on_gpu(&path));
    let config = cpu.config().clone();
    for (tweaks, edits) in cases {
        let want: Vec<f32> = plain(&edits).into_iter().map(|x| x as f32).collect();
        let interventions = compile(&tweaks, &config, Sources::default()).unwrap();
        for engine in [&mut cpu, &mut gpu] {
            engine.truncate(0);
            let capture = Capture::none();
            let request = Request {
                tokens: &TOKENS,
                capture: &capture,
                interventions: &interventions,
                logits: LogitsWanted::Last,
            };
            let logits = engine.run(request).unwrap().logits;
            // f32 against f64: the conformance suite's own tolerance.
            assert_close(&format!("{tweaks:?} on {}", engine.device().name), &logits, &want, 5e-5, 2e-5);
        }
    }
}

/// Logits at the last position.
fn plain(edits: &Edits) -> Vec<f64> {
    let file = open(&data("conformance/llama/F32.gguf"));
    let c = file.config.clone();
    let get = |id: TensorId| -> Vec<f64> {
        let spec = c.tensors().into_iter().find(|s| s.id == id).unwrap();
        file.tensor(&spec).unwrap().decode().into_iter().map(f64::from).collect()
    };
    let Positions::Rotary(rotary) = &c.positions else { panic!("a rotary model") };
    let (n, d, h) = (TOKENS.len(), c.d_model, c.d_head);
    let table = get(TensorId::global(Param::Embed));
    let mut x: Vec<Vec<f64>> = TOKENS.iter().map(|id| table[*id as usize * d..][..d].to_vec()).collect();
    for layer in 0..c.n_layers {
        let w = |param| get(TensorId::layer(layer, param));
        let normed: Vec<Vec<f64>> = x.iter().map(|x| norm(x, &w(Param::Norm1), f64::from(c.norm_eps))).collect();
        let project = |param, rotate: bool| -> Vec<Vec<f64>> {
            let matrix = w(param);
            let turn = |(pos, x): (usize, &Vec<f64>)| {
                let mut y = times(&matrix, x);
                for head in y.chunks_exact_mut(h).filter(|_| rotate) {
                    for i in 0..h / 2 {
                        let angle = pos as f64 * rotary.theta.powf(-2.0 * i as f64 / h as f64);
                        let (a, b) = (head[i], head[i + h / 2]);
                        head[i] = a * angle.cos() - b * angle.sin();
                        head[i + h / 2] = b * angle.cos() + a * angle.sin();
                    }
                }
                y
            };
            normed.iter().enumerate().map(turn).collect()
        };
        let (q, k, v) = (project(Param::Q, true), project(Param::K, true), project(Param::V, false));
        let (w_o, w_2) = (w(Param::O), w(Param::Norm2));
        let (gate, up, down) = (w(Param::Gate), w(Param::Up), w(Param::Down));
        for pos in 0..n {
            let mut z = Vec::new();
            for head in 0..c.n_heads {
                let kv = head / (c.n_heads / c.n_kv_heads);
                let scale = if edits.unscaled { 1.0 } else { 1.0 / (h as f64).sqrt() };
                let dot = |j: usize| (0..h).map(|i| q[pos][head * h + i] * k[j][kv * h + i]).sum::<f64>();
                let scores: Vec<f64> = (0..=pos).map(|j| dot(j) * scale / edits.temperature.unwrap_or(1.0)).collect();
                let sum: f64 = scores.iter().map(|s| s.exp()).sum();
                let mut pattern: Vec<f64> = scores.iter().map(|s| s.exp() / sum).collect();
                match &edits.row {
                    Some((l, hd, query, row)) if (*l, *hd, *query) == (layer, head, pos) => pattern = row.clone(),
                    _ => {}
                }
                let silent = edits.silent == Some((layer, head));
                let value = |i: usize| pattern.iter().enumerate().map(|(j, p)| p * v[j][kv * h + i]).sum::<f64>();
                z.extend((0..h).map(|i| if silent { 0.0 } else { value(i) }));
            }
            add(&mut x[pos], &times(&w_o, &z));
            let m = norm(&x[pos], &w_2, f64::from(c.norm_eps));
            let (g, u) = (times(&gate, &m), times(&up, &m));
            let hidden: Vec<f64> = g.iter().zip(&u).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
            add(&mut x[pos], &times(&down, &hidden));
        }
    }
    let last = norm(&x[n - 1], &get(TensorId::global(Param::FinalNorm)), f64::from(c.norm_eps));
    times(&get(TensorId::global(Param::Unembed)), &last)
}

fn times(matrix: &[f64], x: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum()).collect()
}

fn norm(x: &[f64], gain: &[f64], eps: f64) -> Vec<f64> {
    let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    x.iter().zip(gain).map(|(x, g)| x / (mean + eps).sqrt() * g).collect()
}

fn add(x: &mut [f64], y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += y);
}
