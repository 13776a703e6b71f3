//! Questions as cards.
//!
//! A question is open, then wrong (with the reason, and a fresh order for the next try) or right (with the explanation).
//! All of a card's state is in [`QuizState`]; grading itself is `lesson::grade`. Buttons come and go with the state, so the
//! card hands the keyboard's focus on: who works by keyboard is never thrown back to the top of the page.

use std::collections::BTreeSet;

use egui::{Button, Response, RichText, Role, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use super::card::{self, OptionState, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use crate::lesson::{Answer, Question, QuestionKind, Reason, Verdict, attempt_seed, grade, read_number, shuffled};

/// How far a student is with one question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuizState {
    chosen: BTreeSet<usize>,
    typed: String,
    attempt: u32,
    hints: usize,
    verdict: Option<Verdict>,
    #[serde(skip)]
    focus: Option<Spot>,
}

/// Where the focus goes once the button that held it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Answer,
    Verdict,
    Main,
    Hint,
}

impl QuizState {
    /// A fresh card that takes the keyboard when it is shown.
    pub fn with_focus() -> Self {
        Self { focus: Some(Spot::Answer), ..Self::default() }
    }

    /// Whether it is solved.
    pub fn is_solved(&self) -> bool {
        self.verdict.as_ref().is_some_and(|v| v.correct)
    }

    fn focus_if_due(&mut self, spot: Spot, response: &Response) {
        if self.focus == Some(spot) {
            self.focus = None;
            response.request_focus();
        }
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
pub fn show(
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
        }
        if !state.is_solved() {
            for hint in question.hints.iter().take(state.hints) {
                card::aside(ui, type_, Tone::Plain, hint);
            }
            ui.add_space(2.0);
            actions.extend(buttons(ui, question, state, entered, &name));
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
    for (shown, i) in shuffled(options.len(), seed).into_iter().enumerate() {
        let Some(choice) = options.get(i) else { continue };
        let chosen = state.chosen.contains(&i);
        // What was left out is not given away: there is another try.
        let spoken = |r: &&Reason| r.option == Some(i) && (chosen || r.correct);
        let reason = state.verdict.as_ref().and_then(|v| v.reasons.iter().find(spoken)).cloned();
        let tone = match (&state.verdict, &reason) {
            (None, _) => Tone::Accent,
            (Some(_), Some(reason)) if !reason.correct => Tone::Wrong,
            (Some(_), _) if chosen => Tone::Right,
            (Some(_), _) => Tone::Plain,
        };
        let option = OptionState { chosen, open: state.verdict.is_none(), tone };
        let response = card::option(ui, type_, name, &choice.text, role, option);
        if shown == 0 {
            state.focus_if_due(Spot::Answer, &response);
        }
        if response.clicked() && state.verdict.is_none() {
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
        state.focus_if_due(Spot::Answer, &response);
        if !unit.is_empty() {
            ui.label(unit);
        }
        if open && !state.typed.trim().is_empty() && read_number(&state.typed, unit).is_none() {
            ui.label(RichText::new("Type a plain number, such as 0.25.").weak());
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

fn outcome(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    verdict: &Verdict,
    name: &str,
) {
    ui.add_space(4.0);
    let (tone, words) = match (verdict.correct, state.attempt) {
        (true, 0) => (Tone::Right, "Right, at the first try."),
        (true, _) => (Tone::Right, "Right."),
        (false, _) => (Tone::Wrong, "Not yet."),
    };
    let line = card::verdict(ui, tone, name, words);
    state.focus_if_due(Spot::Verdict, &line);
    for reason in verdict.reasons.iter().filter(|r| r.option.is_none()) {
        card::aside(ui, type_, Tone::Wrong, &reason.text);
    }
    let left_out = |r: &Reason| !r.correct && r.option.is_some_and(|i| !state.chosen.contains(&i));
    if verdict.reasons.iter().any(left_out) {
        card::aside(ui, type_, Tone::Wrong, "Something that holds is not chosen yet.");
    }
    if verdict.correct {
        card::aside(ui, type_, Tone::Right, &question.explanation);
    }
}

/// Check or try again, and the next hint.
fn buttons(ui: &mut Ui, question: &Question, state: &mut QuizState, entered: bool, name: &str) -> Option<LessonAction> {
    let of = name.to_lowercase();
    ui.horizontal(|ui| {
        let mut action = None;
        if state.verdict.is_none() {
            let given = answer(question, state);
            let check = card::primary(ui, given.is_some(), "Check");
            let check = card::named(ui, check, format!("Check {of}"));
            state.focus_if_due(Spot::Main, &check);
            if let Some(answer) = given.filter(|_| check.clicked() || entered) {
                state.focus = (check.has_focus() || entered).then_some(Spot::Verdict);
                action = Some(submit(question, state, answer));
            }
        } else {
            let again = card::primary(ui, true, "Try again");
            let again = card::named(ui, again, format!("Try again {of}"));
            state.focus_if_due(Spot::Main, &again);
            if again.clicked() {
                let focus = again.has_focus().then_some(Spot::Answer);
                *state = QuizState { attempt: state.attempt + 1, hints: state.hints, focus, ..QuizState::default() };
            }
        }
        let total = question.hints.len();
        if state.hints < total {
            let words = format!("Hint {} of {total}", state.hints + 1);
            let hint = ui.add(Button::new(RichText::new(&words).weak()).frame_when_inactive(false));
            let hint = card::named(ui, hint, format!("{words}, {of}"));
            state.focus_if_due(Spot::Hint, &hint);
            if hint.clicked() {
                state.hints += 1;
                let next = if state.hints < total { Spot::Hint } else { Spot::Main };
                state.focus = hint.has_focus().then_some(next);
            }
        }
        action
    })
    .inner
}

fn submit(question: &Question, state: &mut QuizState, answer: Answer) -> LessonAction {
    let verdict = grade(question, &answer);
    state.verdict = Some(verdict.clone());
    LessonAction::Answered {
        question: question.id.clone(),
        answer,
        verdict,
        attempt: state.attempt,
        hints: state.hints,
    }
}
