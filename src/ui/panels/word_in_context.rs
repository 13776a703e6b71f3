//! One word in several sentences: how alike the model holds it, layer by layer.
//!
//! A token enters as the same vector everywhere (where positions are not added to it). Each layer mixes in its
//! neighbours, so the cosine of two occurrences falls from 1, and stays higher where they mean the same.

use egui::Ui;
use egui_plot::{Legend, Line, MarkerShape, Plot, PlotPoints, Points};

use super::super::theme::palette;
use super::super::view::View;
use super::super::{icon, widgets};
use crate::lab::{Command, Contexts, Question};

/// Sentences that the student can type.
const MOST_SENTENCES: usize = 6;

/// The panel.
pub struct WordInContext {
    word: String,
    sentences: Vec<String>,
}

impl Default for WordInContext {
    fn default() -> Self {
        let sentences = ["the bat flew out of the cave", "he hit the ball with the bat"];
        Self { word: "bat".into(), sentences: sentences.map(String::from).to_vec() }
    }
}

impl WordInContext {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        ui.horizontal_wrapped(|ui| {
            let label = widgets::note(ui, "The word");
            ui.add(egui::TextEdit::singleline(&mut self.word).desired_width(90.0)).labelled_by(label.id);
            if self.sentences.len() < MOST_SENTENCES && widgets::button(ui, icon::EDIT, "Add a sentence").clicked() {
                self.sentences.push(String::new());
            }
            if widgets::primary_button(ui, icon::GENERATE, "Follow the word").clicked() {
                let (word, sentences) = (self.word.clone(), self.sentences.clone());
                view.send(Command::Ask(Question::Context { word, sentences }));
            }
        });
        for (i, sentence) in self.sentences.iter_mut().enumerate() {
            ui.horizontal(|ui| {
                let label = widgets::note(ui, format!("Sentence {}", i + 1));
                ui.add(egui::TextEdit::singleline(sentence).desired_width(f32::INFINITY)).labelled_by(label.id);
            });
        }
        let asked = &view.snapshot.meaning.context;
        if let Some(problem) = &asked.problem {
            widgets::note(ui, problem);
        }
        match asked.answer.clone() {
            Some(contexts) => plots(ui, &contexts),
            None if asked.waiting => {
                widgets::note(ui, "Running the sentences…");
            }
            None => {
                let hint = "Write the same word into two sentences or more, and follow it through the layers.";
                widgets::empty_state(ui, icon::EDIT, "A word in context", hint);
            }
        }
    }
}

fn plots(ui: &mut Ui, contexts: &Contexts) {
    let height = ui.available_height();
    let half = (height * 0.5 - 26.0).max(70.0);
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        widgets::note(ui, format!("Cosine of “{}” between two sentences, after each layer", contexts.word))
            .on_hover_text("x·y / (|x||y|) of the residual stream at the word; “in” is the embedding");
        similarity(ui, contexts, half);
        let about = format!("Its way through the layers; the two axes keep {:.0}% of the variance", 100.0 * contexts.share);
        widgets::note(ui, about).on_hover_text(
            "Principal components of the residual stream at the word, over all sentences and layers: (x − mean)·axis. The \
             stream grows with depth, so the ways lead outward.",
        );
        ways(ui, contexts, half);
    });
}

fn plot(name: &str, height: f32) -> Plot<'_> {
    Plot::new(name).height(height).allow_scroll(false).allow_drag(false).allow_zoom(false).legend(Legend::default())
}

fn similarity(ui: &mut Ui, contexts: &Contexts, height: f32) {
    let p = palette(ui);
    let n = contexts.sentences.len();
    let mark = |layer: f64| if layer < 0.5 { "in".to_owned() } else { format!("{:.0}", layer - 1.0) };
    let plot = plot("cosine by layer", height).include_y(1.0).x_axis_formatter(move |m, _| mark(m.value));
    plot.show(ui, |plot| {
        let pairs = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
        for (i, (a, b)) in pairs.enumerate() {
            let value = |layer: &Vec<f32>| layer.get(a * n + b).copied().unwrap_or(0.0);
            let points: Vec<[f64; 2]> =
                contexts.cosines.iter().enumerate().map(|(l, c)| [l as f64, f64::from(value(c))]).collect();
            let name = format!("{} and {}", a + 1, b + 1);
            plot.line(Line::new(name.clone(), points.clone()).color(p.series(i)).width(1.5));
            plot.points(Points::new(name, points).shape(MarkerShape::Circle).radius(2.5).color(p.series(i)));
        }
    });
}

fn ways(ui: &mut Ui, contexts: &Contexts, height: f32) {
    let p = palette(ui);
    plot("ways through the layers", height).show(ui, |plot| {
        for (i, path) in contexts.paths.iter().enumerate() {
            let points: Vec<[f64; 2]> = path.iter().map(|[x, y]| [f64::from(*x), f64::from(*y)]).collect();
            let name = format!("Sentence {}", i + 1);
            plot.line(Line::new(name.clone(), PlotPoints::from(points.clone())).color(p.series(i)).width(1.5));
            plot.points(Points::new(name, points).shape(MarkerShape::Circle).radius(2.5).color(p.series(i)));
        }
    });
}
