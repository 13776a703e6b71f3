//! Mastery: two in a row.
//!
//! A concept is mastered when the last two answers to it were right and the prompts were different: another item, or
//! another variant of it. One right answer may be luck, and the same prompt twice may be memory. A wrong answer takes
//! mastery away until it is shown again; a right answer to a prompt that already counts changes nothing. Predictions do
//! not count, because they come before the explanation.
//!
//! Which concept builds on which is data of the caller. Nothing is ever locked: a prerequisite that is missing is shown,
//! and the student may go on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Act, Day, Error, Memory, Prompt, Record};

/// How many different prompts in a row make mastery.
const IN_A_ROW: usize = 2;

/// What was done about one concept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Practice {
    /// The different prompts that were answered right since the last wrong answer.
    pub run: BTreeSet<Prompt>,
    /// How many answers were right.
    pub right: u32,
    /// How many were not.
    pub wrong: u32,
    /// The day on which it was first mastered.
    pub first_mastered: Option<Day>,
    /// What is remembered of it.
    pub memory: Option<Memory>,
}

impl Practice {
    /// Whether it is mastered.
    pub fn is_mastered(&self) -> bool {
        self.run.len() >= IN_A_ROW
    }

    /// Takes in one more answer.
    pub(super) fn answer(&mut self, act: &Act, day: Day) {
        if act.credit.is_right() {
            self.right += 1;
            self.run.insert(act.prompt());
        } else {
            self.wrong += 1;
            self.run.clear();
        }
        if self.is_mastered() {
            self.first_mastered.get_or_insert(day);
        }
        self.memory = Some(Memory::after(self.memory, act, day));
    }
}

/// Which concept builds on which others. Has no circles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prerequisites {
    of: BTreeMap<String, BTreeSet<String>>,
    /// Every concept, each after those that it builds on.
    order: Vec<String>,
}

impl Prerequisites {
    /// The map that says of each concept what it builds on. A concept that is only named as a prerequisite counts as
    /// one without any. A circle is an error.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, Vec<&'a str>)>) -> Result<Self, Error> {
        let mut of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (concept, needs) in pairs {
            for need in &needs {
                of.entry((*need).into()).or_default();
            }
            of.entry(concept.into()).or_default().extend(needs.into_iter().map(String::from));
        }
        let mut order = Vec::with_capacity(of.len());
        let mut placed = BTreeSet::new();
        while order.len() < of.len() {
            let ready = |needs: &BTreeSet<String>| needs.is_subset(&placed);
            let layer: Vec<String> =
                of.iter().filter(|(c, needs)| !placed.contains(*c) && ready(needs)).map(|(c, _)| c.clone()).collect();
            if layer.is_empty() {
                return Err(Error::Circle { concept: on_a_circle(&of, &placed) });
            }
            placed.extend(layer.iter().cloned());
            order.extend(layer);
        }
        Ok(Self { of, order })
    }

    /// Every concept, each after those that it builds on.
    pub fn concepts(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str)
    }

    /// What a concept builds on directly.
    pub fn of(&self, concept: &str) -> impl Iterator<Item = &str> {
        self.of.get(concept).into_iter().flatten().map(String::as_str)
    }

    /// Where a student stands with each concept, in the order of [`Prerequisites::concepts`].
    pub fn map(&self, record: &Record, today: Day) -> Vec<ConceptStanding> {
        let mastered = |concept: &str| record.practice(concept).is_some_and(Practice::is_mastered);
        let standing = |concept: &str| {
            let missing: Vec<String> = self.of(concept).filter(|need| !mastered(need)).map(String::from).collect();
            let practice = record.practice(concept);
            let state = match practice {
                Some(p) if p.is_mastered() && p.memory.is_some_and(|m| m.is_due(today)) => ConceptState::Due,
                Some(p) if p.is_mastered() => ConceptState::Mastered,
                Some(p) if p.first_mastered.is_some() => ConceptState::Slipped,
                Some(_) => ConceptState::Practising,
                None if missing.is_empty() => ConceptState::Ready,
                None => ConceptState::Later,
            };
            let recall = practice.and_then(|p| p.memory).map(|memory| memory.recall(today));
            ConceptStanding { concept: concept.into(), state, missing, recall }
        };
        self.concepts().map(standing).collect()
    }
}

/// Some concept that leads back to itself: going from need to need among what could not be placed comes to one.
fn on_a_circle(of: &BTreeMap<String, BTreeSet<String>>, placed: &BTreeSet<String>) -> String {
    let Some(mut concept) = of.keys().find(|c| !placed.contains(*c)) else { return String::new() };
    let mut seen = BTreeSet::new();
    while seen.insert(concept) {
        match of[concept].iter().find(|need| !placed.contains(*need)) {
            Some(need) => concept = need,
            None => break,
        }
    }
    concept.clone()
}

/// Where a student stands with a concept.
#[derive(Debug, Clone, PartialEq)]
pub struct ConceptStanding {
    /// The concept.
    pub concept: String,
    /// Where.
    pub state: ConceptState,
    /// Its prerequisites that are not mastered. They are to be shown; they lock nothing.
    pub missing: Vec<String>,
    /// How likely it is still known, from 0 to 1; none before the first answer.
    pub recall: Option<f32>,
}

/// How well a concept is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConceptState {
    /// Not tried, and some prerequisite is not mastered.
    Later,
    /// Not tried, and every prerequisite is mastered.
    Ready,
    /// Tried, never mastered.
    Practising,
    /// Mastered.
    Mastered,
    /// Mastered, and a review is due.
    Due,
    /// Mastered once; the last answers were not all right.
    Slipped,
}
