//! Lists of words that come again.
//!
//! Only copying predicts the second round, because most lists are drawn uniformly from the whole vocabulary. That is
//! what induction heads are made of: look for an earlier place where the present word stood, and expect what followed
//! it there. Lengths vary and some second rounds start in the middle or after another list, so no fixed distance would
//! do.

use super::dice::Dice;
use super::template::Scene;
use super::words::{ANIMALS, COLOURS, NUMBERS, OBJECTS, names, vocabulary_slice};
use super::{Split, Written};

/// A list, its first two words on the wanted side of the split.
fn list(split: Split, n: usize, dice: &mut Dice) -> Vec<&'static str> {
    let narrow: Vec<&'static str> = match dice.below(20) {
        0 => ANIMALS.iter().map(|animal| animal.name).chain(COLOURS).collect(),
        1 => OBJECTS.iter().copied().chain(COLOURS).collect(),
        2 => names().chain(NUMBERS).collect(),
        _ => Vec::new(),
    };
    let pool = if narrow.is_empty() { vocabulary_slice() } else { &narrow };
    let (first, second) = dice.pair(split, pool, pool, |a, b| (a, b));
    let mut list = vec![first, second];
    list.extend((2..n).map(|_| dice.pick(pool)));
    list
}

/// A bare list and its copies.
pub(super) fn bare(split: Split, dice: &mut Dice) -> Written {
    let separator = dice.pick(&[" ", " ", " ", " ", ", "]);
    let (n, rounds) = match (separator, dice.below(10)) {
        // Short and often: here a copy is worth most to a model that does not copy yet.
        _ if dice.chance(30) => (dice.between(2, 9), dice.between(4, 8)),
        (" ", 0..=1) => (dice.between(36, 60), 2),
        (" ", 2..=5) => (dice.between(20, 35), dice.between(2, 3)),
        (" ", _) => (dice.between(6, 30), dice.between(2, 3)),
        _ => (dice.between(6, 20), dice.between(2, 3)),
    };
    let words = list(split, n, dice);
    let key = (words[0], words[1]);
    // Punctuation as part of the list, copied with it.
    let marked = separator == " " && dice.chance(35);
    let mark = |word: &'static str, dice: &mut Dice| match dice.below(if marked { 6 } else { 1 }) {
        1 => format!("{word}{}", dice.pick(&[".", ",", "?", ":", "!", ","])),
        _ => word.to_owned(),
    };
    let words: Vec<String> = words.into_iter().map(|word| mark(word, dice)).collect();
    let between = if separator == " " { dice.pick(&[" ", " ", " ", " ", ". "]) } else { dice.pick(&[separator, ". "]) };

    let whole = words.join(separator);
    let copies = match dice.below(10) {
        // The second round starts somewhere in the middle, and goes round.
        0..=1 => {
            let from = dice.below(words.len());
            let turned: Vec<String> = words[from..].iter().chain(&words[..from]).cloned().collect();
            vec![whole, turned.join(separator)]
        }
        // Another list stands between the two rounds.
        2 if n <= 30 => {
            let other: Vec<String> =
                list(split, dice.between(4, 16), dice).into_iter().map(|word| mark(word, dice)).collect();
            vec![whole.clone(), other.join(separator), whole]
        }
        _ => vec![whole; rounds],
    };
    (vec![key], copies.join(between))
}

/// How a list is announced; `{list}` is where it stands.
const CUES: [&str; 10] = [
    "{n} said: {list}. the parrot said: {list}.",
    "{n} said: {list}. {f.n} said: {list}. the parrot said: {list}.",
    "{n} said to {his} parrot: {list}. the parrot was clever and said: {list}.",
    "the teacher said: {list}. the children said: {list}.",
    "say this again: {list}. again: {list}.",
    "{n} wrote in {his} book: {list}. {f.n} opened the book. it said: {list}.",
    "{n} wanted to buy {list}. so {he} went to the market and asked for {list}.",
    "{f.n} told {n}: {list}. {n} did not forget it. at home {he} said: {list}.",
    "the first list: {list}. the second list is the same: {list}.",
    "\"{list},\" said {full}. \"what did {full} say?\" asked {f.full}. \"{list},\" said the parrot.",
];

/// A list that somebody says, and somebody says again.
pub(super) fn cued(split: Split, dice: &mut Dice) -> Written {
    let n = if dice.chance(30) { dice.between(12, 24) } else { dice.between(4, 12) };
    let words = list(split, n, dice);
    let list = words.join(dice.pick(&[" ", " ", ", "]));
    let name = dice.pick(&names().collect::<Vec<_>>());
    let scene = Scene::new(name, dice);
    let text = scene.write(dice.pick(&CUES), dice).replace("{list}", &list);
    (vec![(words[0], words[1])], text)
}

/// The words around cued lists.
#[cfg(test)]
pub(super) fn cues() -> String {
    CUES.join(" ")
}
