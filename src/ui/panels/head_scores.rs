//! Where every head of the model looks, on random tokens that repeat: one map of layers and heads per habit.

use egui::{ScrollArea, Ui};

use super::study;
use crate::insight::heads::{HeadKind, HeadMap, label};
use crate::lab::study::scores::HeadScores as Scores;
use crate::lab::{Command, Finding, LossText, Study};
use crate::model::tweak::HeadRef;
use crate::ui::plot::heat::{Heat, heat};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::widgets;

/// Heads that are named below the map.
const NAMED: usize = 6;

/// The habits that have a map, with short names.
const KINDS: [(HeadKind, &str); 4] = [
    (HeadKind::PreviousToken, "Previous"),
    (HeadKind::DuplicateToken, "Duplicate"),
    (HeadKind::Induction, "Induction"),
    (HeadKind::FirstToken, "Sink"),
];

/// The panel.
#[derive(Debug)]
pub struct HeadScores {
    kind: HeadKind,
}

impl Default for HeadScores {
    fn default() -> Self {
        Self { kind: HeadKind::Induction }
    }
}

impl HeadScores {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        if !study::has_model(ui, view, "where each head looks") {
            return;
        }
        let known = study::controls(ui, view, Study::HeadScores, LossText::Repeats, "Score every head");
        let Some(Finding::Scores(scores)) = known.as_ref().and_then(|known| known.finding.as_ref()) else {
            widgets::note(
                ui,
                "Runs the model on random tokens that come twice, and measures how much each head looks at the token \
                 before, at the earlier copy, at what followed it, and at the first token.",
            );
            return;
        };
        choose(ui, &mut self.kind);
        let Some(map) = scores.map(self.kind) else {
            widgets::note(ui, "These prompts have no place for this habit.");
            return;
        };
        ScrollArea::vertical().id_salt("head scores").auto_shrink([false, false]).show(ui, |ui| {
            let height = (ui.available_height() - 70.0).max(120.0);
            draw(ui, view, scores, self.kind, map, height);
            ui.horizontal_wrapped(|ui| {
                widgets::note(ui, "Best:");
                for (head, score) in map.ranked().into_iter().take(NAMED) {
                    if ui.small_button(format!("{} {score:.2}", label(head))).clicked() {
                        view.send(Command::SelectHead(head));
                    }
                }
            });
            widgets::note(
                ui,
                "A score says where a head looks, not that the model needs it: see “What each head is worth”.",
            );
        });
    }
}

/// The choice of a habit, in two halves so that a narrow panel can break it.
pub fn choose(ui: &mut Ui, kind: &mut HeadKind) {
    ui.horizontal_wrapped(|ui| {
        for half in KINDS.chunks(2) {
            widgets::segmented(ui, kind, half);
        }
    });
}

fn draw(ui: &mut Ui, view: &mut View<'_>, scores: &Scores, kind: HeadKind, map: &HeadMap, height: f32) {
    let p = palette(ui);
    let value = |layer, head| map.get(HeadRef { layer, head });
    let selected = view.snapshot.selection.head;
    let about = |ui: &mut Ui, layer: usize, head: usize| {
        widgets::heading(ui, &format!("{}: {} score", label(HeadRef { layer, head }), kind.name()));
        ui.label(value(layer, head).map_or("—".to_owned(), |score| format!("{score:.4}")));
        widgets::note(ui, format!("The mean of {} over positions i > 0 that have such a place.", kind.formula()));
        let Scores { n_prompts, copy_length, n_allowed, .. } = scores;
        widgets::note(ui, format!("{n_prompts} prompts, each {copy_length} of {n_allowed} tokens at random, twice."));
    };
    let name = format!("{} scores", kind.name());
    let chosen = heat(
        ui,
        height,
        &Heat {
            name: &name,
            rows: "layer",
            size: [map.scores.len() / map.n_heads.max(1), map.n_heads],
            color: &|layer, head| value(layer, head).map(|score| p.sequential.at(score)),
            cell: &|layer, head| format!("layer {layer}, head {head}"),
            about: &about,
            columns: &|head| head.to_string(),
            chosen: Some((selected.layer, selected.head)),
        },
    );
    if let Some((layer, head)) = chosen {
        view.send(Command::SelectHead(HeadRef { layer, head }));
    }
}
