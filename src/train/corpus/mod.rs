//! The *story world*: the text that the project's own small models are trained on.
//!
//! A seeded grammar writes short documents in a world of fewer than a thousand word forms. Every kind of document is
//! there because a lesson shows something that it alone teaches: lists that come again make induction heads, sentences
//! that serve both sexes (both numbers, both tenses, …) with the same templates make parallel differences between word
//! vectors, words with two senses make contextual vectors, questions make facts that can be graded, and stories make it
//! all worth reading.
//!
//! **Text.** Lower case ASCII, words separated by single spaces, punctuation attached as in English (`"come here," said
//! tam.`), no digits and no contractions. A document is one line: after a line break a word would need a token without its
//! leading space, and so a second vector.
//!
//! **Held out by construction.** Each document has a key, a pair of things that meet in it (a story: protagonist and
//! key object). A hash of the key decides once and for all on which side of the [`Split`] the pair lies, so the
//! held-out text differs from the training text in what it combines, not only in the draw.

mod dice;
mod facts;
pub mod instructions;
mod other_words;
mod plots;
mod probe_sentences;
pub mod probes;
mod repeats;
mod role_cues;
mod roles;
mod sense_scenes;
mod senses;
mod stories;
mod template;
#[cfg(test)]
mod tests;
mod words;

use dice::Dice;
pub use words::vocabulary;

/// Which part of the world's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Split {
    /// What models are trained on.
    Train,
    /// What they are measured on: combinations that training never shows.
    HeldOut,
}

impl Split {
    /// The side on which a pair of things lies: one pair in eight is held out.
    pub fn of(first: &str, second: &str) -> Self {
        // FNV-1a, then the upper half folded in, since the low bits of FNV mix least.
        let bytes = first.bytes().chain([0xff]).chain(second.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
        if (hash ^ (hash >> 32)) % 8 == 0 { Self::HeldOut } else { Self::Train }
    }
}

/// What kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A list of words that comes again, with nothing to say that it will.
    BareRepeat,
    /// A list of words that somebody says, and somebody says again.
    CuedRepeat,
    /// Facts, as statements, questions and dialogues.
    Facts,
    /// Sentences that give word vectors their geometry.
    Roles,
    /// Words with two senses, told apart by what comes before.
    Senses,
    /// A short story.
    Story,
}

/// How many documents of a hundred are of each kind.
pub const MIX: [(Kind, u32); 6] = [
    (Kind::BareRepeat, 15),
    (Kind::CuedRepeat, 9),
    (Kind::Facts, 10),
    (Kind::Roles, 28),
    (Kind::Senses, 14),
    (Kind::Story, 24),
];

/// The same for the primer, with which training begins: mostly lists that come again. Induction heads come about in one
/// sudden step, and how soon depends on how much of the text rewards them. With a primer the step came after 3 million
/// tokens instead of 12, and all that leans on copying (names in stories, for one) had the rest of the run to grow.
pub const PRIMER: [(Kind, u32); 6] = [
    (Kind::BareRepeat, 55),
    (Kind::CuedRepeat, 15),
    (Kind::Facts, 5),
    (Kind::Roles, 10),
    (Kind::Senses, 5),
    (Kind::Story, 10),
];

/// A document with what is known of how it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// What kind it is.
    pub kind: Kind,
    /// The pairs that meet in it, all on the document's side of the split.
    pub keys: Vec<(&'static str, &'static str)>,
    /// The text.
    pub text: String,
}

/// The generator.
#[derive(Clone, Debug)]
pub struct Corpus {
    seed: u64,
}

impl Corpus {
    /// The world's text in the order that this seed gives it.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The text of one document: a pure function of (seed, split, index), whatever was asked before.
    pub fn document(&self, split: Split, index: u64) -> String {
        self.describe(split, index).text
    }

    /// One document, with its kind and its keys.
    pub fn describe(&self, split: Split, index: u64) -> Document {
        self.drawn_from(&MIX, split, index)
    }

    /// One document of the primer's mix, likewise a pure function of its arguments.
    pub fn primer(&self, split: Split, index: u64) -> Document {
        self.drawn_from(&PRIMER, split, index)
    }

    fn drawn_from(&self, mix: &[(Kind, u32)], split: Split, index: u64) -> Document {
        let mut dice = Dice::new(self.seed, 0, split, index);
        let kind = mix[dice.weighted(mix.iter().map(|&(_, weight)| weight))].0;
        Self::write(kind, split, &mut dice)
    }

    /// One document of a wanted kind, likewise a pure function of its arguments.
    pub fn of_kind(&self, kind: Kind, split: Split, index: u64) -> Document {
        Self::write(kind, split, &mut Dice::new(self.seed, 1, split, index))
    }

    fn write(kind: Kind, split: Split, dice: &mut Dice) -> Document {
        let (keys, text) = match kind {
            Kind::BareRepeat => repeats::bare(split, dice),
            Kind::CuedRepeat => repeats::cued(split, dice),
            Kind::Facts => facts::document(split, dice),
            Kind::Roles => roles::document(split, dice),
            Kind::Senses => senses::document(split, dice),
            Kind::Story => stories::document(split, dice),
        };
        Document { kind, keys, text }
    }
}

/// A text and the pairs that meet in it.
type Written = (Vec<(&'static str, &'static str)>, String);
