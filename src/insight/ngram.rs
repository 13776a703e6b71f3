//! A Markov model: what counting the last tokens alone can say of the next.
//!
//! This is the baseline that a transformer has to beat, so it is a strong one: interpolated Kneser–Ney smoothing with
//! three discounts, the best of the methods compared by Chen and Goodman ("An empirical study of smoothing techniques
//! for language modeling", Computer Speech & Language 13, 1999, section 3), after Kneser and Ney 1995. For a context h
//! and the context h′ without its oldest token,
//!
//! ```text
//! p(w | h) = max(c(hw) − D(c(hw)), 0) / c(h·)  +  γ(h) · p(w | h′)
//! γ(h) = (D₁·N₁(h·) + D₂·N₂(h·) + D₃·N₃₊(h·)) / c(h·)
//! ```
//!
//! where Nᵣ(h·) counts the tokens that followed h exactly r times. c is the number of occurrences for n-grams of the full
//! order, and for shorter ones the number of *different* tokens that came before: "Francisco" is frequent but only after
//! "San", so it deserves little where "San" is not. The discounts of each order come from how many n-grams occur one, two,
//! three and four times (their equation 26):
//!
//! ```text
//! Y = n₁ / (n₁ + 2n₂)    D₁ = 1 − 2Y·n₂/n₁    D₂ = 2 − 3Y·n₃/n₂    D₃₊ = 3 − 4Y·n₄/n₃
//! ```
//!
//! The recursion ends in the uniform 1/d_vocab, so every token of the vocabulary has a probability, seen or not, and the
//! probabilities of all tokens sum to 1 after any context.
//!
//! N-grams are the nodes of a tree in which the path from the root spells them; each is stored once, with its count and
//! the sums above, kept up to date while counting. So memory grows with the number of different n-grams and nothing has
//! to be finished after counting.

use std::collections::HashMap;

/// Where the counts of n-grams give no discount (too few of them, or counts that are not like a language's).
const DISCOUNT: f64 = 0.5;
/// Discounts stay above this, so that what was never seen keeps a probability.
const LEAST_DISCOUNT: f64 = 0.05;
const ROOT: u32 = 0;

/// A model of the next token given the `order − 1` before it.
#[derive(Debug, Clone)]
pub struct NGram {
    order: usize,
    d_vocab: usize,
    nodes: Vec<Node>,
    /// The node of an n-gram, from the node without its last token and that token.
    edges: HashMap<(u32, u32), u32>,
    /// Per length (from 1): how many n-grams have count 1, 2, 3, 4.
    counts_of_counts: Vec<[u64; 4]>,
    n_tokens: u64,
}

/// An n-gram.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    /// c: its occurrences, or below the full order the different tokens before it.
    count: u32,
    /// Whether the beginning of a stream was counted as one of those.
    began: bool,
    /// c(h·): the sum of `count` over the n-grams that continue it by one token.
    total: u64,
    /// N₁, N₂ and N₃₊ of them.
    kinds: [u32; 3],
}

impl NGram {
    /// A model of `order` (3: trigrams) over token ids below `d_vocab` that has counted nothing, and is uniform.
    pub fn new(order: usize, d_vocab: usize) -> Self {
        let order = order.max(1);
        Self {
            order,
            d_vocab: d_vocab.max(1),
            nodes: vec![Node::default()],
            edges: HashMap::new(),
            counts_of_counts: vec![[0; 4]; order],
            n_tokens: 0,
        }
    }

    /// Tokens that an n-gram holds: the context and what follows it.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Tokens counted so far.
    pub fn n_tokens(&self) -> u64 {
        self.n_tokens
    }

