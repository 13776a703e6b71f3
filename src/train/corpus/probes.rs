//! Questions that the world's own grammar answers, for measuring a trained model.
//!
//! They say what the world teaches, apart from how it is written: word pairs in parallel relations, sentences in which
//! an ambiguous word has one of its senses (none of them ever generated), classes of words, and facts with one right
//! answer.

use super::facts::TOPICS;
use super::probe_sentences::SENSES;
use super::words::{
    ANIMALS, COLOURS, COMPARATIVES, COUNTRIES, GENDER, JOBS, MEN, NUMBERS, OBJECTS, PLURALS, SURNAMES, VERBS, WOMEN,
};

/// `a` is to `b` as `c` is to `d`: vector(b) − vector(a) + vector(c) should lie nearest to vector(d).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Analogy {
    /// What the two pairs have in common.
    pub relation: &'static str,
    /// The first pair's first word.
    pub a: &'static str,
    /// The first pair's second word.
    pub b: &'static str,
    /// The second pair's first word.
    pub c: &'static str,
    /// The answer.
    pub d: &'static str,
}

/// The best known one: man is to king as woman is to queen.
pub fn king_queen() -> Analogy {
    Analogy { relation: "role", a: "man", b: "king", c: "woman", d: "queen" }
}

/// Two dozen analogies over six relations.
pub fn analogies() -> Vec<Analogy> {
    let row = |relation, a, b, c, d| Analogy { relation, a, b, c, d };
    vec![
        king_queen(),
        row("gender", "king", "queen", "prince", "princess"),
        row("gender", "man", "woman", "uncle", "aunt"),
        row("gender", "boy", "girl", "brother", "sister"),
        row("gender", "father", "mother", "wizard", "witch"),
        row("gender", "actor", "actress", "monk", "nun"),
        row("gender", "son", "daughter", "hero", "heroine"),
        row("gender", "duke", "duchess", "nephew", "niece"),
        row("plural", "apple", "apples", "key", "keys"),
        row("plural", "dog", "dogs", "horse", "horses"),
        row("plural", "book", "books", "star", "stars"),
        row("plural", "cup", "cups", "hat", "hats"),
        row("plural", "tree", "trees", "stone", "stones"),
        row("past tense", "walks", "walked", "climbs", "climbed"),
        row("past tense", "sings", "sang", "drinks", "drank"),
        row("past tense", "rides", "rode", "writes", "wrote"),
        row("young animal", "cat", "kitten", "dog", "puppy"),
        row("young animal", "cow", "calf", "sheep", "lamb"),
        row("young animal", "goose", "gosling", "duck", "duckling"),
        row("comparative", "big", "bigger", "small", "smaller"),
        row("comparative", "fast", "faster", "slow", "slower"),
        row("comparative", "old", "older", "rich", "richer"),
        row("capital", "france", "paris", "spain", "madrid"),
        row("capital", "italy", "rome", "greece", "athens"),
    ]
}

/// A word with two senses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbiguousWord {
    /// The word.
    pub word: &'static str,
    /// Its senses.
    pub senses: [Sense; 2],
}

/// One sense of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sense {
    /// What the word means here.
    pub name: &'static str,
    /// Sentences in which the words before it make that clear.
    pub sentences: Vec<&'static str>,
}

/// Words with two senses, with sentences for each.
pub fn ambiguous_words() -> Vec<AmbiguousWord> {
    let sense = |(name, sentences): (&'static str, [&'static str; 6])| Sense { name, sentences: sentences.to_vec() };
    SENSES.iter().map(|&(word, senses)| AmbiguousWord { word, senses: senses.map(sense) }).collect()
}

/// Words of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordClass {
    /// What they have in common.
    pub name: &'static str,
    /// The words; for punctuation, the signs.
    pub words: Vec<&'static str>,
}

/// Classes that a map of the embeddings or an expert may show; no word is in two of them.
pub fn word_classes() -> Vec<WordClass> {
    let class = |name, words: Vec<&'static str>| WordClass { name, words };
    vec![
        class("men's names", MEN.to_vec()),
        class("women's names", WOMEN.to_vec()),
        class("surnames", SURNAMES.to_vec()),
        class("male roles", GENDER.iter().map(|pair| pair.0).collect()),
        class("female roles", GENDER.iter().map(|pair| pair.1).collect()),
        class("animals", ANIMALS.iter().map(|animal| animal.name).collect()),
        class("young animals", ANIMALS.iter().map(|animal| animal.young).collect()),
        class("animal sounds", ANIMALS.iter().map(|animal| animal.sound).collect()),
        class("colours", COLOURS.to_vec()),
        class("numbers", NUMBERS.to_vec()),
        class("countries", COUNTRIES.iter().map(|row| row.0).collect()),
        class("capitals", COUNTRIES.iter().map(|row| row.1).collect()),
        class("languages", COUNTRIES.iter().map(|row| row.2).collect()),
        class("jobs", JOBS.iter().map(|row| row.0).filter(|&job| job != "cook").collect()),
        class("tools", JOBS.iter().map(|row| row.1).collect()),
        class("objects", OBJECTS.to_vec()),
        class("plurals", PLURALS.iter().map(|row| row.1).collect()),
        class("verbs in the present", VERBS.iter().map(|verb| verb.third).collect()),
        class("verbs in the past", VERBS.iter().map(|verb| verb.past).collect()),
        class("comparatives", COMPARATIVES.iter().map(|pair| pair.1).collect()),
        class("pronouns", vec!["he", "she", "it", "they", "i", "you", "we", "him", "her", "his", "them"]),
        class("function words", vec!["the", "a", "an", "and", "of", "in", "on", "to", "with", "for", "but", "that"]),
        class("punctuation", vec![".", ",", "?", "!", ":", "\""]),
    ]
}

/// A fact of the world, to be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What is given; one space and the answer follow.
    pub prompt: String,
    /// The one right next word.
    pub answer: &'static str,
}

/// Beginnings of stories, for samples: they leave open what happens.
pub const STORY_OPENINGS: [&str; 10] = [
    "once there was a small boy named karl. he",
    "once there was a clever girl named nora vell. she",
    "in a small town lived a teacher named ned.",
    "a queen named tess wanted",
    "long ago there lived a",
    "anna was new at school.",
    "one night oran heard a noise in the kitchen.",
    "in winter it rained for many days.",
    "leo had a brown dog.",
    "mira lost her golden key.",
];

/// Every fact of the world as a question in the form that the text uses most.
pub fn facts() -> Vec<Fact> {
    let ask = |question: &str, a: &str| format!("question: {} answer:", question.replace("{a}", a));
    let of = |topic: &super::facts::Topic| {
        let question = topic.questions[0];
        let fact = |pair: &super::facts::Pair| Fact { prompt: ask(question, &pair.a), answer: pair.b };
        topic.pairs.iter().map(fact).collect::<Vec<_>>()
    };
    TOPICS.iter().flat_map(of).collect()
}
