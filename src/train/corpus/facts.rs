//! Facts of the world, as statements, questions and dialogues.
//!
//! A topic is a list of pairs with the sentences that all its pairs share. Facts themselves are on both sides of the
//! split; what is held out are the combinations, the subjects of a document's first two facts.

use std::sync::LazyLock;

use super::dice::Dice;
use super::template::Scene;
use super::words::{ANIMALS, COLOURED, COUNTRIES, JOBS, NUMBERS, OPPOSITES, PLURALS, names};
use super::{Split, Written};

/// One fact: `a` leads to `b`.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// What the fact is filed under in the held-out rule.
    pub(super) subject: &'static str,
    /// What is asked about.
    pub(super) a: String,
    /// The answer.
    pub(super) b: &'static str,
}

/// Facts that share their sentences.
#[derive(Clone, Debug)]
pub(super) struct Topic {
    /// How often it is chosen.
    weight: u32,
    /// All its facts.
    pub(super) pairs: Vec<Pair>,
    /// Questions, with `{a}` for what is asked about.
    pub(super) questions: &'static [&'static str],
    /// Statements, with `{b}` for the answer.
    pub(super) statements: &'static [&'static str],
}

fn topic<'a>(
    weight: u32,
    pairs: impl Iterator<Item = (&'static str, &'static str)> + 'a,
    questions: &'static [&'static str],
    statements: &'static [&'static str],
) -> Topic {
    Topic { weight, pairs: pairs.map(|(a, b)| Pair { subject: a, a: a.into(), b }).collect(), questions, statements }
}

/// Every fact of the world.
pub(super) static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    vec![
        topic(
            6,
            COUNTRIES.iter().map(|c| (c.0, c.1)),
            &["what is the capital of {a}?", "which city is the capital of {a}?"],
            &["the capital of {a} is {b}.", "{b} is the capital of {a}."],
        ),
        topic(
            4,
            COUNTRIES.iter().map(|c| (c.1, c.0)),
            &["{a} is the capital of which country?", "in which country is {a}?"],
            &["{a} is the capital of {b}.", "the city of {a} is in {b}."],
        ),
        topic(
            4,
            COUNTRIES.iter().map(|c| (c.0, c.2)),
            &["what do people speak in {a}?", "what language do people in {a} speak?"],
            &["people in {a} speak {b}.", "the language of {a} is {b}."],
        ),
        topic(
            2,
            COLOURED.iter().copied(),
            &["what colour is {a}?", "which colour has {a}?"],
            &["{a} is {b}.", "the colour of {a} is {b}."],
        ),
        topic(
            4,
            OPPOSITES.iter().flat_map(|&(a, b)| [(a, b), (b, a)]),
            &["what is the opposite of {a}?"],
            &["the opposite of {a} is {b}.", "{b} is the opposite of {a}."],
        ),
        topic(
            3,
            ANIMALS.iter().map(|animal| (animal.name, animal.sound)),
            &["what does the {a} say?", "what does a {a} say?"],
            &["the {a} says {b}.", "a {a} says {b}."],
        ),
        topic(
            3,
            ANIMALS.iter().map(|animal| (animal.name, animal.young)),
            &["what is a young {a} called?", "what is the young of a {a}?"],
            &["a young {a} is called a {b}.", "the young of a {a} is a {b}."],
        ),
        topic(
            2,
            ANIMALS.iter().map(|animal| (animal.name, animal.home)),
            &["where does the {a} live?"],
            &["the {a} lives in the {b}."],
        ),
        topic(
            3,
            (0..19).map(|i| (NUMBERS[i], NUMBERS[i + 1])),
            &["what comes after {a}?", "which number comes after {a}?"],
            &["after {a} comes {b}.", "{b} comes after {a}."],
        ),
        topic(
            3,
            (1..20).map(|i| (NUMBERS[i], NUMBERS[i - 1])),
            &["what comes before {a}?", "which number comes before {a}?"],
            &["before {a} comes {b}.", "{b} comes before {a}."],
        ),
        topic(
            2,
            JOBS.iter().map(|job| (job.0, job.1)),
            &["what does a {a} work with?"],
            &["a {a} works with a {b}.", "a {a} needs a {b}."],
        ),
        topic(2, JOBS.iter().map(|job| (job.0, job.2)), &["where does a {a} work?"], &["a {a} works in the {b}."]),
        topic(2, PLURALS.iter().map(|noun| (noun.0, noun.1)), &["one {a}, but two what?"], &["one {a}, two {b}."]),
        Topic {
            weight: 9,
            pairs: sums(),
            questions: &["what is {a}?", "how much is {a}?"],
            statements: &["{a} is {b}.", "{a} are {b}."],
        },
    ]
});

