//! Pairs: the right sides stand in a list with letters, and each left side gets a letter.
//!
//! Letters, because a right side may hold a formula, which no drop-down list can typeset, and because a row of small
//! buttons needs no pop-up: Tab walks through it, and Space chooses.

use egui::{Button, RichText, Ui, vec2};

use super::card::{self, Tone};
use super::markdown::Typesetter;
use super::quiz_view::{QuizState, Spot};
use crate::lesson::{Pair, shuffled};

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
        ui.horizontal_top(|ui| {
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
        });
        let reason = state.verdict.as_ref().and_then(|v| v.reasons.iter().find(|r| r.option == Some(left)));
        if let Some(reason) = reason.cloned() {
            card::aside(ui, type_, if reason.correct { Tone::Right } else { Tone::Wrong }, &reason.text);
        }
        ui.add_space(4.0);
    }
}

fn letters() -> impl Iterator<Item = char> {
    'A'..='Z'
}
