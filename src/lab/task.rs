//! Measuring the open model for a lesson's task.
//!
//! The key of a task is what the model does on texts that are drawn for this attempt, from the words of its own
//! vocabulary. A seed names an attempt: the same seed draws the same texts, so that what was graded can be graded again.
//! All runs are of the model without the student's changes, except where heads are handed in to be silenced. Where the
//! model has no clear answer, the task is withdrawn with a sentence instead of being graded by noise.

use super::job::Event;
use super::session::Open;
use super::trace::plain_tokens;
use super::worker::Mailbox;
use crate::engine::{Output, Request};
use crate::insight::heads::{HeadKind, HeadMaps, repeated_random};
use crate::lesson::{FlipKey, Key, Measured, RowKey, TaskKind, shuffled};
use crate::model::sampler::top_n;
use crate::model::tweak::{Ablation, HeadRef, Sources, Tweak, compile, every_head};
use crate::model::{Capture, Error, HookPoint, Interventions, LogitsWanted, Result, Site};
use crate::train::eval::whole_words;

/// Texts over which a head's score is averaged.
const TEXTS: u64 = 3;
/// Tokens in one of the two copies of such a text.
const COPY: usize = 24;
/// The least score of the best head that makes a task of finding it: below, the habit is nobody's.
const CLEAR: f32 = 0.4;
/// The least probability of a prediction that is worth being flipped.
const SURE: f32 = 0.3;
/// Texts that are tried before a task is withdrawn.
const DRAWS: u64 = 8;
/// Heads that the search for a flip silences together at most.
const TOGETHER: usize = 12;
/// The temperatures at which a wanted entropy may lie.
const TEMPERATURES: [f64; 7] = [0.35, 0.5, 0.7, 1.5, 2.0, 3.0, 4.0];

/// A measurement for one attempt at a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskJob {
    /// What the task asks for.
    pub kind: TaskKind,
    /// Names the attempt: what is drawn follows from it.
    pub seed: u64,
    /// Heads that are to be silenced together; none where only the key is wanted.
    pub silenced: Option<Vec<HeadRef>>,
}

/// Draws the texts of an attempt and measures the open model on them; where that is known already, only silences the heads
/// that were handed in.
pub fn measure(open: &mut Open, job: &TaskJob, known: Option<&Measured>, mailbox: &Mailbox) -> Result<Measured> {
    let mut measured = match (known, job.kind.habit(), job.kind) {
        (Some(known), ..) => known.clone(),
        (None, Some(habit), _) => heads(open, habit, job.seed)?,
        (None, None, TaskKind::RowEntropy) => row(open, job.seed)?,
        (None, None, _) => flip(open, job.seed, mailbox)?,
    };
    if let (Some(heads), Key::Flip(_)) = (&job.silenced, &measured.key) {
        let tokens = plain_tokens(&open.tokenizer, &measured.prompt)?;
        let now = margin(open, &tokens, heads, u32::MAX)?.1;
        measured.tried = Some((heads.clone(), open.tokenizer.decode(&[now])));
    }
    Ok(measured)
}

fn found(open: &Open, prompt: String, key: Key) -> Measured {
    let config = open.engine.config();
    Measured { n_layers: config.n_layers, n_heads: config.n_heads, prompt, key, tried: None }
}

/// Random words, `n` of them in two copies; the second one is broken off after `second` words.
fn draw(open: &Open, seed: u64, n: usize, second: usize) -> Vec<u32> {
    let allowed = whole_words(&open.tokenizer, 2 * n);
    let mut words = repeated_random(seed, &allowed, n, 2);
    words.truncate(n + second);
    words
}

/// The words as a text that a student can run. Cut again it may differ in its first token, so the key is made of the
/// tokens of the text.
fn text(open: &Open, words: &[u32]) -> Result<(String, Vec<u32>)> {
    let text = open.tokenizer.decode(words).trim().to_owned();
    let tokens = plain_tokens(&open.tokenizer, &text)?;
    Ok((text, tokens))
}

fn heads(open: &mut Open, habit: HeadKind, seed: u64) -> Result<Measured> {
    let config = open.engine.config().clone();
    let capture = Capture::none().with_site(Site::Pattern, &config);
    let copy = COPY.min(config.n_ctx.saturating_sub(2) / 2);
    let mut maps = HeadMaps::new(config.n_layers, config.n_heads);
    let mut shown = String::new();
    for n in 0..TEXTS {
        let words = draw(open, seed.wrapping_add(n), copy, copy);
        let (text, tokens) = text(open, &words)?;
        if tokens.is_empty() || tokens.len() > config.n_ctx {
            return Ok(found(open, text, Key::Withdrawn("Its context is too short for a text that repeats.".into())));
        }
        maps.add(&run(open, &tokens, &capture, &Interventions::none())?.trace);
        if n == 0 {
            shown = text;
        }
    }
    let key = match maps.map(habit) {
        Some(map) if map.best().is_some_and(|(_, best)| best >= CLEAR) => Key::Heads(map),
        Some(map) => {
            let best = map.best().map_or(0.0, |(_, best)| best * 100.0);
            Key::Withdrawn(format!(
                "On {TEXTS} random texts, its best head for “{}” scores {best:.0} %, and below {:.0} % there is none.",
                habit.name(),
                CLEAR * 100.0
            ))
        }
        None => Key::Withdrawn("Its random texts had no place for that habit.".into()),
    };
    Ok(found(open, shown, key))
}

