//! Predictions as cards.
//!
//! A prediction is open, then committed with a confidence, then settled by the live run. The truth is never in the lesson:
//! until a run of the prediction's text is there, the card waits and says what to do.

use egui::{RichText, Role, Slider, Ui};
use serde::{Deserialize, Serialize};

use super::card::{self, OptionState, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use super::quiz_view::Place;
use super::row_plot;
use crate::lesson::{Commitment, LiveTruth, Predict, Reveal, Settled};

/// How far a student is with one prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PredictState {
    chosen: Option<usize>,
    /// Where the bar is placed, from 0 to 1.
    bar: f32,
    confidence: u8,
    committed: bool,
    /// The text of the variant that is on the card: another model may be asked in other words, with other options.
    asked: String,
    settled: Option<Settled>,
    /// Whether the outcome takes the keyboard's focus: the button that held it is gone.
    #[serde(skip)]
    focus: bool,
}

impl Default for PredictState {
    fn default() -> Self {
        Self {
            chosen: None,
            bar: 0.5,
            confidence: 70,
            committed: false,
            asked: String::new(),
            settled: None,
            focus: false,
        }
    }
}

impl PredictState {
    /// The prediction as the open model is asked it; once the student has committed, as it was asked then.
    fn variant<'p>(&mut self, predict: &'p Predict, model: Option<&str>) -> &'p Predict {
        let now = predict.of(model);
        if self.committed {
            let mut all = predict.variants.iter().map(|variant| &variant.predict);
            return all.find(|variant| variant.prompt == self.asked).unwrap_or(predict);
        }
        if self.asked != now.prompt {
            self.asked.clone_from(&now.prompt);
            self.chosen = None;
        }
        now
    }

    /// Whether nothing was chosen on it yet.
    pub fn is_untouched(&self) -> bool {
        self.chosen.is_none() && !self.committed
    }

    /// What the student commits to, once there is something.
    fn commitment(&self, predict: &Predict) -> Option<Commitment> {
        match predict.reveal {
            Reveal::Bar { .. } => Some(Commitment::Bar(self.bar)),
            _ => self.chosen.map(Commitment::Option),
        }
    }

    /// Whether the live run has settled it.
    pub fn is_settled(&self) -> bool {
        self.settled.is_some()
    }
}

/// Shows a prediction.
pub fn show(
    ui: &mut Ui,
    type_: &mut Typesetter,
    predict: &Predict,
    state: &mut PredictState,
    live: &LiveTruth,
    place: Place<'_>,
) -> Vec<LessonAction> {
    let name = format!("Prediction {}", place.number);
    let predict = state.variant(predict, live.model_id.as_deref());
    let mut actions = Vec::new();
    if state.committed && state.settled.is_none() {
        state.settled = live.facts.as_ref().and_then(|facts| predict.settle(facts));
        if let (Some(settled), Some(made)) = (&state.settled, state.commitment(predict)) {
            actions.push(LessonAction::Predicted {
                predict: predict.id.clone(),
                made,
                confidence: state.confidence,
                right: predict.came_true(settled, made),
            });
        }
    }
    card::card(ui, &format!("Prediction {} of {}", place.number, place.of), Tone::Accent, |ui| {
        type_.show(ui, &predict.question);
        ui.add_space(4.0);
        for (i, guess) in predict.options.iter().enumerate() {
            let chosen = state.chosen == Some(i);
            let tone = match &state.settled {
                Some(Settled { right: Some(right), .. }) if *right == i => Tone::Right,
                Some(Settled { right: Some(_), .. }) if chosen => Tone::Wrong,
                Some(_) if !chosen => Tone::Plain,
                _ => Tone::Accent,
            };
            let option = OptionState { chosen, open: !state.committed, tone };
            let response = card::option(ui, type_, &name, &guess.text, Role::RadioButton, option);
            if response.clicked() && !state.committed {
                state.chosen = Some(i);
            }
        }
        if let Reveal::Bar { .. } = predict.reveal {
            place_bar(ui, state, &name);
        }
        ui.add_space(4.0);
        match (state.settled.clone(), state.committed) {
            (Some(settled), _) => truth(ui, type_, predict, state, &settled, &name),
            (None, true) => waiting(ui, predict, live, &name, &mut actions),
            (None, false) => commit(ui, predict, state, live, &name, &mut actions),
        }
    });
    actions
}

