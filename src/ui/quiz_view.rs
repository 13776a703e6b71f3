//! Questions as cards.
//!
//! A question is open, then wrong (with the reason, and a fresh try) or right (with the explanation). All of a card's state
//! is in [`QuizState`]; grading itself is `lesson::grade`, and for a live question `lesson::grade_live`, once a run of its
//! text is there. Buttons come and go with the state, so the card hands the keyboard's focus on: who works by keyboard is
//! never thrown back to the top of the page.

use std::collections::BTreeSet;

use egui::{Response, Ui};
use serde::{Deserialize, Serialize};

use super::card::{self, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use super::{quiz_answers, quiz_live, quiz_match, quiz_order};
use crate::lesson::{
    Answer, LiveTruth, Question, QuestionKind, Reason, Show, Verdict, attempt_seed, grade, read_number,
};

/// How far a student is with one question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuizState {
    pub(super) chosen: BTreeSet<usize>,
    pub(super) typed: String,
    /// The items as they stand now; empty until they are first shown.
    pub(super) order: Vec<usize>,
    /// The item that was just moved by keyboard, and whether upwards: its button takes the focus at its new place.
    #[serde(skip)]
    pub(super) moved: Option<(usize, bool)>,
    /// The right side that each left side has now.
    pub(super) pairs: Vec<Option<usize>>,
    /// Whether the open model is to settle what was typed, once it has run the text.
    #[serde(skip)]
    pub(super) asked: bool,
    /// Tries in earlier sittings.
    earlier: u32,
    attempt: u32,
    hints: usize,
    pub(super) verdict: Option<Verdict>,
    #[serde(skip)]
    pub(super) focus: Option<Spot>,
}

/// Where the focus goes once the button that held it is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
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

    /// Takes over how often it was tried in earlier sittings, as long as nothing was done in this one.
    pub fn begin_after(&mut self, earlier: u32) {
        let untouched = self.attempt == 0 && self.verdict.is_none() && self.chosen.is_empty() && self.typed.is_empty();
        if untouched && self.pairs.iter().all(Option::is_none) && self.earlier != earlier {
            *self = Self { earlier, hints: self.hints, focus: self.focus, ..Self::default() };
        }
    }

    /// Which try this is, over all sittings, from 0.
    fn tries(&self) -> u32 {
        self.earlier.saturating_add(self.attempt)
    }

    /// The seed of what is shuffled in this try.
    pub(super) fn seed(&self, lesson: &str, question: &str) -> u64 {
        attempt_seed(lesson, question, self.tries())
    }

    pub(super) fn focus_if_due(&mut self, spot: Spot, response: &Response) {
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
    live: &LiveTruth,
    place: Place<'_>,
) -> Vec<LessonAction> {
    let name = format!("Question {}", place.number);
    let variant = question.variant_at(state.tries());
    let asked = question.variant(variant);
    let mut actions = Vec::new();
    card::card(ui, &format!("Question {} of {}", place.number, place.of), Tone::Accent, |ui| {
        type_.show(ui, &asked.question);
        ui.add_space(4.0);
        let entered = match &asked.kind {
            QuestionKind::Single(_) | QuestionKind::Multiple(_) => {
                actions.extend(quiz_answers::choices(ui, type_, asked, state, place, &name));
                false
            }
            QuestionKind::Numeric { unit, .. } => quiz_answers::number(ui, state, unit, &name),
            QuestionKind::Order { items, .. } => {
                let seed = state.seed(place.lesson, &asked.id);
                quiz_order::show(ui, type_, items, state, seed, &name);
                false
            }
            QuestionKind::Match { pairs, .. } => {
                // Letters go by the sitting, not by the try: who mends an answer finds them where they were.
                let seed = attempt_seed(place.lesson, &asked.id, state.earlier);
                quiz_match::show(ui, type_, pairs, &asked.rights(), state, seed, &name);
                false
            }
            QuestionKind::Text { .. } => quiz_answers::word(ui, state, "your answer", &name),
            QuestionKind::Live { prompt, .. } => {
                actions.extend(quiz_live::prompt(ui, type_, prompt, live, &name));
                quiz_answers::word(ui, state, "your token", &name)
            }
        };
        if let QuestionKind::Live { prompt, key } = &asked.kind {
            let verdict = quiz_live::settle(ui, prompt, *key, state, live, &name, &mut actions);
            let answer = Answer::Word(state.typed.clone());
            actions.extend(verdict.map(|verdict| {
                state.asked = false;
                keep(asked, state, answer, verdict, None)
            }));
        }
        if let Some(verdict) = state.verdict.clone() {
            actions.extend(outcome(ui, type_, asked, state, &verdict, &name));
        }
        if !state.is_solved() {
            for hint in asked.hints.iter().take(state.hints) {
                card::aside(ui, type_, Tone::Plain, hint);
            }
            ui.add_space(2.0);
            let variant = (!question.variants.is_empty()).then_some(variant as u64);
            actions.extend(buttons(ui, asked, state, entered, variant, live, &name));
        }
    });
    actions
}

