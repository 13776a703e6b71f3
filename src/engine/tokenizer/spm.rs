//! SentencePiece's merges, as GGUF stores them: scores instead of a list of pairs.
//!
//! Any two neighbours whose joined text is a token may join; the pair whose token has the highest score joins first, the
//! leftmost among equals (google/sentencepiece, `bpe_model.cc`). A character that is no token falls back to its bytes. A
//! list of pairs, as `tokenizer.json` has it, would hold a million entries for a vocabulary of 262,144 tokens; this needs
//! the tokens alone. Control tokens are not in the map, so no typed text can ever merge into one.

use std::collections::{BinaryHeap, HashMap};
use std::ops::Range;

use super::table::Span;

/// A vocabulary with scores.
#[derive(Debug, Clone)]
pub(super) struct Spm {
    /// Id and score of a text; spaces are spaces here.
    tokens: HashMap<Box<str>, (u32, f32)>,
    /// The token of a byte that has no character of its own.
    bytes: [Option<u32>; 256],
    unknown: Option<u32>,
    longest: usize,
}

/// Two neighbours that may join. The greatest joins first.
#[derive(PartialEq)]
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// Where the joined text ends: if either half has changed since, the pair is stale.
    end: usize,
}

impl Eq for Pair {}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.score.total_cmp(&other.score).then(other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A run of the text that is one token so far; an empty one has been joined to its left neighbour.
struct Symbol {
    text: Range<usize>,
    previous: Option<usize>,
    next: Option<usize>,
}

impl Spm {
    pub(super) fn new(bytes: [Option<u32>; 256], unknown: Option<u32>) -> Self {
        Self { tokens: HashMap::new(), bytes, unknown, longest: 0 }
    }

    /// Adds a piece of text; of two tokens with one text the first stays. Returns whether it was new.
    pub(super) fn add(&mut self, text: &str, id: u32, score: f32) -> bool {
        let text = text.replace('▁', " ");
        self.longest = self.longest.max(text.len());
        let mut new = false;
        self.tokens.entry(text.into_boxed_str()).or_insert_with(|| {
            new = true;
            (id, score)
        });
        new
    }

    /// Appends the tokens of `text`, with the bytes of `text` that each stands for.
    pub(super) fn encode(&self, text: &str, spans: &mut Vec<Span>) {
        let symbols = self.merge(text);
        let mut at = (!symbols.is_empty()).then_some(0);
        while let Some(symbol) = at.and_then(|index| symbols.get(index)) {
            at = symbol.next;
            let piece = text.get(symbol.text.clone()).unwrap_or_default();
            if let Some((id, _)) = self.tokens.get(piece) {
                spans.push((*id, symbol.text.clone()));
            } else if piece.bytes().all(|byte| self.bytes[usize::from(byte)].is_some()) || self.unknown.is_none() {
                let bytes = piece.bytes().zip(symbol.text.clone());
                spans.extend(bytes.filter_map(|(byte, at)| Some((self.bytes[usize::from(byte)]?, at..at + 1))));
            } else if let Some(unknown) = self.unknown {
                spans.push((unknown, symbol.text.clone()));
            }
        }
    }

    fn merge(&self, text: &str) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = text
            .char_indices()
            .enumerate()
            .map(|(index, (at, c))| Symbol {
                text: at..at + c.len_utf8(),
                previous: index.checked_sub(1),
                next: (at + c.len_utf8() < text.len()).then_some(index + 1),
            })
            .collect();
        let mut pairs = BinaryHeap::new();
        for left in 1..symbols.len() {
            self.offer(text, &symbols, Some(left - 1), Some(left), &mut pairs);
        }
        while let Some(Pair { left, right, end, .. }) = pairs.pop() {
            let stale = symbols[left].text.is_empty()
                || symbols[right].text.is_empty()
                || symbols[left].next != Some(right)
                || symbols[right].text.end != end;
            if stale {
                continue;
            }
            symbols[left].text.end = end;
            symbols[left].next = symbols[right].next;
            symbols[right].text = 0..0;
            if let Some(next) = symbols[left].next {
                symbols[next].previous = Some(left);
            }
            self.offer(text, &symbols, symbols[left].previous, Some(left), &mut pairs);
            self.offer(text, &symbols, Some(left), symbols[left].next, &mut pairs);
        }
        symbols
    }

    fn offer(
        &self,
        text: &str,
        symbols: &[Symbol],
        left: Option<usize>,
        right: Option<usize>,
        pairs: &mut BinaryHeap<Pair>,
    ) {
        let (Some(left), Some(right)) = (left, right) else { return };
        let joined = symbols[left].text.start..symbols[right].text.end;
        if joined.len() > self.longest {
            return;
        }
        if let Some((_, score)) = text.get(joined.clone()).and_then(|joined| self.tokens.get(joined)) {
            pairs.push(Pair { score: *score, left, right, end: joined.end });
        }
    }
}