fn row(open: &mut Open, seed: u64) -> Result<Measured> {
    let config = open.engine.config().clone();
    let words = draw(open, seed, 12.min(config.n_ctx.saturating_sub(2)), 0);
    let (text, tokens) = text(open, &words)?;
    let at = HookPoint::layer(0, Site::Scores);
    let output = run(open, &tokens, &Capture::none().with(at), &Interventions::none())?;
    let scores = output.trace.get(at).ok_or(Error::EmptyPrompt)?;
    let n = tokens.len();
    let key = shuffled(config.n_heads, seed).into_iter().find_map(|head| {
        let last = scores.head(head)?.get(n.checked_sub(1)? * n..)?;
        let head = HeadRef { layer: 0, head };
        let token = open.tokenizer.decode(tokens.last().map(std::slice::from_ref)?);
        let visible = last.iter().copied().filter(|score| score.is_finite()).collect();
        let row = RowKey { head, token, scores: visible, target: 0.0 };
        let now = row.entropy(1.0);
        // Far enough from where the slider stands, and not so near to nothing that 5 % of it cannot be set.
        let target = shuffled(TEMPERATURES.len(), seed).into_iter().map(|i| row.entropy(TEMPERATURES[i]));
        let target =
            target.into_iter().find(|target| *target > 0.2 && (target - now).abs() > 0.12 * target.max(now))?;
        Some(RowKey { target, ..row })
    });
    let none = || Key::Withdrawn("In its first layer, no row of this text reacts to the temperature.".into());
    Ok(found(open, text, key.map_or_else(none, Key::Row)))
}

fn flip(open: &mut Open, seed: u64, mailbox: &Mailbox) -> Result<Measured> {
    let n_ctx = open.engine.config().n_ctx;
    let mut last = String::new();
    for n in 0..DRAWS {
        let words = draw(open, seed.wrapping_add(n), 8.min(n_ctx / 3), 5.min(n_ctx / 4));
        let (text, tokens) = text(open, &words)?;
        last.clone_from(&text);
        let output = run(open, &tokens, &Capture::none(), &Interventions::none())?;
        let Some((top, probability)) = likeliest(&output.logits) else { continue };
        if probability < SURE {
            continue;
        }
        if let Some((heads, then)) = search(open, &tokens, top, mailbox)? {
            let decode = |id: u32| open.tokenizer.decode(&[id]);
            let key = FlipKey { top: decode(top), probability, found: heads, then: decode(then) };
            return Ok(found(open, text, Key::Flip(key)));
        }
    }
    let why = format!("None of {DRAWS} texts that repeat had a prediction that is sure and that a few heads decide.");
    Ok(found(open, last, Key::Withdrawn(why)))
}

/// The likeliest token and its probability.
fn likeliest(logits: &[f32]) -> Option<(u32, f32)> {
    let (id, best) = top_n(logits, 1).first().copied()?;
    let sum: f64 = logits.iter().map(|x| f64::from(x - best).exp()).sum();
    Some((id, (1.0 / sum) as f32))
}

/// A small set of heads without which `top` is no longer the likeliest token, and what is then. First each head is
/// silenced alone, then the strongest together, and at last those are given back that are not needed. None where even
/// many do not suffice.
fn search(open: &mut Open, tokens: &[u32], top: u32, mailbox: &Mailbox) -> Result<Option<(Vec<HeadRef>, u32)>> {
    let config = open.engine.config().clone();
    let all: Vec<HeadRef> = every_head(&config).collect();
    let mut alone = Vec::new();
    for (i, head) in all.iter().enumerate() {
        let fraction = Some(i as f32 / all.len() as f32);
        mailbox.post(Event::Progress { label: "Silencing each head alone".into(), fraction });
        let (margin, other) = margin(open, tokens, &[*head], top)?;
        alone.push((*head, margin, other));
    }
    alone.sort_by(|a, b| a.1.total_cmp(&b.1));
    match alone.first() {
        Some((head, margin, other)) if *margin < 0.0 => return Ok(Some((vec![*head], *other))),
        _ => {}
    }
    let order: Vec<HeadRef> = alone.into_iter().map(|(head, ..)| head).collect();
    for n in 2..=order.len().min(TOGETHER) {
        let (least, mut then) = margin(open, tokens, &order[..n], top)?;
        if least >= 0.0 {
            continue;
        }
        let mut found = order[..n].to_vec();
        for head in order[..n].iter().rev() {
            let rest: Vec<HeadRef> = found.iter().copied().filter(|other| other != head).collect();
            let (least, other) = margin(open, tokens, &rest, top)?;
            if least < 0.0 {
                (found, then) = (rest, other);
            }
        }
        return Ok(Some((found, then)));
    }
    Ok(None)
}

/// With some heads silenced: the logit of `top` minus the best other one, and the best token that is not `top`.
fn margin(open: &mut Open, tokens: &[u32], heads: &[HeadRef], top: u32) -> Result<(f32, u32)> {
    let tweak = Tweak::AblateHeads { heads: heads.to_vec(), with: Ablation::Zero };
    let changed = compile(&[tweak], open.engine.config(), Sources::default())?;
    let logits = run(open, tokens, &Capture::none(), &changed)?.logits;
    let (other, best) = top_n(&logits, 2).into_iter().find(|(id, _)| *id != top).ok_or(Error::EmptyPrompt)?;
    Ok((logits.get(top as usize).copied().unwrap_or(best) - best, other))
}

fn run(open: &mut Open, tokens: &[u32], capture: &Capture, changed: &Interventions) -> Result<Output> {
    open.engine.truncate(0);
    open.engine.run(Request { tokens, capture, interventions: changed, logits: LogitsWanted::Last })
}
