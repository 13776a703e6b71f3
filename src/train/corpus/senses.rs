//! Words with two senses, told apart by what comes before them.
//!
//! Each sense has its own scene before the word and its own words after it, so a model gains by working out, at the
//! word itself, which of the two is meant: the vector of the word becomes a different one in each sense.

use super::dice::Dice;
use super::sense_scenes::SENSES;
use super::template::Scene;
use super::words::{COLOURS, NUMBERS, names};
use super::{Split, Written};

/// A few paragraphs, of one word in both senses or of several words.
pub(super) fn document(split: Split, dice: &mut Dice) -> Written {
    let people = names().collect::<Vec<_>>();
    let both = dice.chance(50);
    let (mut keys, mut text): (Vec<(&'static str, &'static str)>, Vec<String>) = (Vec::new(), Vec::new());
    let mut templates: Vec<&str> = Vec::new();
    let goal = dice.between(2, 4);
    // A word may have fewer people on its side of the split than the goal asks for, hence the limit.
    for _ in 0..100 {
        if text.len() == goal {
            break;
        }
        let (name, entry) = dice.pair(split, &people, &SENSES.each_ref(), |name, entry| (name, entry.0));
        let same_word = keys.first().is_none_or(|key| key.1 == entry.0);
        if (both && !same_word) || keys.iter().any(|key| key.0 == name) {
            continue;
        }
        // With one word, its senses take turns.
        let sense = if both { text.len() % 2 } else { dice.below(2) };
        let scene = Scene::new(name, dice).with("col", dice.pick(&COLOURS)).with("num", dice.pick(&NUMBERS[1..10]));
        let template = dice.pick(&entry.1[sense]);
        if templates.contains(&template) {
            continue;
        }
        let paragraph = scene.write(template, dice);
        templates.push(template);
        keys.push((name, entry.0));
        text.push(paragraph);
    }
    if both && dice.chance(50) {
        text.reverse();
    }
    (keys, text.join(" "))
}
