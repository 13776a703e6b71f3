//! A lab that never computes: a snapshot of made-up numbers, for what only looks matter in. It records what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glassbox::engine::{Memory, TokenScore};
use glassbox::lab::{
    Chip, Command, DeviceOption, Lens, LoadReportView, ModelCard, ModelSource, Run, Snapshot, TokenBar,
};
use glassbox::model::tweak::HeadRef;
use glassbox::model::{
    Activation, DeviceInfo, DeviceKind, HookPoint, ModelConfig, NormKind, Positions, Recorded, RopeScaling,
    RotaryConfig, Site, Trace,
};
use glassbox::ui::Desk;

/// The commands that a lab was given, seen from outside.
pub type Told = Arc<Mutex<Vec<Command>>>;

/// The lab.
#[derive(Default)]
pub struct StillDesk {
    /// What it shows.
    pub snapshot: Snapshot,
    /// What it was told.
    pub told: Told,
}

impl Desk for StillDesk {
    fn apply(&mut self, command: Command) {
        match &command {
            Command::SelectHead(head) => self.snapshot.selection.head = *head,
            Command::SelectToken(token) => self.snapshot.selection.token = *token,
            Command::SetTweaks(tweaks) => self.snapshot.tweaks.clone_from(tweaks),
            Command::SetPrompt(prompt) => self.snapshot.prompt.clone_from(prompt),
            Command::Dismiss(id) => self.snapshot.notices.retain(|n| n.id != *id),
            _ => {}
        }
        self.told.lock().unwrap().push(command);
    }

    fn poll(&mut self) -> bool {
        false
    }

    fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn is_idle(&self) -> bool {
        true
    }

    fn wait_until_idle(&mut self) {}
}

/// SmolLM2's shape.
pub fn config(n_layers: usize, n_heads: usize) -> ModelConfig {
    ModelConfig {
        family: "llama".into(),
        n_layers,
        d_model: 64 * n_heads,
        n_heads,
        n_kv_heads: if n_heads.is_multiple_of(3) { n_heads / 3 } else { n_heads },
        d_head: 64,
        d_mlp: 1536,
        d_vocab: 49152,
        n_ctx: 8192,
        norm: NormKind::Rms,
        norm_eps: 1e-5,
        positions: Positions::Rotary(RotaryConfig { theta: 100_000.0, d_rotary: 64, scaling: RopeScaling::None }),
        activation: Activation::Silu,
        gated_mlp: true,
        qkv_bias: false,
        attn_out_bias: false,
        mlp_bias: false,
        tied_embeddings: true,
        attn_scale: 0.125,
        scale_by_inverse_layer: false,
        sliding_window: None,
        qk_norm: None,
        moe: None,
    }
}

/// A lab with an open model and a run over these tokens.
pub fn still(labels: &[&str], n_layers: usize, n_heads: usize) -> StillDesk {
    let config = config(n_layers, n_heads);
    let chips: Vec<Chip> = labels
        .iter()
        .enumerate()
        .map(|(i, label)| Chip { id: 100 + i as u32, label: (*label).into(), special: false, fragment: false })
        .collect();
    let device = DeviceInfo { kind: DeviceKind::Cpu, name: "Test CPU".into(), arithmetic: "16-bit activations".into() };
    let model = ModelCard {
        name: "Made-up 135M".into(),
        source: ModelSource::File("made-up.gguf".into()),
        about: None,
        device,
        memory: Memory { weights: 98_000_000, cache: 0 },
        report: vec![LoadReportView { title: "File".into(), rows: vec![("Format".into(), "GGUF version 3".into())] }],
        warnings: vec![],
        has_chat_template: true,
        load_time: Duration::from_millis(420),
        config: config.clone(),
    };
    let option = |name: &str, detail: &str, choice| DeviceOption { choice, name: name.into(), detail: detail.into() };
    let snapshot = Snapshot {
        revision: 1,
        model: Some(Arc::new(model)),
        devices: vec![option("CPU", "2 threads, 16-bit activations", Default::default())],
        prompt: labels.concat(),
        n_prompt: chips.len(),
        clean: (!chips.is_empty()).then(|| Arc::new(run(1, &config, chips.len()))),
        chips: chips.into(),
        use_cache: true,
        ..Snapshot::default()
    };
    let mut desk = StillDesk { snapshot, told: Told::default() };
    desk.snapshot.selection.head = HeadRef { layer: n_layers / 2, head: n_heads / 2 };
    desk.snapshot.selection.token = labels.len().saturating_sub(1);
    desk
}

