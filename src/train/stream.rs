//! The training text as an endless stream of tokens.
//!
//! Documents follow one another with an end token between them, and the stream is cut into rows of equal length wherever
//! they end (as nanoGPT does): no padding, and a model that meets a text's middle knows what to do. The training text begins
//! with a primer that is mostly repeated lists (see [`PRIMER`](super::corpus::PRIMER)). Besides the story
//! world's documents, one in [`RANDOM_EVERY`] is a run of random tokens that comes twice or three times, drawn from the
//! *whole* vocabulary: there only copying helps, and no token stays untrained.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::corpus::{Corpus, Split};
use crate::engine::tokenizer::{Specials, Tokenizer};

/// Documents of the primer, with which the training text begins.
const PRIMER_DOCUMENTS: u64 = 80_000;
/// One document in this many is a repeated run of random tokens.
const RANDOM_EVERY: u64 = 12;
/// The longest run.
const LONGEST_RUN: usize = 64;

/// Where a stream stands: enough to go on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Documents that were begun.
    pub documents: u64,
    /// Tokens of the last of them that were not handed out yet.
    pub left: usize,
}

/// The tokens of one split of the corpus.
pub struct TokenStream {
    corpus: Corpus,
    seed: u64,
    split: Split,
    tokenizer: Arc<Tokenizer>,
    end: u32,
    d_vocab: u32,
    documents: u64,
    /// Tokens not handed out yet.
    buffer: Vec<u32>,
}

impl TokenStream {
    /// The stream from its first document. `end` is the token after each document.
    pub fn new(seed: u64, split: Split, tokenizer: Arc<Tokenizer>, end: u32, d_vocab: usize) -> Self {
        let corpus = Corpus::new(seed);
        Self { corpus, seed, split, tokenizer, end, d_vocab: d_vocab as u32, documents: 0, buffer: Vec::new() }
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        Position { documents: self.documents, left: self.buffer.len() }
    }

    /// Goes to a position that this stream has had.
    pub fn seek(&mut self, position: Position) {
        self.documents = position.documents;
        self.buffer = match position.documents.checked_sub(1) {
            Some(last) => self.document(last),
            None => Vec::new(),
        };
        let drop = self.buffer.len().saturating_sub(position.left);
        self.buffer.drain(..drop);
    }

    /// The next `rows` rows of `len` tokens, and the token that follows each: `(inputs, targets)`, `[rows · len]` both.
    pub fn batch(&mut self, rows: usize, len: usize) -> (Vec<u32>, Vec<u32>) {
        let (mut inputs, mut targets) = (Vec::with_capacity(rows * len), Vec::with_capacity(rows * len));
        for _ in 0..rows {
            while self.buffer.len() < len + 1 {
                let next = self.document(self.documents);
                self.buffer.extend(next);
                self.documents += 1;
            }
            inputs.extend_from_slice(&self.buffer[..len]);
            targets.extend_from_slice(&self.buffer[1..len + 1]);
            self.buffer.drain(..len);
        }
        (inputs, targets)
    }

    /// The tokens of one document, its end token last.
    fn document(&self, index: u64) -> Vec<u32> {
        let mut ids = if index % RANDOM_EVERY == RANDOM_EVERY - 1 {
            self.random_repeat(index)
        } else {
            let primer = self.split == Split::Train && index < PRIMER_DOCUMENTS;
            let document = if primer { Corpus::primer } else { Corpus::describe };
            // The corpus is made of the tokenizer's own alphabet, so encoding cannot fail.
            let text = document(&self.corpus, self.split, index).text;
            self.tokenizer.encode(&text, Specials::AsText).unwrap_or_default()
        };
        ids.push(self.end);
        ids
    }

    fn random_repeat(&self, index: u64) -> Vec<u32> {
        let salt = if self.split == Split::Train { 0 } else { u64::MAX / 2 };
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ salt ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let len = rng.random_range(8..=LONGEST_RUN);
        let run: Vec<u32> = (0..len).map(|_| rng.random_range(0..self.d_vocab)).filter(|id| *id != self.end).collect();
        run.repeat(rng.random_range(2..=3))
    }
}
