//! Runs for the panels: the sequence without changes, and with them.

use std::sync::Arc;
use std::time::Instant;

use super::job::{Event, Sequence, TraceJob};
use super::session::Open;
use super::snapshot::{Chip, Run, TokenBar};
use super::worker::Mailbox;
use crate::engine::chat::{Message, Role, encode_chat};
use crate::engine::tokenizer::{Piece, Tokenizer};
use crate::engine::{Request, TokenScore, top_tokens};
use crate::model::tweak::{Sources, Tweak, compile};
use crate::model::{Capture, Error, HookPoint, Interventions, LogitsWanted, ModelConfig, Result, Site, Trace};

/// Candidates for the next token that a run lists.
const TOP: usize = 20;

/// Sites that every layer records for the panels.
const EVERYWHERE: [Site; 2] = [Site::Pattern, Site::ResidPost];

/// Sites that only the selected layer records.
const DETAIL: [Site; 10] = [
    Site::Q,
    Site::K,
    Site::V,
    Site::RotQ,
    Site::RotK,
    Site::RawScores,
    Site::ScaledScores,
    Site::Scores,
    Site::Z,
    Site::AttnOut,
];

/// A run without changes, with what it recorded.
pub struct Traced {
    /// The run.
    pub run: Arc<Run>,
    capture: Capture,
}

/// The tokens of a sequence, and how many of them are the prompt's.
pub struct Tokens {
    /// Prompt and generated tokens.
    pub all: Vec<u32>,
    /// The prompt's.
    pub n_prompt: usize,
}

/// The run without changes and the run with them. Neither exists for an empty prompt, the second only with changes.
pub type Runs = (Option<Arc<Run>>, Option<Arc<Run>>);

/// Cuts a sequence into tokens.
pub fn tokens(open: &Open, sequence: &Sequence) -> Result<Tokens> {
    let tokenizer = &open.tokenizer;
    let mut all = match (&open.chat, sequence.chat) {
        (Some(chat), true) if !sequence.prompt.is_empty() => {
            let message = Message::new(Role::User, sequence.prompt.as_str());
            encode_chat(tokenizer, chat, &[message], true).map_err(text_error)?
        }
        _ => plain_tokens(tokenizer, &sequence.prompt)?,
    };
    let n_prompt = all.len();
    all.extend(&sequence.generated);
    Ok(Tokens { all, n_prompt })
}

/// Cuts plain text into tokens, with the begin token where the model wants one. An empty text has none.
pub fn plain_tokens(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    if text.is_empty() { Ok(Vec::new()) } else { tokenizer.encode_prompt(text).map_err(text_error) }
}

/// The chips of a list of tokens.
pub fn chips(tokenizer: &Tokenizer, tokens: &[u32]) -> Arc<[Chip]> {
    let chip = |p: Piece| Chip { id: p.id, label: p.label, special: p.special, fragment: p.fragment };
    tokenizer.pieces_of(tokens).into_iter().map(chip).collect()
}

/// Carries out a request. The unchanged run is shared with the next request where it is the same.
pub fn trace(
    open: &mut Open,
    job: &TraceJob,
    clean: &mut Option<Traced>,
    runs: &mut u64,
    mailbox: &Mailbox,
) -> Result<Runs> {
    let tokens = tokens(open, &job.sequence)?;
    let donor = job.donor.as_deref().map(|text| plain_tokens(&open.tokenizer, text)).transpose()?.unwrap_or_default();
    mailbox.post(Event::Tokens {
        revision: job.revision,
        chips: chips(&open.tokenizer, &tokens.all),
        n_prompt: tokens.n_prompt,
        dropped: dropped(&open.tokenizer, &job.sequence.prompt)?,
        donor_chips: chips(&open.tokenizer, &donor),
    });
    if tokens.all.is_empty() {
        *clean = None;
        return Ok((None, None));
    }

    let config = open.engine.config().clone();
    let detail_layer = job.detail_layer.min(config.n_layers - 1);
    let capture = panel_capture(&config, detail_layer);
    let wanted = job.tweaks.iter().flat_map(Tweak::needs_clean).collect::<Capture>().union(&capture);
    let reusable = clean.as_ref().filter(|c| *c.run.tokens == tokens.all && c.capture.covers(&wanted));
    if reusable.is_none() {
        *clean = None;
        let run = run(open, &tokens.all, &wanted, &Interventions::none(), detail_layer, &[], None, runs)?;
        *clean = Some(Traced { run: Arc::new(run), capture: wanted });
    }
    let Some(unchanged) = clean.as_ref().map(|c| c.run.clone()) else { return Ok((None, None)) };
    if job.tweaks.is_empty() {
        return Ok((Some(unchanged), None));
    }

    let interventions = interventions(open, &job.tweaks, Some(&unchanged.trace), &donor)?;
    let before = Some(unchanged.as_ref());
    let changed = run(open, &tokens.all, &capture, &interventions, detail_layer, &job.tweaks, before, runs)?;
    Ok((Some(unchanged), Some(Arc::new(changed))))
}

