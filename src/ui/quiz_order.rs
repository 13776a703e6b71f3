//! Steps that are put in order with two buttons each, so that the keyboard does what the pointer does.
//!
//! Whoever moves a step by keyboard keeps the focus on it: egui knows a button by its place, so the focus is handed on.

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
    let (mut swap, mut moved) = (None, None);
    let last = items.len().saturating_sub(1);
    for (place, item) in state.order.clone().into_iter().enumerate() {
        let Some(text) = items.get(item) else { continue };
        let words = type_.document(text).plain();
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
                // A step that was moved by keyboard takes the focus along; at an end, where one button is closed, the other.
                if let Some((_, upward)) = state.moved.take_if(|(moved, _)| *moved == item) {
                    let keeps = if upward && place > 0 || place == last { &up } else { &down };
                    keeps.request_focus();
                }
                for (button, upward) in [(up, true), (down, false)] {
                    if button.clicked() {
                        swap = Some((place, if upward { place - 1 } else { place + 1 }));
                        moved = button.has_focus().then_some((item, upward));
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
        state.moved = moved;
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
