//! A Llama in plain loops over f64, one token and one head at a time, that can be changed in every way that a student can
//! change the real one. It shares the reader of files with the product and nothing else.

use std::path::Path;

use glassbox::engine::loader;
use glassbox::model::{ModelConfig, Param, Positions, TensorId};

/// What the model does differently. Heads are (layer, head).
#[derive(Debug, Clone, Default)]
pub struct Edits {
    /// Heads that put out nothing.
    pub silent: Vec<(usize, usize)>,
    /// Heads that put out their mean over the positions of the unchanged run.
    pub averaged: Vec<(usize, usize)>,
    /// Scores are divided by this, in one head or in all.
    pub temperature: Option<(Option<(usize, usize)>, f64)>,
    /// No 1/√d.
    pub unscaled: bool,
    /// Later tokens are visible.
    pub acausal: bool,
    /// Only tokens nearer than this are visible.
    pub window: Option<usize>,
    /// Layer, head, query, and its weights from the first token on.
    pub row: Option<(usize, usize, usize, Vec<f64>)>,
    /// What leaves this layer at this position comes from that position of the second prompt.
    pub patches: Vec<(usize, usize, usize)>,
}

/// The model, decoded.
pub struct PlainLlama {
    config: ModelConfig,
    theta: f64,
    params: Vec<(TensorId, Vec<f64>)>,
}

/// One run: per layer the heads' outputs and the residual stream that leaves it, by position; and the last logits.
struct Run {
    z: Vec<Vec<Vec<f64>>>,
    resid: Vec<Vec<Vec<f64>>>,
    logits: Vec<f64>,
}

impl PlainLlama {
    /// Reads a file.
    pub fn open(path: &Path) -> Self {
        let file = loader::open(path).unwrap();
        let config = file.config.clone();
        let Positions::Rotary(rotary) = &config.positions else { panic!("a rotary model") };
        let theta = rotary.theta;
        let decode = |spec: &glassbox::model::TensorSpec| {
            (spec.id, file.tensor(spec).unwrap().decode().into_iter().map(f64::from).collect())
        };
        let params = config.tensors().iter().map(decode).collect();
        Self { config, theta, params }
    }

    /// Logits at the last position, with changes; means come from the unchanged run, patches from that of `donor`.
    pub fn logits(&self, tokens: &[u32], donor: &[u32], edits: &Edits) -> Vec<f32> {
        let unchanged = Edits::default();
        let clean = (!edits.averaged.is_empty()).then(|| self.run(tokens, &unchanged, None, None));
        let donor = (!edits.patches.is_empty()).then(|| self.run(donor, &unchanged, None, None));
        let run = self.run(tokens, edits, clean.as_ref(), donor.as_ref());
        run.logits.into_iter().map(|x| x as f32).collect()
    }

    fn param(&self, id: TensorId) -> &[f64] {
        &self.params.iter().find(|(known, _)| *known == id).unwrap_or_else(|| panic!("no {id}")).1
    }

    fn run(&self, tokens: &[u32], edits: &Edits, clean: Option<&Run>, donor: Option<&Run>) -> Run {
        let (d, eps) = (self.config.d_model, f64::from(self.config.norm_eps));
        let table = self.param(TensorId::global(Param::Embed));
        let mut x: Vec<Vec<f64>> = tokens.iter().map(|id| table[*id as usize * d..][..d].to_vec()).collect();
        let (mut all_z, mut resid) = (Vec::new(), Vec::new());
        for layer in 0..self.config.n_layers {
            let w = |param| self.param(TensorId::layer(layer, param));
            let normed: Vec<Vec<f64>> = x.iter().map(|x| norm(x, w(Param::Norm1), eps)).collect();
            let mut z = self.heads(layer, &normed, edits);
            for &(_, head) in edits.averaged.iter().filter(|(l, _)| *l == layer) {
                let clean = &clean.expect("an unchanged run").z[layer];
                for i in head * self.config.d_head..(head + 1) * self.config.d_head {
                    let mean = clean.iter().map(|z| z[i]).sum::<f64>() / clean.len() as f64;
                    z.iter_mut().for_each(|z| z[i] = mean);
                }
            }
            for (x, z) in x.iter_mut().zip(&z) {
                add(x, &times(w(Param::O), z));
                let m = norm(x, w(Param::Norm2), eps);
                let (gate, up) = (times(w(Param::Gate), &m), times(w(Param::Up), &m));
                let hidden: Vec<f64> = gate.iter().zip(&up).map(|(g, u)| g / (1.0 + (-g).exp()) * u).collect();
                add(x, &times(w(Param::Down), &hidden));
            }
            for &(_, position, from) in edits.patches.iter().filter(|(l, ..)| *l == layer) {
                x[position].clone_from(&donor.expect("a second prompt").resid[layer][from]);
            }
            all_z.push(z);
            resid.push(x.clone());
        }
        let last = norm(x.last().expect("a token"), self.param(TensorId::global(Param::FinalNorm)), eps);
        let logits = times(self.param(TensorId::global(Param::Unembed)), &last);
        Run { z: all_z, resid, logits }
    }

