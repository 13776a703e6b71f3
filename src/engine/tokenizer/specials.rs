//! Finding the names of special tokens in a text.
//!
//! Control tokens such as `<|im_end|>` have names that anybody can type. Where they may count as structure and where they
//! are only text is decided by the caller; this finder says where they are: from left to right, the longest name first.

use std::collections::HashMap;
use std::ops::Range;

/// A special token's name and how much of its surroundings it takes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Special {
    /// The token.
    pub(super) id: u32,
    /// Its name in a text.
    pub(super) text: String,
    /// Swallows the white space before it.
    pub(super) lstrip: bool,
    /// Swallows the white space after it.
    pub(super) rstrip: bool,
    /// Counts only where no letter or digit touches it.
    pub(super) single_word: bool,
}

/// A special token in a text: which, and the bytes that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) id: u32,
    /// Where its name stands.
    pub(super) name: Range<usize>,
    /// The name and the white space that it swallows.
    pub(super) whole: Range<usize>,
}

/// All special tokens of a vocabulary, ready to be found.
#[derive(Debug, Clone, Default)]
pub(super) struct Finder {
    specials: Vec<Special>,
    /// Index into `specials` by name.
    by_text: HashMap<String, usize>,
    /// The lengths that occur among the names that begin with a byte, longest first: a text is looked up once per length.
    lengths: HashMap<u8, Vec<usize>>,
}

impl Finder {
    pub(super) fn new(specials: Vec<Special>) -> Self {
        let mut finder = Self::default();
        for special in specials {
            let Some(&first) = special.text.as_bytes().first() else { continue };
            let lengths = finder.lengths.entry(first).or_default();
            if !lengths.contains(&special.text.len()) {
                lengths.push(special.text.len());
                lengths.sort_unstable_by(|a, b| b.cmp(a));
            }
            finder.by_text.insert(special.text.clone(), finder.specials.len());
            finder.specials.push(special);
        }
        finder
    }

    /// Every special token of `text` that lies wholly inside `range`, from left to right.
    pub(super) fn find(&self, text: &str, range: Range<usize>) -> Vec<Match> {
        let mut found: Vec<Match> = Vec::new();
        let (mut at, mut taken) = (range.start, range.start);
        while at < range.end {
            let special = self.name_at(text, at).filter(|special| at + special.text.len() <= range.end);
            let Some(special) = special else {
                at += 1;
                continue;
            };
            let name = at..at + special.text.len();
            at = name.end;
            let (Some(before), Some(after)) = (text.get(..name.start), text.get(name.end..)) else { continue };
            if special.single_word && (before.ends_with(is_word) || after.starts_with(is_word)) {
                continue;
            }
            let start = if special.lstrip { before.trim_end().len().max(taken) } else { name.start };
            let end = if special.rstrip { text.len() - after.trim_start().len() } else { name.end };
            found.push(Match { id: special.id, name, whole: start..end });
            (at, taken) = (end.max(at), end);
        }
        found
    }

    /// The names.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        self.specials.iter().map(|special| special.text.as_str())
    }

    fn name_at(&self, text: &str, at: usize) -> Option<&Special> {
        let lengths = self.lengths.get(text.as_bytes().get(at)?)?;
        let index = lengths.iter().find_map(|length| self.by_text.get(text.get(at..at + length)?))?;
        self.specials.get(*index)
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
