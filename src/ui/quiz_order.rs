//! Steps that are put in order with two buttons each, so that the keyboard does what the pointer does.
//!
//! The buttons belong to the step and not to its place: whoever moves a step by keyboard keeps the focus on it.

use egui::{Button, RichText, Ui, vec2};

use super::card;
use super::icon;
use super::markdown::Typesetter;
use super::quiz_view::{QuizState, Spot};
use super::theme::{self, RADIUS_SMALL, palette};
use crate::lesson::shuffled;

/// Shows the steps in the order that the student gave them; at first shuffled, and never right by chance.
pub fn show(ui: &mut Ui, type_: &mut Typesetter, items: &[String], state: &mut QuizState, seed: u64, name: &str) {
    if state.order.len() != items.len() {
        state.order = shuffled(items.len(), seed);
        if state.order.is_sorted() {
            state.order.reverse();
        }
    }
    let open = state.verdict.is_none();
    let mut swap = None;
    let last = items.len().saturating_sub(1);
    for (place, item) in state.order.clone().into_iter().enumerate() {
        let Some(text) = items.get(item) else { continue };
        let words = type_.document(text).plain();
        // Named by the step around the whole row: inside, names count from its beginning.
        ui.push_id(("step", item), |ui| {
            row(ui, place, |ui| {
                let move_to = |ui: &mut Ui, sign: &str, what: &str, can: bool| {
                    let sign = RichText::new(sign).family(theme::icons()).size(15.0);
                    let button = ui.add_enabled(open && can, Button::new(sign).min_size(vec2(26.0, 24.0)));
                    card::named(ui, button, format!("{name}: {what}: {words}"))
                };
                let up = move_to(ui, icon::UP, "move up", place > 0);
                let down = move_to(ui, icon::DOWN, "move down", place < last);
                if place == 0 {
                    state.focus_if_due(Spot::Answer, &down);
                }
                // At an end one of the two buttons is closed: the other takes the focus over.
                if up.clicked() {
                    swap = Some((place, place - 1));
                    if place == 1 && up.has_focus() {
                        down.request_focus();
                    }
                } else if down.clicked() {
                    swap = Some((place, place + 1));
                    if place + 1 == last && down.has_focus() {
                        up.request_focus();
                    }
                }
                let laid = type_.line(ui, text, ui.available_width());
                let (rect, _) = ui.allocate_exact_size(laid.size(), egui::Sense::hover());
                laid.paint(ui, rect.min);
            });
        });
    }
    if let Some((a, b)) = swap {
        state.order.swap(a, b);
    }
}

fn row(ui: &mut Ui, place: usize, contents: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    egui::Frame::new().fill(p.sunken).corner_radius(RADIUS_SMALL).inner_margin(6).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{}", place + 1)).monospace().color(p.muted));
            contents(ui);
        });
    });
}
