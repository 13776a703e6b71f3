//! What a card looked like when it was answered, so that it looks the same at the next start.
//!
//! The state of a card is kept with the answer in the learner's record, as data of the card's own. With it goes a print
//! of the card's text: where a lesson was changed since, the card opens afresh, because a chosen option might be another
//! one now. What was earned is not affected by either.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lesson_view::LessonState;
use super::quiz_view::QuizState;
use crate::lab::Standing;
use crate::lesson::{Lesson, Predict, Question, attempt_seed};

/// The most bytes of a card that are kept; a longer one opens afresh.
const MOST: usize = 8_000;

#[derive(Serialize, Deserialize)]
struct Memo {
    /// Tells two texts of a card apart.
    print: String,
    state: Value,
}

/// A question's card.
pub fn of_question(question: &Question, state: &QuizState) -> Option<Box<Value>> {
    keep(print(question), state)
}

/// A card of a page, by its id.
pub fn of_item(lesson: &Lesson, item: &str, state: &LessonState) -> Option<Box<Value>> {
    if let (Some(question), Some(state)) = (find_question(lesson, item), state.quizzes.get(item)) {
        return of_question(question, state);
    }
    keep(print(find_predict(lesson, item)?), state.predictions.get(item)?)
}

/// Brings every card of a page that was not touched in this sitting into the state in which it was answered.
pub fn restore(lesson: &Lesson, state: &mut LessonState, standing: &Standing) {
    let answers = standing.answers.iter().filter(|((id, _), _)| *id == lesson.meta.id);
    for ((_, item), (act, _)) in answers {
        let Some(memo) = &act.given else { continue };
        if let Some(question) = find_question(lesson, item) {
            if let Some(kept) = recall(memo, &print(question)) {
                // A card that was drawn before the record was open has a state already, and an empty one.
                let card = state.quizzes.entry(item.clone()).or_default();
                if *card == QuizState::default() {
                    *card = kept;
                }
            }
        } else if let Some(predict) = find_predict(lesson, item)
            && let Some(kept) = recall(memo, &print(predict))
        {
            let card = state.predictions.entry(item.clone()).or_default();
            if card.is_untouched() {
                *card = kept;
            }
        }
    }
}

fn find_question<'l>(lesson: &'l Lesson, item: &str) -> Option<&'l Question> {
    lesson.questions().find(|question| question.id == item)
}

fn find_predict<'l>(lesson: &'l Lesson, item: &str) -> Option<&'l Predict> {
    lesson.predictions().find(|predict| predict.id == item)
}

fn print(card: &impl std::fmt::Debug) -> String {
    format!("{:016x}", attempt_seed("card", &format!("{card:?}"), 0))
}

fn keep(print: String, state: &impl Serialize) -> Option<Box<Value>> {
    let state = serde_json::to_value(state).ok()?;
    let memo = serde_json::to_value(Memo { print, state }).ok()?;
    (memo.to_string().len() <= MOST).then(|| Box::new(memo))
}

fn recall<T: DeserializeOwned>(memo: &Value, print: &str) -> Option<T> {
    let memo = Memo::deserialize(memo).ok()?;
    if memo.print != print {
        return None;
    }
    serde_json::from_value(memo.state).ok()
}
