//! A Markov model of the training text beside the transformer: what the last two tokens alone can say.

use egui::{ScrollArea, Ui};

use super::study;
use crate::lab::{Finding, LossText, Study};
use crate::ui::view::View;
use crate::ui::widgets;

/// Rows of the table.
const ROWS: usize = 10;

/// The panel. It derives nothing.
#[derive(Debug, Default)]
pub struct NGram;

impl NGram {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        if !study::has_model(ui, view, "what counting alone predicts") {
            return;
        }
        let known = study::controls(ui, view, Study::NGram, LossText::Prompt, "Count the training text");
        let Some(Finding::Counts(counted)) = known.as_ref().and_then(|known| known.finding.as_ref()) else {
            if known.is_none() {
                widgets::note(
                    ui,
                    "Counts which token follows which two in the text that the story models learned from.",
                );
            }
            return;
        };
        let context = counted.context.join(" ");
        widgets::note(ui, format!("A Markov model sees only “{context}”; the transformer sees the whole prompt."));
        let top = view.snapshot.shown().map(|run| run.top.clone()).unwrap_or_default();
        ScrollArea::both().id_salt("n-gram").auto_shrink([false, false]).show(ui, |ui| {
            egui::Grid::new("n-gram").num_columns(4).spacing([6.0, 4.0]).striped(true).show(ui, |ui| {
                for name in ["Counting", "", "Transformer", ""] {
                    widgets::note(ui, name);
                }
                ui.end_row();
                for row in 0..ROWS {
                    if let Some((score, label)) = counted.top.get(row) {
                        ui.monospace(label.as_str());
                        ui.label(widgets::percent(score.probability)).on_hover_text(format!(
                            "p = {:.5}: interpolated Kneser–Ney of order {}, {} tokens counted, {} different n-grams.",
                            score.probability, counted.order, counted.n_tokens, counted.n_distinct
                        ));
                    } else {
                        ui.label("");
                        ui.label("");
                    }
                    if let Some(bar) = top.get(row) {
                        ui.monospace(bar.label.as_str());
                        let p = bar.score.probability;
                        let formula = format!("p = {p:.5} = exp({:.3}) / Σ exp(logits)", bar.score.logit);
                        ui.label(widgets::percent(p)).on_hover_text(formula);
                    }
                    ui.end_row();
                }
            });
        });
    }
}
