//! Grading of answers that are made of parts: steps in order, pairs, words.
//!
//! What is wrong is told by the reason of the part that was misplaced, never by naming what would be right there: there
//! is another try.

use super::grade::unanswered;
use super::{Pair, Precedence, Reason, Verdict, WrongWord};

/// The most reasons that a wrong order is told at once.
const MAX_REASONS: usize = 2;

/// An order is right when each item stands at its place. A wrong one is told why one item comes before another, for the
/// first few that stand the wrong way round.
pub(super) fn order(n: usize, reasons: &[Precedence], given: &[usize]) -> Verdict {
    let mut sorted = given.to_vec();
    sorted.sort_unstable();
    if sorted != (0..n).collect::<Vec<_>>() {
        return unanswered("Put every step in its place.");
    }
    let correct = given.is_sorted();
    let place = |item: usize| given.iter().position(|i| *i == item);
    let broken = reasons.iter().filter(|r| place(r.before) > place(r.after));
    let told = broken.map(|r| Reason { option: None, correct: false, text: r.reason.clone() });
    Verdict { correct, reasons: told.take(MAX_REASONS).collect() }
}

/// Each left side must have its own right side. A wrong one is told where the chosen right side belongs.
pub(super) fn matching(pairs: &[Pair], distractors: &[String], given: &[usize]) -> Verdict {
    let n = pairs.len() + distractors.len();
    if given.len() != pairs.len() || given.iter().any(|right| *right >= n) {
        return unanswered("Choose a partner for each.");
    }
    let reason = |(left, right): (usize, &usize)| {
        let text = match pairs.get(*right) {
            Some(pair) if *right == left => pair.reason.clone(),
            Some(pair) => format!("What you chose belongs to {}. {}", pair.left, pair.reason),
            None => "What you chose belongs to none of them.".to_owned(),
        };
        Reason { option: Some(left), correct: *right == left, text }
    };
    let reasons: Vec<Reason> = given.iter().enumerate().map(reason).collect();
    Verdict { correct: reasons.iter().all(|reason| reason.correct), reasons }
}

/// A word is right when it is one of the accepted ones, whatever its case. A mistake is recognised wherever its words stand
/// in the answer, so that *a padding mask* is the mistake *padding*.
pub(super) fn word(accepted: &[String], mistakes: &[WrongWord], given: &str) -> Verdict {
    let given = normal(given);
    if given.is_empty() {
        return unanswered("Type a word.");
    }
    if accepted.iter().any(|word| normal(word) == given) {
        return Verdict { correct: true, reasons: Vec::new() };
    }
    let holds = |mistake: &&WrongWord| format!(" {given} ").contains(&format!(" {} ", normal(&mistake.text)));
    let text = if let Some(mistake) = mistakes.iter().find(holds) {
        mistake.reason.clone()
    } else if accepted.iter().any(|word| is_slip(&normal(word), &given)) {
        "That is nearly it: look at the spelling.".to_owned()
    } else {
        "That is not the word that is asked for.".to_owned()
    };
    Verdict { correct: false, reasons: vec![Reason { option: None, correct: false, text }] }
}

/// A word as it is compared: small letters, with single spaces for hyphens and everything else that is no letter or digit.
pub(super) fn normal(text: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { ' ' };
    let lower: String = text.to_lowercase().chars().map(plain).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether two words of some length differ by one or two letters (Levenshtein's distance).
fn is_slip(right: &str, given: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (right.chars().collect(), given.chars().collect());
    if a.len() < 5 || a.len().abs_diff(b.len()) > 2 {
        return false;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()] <= 2
}
