//! Which bytes of a text each token stands for.
//!
//! Chips, hover and the report of lost characters need more than ids. The crate's offsets are whole characters, so the
//! fragments of one character share them; they also slip where a byte without a token was dropped. Here each token is laid
//! along the text byte by byte.

use std::ops::Range;

use super::error::Result;
use super::specials::Finder;
use super::spm::Spm;
use super::table::{Span, TokenKind};
use super::{Scheme, Specials, Tokenizer};

impl Tokenizer {
    /// Tokens with the bytes of the text that they stand for. With [`Specials::AsText`] no token is a control token: where
    /// merges would lead to one, the text is cut inside its name.
    pub(super) fn spans(&self, text: &str, specials: Specials) -> Result<Vec<Span>> {
        let spans = self.raw_spans(text, specials)?;
        if specials == Specials::Parse || !spans.iter().any(|(id, _)| self.intrudes(*id)) {
            return Ok(spans);
        }
        let inside = |range: &Range<usize>| {
            let name = text.get(range.clone())?;
            Some(range.start + name.chars().next()?.len_utf8())
        };
        let cuts = spans.iter().filter(|(id, _)| self.intrudes(*id)).filter_map(|(_, range)| inside(range));
        let mut cuts: Vec<usize> = cuts.chain([text.len()]).collect();
        cuts.dedup();
        let (mut start, mut out) = (0, Vec::new());
        for cut in cuts {
            let part = self.raw_spans(text.get(start..cut).unwrap_or_default(), specials)?;
            let kept = part.into_iter().filter(|(id, _)| !self.intrudes(*id));
            out.extend(kept.map(|(id, range)| (id, range.start + start..range.end + start)));
            start = cut;
        }
        Ok(out)
    }

    fn raw_spans(&self, text: &str, specials: Specials) -> Result<Vec<Span>> {
        let parse = specials == Specials::Parse;
        match &self.parts.scheme {
            Scheme::Bpe(bpe) => {
                let spans = bpe.spans(text, parse).map_err(|problem| self.error(problem))?;
                Ok(self.align(text, spans))
            }
            Scheme::Spm { spm, kept, space_prefix } => {
                let mut spans = Vec::new();
                let mut after_special = true;
                for (special, range) in cut_at(&self.parts.control, text, 0..text.len(), parse) {
                    if let Some(id) = special {
                        spans.push((id, range));
                        after_special = true;
                        continue;
                    }
                    for (special, range) in cut_at(kept, text, range, true) {
                        match special {
                            Some(id) => spans.push((id, range)),
                            None => scored_spans(spm, text, range, *space_prefix && after_special, &mut spans),
                        }
                        after_special = false;
                    }
                }
                Ok(spans)
            }
        }
    }

    /// Narrows the crate's offsets, which are whole characters and shift after a dropped byte, to each token's own bytes.
    fn align(&self, text: &str, spans: Vec<Span>) -> Vec<Span> {
        let text = text.as_bytes();
        let mut cursor = 0;
        let narrow = |(id, offsets): Span| {
            let token = self.token(id).filter(|token| token.kind != TokenKind::Control && !token.bytes.is_empty());
            let start = offsets.start.max(cursor).min(text.len());
            let exact = token.and_then(|token| self.follow(text, start, token.bytes));
            let range = exact.unwrap_or(start..offsets.end.min(text.len()).max(start));
            cursor = range.end;
            (id, range)
        };
        spans.into_iter().map(narrow).collect()
    }

    /// Where `bytes` stand from `start` on, past bytes that have no token: a merge may reach across those.
    fn follow(&self, text: &[u8], start: usize, bytes: &[u8]) -> Option<Range<usize>> {
        let (mut first, mut at) = (None, start);
        for byte in bytes {
            while text.get(at).is_some_and(|here| here != byte && self.missing[usize::from(*here)]) {
                at += 1;
            }
            text.get(at).filter(|here| *here == byte)?;
            first.get_or_insert(at);
            at += 1;
        }
        Some(first?..at)
    }
}

/// Cuts a range of a text at special tokens, where they count.
fn cut_at(finder: &Finder, text: &str, range: Range<usize>, count: bool) -> Vec<(Option<u32>, Range<usize>)> {
    let mut parts = Vec::new();
    let mut at = range.start;
    let found = if count { finder.find(text, range.clone()) } else { Vec::new() };
    for found in found {
        if at < found.whole.start {
            parts.push((None, at..found.whole.start));
        }
        at = found.whole.end.min(range.end);
        parts.push((Some(found.id), found.whole.start..at));
    }
    if at < range.end {
        parts.push((None, at..range.end));
    }
    parts
}

/// Encodes a range of a text by scores. `▁` counts as the space that it stands for, as in SentencePiece.
fn scored_spans(spm: &Spm, text: &str, range: Range<usize>, prefix: bool, spans: &mut Vec<Span>) {
    let part = text.get(range.clone()).unwrap_or_default();
    let mut plain = String::with_capacity(part.len() + 1);
    // Where each byte of `plain` comes from.
    let mut origin = Vec::with_capacity(part.len() + 2);
    if prefix {
        plain.push(' ');
        origin.push(range.start);
    }
    for (at, character) in part.char_indices() {
        let shown = if character == '▁' { ' ' } else { character };
        plain.push(shown);
        origin.extend((0..shown.len_utf8()).map(|byte| range.start + at + byte));
    }
    origin.push(range.end);
    let first = spans.len();
    spm.encode(&plain, spans);
    let place = |at: usize| origin.get(at).copied().unwrap_or(range.end);
    for (_, span) in spans.iter_mut().skip(first) {
        *span = place(span.start)..place(span.end);
    }
}
