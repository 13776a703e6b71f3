//! Predictions and questions as cards.
//!
//! A question is open, then wrong (with the reason, and a fresh order for the next try) or right (with the explanation).
//! A prediction is open, then committed, then settled by the live run. All of a card's state is in [`QuizState`] and
//! [`PredictState`]; grading itself is `lesson::grade`.

use std::collections::BTreeSet;

use egui::{Button, RichText, Role, Slider, TextEdit, Ui};

use super::card::{self, OptionState, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use crate::lesson::{
    Answer, LiveTruth, Predict, Question, QuestionKind, Settled, Verdict, attempt_seed, grade, read_number, shuffled,
};

/// How far a student is with one question.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuizState {
    chosen: BTreeSet<usize>,
    typed: String,
    attempt: u32,
    hints: usize,
    verdict: Option<Verdict>,
}

impl QuizState {
    /// Whether it is solved.
    pub fn is_solved(&self) -> bool {
        self.verdict.as_ref().is_some_and(|v| v.correct)
    }
}

/// How far a student is with one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictState {
    chosen: Option<usize>,
    confidence: u8,
    committed: bool,
    settled: Option<Settled>,
}

impl Default for PredictState {
    fn default() -> Self {
        Self { chosen: None, confidence: 70, committed: false, settled: None }
    }
}

impl PredictState {
    /// Whether the live run has settled it.
    pub fn is_settled(&self) -> bool {
        self.settled.is_some()
    }
}

/// Where a card stands: its lesson, and its number among its kind.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The lesson's id.
    pub lesson: &'a str,
    /// From 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
}

/// Shows a question.
pub fn quiz(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    place: Place<'_>,
) -> Vec<LessonAction> {
    let name = format!("Question {}", place.number);
    let mut actions = Vec::new();
    card::card(ui, &format!("Question {} of {}", place.number, place.of), Tone::Accent, |ui| {
        type_.show(ui, &question.question);
        ui.add_space(4.0);
        let entered = match &question.kind {
            QuestionKind::Single(_) | QuestionKind::Multiple(_) => {
                choices(ui, type_, question, state, place, &name);
                false
            }
            QuestionKind::Numeric { unit, .. } => number(ui, state, unit, &name),
        };
        if let Some(verdict) = state.verdict.clone() {
            outcome(ui, type_, question, state, &verdict, &name);
        } else {
            let asked = check_button(ui, question, state, &name) || entered;
            if let Some(answer) = answer(question, state).filter(|_| asked) {
                let verdict = grade(question, &answer);
                actions.push(LessonAction::Answered {
                    question: question.id.clone(),
                    answer,
                    verdict: verdict.clone(),
                    attempt: state.attempt,
                    hints: state.hints,
                });
                state.verdict = Some(verdict);
            }
        }
        if !state.is_solved() {
            hints(ui, type_, question, state, &name);
        }
    });
    actions
}

fn choices(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    place: Place<'_>,
    name: &str,
) {
    let several = matches!(question.kind, QuestionKind::Multiple(_));
    let role = if several { Role::CheckBox } else { Role::RadioButton };
    if several {
        ui.label(RichText::new("Choose all that hold.").weak());
    }
    let seed = attempt_seed(place.lesson, &question.id, state.attempt);
    let options = question.choices();
    for i in shuffled(options.len(), seed) {
        let Some(choice) = options.get(i) else { continue };
        let chosen = state.chosen.contains(&i);
        let reason = state.verdict.as_ref().and_then(|v| v.reasons.iter().find(|r| r.option == Some(i)));
        let tone = match (&state.verdict, reason) {
            (None, _) => Tone::Accent,
            (Some(_), Some(reason)) if !reason.correct => Tone::Wrong,
            (Some(_), _) if chosen => Tone::Right,
            (Some(_), _) => Tone::Plain,
        };
        let option = OptionState { chosen, open: state.verdict.is_none(), tone };
        if card::option(ui, type_, name, &choice.text, role, option).clicked() && state.verdict.is_none() {
            if !several {
                state.chosen.clear();
            }
            if !(several && state.chosen.remove(&i)) {
                state.chosen.insert(i);
            }
        }
        if let Some(reason) = reason {
            card::aside(ui, type_, tone, &reason.text);
            ui.add_space(4.0);
        }
    }
}

/// The field for a number; true where Enter was pressed in it.
fn number(ui: &mut Ui, state: &mut QuizState, unit: &str, name: &str) -> bool {
    let open = state.verdict.is_none();
    ui.horizontal(|ui| {
        let field = TextEdit::singleline(&mut state.typed).desired_width(120.0).char_limit(40);
        let response = ui.add_enabled(open, field);
        let response = card::named(ui, response, format!("{name}: your number"));
        if !unit.is_empty() {
            ui.label(unit);
        }
        response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter))
    })
    .inner
}

