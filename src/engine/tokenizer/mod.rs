//! Text to token ids and back.
//!
//! A [`Tokenizer`] is made from a `tokenizer.json` ([`HubVocabulary`]) or from the arrays of a GGUF file
//! ([`GgufVocabulary`]). Byte-pair merges run in the crate `tokenizers`, fenced in by [`bpe`]; SentencePiece's scored
//! merges are [`spm`]. Everything else is ours: each token is known by its exact bytes ([`table`]), so that decoding,
//! chips and streaming never see half a character.
//!
//! Three rules hold. Text that a person typed never becomes a control token unless the caller says [`Specials::Parse`].
//! What a vocabulary cannot express is reported by [`Tokenizer::dropped`], never lost in silence. And a file is checked
//! before anything is built from it: ids against the rows of the embedding table, merges against the tokens.

mod bpe;
mod error;
mod gguf;
mod hub;
mod piece;
mod pre;
mod spans;
mod specials;
mod spm;
mod table;
mod vocabulary;

use std::ops::Range;
use std::time::{Duration, Instant};

pub(crate) use error::one_line;
pub use error::{Result, TokenizerError};
pub use hub::{HubVocabulary, MAX_TOKENIZER_JSON_BYTES};
pub use piece::{NEWLINE, Piece, SPACE, StreamDecoder, TAB, label};
pub use table::{Token, TokenKind};
pub use vocabulary::GgufVocabulary;

use bpe::Bpe;
use specials::Finder;
use spm::Spm;
use table::{Alphabet, TokenTable};

/// A longer text is refused: it is far past any context.
pub const MAX_TEXT_BYTES: usize = 16 << 20;
/// A longer token marks a damaged file.
const MAX_TOKEN_BYTES: usize = 4096;

/// What the names of control tokens count as, where they occur in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Specials {
    /// As the control tokens: for a raw prompt, where the student may write structure.
    Parse,
    /// As plain text: for what somebody says inside a chat message.
    AsText,
}

/// A part of a text that has no token and would be lost without a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Where it stands in the text, in bytes; always whole characters.
    pub range: Range<usize>,
    /// It, as printable text.
    pub label: String,
}

/// Turns text into token ids and back.
pub struct Tokenizer {
    file: String,
    parts: Parts,
    /// Bytes that no token spells alone.
    missing: Box<[bool; 256]>,
    /// Whether encoding puts a space before the text, which decoding takes away again.
    adds_space: bool,
}

/// What a vocabulary's reader hands over.
struct Parts {
    scheme: Scheme,
    table: TokenTable,
    alphabet: Alphabet,
    control: Finder,
    bos: Option<u32>,
    eos: Option<u32>,
    unk: Option<u32>,
    ends: Vec<u32>,
    add_bos: bool,
    warnings: Vec<String>,
}

enum Scheme {
    Bpe(Box<Bpe>),
    Spm {
        spm: Box<Spm>,
        /// Tokens that are text but never cut.
        kept: Finder,
        space_prefix: bool,
    },
}

impl Parts {
    fn warn_of_doubles(&mut self, doubles: usize) {
        if doubles > 0 {
            self.warnings.push(format!("{doubles} tokens repeat the text of an earlier one; only the first is used."));
        }
    }
}

/// The names by which models end a turn, for files that name only one of theirs.
fn end_names() -> &'static [&'static str] {
    &[
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|eot_id|>",
        "<|eom_id|>",
        "<|im_end|>",
        "<|end|>",
        "<|return|>",
        "<end_of_turn>",
        "<end_of_utterance>",
        "<｜end▁of▁sentence｜>",
        "<EOT>",
        "</s>",
    ]
}

impl Tokenizer {
    /// From the arrays of a GGUF file. `d_vocab` is the number of rows of the embedding table, `file` is how the student
    /// knows the file.
    pub fn from_gguf(vocabulary: GgufVocabulary, d_vocab: usize, file: &str) -> Result<Self> {
        Self::from_parts(gguf::build(vocabulary, d_vocab), file)
    }

    /// From a `tokenizer.json` and what the files beside it say.
    pub fn from_hub(vocabulary: HubVocabulary, d_vocab: usize, file: &str) -> Result<Self> {
        let tokenizer = Self::from_parts(hub::build(vocabulary, d_vocab), file)?;
        tokenizer.check_speed()?;
        Ok(tokenizer)
    }

