//! Choosing the next token.
//!
//! A model gives one logit per token. Dividing by the *temperature* T flattens (T > 1) or sharpens (T < 1) the
//! distribution softmax(logits / T); *top-k* then keeps the k likeliest tokens; *top-p* (the nucleus, arXiv 1904.09751)
//! keeps the smallest set whose probability, renormalised after top-k, reaches p; one of what is left is drawn. The order
//! temperature → top-k → top-p is that of the `transformers` library. [`Sampler::draw`] reports what happened to each of
//! the best tokens, so that the student sees what each knob cut away.
//!
//! Temperature 0 is greedy decoding. Equal logits rank by the lower id everywhere, so results do not depend on the order
//! of evaluation, and the seed alone decides a draw. The vocabulary is never sorted in full: cuts are found by selection,
//! in time linear in the number of tokens.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

pub use super::distribution::{entropy, kl, log_softmax, log_sum_exp, softmax, top_n};
use super::distribution::{key, key_id, keys};

/// How many of the best tokens a [`Draw`] describes.
pub const CANDIDATES: usize = 50;

/// The knobs of sampling.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SamplerConfig {
    /// Divides the logits; 0 means greedy.
    pub temperature: f32,
    /// Keeps this many of the likeliest tokens; `None` keeps all.
    pub top_k: Option<usize>,
    /// Keeps the smallest set of tokens that reaches this probability; 1 keeps all.
    pub top_p: f32,
    /// Where the random numbers start: the same seed gives the same text.
    pub seed: u64,
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self { temperature: 0.8, top_k: Some(40), top_p: 0.95, seed: 0 }
    }
}

/// Why no token could be chosen. Each prints as one calm sentence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SampleError {
    /// A logit is NaN.
    #[error("The model gave no number as the logit of token {id}, so no next token can be chosen.")]
    NotANumber {
        /// The first such token.
        id: u32,
    },
    /// There is no logit, or all of them are −∞.
    #[error("The model rules out every token, so no next token can be chosen.")]
    NoToken,
    /// A knob is outside its range.
    #[error("{0}")]
    Config(String),
}

/// What became of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fate {
    /// It was drawn.
    Chosen,
    /// It could have been drawn.
    Kept,
    /// Greedy decoding keeps only the best token.
    CutByGreedy,
    /// It ranks below the k-th.
    CutByTopK,
    /// It lies outside the nucleus.
    CutByTopP,
}

/// One of the best tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The token.
    pub id: u32,
    /// Its logit, as the model gave it.
    pub logit: f32,
    /// Its probability at the temperature, before the cuts (at temperature 0: at temperature 1).
    pub probability: f32,
    /// The probability with which it was drawn: 0 for what was cut.
    pub drawn_with: f32,
    /// What became of it.
    pub fate: Fate,
}

/// A chosen token, and how it came to be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draw {
    /// The next token.
    pub chosen: u32,
    /// The best [`CANDIDATES`] tokens, likeliest first, then the chosen one if it is not among them.
    pub candidates: Vec<Candidate>,
    /// Tokens that could have been drawn.
    pub kept: usize,
    /// Entropy of the distribution at the temperature before the cuts, in nats (at temperature 0: at temperature 1).
    pub entropy: f32,
}

/// Draws tokens, one after the other.
#[derive(Debug, Clone)]
pub struct Sampler {
    config: SamplerConfig,
    rng: ChaCha8Rng,
}

impl Sampler {
    /// A sampler at the start of its seed's random numbers; an error if a knob is outside its range.
    pub fn new(config: SamplerConfig) -> Result<Self, SampleError> {
        let refuse = |text: String| Err(SampleError::Config(text));
        if !(config.temperature.is_finite() && config.temperature >= 0.0) {
            return refuse(format!("The temperature is {}, but it has to be 0 or more.", config.temperature));
        }
        if !(0.0..=1.0).contains(&config.top_p) {
            return refuse(format!("Top-p is {}, but it has to lie between 0 and 1.", config.top_p));
        }
        if config.top_k == Some(0) {
            return refuse("Top-k is 0, but at least one token has to stay.".into());
        }
        Ok(Self { config, rng: ChaCha8Rng::seed_from_u64(config.seed) })
    }

    /// The knobs.
    pub fn config(&self) -> &SamplerConfig {
        &self.config
    }

    /// Chooses the next token from logits `[d_vocab]`. A random number is used up only where the temperature is not 0.
    pub fn draw(&mut self, logits: &[f32]) -> Result<Draw, SampleError> {
        if let Some(id) = logits.iter().position(|x| x.is_nan()) {
            return Err(SampleError::NotANumber { id: id as u32 });
        }
        let mut keys = keys(logits);
        let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if keys.is_empty() {
            return Err(SampleError::NoToken);
        }
        let greedy = self.config.temperature == 0.0;
        let spread = Spread::new(logits, max, if greedy { 1.0 } else { self.config.temperature });
        let cuts = if greedy { Cuts::greedy(&keys) } else { Cuts::new(&mut keys, &spread, &self.config) };
        let chosen = if greedy { key_id(cuts.last_kept) } else { self.pick(logits, &spread, &cuts) };
        let candidates = candidates(&mut keys, logits, &spread, &cuts, chosen);
        Ok(Draw { chosen, candidates, kept: cuts.kept, entropy: spread.entropy as f32 })
    }