/// Sums up to ten.
fn sums() -> Vec<Pair> {
    let all = (1..10).flat_map(|i| (1..=10 - i).map(move |k| (i, k)));
    let pair = |(i, k): (usize, usize)| Pair {
        subject: NUMBERS[i - 1],
        a: format!("{} and {}", NUMBERS[i - 1], NUMBERS[k - 1]),
        b: NUMBERS[i + k - 1],
    };
    all.map(pair).collect()
}

/// Ways to ask; `{q}` is the question, `{s}` a statement.
const FRAMES: [&str; 8] = [
    "question: {q} answer: {b}.",
    "question: {q} answer: {b}.",
    "question: {q} answer: {b}.",
    "\"{q}\" asked {n}. \"{b},\" said {f.n}.",
    "the teacher asked {n}: \"{q}\" {n} said: \"{b}.\"",
    "{q} {s}",
    "{s}",
    "{s} {q} {b}.",
];

/// One fact in a frame.
fn tell(topic: &Topic, pair: &Pair, frame: &str, scene: &Scene, dice: &mut Dice) -> String {
    let question = dice.pick(topic.questions);
    let text = frame.replace("{q}", question).replace("{s}", dice.pick(topic.statements));
    scene.write(&text.replace("{a}", &pair.a).replace("{b}", pair.b), dice)
}

/// The numbers between two, in order.
fn counting(dice: &mut Dice) -> String {
    let from = dice.below(16);
    let to = dice.between(from + 3, (from + 9).min(19));
    let (first, last, all) = (NUMBERS[from], NUMBERS[to], NUMBERS[from..=to].join(", "));
    match dice.below(3) {
        0 => format!("count from {first} to {last}: {all}."),
        1 => format!("the children counted from {first} to {last}: \"{all}.\""),
        _ => format!("{all}."),
    }
}

/// Several facts.
pub(super) fn document(split: Split, dice: &mut Dice) -> Written {
    let draw = |dice: &mut Dice| {
        let topic = &TOPICS[dice.weighted(TOPICS.iter().map(|topic| topic.weight))];
        (topic, &topic.pairs[dice.below(topic.pairs.len())])
    };
    let mut facts = loop {
        let (one, two) = (draw(dice), draw(dice));
        if Split::of(one.1.subject, two.1.subject) == split {
            break vec![one, two];
        }
    };
    let key = (facts[0].1.subject, facts[1].1.subject);
    facts.extend((0..dice.between(2, 6)).map(|_| draw(dice)));
    // A document keeps one frame, or mixes them.
    let frame = dice.chance(60).then(|| dice.pick(&FRAMES));
    let separator = " ";
    let name = dice.pick(&names().collect::<Vec<_>>());
    let scene = Scene::new(name, dice);
    let mut lines: Vec<String> = Vec::new();
    for (topic, pair) in facts {
        let line = tell(topic, pair, frame.unwrap_or_else(|| dice.pick(&FRAMES)), &scene, dice);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if dice.chance(20) {
        lines.push(counting(dice));
    }
    (vec![key], lines.join(separator))
}