    /// Refuses a file whose own rules for cutting text take time that grows with the square of its length: such a rule
    /// would hang on a long prompt. Real rules take some 5 ms for a probe. On a busy machine any rule may be slow now and
    /// then, so the best of three counts, and only a rule that is slow *and* takes more than twice the time per byte for
    /// four times the text (a linear one takes the same, a quadratic one four times) is refused.
    fn check_speed(&self) -> Result<()> {
        const PROBE_BYTES: usize = 16 << 10;
        const LONGEST: Duration = Duration::from_millis(250);
        let time = |text: &str| {
            let start = Instant::now();
            self.encode(text, Specials::Parse).map(|_| start.elapsed())
        };
        let best_of_three = |text: &str| Ok(time(text)?.min(time(text)?).min(time(text)?));
        for unit in ["A", "a", "1", " ", "\n", "."] {
            let text = unit.repeat(PROBE_BYTES);
            if time(&text)? > LONGEST {
                let (whole, quarter) = (best_of_three(&text)?, best_of_three(&text[..PROBE_BYTES / 4])?);
                if whole > LONGEST && whole > quarter * 8 {
                    let problem = "its rule for cutting text into words is too slow to be used; try another copy.";
                    return Err(self.error(problem.into()));
                }
            }
        }
        Ok(())
    }

    fn from_parts(parts: std::result::Result<Parts, String>, file: &str) -> Result<Self> {
        let parts = parts.map_err(|problem| TokenizerError { file: file.into(), problem })?;
        let mut missing = Box::new([parts.alphabet == Alphabet::Bytes; 256]);
        for token in parts.table.iter().filter(|token| token.kind != TokenKind::Control) {
            if let [byte] = token.bytes {
                missing[usize::from(*byte)] = false;
            }
        }
        let mut tokenizer = Self { file: file.into(), parts, missing, adds_space: false };
        let probe = tokenizer.encode("a", Specials::AsText)?;
        tokenizer.adds_space = tokenizer.bytes(&probe).starts_with(b" ");
        Ok(tokenizer)
    }

    /// The token ids of a text, without a begin token.
    pub fn encode(&self, text: &str, specials: Specials) -> Result<Vec<u32>> {
        self.check_length(text)?;
        if let Scheme::Bpe(bpe) = &self.parts.scheme {
            let ids = bpe.ids(text, specials == Specials::Parse).map_err(|problem| self.error(problem))?;
            if specials == Specials::Parse || !ids.iter().any(|id| self.intrudes(*id)) {
                return Ok(ids);
            }
        }
        Ok(self.spans(text, specials)?.into_iter().map(|(id, _)| id).collect())
    }

    /// The token ids of a raw prompt: control tokens count, and the begin token is put first where the model wants it.
    pub fn encode_prompt(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode(text, Specials::Parse)?;
        if let Some(bos) = self.parts.bos.filter(|bos| self.parts.add_bos && ids.first() != Some(bos)) {
            ids.insert(0, bos);
        }
        Ok(ids)
    }

    /// The token ids of a text in which the names of control tokens count only inside the ranges `structure`. The ranges
    /// ascend and do not overlap.
    pub fn encode_marked(&self, text: &str, structure: &[Range<usize>]) -> Result<Vec<u32>> {
        self.check_length(text)?;
        let control = &self.parts.control;
        let inside =
            |name: &Range<usize>| structure.iter().any(|part| part.start <= name.start && name.end <= part.end);
        if control.find(text, 0..text.len()).iter().all(|found| inside(&found.name)) {
            return self.encode(text, Specials::Parse);
        }
        let mut ids = Vec::new();
        let mut at = 0;
        for found in structure.iter().flat_map(|part| control.find(text, part.clone())) {
            ids.extend(self.encode(text.get(at..found.whole.start).unwrap_or_default(), Specials::AsText)?);
            ids.push(found.id);
            at = found.whole.end.max(at);
        }
        ids.extend(self.encode(text.get(at..).unwrap_or_default(), Specials::AsText)?);
        Ok(ids)
    }

    /// The tokens of a text as chips; their ranges are bytes of `text`.
    pub fn pieces(&self, text: &str, specials: Specials) -> Result<Vec<Piece>> {
        self.check_length(text)?;
        let spans = self.spans(text, specials)?.into_iter();
        Ok(spans.map(|(id, range)| Piece::new(id, self.token(id), range)).collect())
    }

    /// The tokens of a raw prompt as chips: those of [`Self::encode_prompt`].
    pub fn prompt_pieces(&self, text: &str) -> Result<Vec<Piece>> {
        let mut pieces = self.pieces(text, Specials::Parse)?;
        let first = pieces.first().map(|piece| piece.id);
        if let Some(bos) = self.parts.bos.filter(|bos| self.parts.add_bos && first != Some(*bos)) {
            pieces.insert(0, Piece::new(bos, self.token(bos), 0..0));
        }
        Ok(pieces)
    }

    /// Any ids as chips; their ranges are bytes of all their bytes in a row.
    pub fn pieces_of(&self, ids: &[u32]) -> Vec<Piece> {
        let mut at = 0;
        let piece = |id: &u32| {
            let start = at;
            at += self.token(*id).map_or(0, |token| token.bytes.len());
            Piece::new(*id, self.token(*id), start..at)
        };
        ids.iter().map(piece).collect()
    }

