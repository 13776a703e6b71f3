//! `glassbox generate MODEL -p PROMPT`.

use std::io::Write;
use std::time::Instant;

use clap::Args;

use super::{DeviceArguments, Opened, open};
use crate::engine::chat::{ChatTemplate, Message, Role, encode_chat};
use crate::engine::tokenizer::StreamDecoder;
use crate::engine::{ModelSource, Request};
use crate::model::sampler::{Sampler, SamplerConfig};
use crate::model::{Capture, Error, Interventions, LogitsWanted};

/// Generates text.
#[derive(Debug, Args)]
pub struct Generate {
    /// The weight file or folder, or the id of a built-in model.
    #[arg(value_name = "MODEL")]
    file: ModelSource,
    /// The prompt.
    #[arg(short, long)]
    prompt: String,
    /// How many tokens at most.
    #[arg(short = 'n', long, default_value_t = 128)]
    tokens: usize,
    /// 0 takes the most probable token each time.
    #[arg(long, default_value_t = SamplerConfig::default().temperature)]
    temperature: f32,
    /// Keep only this many candidates; 0 keeps all.
    #[arg(long, default_value_t = SamplerConfig::default().top_k.unwrap_or(0))]
    top_k: usize,
    /// Keep the fewest candidates whose probabilities reach this sum.
    #[arg(long, default_value_t = SamplerConfig::default().top_p)]
    top_p: f32,
    /// Seed of the draws.
    #[arg(long, default_value_t = SamplerConfig::default().seed)]
    seed: u64,
    /// Render the prompt through the model's chat template.
    #[arg(long)]
    chat: bool,
}

impl Generate {
    /// Streams text to standard output and the speed to standard error.
    pub fn run(&self, device: &DeviceArguments) -> Result<(), String> {
        let mut opened = open(&self.file, device)?;
        let tokens = self.encode(&mut opened)?;
        let n_ctx = opened.engine.config().n_ctx;
        if tokens.len() > n_ctx {
            return Err(Error::ContextOverflow { tokens: tokens.len(), n_ctx }.to_string());
        }
        let config = SamplerConfig {
            temperature: self.temperature,
            top_k: (self.top_k > 0).then_some(self.top_k),
            top_p: self.top_p,
            seed: self.seed,
        };
        let mut sampler = Sampler::new(config).map_err(|e| e.to_string())?;
        let (capture, interventions, mut decoder) = (Capture::none(), Interventions::none(), StreamDecoder::new());
        let (mut out, mut fresh, mut n) = (std::io::stdout().lock(), tokens, 0);
        let (begun, mut decoding) = (Instant::now(), None);
        while n < self.tokens && opened.engine.cached() + fresh.len() <= n_ctx {
            let request = Request {
                tokens: &fresh,
                capture: &capture,
                interventions: &interventions,
                logits: LogitsWanted::Last,
            };
            let logits = opened.run(request)?.logits;
            let prefilled = *decoding.get_or_insert_with(Instant::now);
            let token = sampler.draw(&logits).map_err(|e| e.to_string())?.chosen;
            if n == 0 {
                let speed = fresh.len() as f64 / (prefilled - begun).as_secs_f64();
                eprintln!("{} prompt tokens at {speed:.1} tokens/s on {}", fresh.len(), opened.engine.device().name);
            }
            if opened.tokenizer.is_end(token) {
                break;
            }
            // A closed pipe only means that nobody reads on.
            if write!(out, "{}", decoder.push(&opened.tokenizer.bytes(&[token]))).and_then(|()| out.flush()).is_err() {
                return Ok(());
            }
            (fresh, n) = (vec![token], n + 1);
        }
        let _ = writeln!(out, "{}", decoder.finish());
        if let (Some(since), true) = (decoding, n > 1) {
            eprintln!("{n} tokens at {:.1} tokens/s", (n - 1) as f64 / since.elapsed().as_secs_f64());
        }
        Ok(())
    }

    fn encode(&self, opened: &mut Opened) -> Result<Vec<u32>, String> {
        let Opened { checkpoint, tokenizer, .. } = opened;
        if !self.chat {
            return tokenizer.encode_prompt(&self.prompt).map_err(|e| e.to_string());
        }
        let file = self.file.name();
        let source = checkpoint
            .chat_template
            .take()
            .ok_or_else(|| format!("“{file}” has no chat template: leave out --chat to continue plain text."))?;
        let template = ChatTemplate::new(&source, tokenizer, &file).map_err(|e| e.to_string())?;
        let message = Message::new(Role::User, self.prompt.as_str());
        encode_chat(tokenizer, &template, &[message], true).map_err(|e| e.to_string())
    }
}