fn answer(question: &Question, state: &QuizState) -> Option<Answer> {
    match &question.kind {
        QuestionKind::Single(_) => state.chosen.first().map(|i| Answer::One(*i)),
        QuestionKind::Multiple(_) if state.chosen.is_empty() => None,
        QuestionKind::Multiple(_) => Some(Answer::Many(state.chosen.clone())),
        QuestionKind::Numeric { unit, .. } => read_number(&state.typed, unit).map(Answer::Number),
    }
}

fn check_button(ui: &mut Ui, question: &Question, state: &QuizState, name: &str) -> bool {
    let ready = answer(question, state).is_some();
    let response = ui.horizontal(|ui| {
        let response = card::primary(ui, ready, "Check");
        if !ready && !state.typed.trim().is_empty() {
            ui.label(RichText::new("Type a plain number, such as 0.25.").weak());
        }
        card::named(ui, response, format!("Check {}", lower(name)))
    });
    response.inner.clicked()
}

fn outcome(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    verdict: &Verdict,
    name: &str,
) {
    ui.add_space(4.0);
    if verdict.correct {
        card::verdict(ui, Tone::Right, if state.attempt == 0 { "Right, at the first try." } else { "Right." });
        card::aside(ui, type_, Tone::Right, &question.explanation);
        return;
    }
    card::verdict(ui, Tone::Wrong, "Not yet.");
    for reason in verdict.reasons.iter().filter(|r| r.option.is_none()) {
        card::aside(ui, type_, Tone::Wrong, &reason.text);
    }
    let again = ui.button("Try again");
    if card::named(ui, again, format!("Try again {}", lower(name))).clicked() {
        state.verdict = None;
        state.chosen.clear();
        state.typed.clear();
        state.attempt += 1;
    }
}

fn hints(ui: &mut Ui, type_: &mut Typesetter, question: &Question, state: &mut QuizState, name: &str) {
    for hint in question.hints.iter().take(state.hints) {
        card::aside(ui, type_, Tone::Plain, hint);
    }
    let total = question.hints.len();
    if state.hints < total {
        let words = format!("Hint {} of {total}", state.hints + 1);
        let button = ui.add(Button::new(RichText::new(&words).weak()).frame_when_inactive(false));
        if card::named(ui, button, format!("{words}, {}", lower(name))).clicked() {
            state.hints += 1;
        }
    }
}

/// Shows a prediction.
pub fn predict(
    ui: &mut Ui,
    type_: &mut Typesetter,
    predict: &Predict,
    state: &mut PredictState,
    live: &LiveTruth,
    place: Place<'_>,
) -> Vec<LessonAction> {
    let name = format!("Prediction {}", place.number);
    let mut actions = Vec::new();
    if state.committed && state.settled.is_none() {
        state.settled = live.facts.as_ref().and_then(|facts| predict.settle(facts));
        if let (Some(settled), Some(choice)) = (&state.settled, state.chosen) {
            actions.push(LessonAction::Predicted {
                predict: predict.id.clone(),
                choice,
                confidence: state.confidence,
                right: settled.right.map(|right| right == choice),
            });
        }
    }
    card::card(ui, "Predict, before you look", Tone::Accent, |ui| {
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
        ui.add_space(4.0);
        match (&state.settled, state.committed) {
            (Some(settled), _) => truth(ui, type_, predict, state, settled),
            (None, true) => waiting(ui, predict, live, &name, &mut actions),
            (None, false) => commit(ui, predict, state, live, &name, &mut actions),
        }
    });
    actions
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
    let button = card::primary(ui, state.chosen.is_some(), "Commit and ask the model");
    if card::named(ui, button, format!("Commit and ask the model, {}", lower(name))).clicked() {
        state.committed = true;
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
        if card::named(ui, button, format!("Ask the model, {}", lower(name))).clicked() {
            actions.push(LessonAction::SetPrompt(predict.prompt.clone()));
        }
    }
}

fn truth(ui: &mut Ui, type_: &mut Typesetter, predict: &Predict, state: &PredictState, settled: &Settled) {
    let sure = state.confidence;
    match settled.right {
        Some(right) if state.chosen == Some(right) => {
            card::verdict(ui, Tone::Right, &format!("You were right, and {sure} % sure."));
        }
        Some(_) => card::verdict(ui, Tone::Wrong, &format!("The model disagrees; you were {sure} % sure.")),
        None => {
            ui.label("This run cannot tell the options apart.");
        }
    }
    type_.plain(ui, &settled.finding);
    card::aside(ui, type_, Tone::Accent, &predict.explanation);
}

fn lower(name: &str) -> String {
    name.to_lowercase()
}
