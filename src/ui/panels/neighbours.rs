//! What is near a token, under three measures side by side, and a list of words compared pairwise.
//!
//! The cosine looks at directions only, the dot product also at lengths, the distance at places; where the three lists
//! differ, lengths differ. All are taken in the full table, not on the map.

use egui::{Grid, ScrollArea, Ui, vec2};

use super::super::theme::{self, palette};
use super::super::view::View;
use super::super::{icon, widgets};
use crate::lab::{Command, Labelled, MOST_WORDS, Near, Pairs, Question, Word};

/// What centring means, for hovering.
pub(super) const CENTRED: &str = "The mean of the whole table is subtracted from every vector first. Trained vectors \
     share a large common part, which lifts every cosine.";

/// The panel.
#[derive(Default)]
pub struct Neighbours {
    word: String,
    list: String,
    centred: bool,
}

impl Neighbours {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let mut ask = false;
        ui.horizontal_wrapped(|ui| {
            let label = widgets::note(ui, "Word");
            let field = ui.add(egui::TextEdit::singleline(&mut self.word).desired_width(110.0).hint_text("king"));
            ask |= field.labelled_by(label.id).lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            ask |= widgets::button(ui, icon::SEARCH, "Find neighbours").clicked();
            ask |= widgets::switch(ui, &mut self.centred, "Subtract the mean").on_hover_text(CENTRED).changed()
                && !self.word.trim().is_empty();
        });
        if ask {
            let word = Word::Text(self.word.clone());
            view.send(Command::Ask(Question::Near { word, centred: self.centred }));
        }
        let meaning = &view.snapshot.meaning;
        if let Some(problem) = &meaning.near.problem {
            widgets::note(ui, problem);
        }
        let near = meaning.near.answer.clone();
        let pairs = meaning.pairs.answer.clone();
        let problem = meaning.pairs.problem.clone();
        ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
            match &near {
                Some(near) => lists(ui, near),
                None if meaning.near.waiting => {
                    widgets::note(ui, "Looking through the table…");
                }
                None => {
                    widgets::note(ui, "Type a word, or click a token on the map, to see what lies near it.");
                }
            }
            ui.separator();
            ui.horizontal_wrapped(|ui| {
                let label = widgets::note(ui, "Words to compare");
                let hint = "king queen man woman";
                ui.add(egui::TextEdit::singleline(&mut self.list).desired_width(200.0).hint_text(hint))
                    .labelled_by(label.id);
                if widgets::button(ui, icon::CHECK, "Compare the words").clicked() {
                    let words = self.list.split([' ', ',']).filter(|word| !word.is_empty());
                    let words = words.take(MOST_WORDS).map(String::from).collect();
                    view.send(Command::Ask(Question::Pairs { words, centred: self.centred }));
                }
            });
            if let Some(problem) = &problem {
                widgets::note(ui, problem);
            }
            if let Some(pairs) = &pairs {
                matrix(ui, pairs);
            }
        });
    }
}

fn lists(ui: &mut Ui, near: &Near) {
    let centred = if near.centred { ", the mean subtracted" } else { "" };
    widgets::heading(ui, &format!("Near “{}”", near.token.label));
    widgets::note(ui, format!("Length {:.3}{centred}", near.length)).on_hover_text("|x| = √(Σ xᵢ²)");
    let columns = [
        ("Cosine", "x·y / (|x||y|): larger is nearer"),
        ("Dot product", "x·y = Σ xᵢyᵢ: larger is nearer, and long vectors are near to much"),
        ("Distance", "|x − y| = √(Σ (xᵢ − yᵢ)²): smaller is nearer"),
    ];
    Grid::new("neighbours").num_columns(6).spacing(vec2(10.0, 3.0)).show(ui, |ui| {
        for (title, formula) in columns {
            widgets::heading(ui, title).on_hover_text(formula);
            ui.label("");
        }
        ui.end_row();
        for row in 0..near.lists.iter().map(Vec::len).max().unwrap_or(0) {
            for (list, (_, formula)) in near.lists.iter().zip(columns) {
                entry(ui, list.get(row), formula);
            }
            ui.end_row();
        }
    });
}

/// A token and its number, in two cells of a grid.
pub(super) fn entry(ui: &mut Ui, one: Option<&Labelled>, formula: &str) {
    match one {
        Some(one) => {
            ui.monospace(&one.label);
            widgets::note(ui, format!("{:.3}", one.neighbour.value)).on_hover_text(formula);
        }
        None => {
            ui.label("");
            ui.label("");
        }
    }
}

fn matrix(ui: &mut Ui, pairs: &Pairs) {
    let p = palette(ui);
    let n = pairs.labels.len();
    Grid::new("pairs").num_columns(n + 1).spacing(vec2(2.0, 2.0)).show(ui, |ui| {
        ui.label("");
        for label in &pairs.labels {
            widgets::note(ui, label.chars().take(9).collect::<String>());
        }
        ui.end_row();
        for (label, row) in pairs.labels.iter().zip(pairs.cosines.chunks(n.max(1))) {
            widgets::note(ui, label);
            for (other, value) in pairs.labels.iter().zip(row) {
                let (rect, response) = ui.allocate_exact_size(vec2(48.0, 20.0), egui::Sense::hover());
                let fill = p.diverging.signed(*value);
                ui.painter().rect_filled(rect, 2.0, fill);
                let font = theme::tick().resolve(ui.style());
                let text = format!("{value:.2}");
                ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, text, font, p.on(fill));
                let name = format!("cosine of “{label}” and “{other}”: {value:.4} = x·y / (|x||y|)");
                response.on_hover_text(name);
            }
            ui.end_row();
        }
    });
}
