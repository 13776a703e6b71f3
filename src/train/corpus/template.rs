//! The little template language that every sentence of the world is written in.
//!
//! `[a|b|c]` is one of its parts, drawn anew (parts may be empty and may nest); `{slot}` is filled from a [`Scene`].
//! The male form of a gender pair is itself a slot: `{he}`, `{his}` or `{king}` agree with the protagonist, `{f.he}`
//! with the friend and `{g.he}` with a third person, so one template serves both sexes. That sharing is what makes the
//! trained vectors of *king* and *queen* differ by the same step as those of *man* and *woman*. `{n}` is a first name
//! and `{full}` a name with its surname. Articles are written `a` and become `an` where a vowel follows.

use super::dice::Dice;
use super::words::{GENDER, MEN, PRONOUNS, SURNAMES, WOMEN};

/// Somebody in a scene.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    /// First name.
    pub(super) first: &'static str,
    /// Surname.
    pub(super) last: &'static str,
    /// Which form of a gender pair is used.
    pub(super) female: bool,
}

impl Person {
    /// Somebody of the given first name.
    pub(super) fn named(first: &'static str, dice: &mut Dice) -> Self {
        Self { first, last: dice.pick(&SURNAMES), female: WOMEN.contains(&first) }
    }
}

/// What the slots of a template stand for.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    people: [Person; 3],
    slots: Vec<(&'static str, &'static str)>,
}

impl Scene {
    /// A scene with this protagonist, and two other people of other names.
    pub(super) fn new(first: &'static str, dice: &mut Dice) -> Self {
        let hero = Person::named(first, dice);
        let mut people = [hero; 3];
        for i in 1..3 {
            loop {
                let table = if dice.chance(50) { &MEN } else { &WOMEN };
                let name = dice.pick(table);
                let person = Person::named(name, dice);
                if people[..i].iter().all(|p| p.first != name && p.last != person.last) {
                    people[i] = person;
                    break;
                }
            }
        }
        Self { people, slots: Vec::new() }
    }

    /// Fills one more slot.
    pub(super) fn with(mut self, slot: &'static str, text: &'static str) -> Self {
        self.slots.push((slot, text));
        self
    }

    /// The protagonist.
    pub(super) fn hero(&self) -> Person {
        self.people[0]
    }

    /// What a slot stands for; nothing where it is not filled.
    fn lookup(&self, slot: &str) -> Option<Vec<&'static str>> {
        if let Some(&(_, text)) = self.slots.iter().rev().find(|(name, _)| *name == slot) {
            return Some(vec![text]);
        }
        let (person, word) = match slot.split_once('.') {
            Some(("f", word)) => (self.people[1], word),
            Some(("g", word)) => (self.people[2], word),
            _ => (self.people[0], slot),
        };
        match word {
            "n" => return Some(vec![person.first]),
            "full" => return Some(vec![person.first, person.last]),
            _ => {}
        }
        let form = |&(male, female): &(&'static str, &'static str)| if person.female { female } else { male };
        PRONOUNS.iter().chain(&GENDER).find(|pair| pair.0 == word).map(|pair| vec![form(pair)])
    }

    /// Writes a template out.
    pub(super) fn write(&self, template: &str, dice: &mut Dice) -> String {
        let mut text = String::with_capacity(template.len());
        self.expand(template, dice, &mut text);
        articles(&text)
    }

    fn expand(&self, mut rest: &str, dice: &mut Dice, out: &mut String) {
        while let Some(at) = rest.find(['[', '{']) {
            out.push_str(&rest[..at]);
            let (inside, after) = bracket(&rest[at..]);
            if rest[at..].starts_with('[') {
                let parts = parts(inside);
                let part = dice.pick(&parts);
                self.expand(part, dice, out);
            } else {
                match self.lookup(inside) {
                    Some(words) => out.push_str(&words.join(" ")),
                    // Left to be seen: the tests accept no brace in a text.
                    None => out.push_str(&format!("{{{inside}}}")),
                }
            }
            rest = after;
        }
        out.push_str(rest);
    }
}

/// The inside of the bracket that the text starts with, and what follows it.
fn bracket(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return (&text[1..at], &text[at + 1..]);
        }
    }
    (&text[1..], "")
}

/// The alternatives of a choice.
fn parts(inside: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0, 0, Vec::new());
    for (at, c) in inside.char_indices() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inside[from..]);
    parts
}

/// Single spaces, and `an` for `a` where a vowel follows.
fn articles(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let mut out = String::with_capacity(line.len() + 4);
        for (i, word) in words.iter().enumerate() {
            if i > 0 {
                out.push(' ');
            }
            out.push_str(word);
            let article = word.trim_start_matches('"') == "a";
            let next = words.get(i + 1).copied().unwrap_or_default();
            if article && next.starts_with(['a', 'e', 'i', 'o', 'u']) && !next.starts_with("one") {
                out.push('n');
            }
        }
        out
    });
    lines.collect::<Vec<_>>().join("\n")
}