    /// Walks the kept tokens in the order of their ids until their weights pass a uniform random share of the total.
    fn pick(&mut self, logits: &[f32], spread: &Spread, cuts: &Cuts) -> u32 {
        let uniform = (self.rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        let mut left = uniform * cuts.mass;
        let mut chosen = key_id(cuts.last_kept);
        for (id, (&logit, &weight)) in logits.iter().zip(&spread.weights).enumerate() {
            if weight > 0.0 && key(logit, id as u32) >= cuts.last_kept {
                chosen = id as u32;
                left -= f64::from(weight);
                if left < 0.0 {
                    break;
                }
            }
        }
        chosen
    }
}

/// The distribution at a temperature, unnormalised.
struct Spread {
    /// exp((logit − max) / T), by id.
    weights: Vec<f32>,
    /// Their sum.
    total: f64,
    /// In nats.
    entropy: f64,
}

impl Spread {
    fn new(logits: &[f32], max: f32, temperature: f32) -> Self {
        // A logit of +∞ takes all the probability; several share it.
        let scaled = |x: f32| if x == max { 0.0 } else { (x - max) / temperature };
        let mut weights = Vec::with_capacity(logits.len());
        let (mut total, mut weighted) = (0.0, 0.0);
        for &logit in logits {
            let x = scaled(logit);
            let weight = x.exp();
            if weight > 0.0 {
                total += f64::from(weight);
                weighted += f64::from(weight) * f64::from(x);
            }
            weights.push(weight);
        }
        Self { weights, total, entropy: total.ln() - weighted / total }
    }

    fn weight(&self, key: u64) -> f64 {
        f64::from(self.weights[key_id(key) as usize])
    }

    fn mass(&self, keys: &[u64]) -> f64 {
        keys.iter().map(|&key| self.weight(key)).sum()
    }
}

/// Where the cuts fall, as the key of the last token that each leaves.
struct Cuts {
    last_of_top_k: u64,
    last_kept: u64,
    kept: usize,
    mass: f64,
    greedy: bool,
}

impl Cuts {
    fn greedy(keys: &[u64]) -> Self {
        let best = keys.iter().copied().max().unwrap_or_default();
        Self { last_of_top_k: best, last_kept: best, kept: 1, mass: 1.0, greedy: true }
    }

    fn new(keys: &mut [u64], spread: &Spread, config: &SamplerConfig) -> Self {
        let k = config.top_k.unwrap_or(usize::MAX).min(keys.len());
        let top = leading(keys, k);
        let last_of_top_k = top.iter().copied().min().unwrap_or_default();
        let mass = spread.mass(top);
        let kept = if config.top_p < 1.0 { nucleus(top, spread, f64::from(config.top_p) * mass) } else { k };
        let top = leading(top, kept);
        let last_kept = top.iter().copied().min().unwrap_or_default();
        Self { last_of_top_k, last_kept, kept, mass: spread.mass(top), greedy: false }
    }

    fn fate(&self, key: u64, chosen: u32) -> Fate {
        if key_id(key) == chosen {
            Fate::Chosen
        } else if key >= self.last_kept {
            Fate::Kept
        } else if self.greedy {
            Fate::CutByGreedy
        } else if key < self.last_of_top_k {
            Fate::CutByTopK
        } else {
            Fate::CutByTopP
        }
    }
}

/// Moves the `n` best keys to the front and returns them, in no particular order.
fn leading(keys: &mut [u64], n: usize) -> &mut [u64] {
    if 0 < n && n < keys.len() {
        keys.select_nth_unstable_by(n - 1, |a, b| b.cmp(a));
    }
    &mut keys[..n]
}

/// How many of the best keys it takes to reach the weight `target`: at least one. Halves the range in which the answer
/// lies, so it costs about twice the length.
fn nucleus(keys: &mut [u64], spread: &Spread, target: f64) -> usize {
    let (mut low, mut high, mut mass) = (0, keys.len(), 0.0);
    while high - low > 1 {
        let half = (high - low) / 2;
        let upper = spread.mass(leading(&mut keys[low..high], half));
        if mass + upper >= target {
            high = low + half;
        } else {
            mass += upper;
            low += half;
        }
    }
    low + 1
}

fn candidates(keys: &mut [u64], logits: &[f32], spread: &Spread, cuts: &Cuts, chosen: u32) -> Vec<Candidate> {
    let n = CANDIDATES.min(keys.len());
    let best = leading(keys, n);
    best.sort_unstable_by(|a, b| b.cmp(a));
    let describe = |key: u64| {
        let (id, weight) = (key_id(key), spread.weight(key));
        let fate = cuts.fate(key, chosen);
        let drawn_with = match (cuts.greedy, fate) {
            (true, Fate::Chosen) => 1.0,
            (false, Fate::Chosen | Fate::Kept) => weight / cuts.mass,
            _ => 0.0,
        };
        let probability = (weight / spread.total) as f32;
        Candidate { id, logit: logits[id as usize], probability, drawn_with: drawn_with as f32, fate }
    };
    let mut out: Vec<Candidate> = best.iter().map(|&key| describe(key)).collect();
    if out.iter().all(|candidate| candidate.id != chosen) {
        out.push(describe(key(logits[chosen as usize], chosen)));
    }
    out
}
