//! Every token's exact bytes, by id.
//!
//! A vocabulary spells its tokens in an *alphabet*. GPT-2's writes each byte as one printable character (a space is `Ġ`);
//! SentencePiece's writes a space as `▁` and a lone byte as `<0xE2>`. Decoding through such strings is where half
//! characters and lost spaces come from, so the table undoes the alphabet once: from here on a token is bytes.

use std::ops::Range;

/// How a vocabulary spells bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// One printable character per byte (GPT-2).
    Bytes,
    /// `▁` for a space, `<0xNN>` for a byte that has no character of its own (SentencePiece).
    Spaces,
    /// The text itself.
    Plain,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A piece of text.
    Normal,
    /// Structure that no typed text stands for: begin, end, whose turn it is.
    Control,
    /// A piece of text that is always kept whole.
    UserDefined,
    /// One byte.
    Byte,
    /// A place that the vocabulary keeps free.
    Unused,
}

/// A token of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its number: the row of the embedding table.
    pub id: u32,
    /// The exact bytes that it stands for; for a control token, its name.
    pub bytes: &'a [u8],
    /// What it is for.
    pub kind: TokenKind,
}

/// The bytes and kinds of all tokens, in one allocation each.
#[derive(Debug, Clone, Default)]
pub(super) struct TokenTable {
    bytes: Vec<u8>,
    entries: Vec<Option<(u32, u32, TokenKind)>>,
}

impl TokenTable {
    /// Sets a token's text as the vocabulary spells it. The caller has checked that `id` is small.
    pub(super) fn set(&mut self, id: u32, text: &str, kind: TokenKind, alphabet: Alphabet) {
        let start = self.bytes.len() as u32;
        match (alphabet, kind) {
            // The names of control tokens are literal, and so are those of tokens that were added to GPT-2's alphabet.
            (_, TokenKind::Control) | (Alphabet::Bytes, TokenKind::UserDefined) | (Alphabet::Plain, _) => {
                self.bytes.extend(text.as_bytes());
            }
            (Alphabet::Bytes, _) => self.bytes.extend(bytes_of(text)),
            (Alphabet::Spaces, _) => match byte_token(text) {
                Some(byte) => self.bytes.push(byte),
                None => self.bytes.extend(text.replace('▁', " ").as_bytes()),
            },
        }
        let index = id as usize;
        if self.entries.len() <= index {
            self.entries.resize(index + 1, None);
        }
        self.entries[index] = Some((start, self.bytes.len() as u32, kind));
    }

    pub(super) fn get(&self, id: u32) -> Option<Token<'_>> {
        let (start, end, kind) = (*self.entries.get(id as usize)?)?;
        Some(Token { id, bytes: self.bytes.get(start as usize..end as usize)?, kind })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Token<'_>> {
        (0..self.entries.len() as u32).filter_map(|id| self.get(id))
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Frees what growing left over.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        self.entries.shrink_to_fit();
    }
}

/// The byte that a character of GPT-2's alphabet stands for. Printable Latin-1 stands for itself; the other 68 bytes
/// follow in order from U+0100 (openai/gpt-2, `encoder.py`).
pub(super) fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => Some(code as u8),
        0x100..=0x120 => Some((code - 0x100) as u8),
        0x121..=0x142 => Some((code - 0x121 + 0x7f) as u8),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// A token that holds a character outside the alphabet is taken literally, as the crate `tokenizers` does.
fn bytes_of(text: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = text.chars().map(byte_of).collect();
    bytes.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// The byte of `<0xNN>`, with exactly two hexadecimal digits.
pub(super) fn byte_token(text: &str) -> Option<u8> {
    let digits = text.strip_prefix("<0x")?.strip_suffix('>')?;
    let hexadecimal = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    hexadecimal.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// A token and the bytes of the text that it stands for.
pub(super) type Span = (u32, Range<usize>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_alphabet_covers_every_byte_once() {
        let mut seen = [0; 256];
        for byte in (0..=0x143).filter_map(char::from_u32).filter_map(byte_of) {
            seen[usize::from(byte)] += 1;
        }
        assert_eq!(seen, [1; 256]);
        assert_eq!([byte_of('Ġ'), byte_of('Ċ'), byte_of('ĉ')], [Some(b' '), Some(b'\n'), Some(b'\t')]);
    }

    #[test]
    fn a_byte_token_has_two_hexadecimal_digits() {
        assert_eq!(byte_token("<0xE2>"), Some(0xe2));
        for other in ["<0x-1>", "<0xZZ>", "<0x>", "<0x+1>", "<0x123>", "0x12", "<0x12", "<0xé>"] {
            assert_eq!(byte_token(other), None, "{other}");
        }
    }
}