/// The bar that the student places; once it is settled, with the model's own below.
fn place_bar(ui: &mut Ui, state: &mut PredictState, name: &str) {
    let truth = state.settled.as_ref().and_then(|settled| settled.bar);
    row_plot::placed(ui, state.bar, truth, name);
    if let Some(truth) = truth {
        let (yours, its) = (state.bar * 100.0, truth * 100.0);
        ui.label(RichText::new(format!("Above, yours: {yours:.0} %. Below, the model's: {its:.0} %.")).weak());
    }
    if !state.committed {
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Your bar");
            let mut percent = (state.bar * 100.0).round();
            let slider = Slider::new(&mut percent, 0.0..=100.0).show_value(false).step_by(1.0);
            let slider = ui.add(slider).labelled_by(label.id);
            card::named(ui, slider, format!("{name}: your bar, in percent"));
            ui.label(format!("{percent:.0} %"));
            state.bar = percent / 100.0;
        });
    }
}

fn commit(
    ui: &mut Ui,
    predict: &Predict,
    state: &mut PredictState,
    live: &LiveTruth,
    name: &str,
    actions: &mut Vec<LessonAction>,
) {
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("How sure are you?");
        let slider = Slider::new(&mut state.confidence, 50..=100).show_value(false).step_by(5.0);
        let slider = ui.add(slider).labelled_by(label.id);
        card::named(ui, slider, format!("{name}: how sure, in percent"));
        ui.label(format!("{} %", state.confidence));
    });
    let button = card::primary(ui, state.commitment(predict).is_some(), "Commit and ask the model");
    let commit = card::named(ui, button, format!("Commit and ask the model, {}", name.to_lowercase()));
    if commit.clicked() {
        state.committed = true;
        state.focus = commit.has_focus();
        if live.facts.as_ref().is_none_or(|facts| facts.prompt != predict.prompt) {
            actions.push(LessonAction::SetPrompt(predict.prompt.clone()));
        }
    }
}

fn waiting(ui: &mut Ui, predict: &Predict, live: &LiveTruth, name: &str, actions: &mut Vec<LessonAction>) {
    let words = match (&live.model, live.running) {
        (None, _) => "Your answer is noted. Open a model, and it will show who is right.",
        (Some(_), true) => "The model is reading the text …",
        (Some(_), false) => "Your answer is noted. The lab shows another text now.",
    };
    ui.label(RichText::new(words).weak());
    if live.model.is_some() && !live.running {
        let button = ui.button("Ask the model");
        if card::named(ui, button, format!("Ask the model, {}", name.to_lowercase())).clicked() {
            actions.push(LessonAction::SetPrompt(predict.prompt.clone()));
        }
    }
}

fn truth(
    ui: &mut Ui,
    type_: &mut Typesetter,
    predict: &Predict,
    state: &mut PredictState,
    settled: &Settled,
    name: &str,
) {
    let sure = state.confidence;
    let came_true = state.commitment(predict).and_then(|made| predict.came_true(settled, made));
    let (tone, words) = match came_true {
        Some(true) => (Tone::Right, format!("You were right, and {sure} % sure.")),
        Some(false) => (Tone::Wrong, format!("The model disagrees; you were {sure} % sure.")),
        None => (Tone::Plain, "This run cannot tell the options apart.".to_owned()),
    };
    let line = card::verdict(ui, tone, name, &words);
    if std::mem::take(&mut state.focus) {
        line.request_focus();
    }
    type_.plain(ui, &settled.finding);
    card::aside(ui, type_, Tone::Accent, &predict.explanation);
}