    /// The heads' outputs of a layer, side by side, by position.
    fn heads(&self, layer: usize, normed: &[Vec<f64>], edits: &Edits) -> Vec<Vec<f64>> {
        let (c, h) = (&self.config, self.config.d_head);
        let w = |param| self.param(TensorId::layer(layer, param));
        let rows = |param| -> Vec<Vec<f64>> { normed.iter().map(|x| times(w(param), x)).collect() };
        let (mut q, mut k, v) = (rows(Param::Q), rows(Param::K), rows(Param::V));
        for rows in [&mut q, &mut k] {
            for (position, row) in rows.iter_mut().enumerate() {
                row.chunks_exact_mut(h).for_each(|head| self.turn(position, head));
            }
        }
        let mut z = Vec::new();
        for query in 0..normed.len() {
            let mut out = Vec::new();
            for head in 0..c.n_heads {
                let pattern = self.pattern(layer, head, query, &q, &k, edits);
                let (kv, silent) = (head / (c.n_heads / c.n_kv_heads), edits.silent.contains(&(layer, head)));
                let value = |i: usize| pattern.iter().enumerate().map(|(j, p)| p * v[j][kv * h + i]).sum::<f64>();
                out.extend((0..h).map(|i| if silent { 0.0 } else { value(i) }));
            }
            z.push(out);
        }
        z
    }

    /// Whom one token attends to in one head.
    fn pattern(
        &self,
        layer: usize,
        head: usize,
        query: usize,
        q: &[Vec<f64>],
        k: &[Vec<f64>],
        edits: &Edits,
    ) -> Vec<f64> {
        match &edits.row {
            Some((l, h, at, row)) if (*l, *h, *at) == (layer, head, query) => return row.clone(),
            _ => {}
        }
        let (c, h) = (&self.config, self.config.d_head);
        let kv = head / (c.n_heads / c.n_kv_heads);
        let mut factor = if edits.unscaled { 1.0 } else { 1.0 / (h as f64).sqrt() };
        match edits.temperature {
            Some((which, value)) if which.is_none_or(|which| which == (layer, head)) => factor /= value,
            _ => {}
        }
        let visible = |key: usize| {
            (edits.acausal || key <= query) && edits.window.is_none_or(|width| query.abs_diff(key) < width)
        };
        let score = |key: usize| (0..h).map(|i| q[query][head * h + i] * k[key][kv * h + i]).sum::<f64>() * factor;
        let powers: Vec<f64> = (0..k.len()).map(|key| if visible(key) { score(key).exp() } else { 0.0 }).collect();
        let sum: f64 = powers.iter().sum();
        powers.into_iter().map(|power| power / sum).collect()
    }

    /// Rotates a head's vector by its position.
    fn turn(&self, position: usize, head: &mut [f64]) {
        let h = head.len();
        for i in 0..h / 2 {
            let angle = position as f64 * self.theta.powf(-2.0 * i as f64 / h as f64);
            let (a, b) = (head[i], head[i + h / 2]);
            head[i] = a * angle.cos() - b * angle.sin();
            head[i + h / 2] = b * angle.cos() + a * angle.sin();
        }
    }
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
