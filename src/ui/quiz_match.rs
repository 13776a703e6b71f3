//! Pairs: the right sides stand in a list with letters, and each left side gets a letter.
//!
//! Letters, because a right side may hold a formula, which no drop-down list can typeset, and because a row of small
//! buttons needs no pop-up: Tab walks through it, and Space chooses.

use egui::{Button, RichText, Ui, vec2};

use super::card::{self, Tone};
use super::markdown::Typesetter;
use super::quiz_view::{QuizState, Spot};
use crate::lesson::{Pair, Reason, shuffled};

/// Shows the right sides and, for each left side, which of them it has.
pub fn show(
    ui: &mut Ui,
    type_: &mut Typesetter,
    pairs: &[Pair],
    rights: &[&str],
    state: &mut QuizState,
    seed: u64,
    name: &str,
) {
    state.pairs.resize(pairs.len(), None);
    let order = shuffled(rights.len(), seed);
    for (letter, right) in letters().zip(&order) {
        let Some(text) = rights.get(*right) else { continue };
        ui.horizontal(|ui| {
            ui.label(RichText::new(letter.to_string()).monospace().strong());
            let laid = type_.line(ui, text, ui.available_width());
            let (rect, _) = ui.allocate_exact_size(laid.size(), egui::Sense::hover());
            laid.paint(ui, rect.min);
        });
    }
    ui.add_space(6.0);
    let open = state.verdict.is_none();
    for (left, pair) in pairs.iter().enumerate() {
        let said = type_.document(&pair.left).plain();
        type_.show(ui, &pair.left);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            for (i, (letter, right)) in letters().zip(&order).enumerate() {
                let on = state.pairs.get(left).copied().flatten() == Some(*right);
                let words = RichText::new(letter.to_string()).monospace();
                let button = Button::selectable(on, words).frame_when_inactive(true).min_size(vec2(28.0, 26.0));
                let response = ui.add_enabled(open, button);
                let partner = rights.get(*right).map(|text| type_.document(text).plain()).unwrap_or_default();
                let response = card::named(ui, response, format!("{name}: {said}: {letter}, {partner}"));
                if left == 0 && i == 0 {
                    state.focus_if_due(Spot::Answer, &response);
                }
                if response.clicked()
                    && let Some(pair) = state.pairs.get_mut(left)
                {
                    *pair = Some(*right);
                }
            }
            if let Some(reason) = told(state, left) {
                mark(ui, reason.correct);
            }
        });
        let reason = told(state, left);
        if let Some(reason) = reason {
            card::aside(ui, type_, if reason.correct { Tone::Right } else { Tone::Wrong }, &reason.text);
        }
        ui.add_space(4.0);
    }
}

/// What was said of a left side, once the answer is graded.
fn told(state: &QuizState, left: usize) -> Option<Reason> {
    state.verdict.as_ref()?.reasons.iter().find(|reason| reason.option == Some(left)).cloned()
}

/// A tick or a cross behind the letters: colour alone tells nothing to some.
fn mark(ui: &mut Ui, correct: bool) {
    let (rect, _) = ui.allocate_exact_size(vec2(16.0, 16.0), egui::Sense::hover());
    match correct {
        true => card::tick(ui, rect, Tone::Right.color(ui)),
        false => card::cross(ui, rect, Tone::Wrong.color(ui)),
    }
}

fn letters() -> impl Iterator<Item = char> {
    'A'..='Z'
}
