//! Generating text, token by token.

use std::time::Instant;

use super::job::{Event, GenerateJob};
use super::session::Open;
use super::snapshot::NoticeLevel;
use super::trace::{self, Traced};
use super::worker::Mailbox;
use crate::engine::Request;
use crate::engine::tokenizer::StreamDecoder;
use crate::model::sampler::Sampler;
use crate::model::tweak::Tweak;
use crate::model::{Cancel, Capture, Error, LogitsWanted, Result};

/// Generates after a sequence, with the changes in force, until the text ends. Returns why it stopped.
pub fn generate(
    open: &mut Open,
    job: &GenerateJob,
    clean: Option<&Traced>,
    cancel: &Cancel,
    mailbox: &Mailbox,
) -> Result<String> {
    let mut tokens = trace::tokens(open, &job.from.sequence)?.all;
    if tokens.is_empty() {
        return Err(Error::EmptyPrompt);
    }
    let tweaks = &job.from.tweaks;
    let donor = match &job.from.donor {
        Some(text) => trace::plain_tokens(&open.tokenizer, text)?,
        None => Vec::new(),
    };
    let wanted: Capture = tweaks.iter().flat_map(Tweak::needs_clean).collect();
    let recorded = match clean {
        _ if wanted.is_empty() => None,
        Some(clean) if *clean.run.tokens == tokens && wanted.points().all(|p| clean.run.trace.get(p).is_some()) => {
            Some(clean.run.trace.clone())
        }
        _ => Some(trace::record(open, &tokens, &wanted)?),
    };
    let interventions = trace::interventions(open, tweaks, recorded.as_ref(), &donor)?;
    let use_cache = job.use_cache && interventions.are_causal();
    if job.use_cache && !use_cache {
        let text =
            "Without the causal mask earlier tokens depend on later ones, so generation runs without the KV cache.";
        mailbox.post(Event::Notice(NoticeLevel::Info, text.into()));
    }

    let nothing = Capture::none();
    let mut sampler = Sampler::new(job.sampler).map_err(|e| Error::Text(e.to_string()))?;
    let mut decoder = StreamDecoder::new();
    let n_ctx = open.engine.config().n_ctx;
    open.engine.truncate(0);
    let mut fresh = tokens.clone();
    for n in 0..job.max_tokens {
        cancel.check()?;
        let begun = Instant::now();
        if !use_cache {
            open.engine.truncate(0);
        }
        let request = Request {
            tokens: if use_cache { &fresh } else { &tokens },
            capture: &nothing,
            interventions: &interventions,
            logits: LogitsWanted::Last,
        };
        let logits = open.engine.run(request)?.logits;
        if n == 0 {
            mailbox.post(Event::Prefilled { id: job.id, duration: begun.elapsed() });
        }
        let draw = sampler.draw(&logits).map_err(|e| Error::Text(e.to_string()))?;
        let token = draw.chosen;
        let is_end = open.tokenizer.is_end(token);
        let candidates: Vec<u32> = draw.candidates.iter().map(|c| c.id).collect();
        let labels = trace::chips(&open.tokenizer, &candidates).iter().map(|chip| chip.label.clone()).collect();
        mailbox.post(Event::Drew {
            id: job.id,
            chip: trace::chips(&open.tokenizer, &[token])[0].clone(),
            // The token that ends a text is no part of it; its chip shows it.
            text: if is_end { String::new() } else { decoder.push(&open.tokenizer.bytes(&[token])) },
            draw,
            labels,
            duration: begun.elapsed(),
            cache_bytes: if use_cache { open.engine.memory().cache } else { 0 },
        });
        if is_end {
            return Ok("the model ended the text".into());
        }
        tokens.push(token);
        fresh = vec![token];
        if tokens.len() >= n_ctx {
            return Ok(format!("the context of {n_ctx} tokens is full"));
        }
    }
    Ok(format!("{} tokens were asked for", job.max_tokens))
}