/// What the student has answered so far, once it is enough to be graded.
fn answer(question: &Question, state: &QuizState) -> Option<Answer> {
    let word = || (!state.typed.trim().is_empty()).then(|| Answer::Word(state.typed.clone()));
    match &question.kind {
        QuestionKind::Single(_) => state.chosen.first().map(|i| Answer::One(*i)),
        QuestionKind::Multiple(_) if state.chosen.is_empty() => None,
        QuestionKind::Multiple(_) => Some(Answer::Many(state.chosen.clone())),
        QuestionKind::Numeric { unit, .. } => read_number(&state.typed, unit).map(Answer::Number),
        QuestionKind::Order { .. } => Some(Answer::Order(state.order.clone())),
        QuestionKind::Match { .. } => state.pairs.iter().copied().collect::<Option<Vec<_>>>().map(Answer::Pairs),
        QuestionKind::Text { .. } | QuestionKind::Live { .. } => word(),
    }
}

/// The verdict with what stands under it; returns a counter-example that was asked for.
fn outcome(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    verdict: &Verdict,
    name: &str,
) -> Option<LessonAction> {
    ui.add_space(4.0);
    let (tone, words) = match (verdict.correct, state.tries()) {
        (true, 0) => (Tone::Right, "Right, at the first try."),
        (true, _) => (Tone::Right, "Right."),
        (false, _) => (Tone::Wrong, "Not yet."),
    };
    let line = card::verdict(ui, tone, name, words);
    state.focus_if_due(Spot::Verdict, &line);
    let mut shown = None;
    for reason in verdict.reasons.iter().filter(|r| r.option.is_none()) {
        card::aside(ui, type_, if reason.correct { Tone::Right } else { Tone::Wrong }, &reason.text);
        let counter = quiz_answers::counter_example(question, &reason.text);
        shown = shown.or(counter.and_then(|show| show_me(ui, show, name)));
    }
    let choice = !question.choices().is_empty();
    let left_out = |r: &Reason| choice && !r.correct && r.option.is_some_and(|i| !state.chosen.contains(&i));
    if verdict.reasons.iter().any(left_out) {
        card::aside(ui, type_, Tone::Wrong, "Something that holds is not chosen yet.");
    }
    if verdict.correct {
        card::aside(ui, type_, Tone::Right, &question.explanation);
    }
    shown
}

/// The button that puts the lab into the state in which a mistake can be seen.
pub(super) fn show_me(ui: &mut Ui, show: &Show, name: &str) -> Option<LessonAction> {
    let button = ui.button("Show me");
    let button = card::named(ui, button, format!("Show me, {name}"));
    button.clicked().then(|| LessonAction::Show(show.clone()))
}

/// Check or try again, and the next hint.
fn buttons(
    ui: &mut Ui,
    question: &Question,
    state: &mut QuizState,
    entered: bool,
    variant: Option<u64>,
    live: &LiveTruth,
    name: &str,
) -> Option<LessonAction> {
    let of = name.to_lowercase();
    ui.horizontal(|ui| {
        let mut action = None;
        if state.verdict.is_none() {
            let given = answer(question, state).filter(|_| !state.asked);
            let check = card::primary(ui, given.is_some(), "Check");
            let check = card::named(ui, check, format!("Check {of}"));
            state.focus_if_due(Spot::Main, &check);
            if let Some(answer) = given.filter(|_| check.clicked() || entered) {
                state.focus = (check.has_focus() || entered).then_some(Spot::Verdict);
                if let QuestionKind::Live { prompt, .. } = &question.kind {
                    state.asked = true;
                    action = quiz_live::ask(prompt, live);
                } else {
                    let verdict = grade(question, &answer);
                    action = Some(keep(question, state, answer, verdict, variant));
                }
            }
        } else {
            let again = card::primary(ui, true, "Try again");
            let again = card::named(ui, again, format!("Try again {of}"));
            state.focus_if_due(Spot::Main, &again);
            if again.clicked() {
                try_again(question, state, again.has_focus());
            }
        }
        hint_button(ui, question.hints.len(), state, &of);
        action
    })
    .inner
}

/// A fresh try. An order and pairs stay as they are, to be mended: building them again would teach nothing.
fn try_again(question: &Question, state: &mut QuizState, has_focus: bool) {
    let made = matches!(question.kind, QuestionKind::Order { .. } | QuestionKind::Match { .. });
    let before = std::mem::take(state);
    *state = QuizState {
        earlier: before.earlier,
        attempt: before.attempt + 1,
        hints: before.hints,
        focus: has_focus.then_some(Spot::Answer),
        order: if made { before.order } else { Vec::new() },
        pairs: if made { before.pairs } else { Vec::new() },
        ..QuizState::default()
    };
}

fn hint_button(ui: &mut Ui, total: usize, state: &mut QuizState, of: &str) {
    let Some(next) = card::hint(ui, state.hints, total, of) else { return };
    state.focus_if_due(Spot::Hint, &next);
    if next.clicked() {
        state.hints += 1;
        let then = if state.hints < total { Spot::Hint } else { Spot::Main };
        state.focus = next.has_focus().then_some(then);
    }
}

fn keep(
    question: &Question,
    state: &mut QuizState,
    answer: Answer,
    verdict: Verdict,
    variant: Option<u64>,
) -> LessonAction {
    state.verdict = Some(verdict.clone());
    LessonAction::Answered {
        question: question.id.clone(),
        answer,
        verdict,
        attempt: state.attempt,
        hints: state.hints,
        variant,
    }
}
