//! What a head does, read from where it looks.
//!
//! An attention pattern A is `[H, T, S]`: row i of a head says how much position i takes from each position before it.
//! Some heads have one plain habit, and a score is the mean attention that follows it:
//!
//! ```text
//! previous token   A[i, i−1]                     induction   Σ A[i, k+1] over earlier copies k of token i
//! duplicate token  Σ A[i, k] over earlier copies k of token i
//! first token      A[i, 0]                       current     A[i, i]
//! ```
//!
//! The names and the test on random tokens that repeat are those of Elhage et al. 2021 ("A mathematical framework for
//! transformer circuits") and Olsson et al. 2022 (arXiv 2209.11895). Random tokens have no grammar, so whatever the model
//! gains in the second copy it can only have copied from the first: that is what an induction head does, and why the loss
//! there is the other half of the evidence. A score says where a head looks, not that the model needs it: ablate it.
//!
//! Row 0 can only look at itself and counts nowhere.

use serde::{Deserialize, Serialize};

use super::loss;
use super::random::{below, generator, shuffle_first};
use crate::model::tweak::HeadRef;
use crate::model::{HookPoint, Site, Trace};

/// A habit of attention that has a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// Looks at the token before.
    PreviousToken,
    /// Looks at earlier copies of the token itself.
    DuplicateToken,
    /// Looks at what followed earlier copies of the token.
    Induction,
    /// Rests on the first token.
    FirstToken,
    /// Looks at the token itself.
    CurrentToken,
}

impl HeadKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::PreviousToken, Self::DuplicateToken, Self::Induction, Self::FirstToken, Self::CurrentToken];

    /// What the kind is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreviousToken => "previous token",
            Self::DuplicateToken => "duplicate token",
            Self::Induction => "induction",
            Self::FirstToken => "first token (sink)",
            Self::CurrentToken => "current token",
        }
    }

    /// The score's formula: the mean over positions i > 0 that have such a place to look at.
    pub fn formula(self) -> &'static str {
        match self {
            Self::PreviousToken => "A[i, i−1]",
            Self::DuplicateToken => "Σ A[i, k], k < i, token k = token i",
            Self::Induction => "Σ A[i, k+1], k+1 < i, token k = token i",
            Self::FirstToken => "A[i, 0]",
            Self::CurrentToken => "A[i, i]",
        }
    }

    /// The positions that position `query` looks at if it has this habit, ascending. Empty where there is none, and
    /// always for the first position. `query` is below the number of tokens.
    pub fn keys(self, tokens: &[u32], query: usize) -> Vec<usize> {
        let same = |k: usize| tokens[k] == tokens[query];
        match self {
            _ if query == 0 => Vec::new(),
            Self::PreviousToken => vec![query - 1],
            Self::DuplicateToken => (0..query).filter(|k| same(*k)).collect(),
            Self::Induction => (1..query).filter(|k| same(*k - 1)).collect(),
            Self::FirstToken => vec![0],
            Self::CurrentToken => vec![query],
        }
    }
}

/// The score of each head in a pattern `[n_heads, T, S]`, where `tokens` are all S visible tokens and the T rows belong to
/// the last T of them. `None` where the pattern has another size or no position has such a place to look at.
pub fn scores(kind: HeadKind, pattern: &[f32], n_heads: usize, tokens: &[u32]) -> Option<Vec<f32>> {
    let n_keys = tokens.len();
    let n_rows = pattern.len().checked_div(n_heads * n_keys)?;
    if n_rows > n_keys || n_rows * n_heads * n_keys != pattern.len() {
        return None;
    }
    let start = n_keys - n_rows;
    let places: Vec<(usize, Vec<usize>)> = (0..n_rows)
        .map(|row| (row * n_keys, kind.keys(tokens, start + row)))
        .filter(|(_, keys)| !keys.is_empty())
        .collect();
    let score = |head: &[f32]| {
        let attention = places.iter().flat_map(|(row, keys)| keys.iter().map(move |k| f64::from(head[row + k])));
        (attention.sum::<f64>() / places.len() as f64) as f32
    };
    (!places.is_empty()).then(|| pattern.chunks_exact(n_rows * n_keys).map(score).collect())
}

/// Scores of every head of a model, averaged over sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadMaps {
    n_layers: usize,
    n_heads: usize,
    /// Per kind: how many sequences had such places, and the sums of their scores, `[n_layers, n_heads]`.
    sums: [(usize, Vec<f64>); HeadKind::ALL.len()],
}

impl HeadMaps {
    /// Maps that have seen no sequence.
    pub fn new(n_layers: usize, n_heads: usize) -> Self {
        Self { n_layers, n_heads, sums: std::array::from_fn(|_| (0, vec![0.0; n_layers * n_heads])) }
    }

