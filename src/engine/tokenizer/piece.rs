//! Tokens as a person reads them: chips with visible spaces, and text that streams without half characters.

use std::ops::Range;

use super::table::{Token, TokenKind};

/// How a space is shown in a [`Piece::label`].
pub const SPACE: char = '·';
/// How a line's end is shown.
pub const NEWLINE: char = '↵';
/// How a tab is shown.
pub const TAB: char = '⇥';

/// One token of a text, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The token.
    pub id: u32,
    /// The exact bytes that it stands for.
    pub bytes: Vec<u8>,
    /// The bytes as printable text: spaces, line ends and tabs are visible, other bytes are hexadecimal in ‹›.
    pub label: String,
    /// Whether it is a control token.
    pub special: bool,
    /// Whether it holds only a part of a character: its neighbours hold the rest.
    pub fragment: bool,
    /// The bytes of the text that it stands for; empty for a token that was put in, such as the begin token.
    pub range: Range<usize>,
}

impl Piece {
    pub(super) fn new(id: u32, token: Option<Token<'_>>, range: Range<usize>) -> Self {
        let Some(Token { bytes, kind, .. }) = token else {
            return Self {
                id, bytes: Vec::new(), label: format!("‹{id}›"), special: false, fragment: false, range
            };
        };
        let special = kind == TokenKind::Control;
        let fragment = std::str::from_utf8(bytes).is_err();
        Self { id, bytes: bytes.to_vec(), label: label(bytes), special, fragment, range }
    }
}

/// Bytes as printable text. Its symbols are in DejaVu, Hack and most other fonts.
pub fn label(bytes: &[u8]) -> String {
    let mut label = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                ' ' => label.push(SPACE),
                '\n' => label.push(NEWLINE),
                '\t' => label.push(TAB),
                '\r' => label.push_str("\\r"),
                c if c.is_control() || c.is_whitespace() || is_invisible(c) => {
                    label.push_str(&format!("‹U+{:04X}›", u32::from(c)));
                }
                c => label.push(c),
            }
        }
        if !chunk.invalid().is_empty() {
            let hex: Vec<String> = chunk.invalid().iter().map(|byte| format!("{byte:02X}")).collect();
            label.push_str(&format!("‹{}›", hex.join(" ")));
        }
    }
    if label.is_empty() { "‹›".into() } else { label.replace("›‹", " ") }
}

/// Format characters that would leave a chip blank or turn its direction.
fn is_invisible(character: char) -> bool {
    matches!(u32::from(character), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfeff | 0xfe00..=0xfe0f)
}

/// Turns tokens into text one by one. A character that several tokens spell appears once it is whole.
#[derive(Debug, Clone, Default)]
pub struct StreamDecoder {
    pending: Vec<u8>,
}

impl StreamDecoder {
    /// A decoder at the start of a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next token's bytes and returns what can be shown now. Bytes that no continuation can make a character
    /// become U+FFFD.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.pending.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    // Without a length the bytes so far may still become a character.
                    let Some(bad) = error.error_len() else { break };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = after.get(bad..).unwrap_or_default();
                }
            }
        }
        self.pending = rest.to_vec();
        text
    }

    /// Ends the text: an unfinished character becomes U+FFFD.
    pub fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_show_what_cannot_be_seen() {
        assert_eq!(label(b" a\n\t\r"), "·a↵⇥\\r");
        assert_eq!(label(&[0xe2, 0x80]), "‹E2 80›");
        assert_eq!(label(b" \xf0\x9f"), "·‹F0 9F›");
        assert_eq!(label("\u{200b}\u{a0}\0".as_bytes()), "‹U+200B U+00A0 U+0000›");
        assert_eq!(label(b""), "‹›");
        assert_eq!(label("é🙂".as_bytes()), "é🙂");
    }

    #[test]
    fn no_half_character_is_ever_shown() {
        let text = "a🙂é東\u{10ffff}z";
        for size in 1..5 {
            let mut decoder = StreamDecoder::new();
            let mut shown = String::new();
            for chunk in text.as_bytes().chunks(size) {
                shown.push_str(&decoder.push(chunk));
                assert!(text.starts_with(&shown));
            }
            assert_eq!(shown + &decoder.finish(), text);
        }
        let mut decoder = StreamDecoder::new();
        assert_eq!(decoder.push(b"\xf0\x9f"), "");
        assert_eq!(decoder.push(b"x\xff"), "\u{fffd}x\u{fffd}");
        assert_eq!(decoder.push(b"\xe6"), "");
        assert_eq!(decoder.finish(), "\u{fffd}");
        assert_eq!(decoder.finish(), "");
    }
}
