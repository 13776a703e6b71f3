//! Grading against the open model: live questions, and tasks.
//!
//! The key is what the run says and nothing else, so an answer is right for one model and wrong for another. Values that
//! lie closer together than the run's own arithmetic can tell apart are ties, and each of them counts.

use std::collections::BTreeSet;

use super::grade::unanswered;
use super::predict::{percent, visible};
use super::{Attempt, Key, LiveKey, Reason, RunFacts, Verdict};

/// Values that differ by less than this share of the best are ties: the arithmetic of different devices differs by less
/// than a tenth of it.
const TIE: f32 = 0.01;
/// The share of the best score with which another head counts as found.
const FOUND: f32 = 0.9;
/// How far the entropy of a row may be off, as a share of the target.
const ENTROPY: f64 = 0.05;

/// Grades a typed token by a run of the question's text. None where the run did not record what is needed.
pub fn grade_live(key: LiveKey, facts: &RunFacts, typed: &str) -> Option<Verdict> {
    let typed = typed.trim().to_lowercase();
    if typed.is_empty() {
        return Some(unanswered("Type a token."));
    }
    let is_it = |token: &str| token.trim().to_lowercase() == typed;
    match key {
        LiveKey::TopToken {} => {
            let best = facts.next.first()?.probability;
            let listed = facts.next.iter().enumerate().find(|(_, candidate)| is_it(&candidate.text));
            Some(match listed {
                Some((_, c)) if c.probability >= best * (1.0 - TIE) => {
                    right(format!("The model puts {} on “{}”.", percent(c.probability), visible(&c.text)))
                }
                Some((rank, c)) => {
                    let (p, place) = (percent(c.probability), rank + 1);
                    wrong(format!("The model puts {p} on “{}”: place {place} in its list.", visible(&c.text)))
                }
                None => wrong("That token is not even in the model's list of the likeliest.".to_owned()),
            })
        }
        LiveKey::AttendedMostToken { layer, head } => {
            let row = facts.last_row_of(layer, head)?;
            let best = row.iter().copied().fold(0.0, f32::max);
            let places = facts.tokens.iter().zip(row).enumerate().filter(|(_, (token, _))| is_it(token));
            let found = places.max_by(|a, b| a.1.1.total_cmp(b.1.1));
            Some(match found {
                Some((i, (token, weight))) => {
                    let (p, token, place) = (percent(*weight), visible(token), i + 1);
                    let said = format!("In that row, {p} of the weight lies on “{token}” (token {place})");
                    if *weight >= best * (1.0 - TIE) {
                        right(said + ".")
                    } else {
                        wrong(said + "; another token has more.")
                    }
                }
                None => wrong("No token of the text reads like that.".to_owned()),
            })
        }
    }
}

/// Grades what a student handed in for a task, by what the lab measured for this attempt.
pub fn grade_task(key: &Key, attempt: &Attempt) -> Verdict {
    match (key, attempt) {
        (Key::Heads(map), Attempt::Head(head)) => {
            let (Some(score), Some((_, best))) = (map.get(*head), map.best()) else {
                return wrong("The open model has no such head.".to_owned());
            };
            let (p, share) = (percent(score), if best > 0.0 { score / best } else { 0.0 });
            if share >= FOUND {
                right(format!(
                    "Layer {}, head {} scores {p}, and the best head {}.",
                    head.layer,
                    head.head,
                    percent(best)
                ))
            } else {
                let by = percent(1.0 - share);
                wrong(format!(
                    "Layer {}, head {} scores {p}. Another head scores more: this is {by} short.",
                    head.layer, head.head
                ))
            }
        }
        (Key::Flip(key), Attempt::Silenced(heads, now)) => {
            let n = heads.iter().collect::<BTreeSet<_>>().len();
            let enough = key.found.len();
            let heads = |n: usize| if n == 1 { "1 head".to_owned() } else { format!("{n} heads") };
            if *now == key.top {
                wrong(format!("With {} silenced, “{}” is still the likeliest.", heads(n), visible(&key.top)))
            } else if n > enough {
                wrong(format!(
                    "It is “{}” now, but you silenced {}, and {} can do it.",
                    visible(now),
                    heads(n),
                    heads(enough)
                ))
            } else {
                right(format!(
                    "With {} silenced, “{}” is the likeliest and not “{}”.",
                    heads(n),
                    visible(now),
                    visible(&key.top)
                ))
            }
        }
        (Key::Row(row), Attempt::Temperature(temperature)) if temperature.is_finite() && *temperature > 0.0 => {
            let entropy = row.entropy(*temperature);
            let said = format!("At a temperature of {temperature:.2} the entropy is {entropy:.3} nats");
            if (entropy - row.target).abs() <= ENTROPY * row.target {
                right(said + ".")
            } else {
                let side = if entropy < row.target {
                    "too small: the row is too sharp"
                } else {
                    "too large: the row is too flat"
                };
                wrong(format!("{said}. That is {side}."))
            }
        }
        (Key::Withdrawn(why), _) => unanswered(why),
        (Key::Heads(_), _) => unanswered("Choose a head."),
        (Key::Flip(_), _) => unanswered("Silence some heads."),
        (Key::Row(_), _) => unanswered("Choose a temperature above 0."),
    }
}

fn right(text: String) -> Verdict {
    Verdict { correct: true, reasons: vec![Reason { option: None, correct: true, text }] }
}

fn wrong(text: String) -> Verdict {
    Verdict { correct: false, reasons: vec![Reason { option: None, correct: false, text }] }
}
