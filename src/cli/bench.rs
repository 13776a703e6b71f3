//! `glassbox bench MODEL`: how fast this machine runs a model.
//!
//! Every figure is measured here and now. Configurations take turns, so that what else the machine does hits all of them
//! alike; compare figures of one run, not of two.

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::DeviceArguments;
use crate::builtin::ModelFolders;
use crate::engine::loader::Checkpoint;
use crate::engine::{Device, DeviceChoice, Engine, ModelSource, Request, devices, open_checkpoint, open_engine};
use crate::model::{Cancel, Capture, DeviceKind, Interventions, LogitsWanted, Site};

/// Measures loading, prefill and decoding on every device.
#[derive(Debug, Args)]
pub struct Bench {
    /// The weight file or folder, or the id of a built-in model; without it, the default built-in model.
    #[arg(value_name = "MODEL")]
    file: Option<ModelSource>,
    /// Prompt tokens.
    #[arg(long, default_value_t = 128)]
    prefill: usize,
    /// Generated tokens.
    #[arg(long, default_value_t = 32)]
    decode: usize,
    /// Prompt and generated tokens on a graphics adapter that the CPU emulates.
    #[arg(long, num_args = 2, default_values_t = [16, 4])]
    software: Vec<usize>,
    /// Rounds; the best of each figure counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Measure the window's own work per frame instead.
    #[arg(long)]
    ui: bool,
}

/// The figures of one configuration.
#[derive(Debug, Clone, Serialize)]
struct Figures {
    device: String,
    arithmetic: String,
    /// Seconds from the file to a model that can run.
    load_s: f64,
    prefill_tokens: usize,
    prefill_tokens_per_s: f64,
    /// The same with every attention pattern recorded.
    prefill_captured_tokens_per_s: f64,
    decode_tokens: usize,
    decode_tokens_per_s: f64,
    decode_captured_tokens_per_s: f64,
    /// Bytes of parameters that a generated token reads, per second.
    decode_bytes_per_s: f64,
    /// What a plain copy reaches on the same device.
    copy_bytes_per_s: Option<f64>,
    /// Bytes of the parameters on the device.
    weight_bytes: u64,
}

impl Bench {
    /// Prints a table, or JSON.
    pub fn run(&self, device: &DeviceArguments) -> Result<(), String> {
        let source = self.file.clone().unwrap_or_else(ModelSource::default_model);
        if self.ui {
            return super::shot::frame_work(source, device, self.json);
        }
        let checkpoint = open_checkpoint(&source, &ModelFolders::of_this_program())?;
        let mut runs = self.configurations(device, &checkpoint)?;
        for _ in 0..self.rounds.max(1) {
            for run in &mut runs {
                run.round(&checkpoint).map_err(|e| e.to_string())?;
            }
        }
        let figures: Vec<Figures> = runs.into_iter().map(Run::figures).collect();
        if self.json {
            println!("{}", serde_json::to_string_pretty(&figures).map_err(|e| e.to_string())?);
        } else {
            print_table(&figures);
        }
        if let Some(peak) = peak_memory() {
            println!("peak memory of this process, all devices together: {:.0} MB", peak as f64 / 1e6);
        }
        Ok(())
    }

    /// The CPU's fast and exact paths and every adapter, or only what `--device` names.
    fn configurations(&self, device: &DeviceArguments, checkpoint: &Checkpoint) -> Result<Vec<Run>, String> {
        let all = devices().into_iter().filter(|d| match device.choice() {
            DeviceChoice::Auto => true,
            DeviceChoice::Cpu => d.kind == DeviceKind::Cpu,
            DeviceChoice::Gpu(name) => d.kind != DeviceKind::Cpu && (name == "gpu" || d.name.contains(&name)),
        });
        let paths = all.flat_map(|d| match d.kind {
            DeviceKind::Cpu if device.exact => vec![(d, true)],
            DeviceKind::Cpu => vec![(d.clone(), false), (d, true)],
            _ => vec![(d, true)],
        });
        let run = |(d, exact): (Device, bool)| {
            let (prefill, decode) = match (d.kind, &self.software[..]) {
                (DeviceKind::SoftwareGpu, [prefill, decode]) => (*prefill, *decode),
                _ => (self.prefill, self.decode),
            };
            Run::open(checkpoint, &d.choice, exact, prefill, decode)
        };
        let mut runs: Vec<Run> = paths.map(run).collect::<Result<_, _>>()?;
        // A model without quantised weights has only one path on the CPU.
        runs.dedup_by_key(|run| run.engine.device());
        if runs.is_empty() { Err(format!("There is no device like “{}” here.", device.device)) } else { Ok(runs) }
    }
}

