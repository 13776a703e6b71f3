//! Arithmetic with words: b − a + c, and where the expected answer stands.
//!
//! The nearest vector to king − man + woman is often king itself. Tools that report "queen" leave the three words that
//! went in out of the search, mostly without saying so; here both ranks stand side by side.

use egui::{Grid, ScrollArea, Ui, vec2};

use super::super::view::View;
use super::super::{icon, widgets};
use super::neighbours::{CENTRED, entry};
use crate::lab::{AnalogyAnswer, Command, Question};

/// The panel.
pub struct Analogy {
    words: [String; 3],
    expected: String,
    centred: bool,
}

impl Default for Analogy {
    fn default() -> Self {
        Self { words: ["man", "king", "woman"].map(String::from), expected: "queen".into(), centred: true }
    }
}

impl Analogy {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let mut ask = false;
        ui.horizontal_wrapped(|ui| {
            let names = ["First word", "is to", "as is"];
            for (word, name) in self.words.iter_mut().zip(names) {
                let label = widgets::note(ui, name);
                ui.add(egui::TextEdit::singleline(word).desired_width(76.0)).labelled_by(label.id);
            }
            let label = widgets::note(ui, "to (may be empty)");
            ui.add(egui::TextEdit::singleline(&mut self.expected).desired_width(76.0)).labelled_by(label.id);
            ask |= widgets::primary_button(ui, icon::GENERATE, "Calculate").clicked();
            ask |= widgets::switch(ui, &mut self.centred, "Subtract the table's mean").on_hover_text(CENTRED).changed();
        });
        if ask {
            let expected = Some(self.expected.trim().to_owned()).filter(|word| !word.is_empty());
            let words = self.words.clone();
            view.send(Command::Ask(Question::Analogy { words, expected, centred: self.centred }));
        }
        let asked = &view.snapshot.meaning.analogy;
        if let Some(problem) = &asked.problem {
            widgets::note(ui, problem);
        }
        match asked.answer.clone() {
            Some(answer) => {
                ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| result(ui, &answer));
            }
            None if asked.waiting => {
                widgets::note(ui, "Looking through the table…");
            }
            None => {
                let hint =
                    "Calculate takes king − man + woman and looks for what is nearest. The map shows it as arrows.";
                widgets::empty_state(ui, icon::KNOBS, "Words as arithmetic", hint);
            }
        }
    }
}

fn result(ui: &mut Ui, answer: &AnalogyAnswer) {
    let [a, b, c, d] = answer.tokens.each_ref().map(|token| token.label.trim_start_matches(['·', ' ']));
    widgets::heading(ui, &format!("{b} − {a} + {c} ≈ {d}?"));
    let cosine = "cos(b − a + c, d), the vectors as they stand in the table";
    widgets::note(ui, format!("Cosine {:.3}", answer.tokens[3].neighbour.value)).on_hover_text(cosine);
    let rank = "1 + the number of tokens that are nearer by cosine";
    let left_out = format!("Rank of “{d}” with “{a}”, “{b}” and “{c}” left out: {}", answer.rank);
    ui.label(left_out).on_hover_text(rank);
    ui.label(format!("Rank among all tokens: {}", answer.rank_among_all)).on_hover_text(rank);
    widgets::note(
        ui,
        "The sum stays close to the words that went in, so one of them is often nearest. Tools that leave them out \
         without a word make the arithmetic look better than it is.",
    );
    Grid::new("analogy").num_columns(4).spacing(vec2(12.0, 3.0)).show(ui, |ui| {
        for title in ["Left out", "All tokens"] {
            widgets::heading(ui, title);
            ui.label("");
        }
        ui.end_row();
        for row in 0..answer.nearest.len().max(answer.nearest_of_all.len()) {
            entry(ui, answer.nearest.get(row), cosine);
            entry(ui, answer.nearest_of_all.get(row), cosine);
            ui.end_row();
        }
    });
}
