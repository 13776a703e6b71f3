//! The crate `tokenizers`, fenced in.
//!
//! The crate trusts its files: a merge that names a missing token panics, an id of four billion is accepted, two tokens may
//! share an id (huggingface/tokenizers#2094, #2198). [`Plan::build`] checks all that first and says what is wrong; what is
//! left runs inside `catch_unwind`.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::{AddedToken, NormalizerWrapper, PreTokenizerWrapper};

use super::error::quote;
use super::specials::Special;
use super::table::Span;

/// Words whose tokens the crate remembers, per thread. It frees them only when the thread ends, so they are few.
const REMEMBERED_WORDS: usize = 2_000;

/// A special or user-defined token of the plan.
#[derive(Debug, Clone)]
pub(super) struct Added {
    pub(super) special: Special,
    /// A control token; otherwise text that is kept whole.
    pub(super) control: bool,
    /// Is looked for in the normalised text.
    pub(super) normalized: bool,
}

/// Everything that makes a byte-pair tokenizer.
#[derive(Default)]
pub(super) struct Plan {
    /// Ids by text, the added tokens among them.
    pub(super) vocab: Vocab,
    /// Pairs in the order in which they join.
    pub(super) merges: Merges,
    pub(super) unk: Option<String>,
    pub(super) byte_fallback: bool,
    pub(super) fuse_unk: bool,
    pub(super) ignore_merges: bool,
    pub(super) normalizer: Option<NormalizerWrapper>,
    pub(super) pre_tokenizer: Option<PreTokenizerWrapper>,
    pub(super) added: Vec<Added>,
    /// Whether "a b" is always cut before the space, so that a long text may be encoded in parts.
    pub(super) cuts_words: bool,
}

/// A byte-pair tokenizer.
pub(super) struct Bpe {
    /// The lock is held for one encoding at a time: the crate's switch for special tokens is a field.
    tokenizer: Mutex<tokenizers::Tokenizer>,
    in_parts: bool,
}

/// About how much of a long text the crate sees at once; it takes some 120 bytes of memory for each byte of text.
const PART_BYTES: usize = 64 << 10;

impl Plan {
    /// Checks the plan and builds the tokenizer; the error is a sentence about the file.
    pub(super) fn build(self) -> Result<Bpe, String> {
        self.check()?;
        let built = catch_unwind(AssertUnwindSafe(|| self.build_unchecked()));
        built.unwrap_or_else(|_| Err("its tokenizer makes the tokenizer library fail; try another copy.".into()))
    }

    fn check(&self) -> Result<(), String> {
        let mut joined = String::new();
        for (index, (left, right)) in self.merges.iter().enumerate() {
            joined.clear();
            joined.push_str(left);
            joined.push_str(right);
            if let Some(absent) = [left, right, &joined].into_iter().find(|text| !self.vocab.contains_key(*text)) {
                let (left, right, absent) = (quote(left), quote(right), quote(absent));
                return Err(format!(
                    "merge {index} of its tokenizer joins {left} and {right}, but {absent} is no token; the file is damaged, try another copy."
                ));
            }
        }
        match &self.unk {
            Some(unk) if !self.vocab.contains_key(unk) => {
                Err(format!("its tokenizer names {} as the unknown token, but there is no such token.", quote(unk)))
            }
            _ => Ok(()),
        }
    }

    fn build_unchecked(self) -> Result<Bpe, String> {
        let mut model = BPE::builder()
            .vocab_and_merges(self.vocab, self.merges)
            .byte_fallback(self.byte_fallback)
            .fuse_unk(self.fuse_unk)
            .ignore_merges(self.ignore_merges)
            .cache_capacity(REMEMBERED_WORDS);
        if let Some(unk) = self.unk {
            model = model.unk_token(unk);
        }
        let in_parts = self.cuts_words && self.added.iter().all(|added| !added.special.text.contains(' '));
        let says = |error: tokenizers::Error| format!("its tokenizer cannot be built ({error}).");
        let mut tokenizer = tokenizers::Tokenizer::new(model.build().map_err(says)?);
        tokenizer.with_normalizer(self.normalizer).map_err(says)?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        let added = self.added.into_iter().map(|Added { special, control, normalized }| {
            AddedToken::from(special.text, control)
                .normalized(normalized)
                .lstrip(special.lstrip)
                .rstrip(special.rstrip)
                .single_word(special.single_word)
        });
        tokenizer.add_tokens(added).map_err(says)?;
        Ok(Bpe { tokenizer: Mutex::new(tokenizer), in_parts })
    }
}

impl Bpe {
    /// The ids of a text; `parse` says whether the names of control tokens count as such.
    pub(super) fn ids(&self, text: &str, parse: bool) -> Result<Vec<u32>, String> {
        let mut ids = Vec::new();
        for part in self.parts(text) {
            let part = text.get(part).unwrap_or_default();
            self.guarded(parse, |tokenizer| {
                ids.extend_from_slice(tokenizer.encode_fast(part, false)?.get_ids());
                Ok(())
            })?;
        }
        Ok(ids)
    }

    /// The same with the bytes of the text that each token was made from; fragments of a character share its bytes.
    pub(super) fn spans(&self, text: &str, parse: bool) -> Result<Vec<Span>, String> {
        let mut spans = Vec::new();
        for part in self.parts(text) {
            let shift = part.start;
            let part = text.get(part).unwrap_or_default();
            self.guarded(parse, |tokenizer| {
                let encoding = tokenizer.encode(part, false)?;
                let offsets = encoding.get_offsets().iter().map(|&(start, end)| start + shift..end + shift);
                spans.extend(encoding.get_ids().iter().copied().zip(offsets));
                Ok(())
            })?;
        }
        Ok(spans)
    }

    /// Cuts a long text between words, where it is cut anyway.
    fn parts(&self, text: &str) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = 0;
        while self.in_parts && text.len() - start > PART_BYTES {
            let word = |at: &[u8]| matches!(at, [a, b' ', b, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
            let from = start + PART_BYTES;
            let Some(gap) = text.as_bytes()[from..].windows(3).position(word) else { break };
            parts.push(start..from + gap + 1);
            start = from + gap + 1;
        }
        parts.push(start..text.len());
        parts
    }

    fn guarded<T>(
        &self,
        parse: bool,
        run: impl FnOnce(&tokenizers::Tokenizer) -> tokenizers::Result<T>,
    ) -> Result<T, String> {
        let mut tokenizer = self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner);
        tokenizer.set_encode_special_tokens(!parse);
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&tokenizer)));
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(format!("its tokenizer cannot split this text ({error}).")),
            Err(_) => Err("its tokenizer cannot split this text; try another copy of the file.".into()),
        }
    }
}
