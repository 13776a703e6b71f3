//! Distributions over tokens: the arithmetic that sampling and the panels share.
//!
//! Everything takes logits and sums in f64, so that a vocabulary of a quarter of a million tokens costs no digits.
//! Tokens are ranked through *keys*: a logit's bits, arranged so that a larger logit is a larger integer, above the
//! complement of the id, so that among equal logits the lower id ranks first. Integers compare quickly and totally, which
//! floats do not.

/// A token's rank as an integer: larger is better.
pub(super) fn key(logit: f32, id: u32) -> u64 {
    // −0 and +0 are equal logits; adding +0 makes them equal bits.
    let bits = (logit + 0.0).to_bits();
    let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    u64::from(ordered) << 32 | u64::from(!id)
}

/// The token of a key.
pub(super) fn key_id(key: u64) -> u32 {
    !(key as u32)
}

/// The keys of all tokens that have a logit above −∞ (NaN has none).
pub(super) fn keys(logits: &[f32]) -> Vec<u64> {
    logits.iter().zip(0..).filter(|(x, _)| **x > f32::NEG_INFINITY).map(|(&x, id)| key(x, id)).collect()
}

/// The `n` tokens with the largest logits, best first, with their logits; equal logits rank by the lower id.
pub fn top_n(logits: &[f32], n: usize) -> Vec<(u32, f32)> {
    let mut keys = keys(logits);
    let n = n.min(keys.len());
    if 0 < n && n < keys.len() {
        keys.select_nth_unstable_by(n - 1, |a, b| b.cmp(a));
    }
    keys.truncate(n);
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.into_iter().map(|key| (key_id(key), logits[key_id(key) as usize])).collect()
}

/// ln Σ exp(x): what normalises a row of logits.
pub fn log_sum_exp(logits: &[f32]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if max.is_infinite() {
        return f64::from(max);
    }
    let sum: f64 = logits.iter().map(|&x| f64::from(x - max).exp()).sum();
    f64::from(max) + sum.ln()
}

/// exp(x) / Σ exp(x). Logits of +∞ share the probability; a NaN makes every entry NaN.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |x: f32| if x == max { 1.0 } else { f64::from(x - max).exp() };
    let sum: f64 = logits.iter().map(|&x| weight(x)).sum();
    logits.iter().map(|&x| (weight(x) / sum) as f32).collect()
}

/// x − ln Σ exp(x), in nats.
pub fn log_softmax(logits: &[f32]) -> Vec<f32> {
    let norm = log_sum_exp(logits);
    logits.iter().map(|&x| (f64::from(x) - norm) as f32).collect()
}

/// −Σ p ln p of softmax(logits), in nats: 0 when one token is certain, ln(n) when n are equally likely.
pub fn entropy(logits: &[f32]) -> f64 {
    let norm = log_sum_exp(logits);
    let term = |x: f32| {
        let log_p = f64::from(x) - norm;
        if log_p == f64::NEG_INFINITY { 0.0 } else { -log_p.exp() * log_p }
    };
    logits.iter().map(|&x| term(x)).sum()
}

/// The Kullback–Leibler divergence Σ p (ln p − ln q) between two rows of logits of one length, in nats: 0 when they
/// agree, +∞ where q rules out what p allows. NaN if the lengths differ.
pub fn kl(p_logits: &[f32], q_logits: &[f32]) -> f64 {
    if p_logits.len() != q_logits.len() {
        return f64::NAN;
    }
    let (p_norm, q_norm) = (log_sum_exp(p_logits), log_sum_exp(q_logits));
    let term = |(&p, &q): (&f32, &f32)| {
        let log_p = f64::from(p) - p_norm;
        if log_p == f64::NEG_INFINITY { 0.0 } else { log_p.exp() * (log_p - (f64::from(q) - q_norm)) }
    };
    p_logits.iter().zip(q_logits).map(term).sum()
}