    /// The text of token ids, control tokens by their names. A character that is cut off becomes U+FFFD, an id that the
    /// vocabulary lacks becomes nothing.
    pub fn decode(&self, ids: &[u32]) -> String {
        let bytes = self.bytes(ids);
        let skip = usize::from(self.adds_space && bytes.starts_with(b" "));
        String::from_utf8_lossy(bytes.get(skip..).unwrap_or_default()).into_owned()
    }

    /// The bytes of token ids in a row.
    pub fn bytes(&self, ids: &[u32]) -> Vec<u8> {
        ids.iter().filter_map(|id| self.token(*id)).flat_map(|token| token.bytes.iter().copied()).collect()
    }

    /// The characters of a text that have no token: the model will not see them.
    pub fn dropped(&self, text: &str) -> Result<Vec<Dropped>> {
        if self.parts.alphabet == Alphabet::Bytes && !text.bytes().any(|byte| self.missing[usize::from(byte)]) {
            return Ok(Vec::new());
        }
        self.check_length(text)?;
        let mut seen = vec![false; text.len()];
        for (_, range) in self.spans(text, Specials::Parse)? {
            seen.get_mut(range).unwrap_or_default().fill(true);
        }
        for (seen, byte) in seen.iter_mut().zip(text.bytes()) {
            *seen &= !self.missing[usize::from(byte)];
        }
        let mut dropped: Vec<Dropped> = Vec::new();
        for (start, character) in text.char_indices() {
            let range = start..start + character.len_utf8();
            if seen.get(range.clone()).is_some_and(|seen| seen.contains(&false)) {
                match dropped.last_mut().filter(|last| last.range.end == start) {
                    Some(last) => last.range.end = range.end,
                    None => dropped.push(Dropped { range, label: String::new() }),
                }
            }
        }
        for part in &mut dropped {
            part.label = label(text.get(part.range.clone()).unwrap_or_default().as_bytes());
        }
        Ok(dropped)
    }

    /// A token of the vocabulary.
    pub fn token(&self, id: u32) -> Option<Token<'_>> {
        self.parts.table.get(id)
    }

    /// A token's printable text.
    pub fn label(&self, id: u32) -> String {
        Piece::new(id, self.token(id), 0..0).label
    }

    /// Up to `limit` tokens whose text begins with `prefix`, with or without a space before it, the shortest first.
    pub fn search(&self, prefix: &str, limit: usize) -> Vec<u32> {
        let hit = |bytes: &[u8]| {
            bytes.starts_with(prefix.as_bytes())
                || bytes.strip_prefix(b" ").is_some_and(|rest| rest.starts_with(prefix.as_bytes()))
        };
        let found = self.parts.table.iter().filter(|token| hit(token.bytes));
        let mut found: Vec<(usize, u32)> = found.map(|token| (token.bytes.len(), token.id)).collect();
        found.sort_unstable();
        found.into_iter().take(limit).map(|(_, id)| id).collect()
    }

    /// One more than the highest id of the vocabulary. The model may have more rows than that.
    pub fn len(&self) -> usize {
        self.parts.table.len()
    }

    /// Whether the vocabulary is empty, which no tokenizer that could be built is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token that begins a text.
    pub fn bos(&self) -> Option<u32> {
        self.parts.bos
    }

    /// Whether a raw prompt starts with the begin token.
    pub fn add_bos(&self) -> bool {
        self.parts.add_bos
    }

    /// The token that the file names as the end of a text.
    pub fn eos(&self) -> Option<u32> {
        self.parts.eos
    }

    /// The tokens that end a text or a turn, ascending.
    pub fn ends(&self) -> &[u32] {
        &self.parts.ends
    }

    /// Whether generation stops at a token.
    pub fn is_end(&self, id: u32) -> bool {
        self.parts.ends.binary_search(&id).is_ok()
    }

    /// Whether a token is structure rather than text.
    pub fn is_control(&self, id: u32) -> bool {
        self.token(id).is_some_and(|token| token.kind == TokenKind::Control)
    }

    /// Whether a token would be structure where text was meant. The unknown token is control by kind, but what a text
    /// becomes where it has no other token.
    fn intrudes(&self, id: u32) -> bool {
        self.is_control(id) && self.parts.unk != Some(id)
    }

    /// The names of the control tokens.
    pub fn control_names(&self) -> impl Iterator<Item = &str> {
        self.parts.control.texts()
    }

    /// What was guessed or left out while the tokenizer was built, for the load report: whole sentences.
    pub fn warnings(&self) -> &[String] {
        &self.parts.warnings
    }

    fn error(&self, problem: String) -> TokenizerError {
        TokenizerError { file: self.file.clone(), problem }
    }

    fn check_length(&self, text: &str) -> Result<()> {
        match text.len() > MAX_TEXT_BYTES {
            true => Err(self.error(format!("the text is longer than {} MB; shorten it.", MAX_TEXT_BYTES >> 20))),
            false => Ok(()),
        }
    }
}
