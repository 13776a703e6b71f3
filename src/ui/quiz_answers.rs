//! The plainer ways to answer a question: options, a number, a word.

use egui::{RichText, Role, TextEdit, Ui};

use super::card::{self, OptionState, Tone};
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use super::quiz_view::{Place, QuizState, Spot, show_me};
use crate::lesson::{Question, QuestionKind, Reason, Show, read_number, shuffled};

/// The options of a choice, shuffled anew at each try, each with its reason once the answer is graded. Returns the
/// counter-example that was asked for.
pub fn choices(
    ui: &mut Ui,
    type_: &mut Typesetter,
    question: &Question,
    state: &mut QuizState,
    place: Place<'_>,
    name: &str,
) -> Option<LessonAction> {
    let several = matches!(question.kind, QuestionKind::Multiple(_));
    let role = if several { Role::CheckBox } else { Role::RadioButton };
    if several {
        ui.label(RichText::new("Choose all that hold.").weak());
    }
    let mut action = None;
    let options = question.choices();
    for (shown, i) in shuffled(options.len(), state.seed(place.lesson, &question.id)).into_iter().enumerate() {
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
            let counter = choice.show.as_ref().filter(|_| chosen && !reason.correct);
            let of = format!("{}: {}", name.to_lowercase(), type_.document(&choice.text).plain());
            action = action.or(counter.and_then(|show| show_me(ui, show, &of)));
            ui.add_space(4.0);
        }
    }
    action
}

/// The counter-example of the mistake that was recognised by its reason.
pub fn counter_example<'q>(question: &'q Question, reason: &str) -> Option<&'q Show> {
    match &question.kind {
        QuestionKind::Numeric { mistakes, .. } => mistakes.iter().find(|m| m.reason == reason)?.show.as_ref(),
        QuestionKind::Text { mistakes, .. } => mistakes.iter().find(|m| m.reason == reason)?.show.as_ref(),
        _ => None,
    }
}

/// The field for a number; true where Enter was pressed in it.
pub fn number(ui: &mut Ui, state: &mut QuizState, unit: &str, name: &str) -> bool {
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

/// The field for a word or a token; true where Enter was pressed in it.
pub fn word(ui: &mut Ui, state: &mut QuizState, what: &str, name: &str) -> bool {
    let open = state.verdict.is_none() && !state.asked;
    let field = TextEdit::singleline(&mut state.typed).desired_width(220.0).char_limit(100);
    let response = ui.add_enabled(open, field);
    let response = card::named(ui, response, format!("{name}: {what}"));
    state.focus_if_due(Spot::Answer, &response);
    response.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter))
}
