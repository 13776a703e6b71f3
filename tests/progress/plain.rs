//! The rules once more, in the plainest way: each figure from the whole list of acts, with nothing kept in between.

use std::collections::BTreeSet;

use glassbox::progress::{Act, ActKind, Day, Moment};

type Acts = [(Act, Moment)];

/// The XP of act `i`.
pub fn xp(acts: &Acts, i: usize) -> u32 {
    let (act, _) = &acts[i];
    let worth = if act.kind == ActKind::Task { 20 } else { 10 };
    // The tries of the same item before this one, back to the last that was a due review.
    let mut earlier = 0;
    if !is_due_review(acts, i) {
        for j in (0..i).rev().filter(|j| acts[*j].0.item == act.item && acts[*j].0.lesson == act.lesson) {
            earlier += 1;
            if is_due_review(acts, j) {
                break;
            }
        }
    }
    let mut left = worth;
    (0..earlier).for_each(|_| left /= 2);
    let earned = if let (ActKind::Prediction, Some(percent)) = (act.kind, act.confidence) {
        let miss = i64::from(percent) - if right(act) { 100 } else { 0 };
        (left * (10_000 - miss * miss)).div_euclid(10_000)
    } else {
        let bonus = if right(act) && earlier == 0 { worth / 2 } else { 0 };
        left * i64::from(act.credit.got) / i64::from(act.credit.of) + bonus
    };
    let hints = i64::from(act.hints.min(3));
    u32::try_from(earned * (5 - hints) / 5).unwrap()
}

pub fn right(act: &Act) -> bool {
    act.credit.got == act.credit.of
}

fn is_due_review(acts: &Acts, i: usize) -> bool {
    let (act, at) = &acts[i];
    let due = |concept: &String| memory(&acts[..i], concept).is_some_and(|m| m.due <= at.day());
    act.kind != ActKind::Prediction && act.concepts.iter().any(due)
}

/// The acts that count for a concept.
fn about<'a>(acts: &'a Acts, concept: &'a str) -> impl DoubleEndedIterator<Item = &'a (Act, Moment)> {
    let counts =
        move |(act, _): &&(Act, Moment)| act.kind != ActKind::Prediction && act.concepts.iter().any(|c| c == concept);
    acts.iter().filter(counts)
}

/// Two different prompts answered right since the last wrong answer.
pub fn is_mastered(acts: &Acts, concept: &str) -> bool {
    let run = about(acts, concept).rev().take_while(|(act, _)| right(act));
    run.map(|(act, _)| (&act.lesson, &act.item, act.variant)).collect::<BTreeSet<_>>().len() >= 2
}

pub struct Memory {
    pub stability: f32,
    pub due: Day,
}

/// FSRS-6 as its authors write it down (the wiki page "The Algorithm" of open-spaced-repetition), with the parameters of
/// the crate and of nobody else.
pub fn memory(acts: &Acts, concept: &str) -> Option<Memory> {
    let w = fsrs::DEFAULT_PARAMETERS;
    let first_difficulty = |grade: f32| w[4] - (w[5] * (grade - 1.0)).exp() + 1.0;
    let mut state: Option<(f32, f32, Day)> = None;
    for (act, at) in about(acts, concept) {
        let grade = match (right(act), act.hints) {
            (false, _) => 1.0_f32,
            (true, 1..) => 2.0,
            (true, 0) => 3.0,
        };
        let day = at.day();
        state = Some(match state {
            None => (w[grade as usize - 1], first_difficulty(grade).clamp(1.0, 10.0), day),
            Some((s, d, last)) => {
                let days = (day.0 - last.0) as f32;
                let factor = 0.9_f32.powf(-1.0 / w[20]) - 1.0;
                let recall = (1.0 + factor * days / s).powf(-w[20]);
                let stability = if days == 0.0 {
                    let growth = (w[17] * (grade - 3.0 + w[18])).exp() * s.powf(-w[19]);
                    s * if grade >= 2.0 { growth.max(1.0) } else { growth }
                } else if grade == 1.0 {
                    let forgot =
                        w[11] * d.powf(-w[12]) * ((s + 1.0).powf(w[13]) - 1.0) * (w[14] * (1.0 - recall)).exp();
                    forgot.min(s / (w[17] * w[18]).exp())
                } else {
                    let hard = if grade == 2.0 { w[15] } else { 1.0 };
                    let growth = w[8].exp() * (11.0 - d) * s.powf(-w[9]) * ((w[10] * (1.0 - recall)).exp() - 1.0);
                    s * (1.0 + growth * hard)
                };
                let moved = d - w[6] * (grade - 3.0) * (10.0 - d) / 9.0;
                let difficulty = w[7] * first_difficulty(4.0) + (1.0 - w[7]) * moved;
                (stability.clamp(0.001, 36_500.0), difficulty.clamp(1.0, 10.0), day)
            }
        });
    }
    // At a retention of 90 % the interval is the stability itself.
    state.map(|(stability, _, last)| Memory { stability, due: Day(last.0 + stability.round().max(1.0) as i32) })
}

/// The mean squared miss of all confidences.
pub fn brier(acts: &Acts) -> Option<f64> {
    let said: Vec<f64> = acts
        .iter()
        .filter_map(|(act, _)| Some((f64::from(act.confidence?) / 100.0 - f64::from(u8::from(right(act)))).powi(2)))
        .collect();
    (!said.is_empty()).then(|| said.iter().sum::<f64>() / said.len() as f64)
}