    /// Counts one run in. It must have begun with an empty cache and recorded the pattern of every layer; otherwise nothing
    /// is counted and the answer is `false`.
    pub fn add(&mut self, trace: &Trace) -> bool {
        let pattern = |layer| trace.get(HookPoint::layer(layer, Site::Pattern)).map(|r| &*r.data);
        let layers: Option<Vec<&[f32]>> = (0..self.n_layers).map(pattern).collect();
        match layers {
            Some(layers) if trace.start == 0 => self.add_patterns(&layers, &trace.tokens),
            _ => false,
        }
    }

    /// Counts one sequence in, given the pattern of every layer, each `[n_heads, T, S]` as in [`scores`].
    pub fn add_patterns(&mut self, layers: &[&[f32]], tokens: &[u32]) -> bool {
        let n_heads = self.n_heads;
        let whole = |p: &&[f32]| n_heads * tokens.len() > 0 && p.len().is_multiple_of(n_heads * tokens.len());
        if layers.len() != self.n_layers || !layers.iter().all(whole) {
            return false;
        }
        for (kind, (n, sums)) in HeadKind::ALL.into_iter().zip(&mut self.sums) {
            let all: Option<Vec<Vec<f32>>> = layers.iter().map(|p| scores(kind, p, n_heads, tokens)).collect();
            if let Some(all) = all {
                *n += 1;
                sums.iter_mut().zip(all.concat()).for_each(|(sum, score)| *sum += f64::from(score));
            }
        }
        true
    }

    /// The mean scores of a kind; `None` while no sequence had such places.
    pub fn map(&self, kind: HeadKind) -> Option<HeadMap> {
        let place = HeadKind::ALL.iter().position(|k| *k == kind)?;
        let (n, sums) = &self.sums[place];
        let scores = sums.iter().map(|sum| (sum / *n as f64) as f32).collect();
        (*n > 0).then_some(HeadMap { n_heads: self.n_heads, scores })
    }
}

/// One score per head, layer by layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadMap {
    /// Heads per layer.
    pub n_heads: usize,
    /// The scores, `[n_layers, n_heads]`, row-major.
    pub scores: Vec<f32>,
}

impl HeadMap {
    /// A head's score.
    pub fn get(&self, head: HeadRef) -> Option<f32> {
        let inside = head.head < self.n_heads;
        inside.then(|| self.scores.get(head.layer * self.n_heads + head.head).copied()).flatten()
    }

    /// Every head with its score, best first; equal scores in the order of layers and heads.
    pub fn ranked(&self) -> Vec<(HeadRef, f32)> {
        let head = |i: usize| HeadRef { layer: i / self.n_heads, head: i % self.n_heads };
        let mut all: Vec<_> = self.scores.iter().enumerate().map(|(i, score)| (head(i), *score)).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    /// The best head.
    pub fn best(&self) -> Option<(HeadRef, f32)> {
        self.ranked().first().copied()
    }

    /// How many heads score `at_least` or more.
    pub fn count(&self, at_least: f32) -> usize {
        self.scores.iter().filter(|score| **score >= at_least).count()
    }

    /// The heads within `margin` of the best, which a measurement of this size cannot tell apart from it; best first.
    pub fn tied(&self, margin: f32) -> Vec<HeadRef> {
        let ranked = self.ranked();
        let Some((_, best)) = ranked.first().copied() else { return Vec::new() };
        ranked.into_iter().take_while(|(_, score)| best - score <= margin).map(|(head, _)| head).collect()
    }
}

/// A head as it is written in tables: `L3H1` is head 1 of layer 3, both from 0.
pub fn label(head: HeadRef) -> String {
    format!("L{}H{}", head.layer, head.head)
}

/// `length` random tokens out of `allowed`, written `repeats` times in a row: the prompt on which copying shows. No token
/// comes twice within a copy as long as `allowed` has enough of them, so that each has one earlier copy and no more.
/// Empty if nothing is allowed. The same seed gives the same prompt everywhere.
pub fn repeated_random(seed: u64, allowed: &[u32], length: usize, repeats: usize) -> Vec<u32> {
    let mut rng = generator(seed);
    let copy: Vec<u32> = if length <= allowed.len() {
        let mut pool = allowed.to_vec();
        shuffle_first(&mut rng, &mut pool, length);
        pool.truncate(length);
        pool
    } else {
        let drawn = (0..length).map(|_| allowed.get(below(&mut rng, allowed.len())).copied());
        drawn.flatten().collect()
    };
    copy.repeat(repeats)
}

/// Loss on a repeated prompt, in nats per token.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RepeatLoss {
    /// Within the first copy, where nothing can be known.
    pub first: f64,
    /// Within the later copies, where everything can be copied.
    pub later: f64,
}

impl RepeatLoss {
    /// From the losses of [`token_losses`](super::loss::token_losses) on a prompt of [`repeated_random`] with copies of
    /// `length` tokens. The first token of the second copy is left out: before it, nothing says that a copy begins.
    pub fn new(losses: &[f64], length: usize) -> Option<Self> {
        let first = loss::mean(losses.get(..length.checked_sub(1)?)?)?;
        Some(Self { first, later: loss::mean(losses.get(length..)?)? })
    }
}