/// A small generator, so that pictures are the same every time.
pub struct Noise(pub u64);

impl Noise {
    /// The next number, 0 to 1.
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 24) as f32
    }
}

/// A run with causal patterns of a few kinds.
pub fn run(id: u64, config: &ModelConfig, n: usize) -> Run {
    let mut noise = Noise(id);
    let mut tensors = BTreeMap::new();
    let detail_layer = config.n_layers / 2;
    let mut put = |layer, site, shape: &[usize], data: Vec<f32>| {
        assert_eq!(shape.iter().product::<usize>(), data.len());
        tensors.insert(HookPoint::layer(layer, site), Recorded { shape: shape.to_vec(), data: data.into() });
    };
    for layer in 0..config.n_layers {
        let mut pattern = vec![0.0; config.n_heads * n * n];
        let mut scores = vec![f32::NEG_INFINITY; config.n_heads * n * n];
        for head in 0..config.n_heads {
            for q in 0..n {
                let kind = (layer * 7 + head * 3) % 4;
                let row = &mut pattern[(head * n + q) * n..][..n];
                let score = &mut scores[(head * n + q) * n..][..n];
                for (k, score) in score.iter_mut().enumerate().take(q + 1) {
                    let target = match kind {
                        0 => q.saturating_sub(1) == k,
                        1 => k == 0,
                        2 => k == q / 2,
                        _ => k == q,
                    };
                    *score = 4.0 * f32::from(target) + 2.0 * noise.next();
                }
                let sum: f32 = score[..=q].iter().map(|s| s.exp()).sum();
                for (row, score) in row.iter_mut().zip(&score[..=q]) {
                    *row = score.exp() / sum;
                }
            }
        }
        if layer == detail_layer {
            let open: Vec<f32> = scores.iter().map(|s| if s.is_finite() { *s } else { 1.0 }).collect();
            put(layer, Site::RawScores, &[config.n_heads, n, n], open.iter().map(|s| s * 8.0).collect());
            put(layer, Site::ScaledScores, &[config.n_heads, n, n], open);
            put(layer, Site::Scores, &[config.n_heads, n, n], scores);
            let mut random = |len: usize| (0..len).map(|_| noise.next() - 0.5).collect::<Vec<f32>>();
            put(layer, Site::V, &[n, config.n_kv_heads, 64], random(n * config.n_kv_heads * 64));
            put(layer, Site::Z, &[n, config.n_heads, 64], random(n * config.n_heads * 64));
            put(layer, Site::AttnOut, &[n, config.d_model], random(n * config.d_model));
        }
        put(layer, Site::Pattern, &[config.n_heads, n, n], pattern);
    }
    let words = ["·Mary", "·John", "·the", "·her", "·him", "·a", "·them", "·Jane", "·his", "·it"];
    let score =
        |i: usize| TokenScore { id: i as u32, logit: 12.0 - i as f32, probability: 0.46 * 0.55f32.powi(i as i32) };
    let bar = |(i, word): (usize, &&str)| TokenBar {
        score: score(i),
        label: (*word).into(),
        clean_probability: score(i).probability,
    };
    let cells = (0..config.n_layers * n)
        .map(|i| (0..5).map(|k| (score((i + k) % 9), words[(i * 3 + k) % 10].to_owned())).collect())
        .collect();
    Run {
        id,
        tokens: (0..n as u32).collect(),
        trace: Trace { tokens: (0..n as u32).collect(), start: 0, tensors },
        detail_layer,
        logits: (0..4096).map(|i| 12.0 - (i as f32).sqrt()).collect(),
        top: words.iter().enumerate().map(bar).collect(),
        lens: Some(Arc::new(Lens { n_positions: n, cells })),
        tweaks: vec![],
        duration: Duration::from_millis(80),
        arithmetic: "f32".into(),
    }
}
