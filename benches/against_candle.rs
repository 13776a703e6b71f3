//! This engine beside candle-transformers' own quantised Llama, taking turns in one run.
//!
//! `cargo bench --bench against_candle -- FILE.gguf` prints tokens per second of both and their ratios. Only the ratios
//! mean something on a shared machine: each round runs both, one after the other, and the best round of each counts.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use candle_core::quantized::gguf_file;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use glassbox::engine::{DeviceChoice, Engine, Request, loader, open_engine};
use glassbox::model::{Cancel, Capture, Interventions, LogitsWanted, Site};

const ROUNDS: usize = 8;
const PREFILL: usize = 128;
const DECODE: usize = 24;

fn main() {
    // Cargo hands `--bench` to every bench.
    let named = std::env::args().skip(1).find(|a| !a.starts_with("--")).map(PathBuf::from);
    let Some(file) = named.or_else(|| std::env::var_os("GLASSBOX_SMOLLM2").map(PathBuf::from)) else {
        return println!("Name a Llama GGUF, or set GLASSBOX_SMOLLM2.");
    };
    let checkpoint = loader::open(&file).expect("a model");
    let patterns = Capture::none().with_site(Site::Pattern, &checkpoint.config);
    let opened = open_engine(&checkpoint, &DeviceChoice::Cpu, false, &Cancel::new(), &|_| {}).expect("an engine");
    let mut ours = opened.engine;
    let mut theirs = Candle::open(&file);
    let tokens: Vec<u32> = (0..PREFILL).map(|i| (i * 7919 % checkpoint.config.d_vocab) as u32).collect();

    let mut best = [[Duration::MAX; 2]; 3];
    for _ in 0..ROUNDS {
        let rounds = [
            theirs.round(&tokens),
            round(ours.as_mut(), &tokens, &Capture::none()),
            round(ours.as_mut(), &tokens, &patterns),
        ];
        for (best, now) in best.iter_mut().zip(rounds) {
            (best[0], best[1]) = (best[0].min(now[0]), best[1].min(now[1]));
        }
    }
    let [candle, plain, captured] =
        best.map(|[p, d]| [PREFILL as f64 / p.as_secs_f64(), DECODE as f64 / d.as_secs_f64()]);
    println!("{:<28}{:>16}{:>16}", "tokens per second", format!("prefill {PREFILL}"), format!("decode {DECODE}"));
    for (name, [prefill, decode]) in
        [("candle-transformers", candle), ("glassbox", plain), ("… recording every pattern", captured)]
    {
        println!("{name:<28}{prefill:>16.1}{decode:>16.1}");
    }
    println!("glassbox / candle-transformers: prefill {:.2}, decode {:.2}", plain[0] / candle[0], plain[1] / candle[1]);
    println!(
        "cost of recording: prefill {:.1} %, decode {:.1} %",
        cost(plain[0], captured[0]),
        cost(plain[1], captured[1])
    );
}

fn cost(plain: f64, captured: f64) -> f64 {
    100.0 * (plain / captured - 1.0)
}

/// Time of the prompt and of the tokens after it.
fn round(engine: &mut dyn Engine, tokens: &[u32], capture: &Capture) -> [Duration; 2] {
    let interventions = Interventions::none();
    let mut run = |tokens: &[u32]| {
        let begun = Instant::now();
        engine
            .run(Request { tokens, capture, interventions: &interventions, logits: LogitsWanted::Last })
            .expect("a run");
        begun.elapsed()
    };
    let times = [run(tokens), (0..DECODE).map(|i| run(&[i as u32 + 40])).sum()];
    engine.truncate(0);
    times
}

/// The other engine.
struct Candle(ModelWeights);

impl Candle {
    fn open(file: &PathBuf) -> Self {
        let mut reader = std::fs::File::open(file).expect("the file");
        let content = gguf_file::Content::read(&mut reader).expect("a GGUF");
        Self(ModelWeights::from_gguf(content, &mut reader, &Device::Cpu).expect("a Llama"))
    }

    fn round(&mut self, tokens: &[u32]) -> [Duration; 2] {
        let mut run = |tokens: &[u32], at: usize| {
            let begun = Instant::now();
            let input = Tensor::new(tokens, &Device::Cpu).and_then(|t| t.unsqueeze(0)).expect("a tensor");
            self.0.forward(&input, at).expect("a run");
            begun.elapsed()
        };
        [run(tokens, 0), (0..DECODE).map(|i| run(&[i as u32 + 40], tokens.len() + i)).sum()]
    }
}