/// The parts of a text that the vocabulary cannot write.
fn dropped(tokenizer: &Tokenizer, text: &str) -> Result<Vec<String>> {
    Ok(tokenizer.dropped(text).map_err(text_error)?.into_iter().map(|d| d.label).collect())
}

/// What the tweaks come to on this model, with the run of the second prompt made where one of them needs it.
pub fn interventions(open: &mut Open, tweaks: &[Tweak], clean: Option<&Trace>, donor: &[u32]) -> Result<Interventions> {
    let config = open.engine.config().clone();
    let needed: Capture = tweaks.iter().flat_map(Tweak::needs_donor).collect();
    let donor = if needed.is_empty() || donor.is_empty() { None } else { Some(record(open, donor, &needed)?) };
    compile(tweaks, &config, Sources { clean, donor: donor.as_ref() })
}

/// Runs tokens from an empty cache, unchanged, and gives what was recorded.
pub fn record(open: &mut Open, tokens: &[u32], capture: &Capture) -> Result<Trace> {
    open.engine.truncate(0);
    let interventions = Interventions::none();
    let request = Request { tokens, capture, interventions: &interventions, logits: LogitsWanted::Last };
    Ok(open.engine.run(request)?.trace)
}

/// What the panels plot.
fn panel_capture(config: &ModelConfig, detail_layer: usize) -> Capture {
    let everywhere = EVERYWHERE.iter().fold(Capture::none(), |capture, site| capture.with_site(*site, config));
    DETAIL
        .iter()
        .map(|site| HookPoint::layer(detail_layer, *site))
        .filter(|point| point.exists_in(config))
        .fold(everywhere, Capture::with)
        .with(HookPoint::layer(0, Site::ResidPre))
}

#[allow(clippy::too_many_arguments)]
fn run(
    open: &mut Open,
    tokens: &[u32],
    capture: &Capture,
    interventions: &Interventions,
    detail_layer: usize,
    tweaks: &[Tweak],
    clean: Option<&Run>,
    runs: &mut u64,
) -> Result<Run> {
    let begun = Instant::now();
    open.engine.truncate(0);
    let request = Request { tokens, capture, interventions, logits: LogitsWanted::Last };
    let output = open.engine.run(request)?;
    let duration = begun.elapsed();
    // A single value that is not a number spoils every later one: name the place where it began.
    if output.logits.iter().any(|x| !x.is_finite()) {
        let logits = HookPoint::global(Site::Logits);
        return Err(Error::NotFinite(output.trace.first_not_finite().unwrap_or(logits)));
    }
    *runs += 1;
    Ok(Run {
        id: *runs,
        tokens: tokens.into(),
        top: bars(&open.tokenizer, &output.logits, clean),
        trace: output.trace,
        detail_layer,
        logits: output.logits.into(),
        lens: None,
        tweaks: tweaks.to_vec(),
        duration,
        arithmetic: open.engine.device().arithmetic,
    })
}

/// The most probable next tokens, each with its probability in the unchanged run. That run's favourites are listed too,
/// so that what a change took away can be seen.
fn bars(tokenizer: &Tokenizer, logits: &[f32], clean: Option<&Run>) -> Vec<TokenBar> {
    let log_sum = |logits: &[f32]| {
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits.iter().map(|x| f64::from(x - max).exp()).sum();
        f64::from(max) + sum.ln()
    };
    let probability = |logit: f32, log_sum: f64| (f64::from(logit) - log_sum).exp() as f32;
    let (here, before) = (log_sum(logits), clean.map(|run| (run, log_sum(&run.logits))));

    let mut scores = top_tokens(logits, TOP);
    if let Some((run, _)) = before {
        let missing =
            run.top.iter().take(TOP / 4).map(|bar| bar.score.id).filter(|id| !scores.iter().any(|s| s.id == *id));
        let lost: Vec<TokenScore> = missing
            .map(|id| (id, logits[id as usize]))
            .map(|(id, logit)| TokenScore { id, logit, probability: probability(logit, here) })
            .collect();
        scores.extend(lost);
    }
    let bar = |score: TokenScore| TokenBar {
        score,
        label: tokenizer.label(score.id),
        clean_probability: before
            .map_or(score.probability, |(run, log_sum)| probability(run.logits[score.id as usize], log_sum)),
    };
    scores.into_iter().map(bar).collect()
}

/// A tokenizer's sentence as a model error.
fn text_error(error: impl std::fmt::Display) -> Error {
    Error::Text(error.to_string())
}