    /// Different n-grams of all lengths up to the order: what memory grows with.
    pub fn n_distinct(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Counts a stream. N-grams do not reach over its ends; ids outside the vocabulary end it too.
    pub fn count(&mut self, tokens: &[u32]) {
        // path[k] is the n-gram of the last k tokens.
        let mut path = vec![ROOT];
        for &token in tokens {
            if token as usize >= self.d_vocab {
                path.truncate(1);
                continue;
            }
            self.n_tokens += 1;
            let mut next = vec![ROOT];
            for (k, &context) in path.iter().enumerate().take(self.order) {
                let (node, is_new) = self.child_or_new(context, token);
                if k + 1 == self.order {
                    self.bump(k, context, node);
                }
                // A longer n-gram that is new means a new left neighbour of the shorter one: its last k tokens.
                if is_new && k > 0 {
                    self.bump(k - 1, path[k - 1], next[k]);
                }
                next.push(node);
            }
            // At the beginning of a stream the left neighbour is the beginning itself.
            let longest = next.len() - 1;
            if longest < self.order && !std::mem::replace(&mut self.nodes[next[longest] as usize].began, true) {
                self.bump(longest - 1, path[longest - 1], next[longest]);
            }
            path = next;
        }
    }

    /// ln p(token | context), in nats; only the last `order − 1` tokens of the context are looked at. −∞ for an id outside
    /// the vocabulary.
    pub fn log_prob(&self, context: &[u32], token: u32) -> f64 {
        if token as usize >= self.d_vocab {
            return f64::NEG_INFINITY;
        }
        let step = |p: f64, level: &Level| {
            let count = self.child(level.node, token).map_or(0, |child| self.nodes[child as usize].count);
            level.share(count) + level.backoff * p
        };
        self.levels(context).iter().fold(1.0 / self.d_vocab as f64, step).ln()
    }

    /// p of every token of the vocabulary after a context, `[d_vocab]`.
    pub fn distribution(&self, context: &[u32]) -> Vec<f64> {
        let levels = self.levels(context);
        let mut p = vec![1.0 / self.d_vocab as f64; self.d_vocab];
        for level in &levels {
            for (token, p) in p.iter_mut().enumerate() {
                let count = self.child(level.node, token as u32).map_or(0, |child| self.nodes[child as usize].count);
                *p = level.share(count) + level.backoff * *p;
            }
        }
        p
    }

    /// The loss at each token but the first, each given what stands before it in the stream: entry t − 1 is −ln p(token t),
    /// in nats.
    pub fn losses(&self, tokens: &[u32]) -> Vec<f64> {
        (1..tokens.len()).map(|t| -self.log_prob(&tokens[..t], tokens[t])).collect()
    }

    /// The contexts to interpolate, from the empty one to the longest that was seen.
    fn levels(&self, context: &[u32]) -> Vec<Level> {
        let longest = context.len().min(self.order - 1);
        let found = (0..=longest).map_while(|k| {
            let node = context[context.len() - k..].iter().try_fold(ROOT, |node, token| self.child(node, *token))?;
            let Node { total, kinds, .. } = self.nodes[node as usize];
            let discounts = self.discounts(k);
            let freed: f64 = discounts.iter().zip(kinds).map(|(d, n)| d * f64::from(n)).sum();
            (total > 0).then(|| Level { node, total: total as f64, discounts, backoff: freed / total as f64 })
        });
        found.collect()
    }

    /// D₁, D₂ and D₃₊ of n-grams with a context of `k` tokens.
    fn discounts(&self, k: usize) -> [f64; 3] {
        let n = self.counts_of_counts[k].map(|n| n as f64);
        let y = n[0] / (n[0] + 2.0 * n[1]);
        std::array::from_fn(|i| {
            let r = (i + 1) as f64;
            let d = r - (r + 1.0) * y * n[i + 1] / n[i];
            if d.is_finite() && n[0] > 0.0 && n[i + 1] > 0.0 { d.clamp(LEAST_DISCOUNT, r) } else { DISCOUNT }
        })
    }

    fn child(&self, node: u32, token: u32) -> Option<u32> {
        self.edges.get(&(node, token)).copied()
    }

    fn child_or_new(&mut self, node: u32, token: u32) -> (u32, bool) {
        let fresh = self.nodes.len() as u32;
        let child = *self.edges.entry((node, token)).or_insert(fresh);
        if child == fresh {
            self.nodes.push(Node::default());
        }
        (child, child == fresh)
    }

    /// Raises the count of an n-gram whose context has `k` tokens and is the node `context`.
    fn bump(&mut self, k: usize, context: u32, node: u32) {
        let before = self.nodes[node as usize].count as usize;
        self.nodes[node as usize].count += 1;
        let context = &mut self.nodes[context as usize];
        context.total += 1;
        let counts = &mut self.counts_of_counts[k];
        if let Some(old) = before.checked_sub(1) {
            context.kinds[old.min(2)] -= 1;
            if let Some(n) = counts.get_mut(old) {
                *n -= 1;
            }
        }
        context.kinds[before.min(2)] += 1;
        if let Some(n) = counts.get_mut(before) {
            *n += 1;
        }
    }
}

/// One term of the interpolation.
struct Level {
    node: u32,
    total: f64,
    discounts: [f64; 3],
    backoff: f64,
}

impl Level {
    /// max(c − D(c), 0) / c(h·).
    fn share(&self, count: u32) -> f64 {
        match count {
            0 => 0.0,
            c => (f64::from(c) - self.discounts[(c as usize - 1).min(2)]).max(0.0) / self.total,
        }
    }
}