/// One configuration while it is measured.
struct Run {
    engine: Box<dyn Engine>,
    load: Duration,
    prefill: usize,
    decode: usize,
    /// Best times: prefill and decode, each without and with capture.
    best: [Duration; 4],
    bytes_per_token: u64,
}

impl Run {
    fn open(
        checkpoint: &Checkpoint,
        choice: &DeviceChoice,
        exact: bool,
        prefill: usize,
        decode: usize,
    ) -> Result<Self, String> {
        let begun = Instant::now();
        let opened = open_engine(checkpoint, choice, exact, &Cancel::new(), &|_| {})?;
        let config = &checkpoint.config;
        // A separate embedding table is looked up, not read through; of the experts a token reads a few.
        let tables: u64 = if config.tied_embeddings { 0 } else { checkpoint.report.embedding_bytes() };
        let prefill = prefill.clamp(1, config.n_ctx.saturating_sub(decode + 1).max(1));
        let unread = tables + checkpoint.report.idle_bytes();
        let bytes_per_token = opened.engine.memory().weights.saturating_sub(unread);
        Ok(Self {
            engine: opened.engine,
            load: begun.elapsed(),
            prefill,
            decode: decode.max(1),
            best: [Duration::MAX; 4],
            bytes_per_token,
        })
    }

    fn round(&mut self, checkpoint: &Checkpoint) -> crate::model::Result<()> {
        let config = &checkpoint.config;
        let tokens: Vec<u32> = (0..self.prefill).map(|i| ((i * 7919 + 13) % config.d_vocab) as u32).collect();
        let patterns = Capture::none().with_site(Site::Pattern, config);
        for (which, capture) in [Capture::none(), patterns].iter().enumerate() {
            self.engine.truncate(0);
            let prefill = self.time(&tokens, capture)?;
            let mut decode = Duration::ZERO;
            for i in 0..self.decode {
                decode += self.time(&[(i * 31 % config.d_vocab) as u32], capture)?;
            }
            self.best[which] = self.best[which].min(prefill);
            self.best[2 + which] = self.best[2 + which].min(decode);
        }
        Ok(())
    }

    fn time(&mut self, tokens: &[u32], capture: &Capture) -> crate::model::Result<Duration> {
        let (begun, interventions) = (Instant::now(), Interventions::none());
        self.engine.run(Request { tokens, capture, interventions: &interventions, logits: LogitsWanted::Last })?;
        Ok(begun.elapsed())
    }

    fn figures(self) -> Figures {
        let rate = |n: usize, time: Duration| n as f64 / time.as_secs_f64();
        let info = self.engine.device();
        let decode = rate(self.decode, self.best[2]);
        Figures {
            device: info.name,
            arithmetic: info.arithmetic,
            load_s: self.load.as_secs_f64(),
            prefill_tokens: self.prefill,
            prefill_tokens_per_s: rate(self.prefill, self.best[0]),
            prefill_captured_tokens_per_s: rate(self.prefill, self.best[1]),
            decode_tokens: self.decode,
            decode_tokens_per_s: decode,
            decode_captured_tokens_per_s: rate(self.decode, self.best[3]),
            decode_bytes_per_s: decode * self.bytes_per_token as f64,
            copy_bytes_per_s: self.engine.copy_bandwidth().ok(),
            weight_bytes: self.engine.memory().weights,
        }
    }
}

fn print_table(figures: &[Figures]) {
    println!(
        "{:<34} {:<30} {:>7} {:>16} {:>16} {:>15} {:>15} {:>18}",
        "device",
        "arithmetic",
        "load s",
        "prefill tok/s",
        "… captured",
        "decode tok/s",
        "… captured",
        "GB/s read of copy"
    );
    for f in figures {
        let copy = f.copy_bytes_per_s.map_or_else(|| "?".into(), |b| format!("{:.1}", b / 1e9));
        println!(
            "{:<34} {:<30} {:>7.2} {:>9.1} ({:>4}) {:>16.1} {:>8.1} ({:>4}) {:>15.1} {:>10.1} / {:>5}",
            f.device.chars().take(34).collect::<String>(),
            f.arithmetic.chars().take(30).collect::<String>(),
            f.load_s,
            f.prefill_tokens_per_s,
            f.prefill_tokens,
            f.prefill_captured_tokens_per_s,
            f.decode_tokens_per_s,
            f.decode_tokens,
            f.decode_captured_tokens_per_s,
            f.decode_bytes_per_s / 1e9,
            copy,
        );
    }
}

/// The most memory that this process has held, where the system says it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}
