//! Running an engine for a measurement: from an empty cache, so that no run depends on the one before.

use crate::engine::tokenizer::{Specials, Tokenizer};
use crate::engine::{Engine, Output, Request};
use crate::insight::loss::token_losses;
use crate::model::sampler::{Sampler, SamplerConfig};
use crate::model::{Capture, Error, Interventions, LogitsWanted, Result};

/// One run over `tokens`.
pub(super) fn run(
    engine: &mut dyn Engine,
    tokens: &[u32],
    capture: &Capture,
    interventions: &Interventions,
    logits: LogitsWanted,
) -> Result<Output> {
    engine.truncate(0);
    engine.run(Request { tokens, capture, interventions, logits })
}

/// The loss at each token but the first, in nats.
pub(super) fn losses(engine: &mut dyn Engine, tokens: &[u32], interventions: &Interventions) -> Result<Vec<f64>> {
    let output = run(engine, tokens, &Capture::none(), interventions, LogitsWanted::All)?;
    Ok(token_losses(&output.logits, engine.config().d_vocab, tokens))
}

/// The ids of plain text.
pub(super) fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    tokenizer.encode(text, Specials::AsText).map_err(text_error)
}

/// What is drawn after `prompt` until the text ends, at most `at_most` tokens.
pub(super) fn sample(
    engine: &mut dyn Engine,
    tokenizer: &Tokenizer,
    prompt: &[u32],
    config: SamplerConfig,
    at_most: usize,
) -> Result<Vec<u32>> {
    let mut sampler = Sampler::new(config).map_err(text_error)?;
    let (nothing, unchanged) = (Capture::none(), Interventions::none());
    let at_most = at_most.min(engine.config().n_ctx.saturating_sub(prompt.len()));
    engine.truncate(0);
    let (mut fresh, mut drawn) = (prompt.to_vec(), Vec::new());
    while drawn.len() < at_most {
        let request =
            Request { tokens: &fresh, capture: &nothing, interventions: &unchanged, logits: LogitsWanted::Last };
        let token = sampler.draw(&engine.run(request)?.logits).map_err(text_error)?.chosen;
        if tokenizer.is_end(token) {
            break;
        }
        drawn.push(token);
        fresh = vec![token];
    }
    Ok(drawn)
}

/// A sentence of another part of the program, as an error of a run.
pub(super) fn text_error(error: impl std::fmt::Display) -> Error {
    Error::Text(error.to_string())
}
