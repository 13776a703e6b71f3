//! Questions that the open model answers.
//!
//! The student types a token and has it checked; only then is the model's own answer looked up, in a run of exactly the
//! question's text. Where the lab shows another text, it is asked to run this one, and the card waits.

use egui::{RichText, Ui};

use super::card;
use super::lesson_view::LessonAction;
use super::markdown::Typesetter;
use super::quiz_view::QuizState;
use crate::lesson::{LiveKey, LiveTruth, ModelText, Verdict, grade_live};

/// The text that the question is about, with a button that runs it in the lab.
pub fn prompt(
    ui: &mut Ui,
    type_: &mut Typesetter,
    prompt: &ModelText,
    live: &LiveTruth,
    name: &str,
) -> Option<LessonAction> {
    let text = prompt.of(live.model_id.as_deref())?;
    card::quoted(ui, text);
    if live.facts.as_ref().is_some_and(|facts| facts.prompt == *text) {
        type_.plain(ui, "The lab shows this text now.");
        return None;
    }
    let button = ui.add_enabled(live.model.is_some(), egui::Button::new("Run it in the lab"));
    let button = card::named(ui, button, format!("Run it in the lab, {}", name.to_lowercase()));
    button.clicked().then(|| LessonAction::SetPrompt(text.clone()))
}

/// Has the question's text run, where the lab shows another one.
pub fn ask(prompt: &ModelText, live: &LiveTruth) -> Option<LessonAction> {
    let text = prompt.of(live.model_id.as_deref())?;
    let is_there = live.facts.as_ref().is_some_and(|facts| facts.prompt == *text);
    (live.model.is_some() && !is_there).then(|| LessonAction::SetPrompt(text.clone()))
}

/// The verdict on what was typed, once it is asked for and a run of the text is there; until then, what is waited for.
pub fn settle(
    ui: &mut Ui,
    prompt: &ModelText,
    key: LiveKey,
    state: &QuizState,
    live: &LiveTruth,
    name: &str,
    actions: &mut Vec<LessonAction>,
) -> Option<Verdict> {
    if !state.asked || state.verdict.is_some() {
        return None;
    }
    let text = prompt.of(live.model_id.as_deref())?;
    if let Some(facts) = live.facts.as_ref().filter(|facts| facts.prompt == *text) {
        let verdict = grade_live(key, facts, &state.typed);
        if verdict.is_none() {
            let words = "The open model lacks the head that is asked for. Open another model, and it will answer.";
            ui.label(RichText::new(words).weak());
        }
        return verdict;
    }
    let words = match (&live.model, live.running) {
        (None, _) => "Open a model, and it will show who is right.",
        (Some(_), true) => "The model is reading the text …",
        (Some(_), false) => "The lab shows another text now.",
    };
    ui.label(RichText::new(words).weak());
    if live.model.is_some() && !live.running {
        let button = ui.button("Ask the model");
        if card::named(ui, button, format!("Ask the model, {}", name.to_lowercase())).clicked() {
            actions.push(LessonAction::SetPrompt(text.clone()));
        }
    }
    None
}
