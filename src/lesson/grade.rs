//! Grading, as a pure function of question and answer.
//!
//! The verdict carries reasons, not only right or wrong: explanation feedback is what makes a quiz teach (effect 0.49
//! against 0.05 for right/wrong alone, Van der Kleij et al. 2015). The order of the options is drawn from a seed, so an
//! attempt can be shown again as it was.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Mistake, Question, QuestionKind, grade_parts};

/// What a student answered. Options are counted as in the file, whatever order they were shown in.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One option.
    One(usize),
    /// A set of options.
    Many(BTreeSet<usize>),
    /// A number, in the question's unit.
    Number(f64),
    /// All items, in the order that the student gave them.
    Order(Vec<usize>),
    /// For each left side the right side that was chosen, as [`Question::rights`] counts them.
    Pairs(Vec<usize>),
    /// A word, as it was typed.
    Word(String),
}

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the whole answer is right.
    pub correct: bool,
    /// Why, one entry per option that calls for a word; empty where nothing is to be said beyond the explanation.
    pub reasons: Vec<Reason>,
}

/// Why one part of an answer is right or wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The option, or the left side of a pair, that it speaks of; none where it is about the answer as a whole.
    pub option: Option<usize>,
    /// Whether the student was right there.
    pub correct: bool,
    /// The reason, as Markdown.
    pub text: String,
}

/// Grades one answer.
pub fn grade(question: &Question, answer: &Answer) -> Verdict {
    match (&question.kind, answer) {
        (QuestionKind::Single(choices), Answer::One(chosen)) => match choices.get(*chosen) {
            Some(choice) => {
                let said = !choice.reason.is_empty();
                let reason = Reason { option: Some(*chosen), correct: choice.correct, text: choice.reason.clone() };
                Verdict { correct: choice.correct, reasons: said.then_some(reason).into_iter().collect() }
            }
            None => unanswered("Choose one of the options."),
        },
        (QuestionKind::Multiple(choices), Answer::Many(chosen)) => {
            if chosen.is_empty() {
                return unanswered("Choose every option that holds.");
            }
            let mut correct = true;
            let mut reasons = Vec::new();
            for (i, choice) in choices.iter().enumerate() {
                let right_here = choice.correct == chosen.contains(&i);
                correct &= right_here;
                let text = match (right_here, choice.correct) {
                    (false, true) => format!("You left this one out, but it holds. {}", choice.reason),
                    _ => choice.reason.clone(),
                };
                if (!right_here || chosen.contains(&i)) && !text.is_empty() {
                    reasons.push(Reason { option: Some(i), correct: right_here, text: text.trim_end().into() });
                }
            }
            Verdict { correct, reasons }
        }
        (QuestionKind::Numeric { answer, tolerance, mistakes, .. }, Answer::Number(given)) => {
            if !given.is_finite() {
                return unanswered("Type a plain number.");
            }
            if is_near(*given, *answer, *tolerance) {
                return Verdict { correct: true, reasons: Vec::new() };
            }
            let far = |m: &Mistake| (given - m.value).abs();
            let known = mistakes.iter().filter(|m| is_near(*given, m.value, *tolerance));
            let nearest = known.min_by(|a, b| far(a).total_cmp(&far(b)));
            let text = nearest.map(|m| m.reason.clone()).unwrap_or_else(|| {
                let side = if given < answer { "too small" } else { "too large" };
                format!("That is {side}.")
            });
            Verdict { correct: false, reasons: vec![Reason { option: None, correct: false, text }] }
        }
        (QuestionKind::Order { items, reasons }, Answer::Order(given)) => {
            grade_parts::order(items.len(), reasons, given)
        }
        (QuestionKind::Match { pairs, distractors }, Answer::Pairs(given)) => {
            grade_parts::matching(pairs, distractors, given)
        }
        (QuestionKind::Text { accepted, mistakes }, Answer::Word(given)) => {
            grade_parts::word(accepted, mistakes, given)
        }
        (QuestionKind::Single(_), _) => unanswered("Choose one of the options."),
        (QuestionKind::Multiple(_), _) => unanswered("Choose every option that holds."),
        (QuestionKind::Numeric { .. }, _) => unanswered("Type a plain number."),
        (QuestionKind::Order { .. }, _) => unanswered("Put every step in its place."),
        (QuestionKind::Match { .. }, _) => unanswered("Choose a partner for each."),
        (QuestionKind::Text { .. }, _) => unanswered("Type a word."),
        // Only a run of the open model can tell: see `grade_live`.
        (QuestionKind::Live { .. }, _) => unanswered("Ask the open model."),
    }
}

/// Whether a number counts as another: a hair more than the tolerance, so that 0.3 ± 0.1 takes 0.4 in spite of binary
/// fractions.
pub fn is_near(given: f64, value: f64, tolerance: f64) -> bool {
    (given - value).abs() <= tolerance + 1e-9 * value.abs().max(1.0)
}

pub(super) fn unanswered(what_to_do: &str) -> Verdict {
    let reason = Reason { option: None, correct: false, text: what_to_do.into() };
    Verdict { correct: false, reasons: vec![reason] }
}

/// Reads what a student typed into a numeric question; the question's unit may follow the number.
pub fn read_number(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim();
    let number = if unit.is_empty() { text } else { text.strip_suffix(unit).unwrap_or(text) };
    number.trim_end().replace('−', "-").parse().ok().filter(|v: &f64| v.is_finite())
}

/// The order in which `n` options are shown in one attempt.
pub fn shuffled(n: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
    order
}

/// The seed of one attempt at one question: the same attempt always shows the same order, the next one another.
pub fn attempt_seed(lesson: &str, question: &str, attempt: u32) -> u64 {
    // FNV-1a: stable between versions of Rust, unlike the standard library's hasher.
    let bytes = lesson.bytes().chain([0]).chain(question.bytes()).chain(attempt.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
