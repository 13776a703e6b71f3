//! Words as a tokenizer writes them.

use std::ops::Range;

use super::run::encode;
use crate::engine::tokenizer::{TokenKind, Tokenizer};

/// The one token that a word is in running text, if it is one: a word with the space before it, a sign as it stands.
pub fn word_id(tokenizer: &Tokenizer, word: &str) -> Option<u32> {
    word_ids(tokenizer, word).first().copied()
}

/// The tokens that are this word and nothing else, the one of running text first: after a space, and where a text or a
/// quotation begins.
pub fn word_ids(tokenizer: &Tokenizer, word: &str) -> Vec<u32> {
    let single = |text: &str| match encode(tokenizer, text).as_deref() {
        Ok([id]) => Some(*id),
        _ => None,
    };
    let (spaced, alone) = (single(&format!(" {word}")), single(word));
    let both = if word.contains(char::is_alphabetic) { [spaced, alone] } else { [alone, spaced] };
    both.into_iter().flatten().collect()
}

/// Tokens that are a word with its space, or where the vocabulary has too few of those, all that are text. Random prompts
/// are drawn from them: single bytes and scraps of words in a row are like nothing that a model was trained on.
pub fn whole_words(tokenizer: &Tokenizer, at_least: usize) -> Vec<u32> {
    let normal = || {
        let tokens = (0..tokenizer.len() as u32).filter_map(|id| tokenizer.token(id));
        tokens.filter(|token| token.kind == TokenKind::Normal)
    };
    let is_word = |bytes: &[u8]| bytes.len() > 3 && bytes[0] == b' ' && bytes[1..].iter().all(u8::is_ascii_lowercase);
    let words: Vec<u32> = normal().filter(|token| is_word(token.bytes)).map(|token| token.id).collect();
    if words.len() >= at_least { words } else { normal().map(|token| token.id).collect() }
}

/// Where a word last stands in a text as a word of its own, in bytes.
pub fn last_place(text: &str, word: &str) -> Option<Range<usize>> {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let stands_alone =
        |at: &usize| !is_letter(text[..*at].chars().next_back()) && !is_letter(text[*at + word.len()..].chars().next());
    let at = text.match_indices(word).map(|(at, _)| at).filter(stands_alone).last()?;
    Some(at..at + word.len())
}

#[cfg(test)]
mod tests {
    use super::last_place;

    #[test]
    fn words_of_their_own() {
        assert_eq!(last_place("the bats, a bat and a bath", "bat"), Some(12..15));
        assert_eq!(last_place("bat", "bat"), Some(0..3));
        assert_eq!(last_place("a bat. the bat.", "bat"), Some(11..14));
        assert_eq!(last_place("combat", "bat"), None);
    }
}
