//! What a student did on a lesson's page, as an act for the record.

use super::lesson_view::LessonAction;
use crate::lesson::{Answer, Lesson, Question, QuestionKind};
use crate::model::tweak::Tweak;
use crate::progress::{Act, ActKind, Credit};

/// The act of an answer or a settled prediction. None for everything else, and for a prediction that the run could not
/// decide.
pub fn act(lesson: &Lesson, action: &LessonAction, model: Option<&str>, tweaks: &[Tweak]) -> Option<Act> {
    let id = lesson.meta.id.as_str();
    match action {
        LessonAction::Answered { question, answer, verdict, hints, .. } => {
            let asked = lesson.questions().find(|q| q.id == *question)?;
            Some(Act {
                concepts: asked.concepts.clone(),
                hints: u32::try_from(*hints).unwrap_or(u32::MAX),
                answer: words(asked, answer),
                reasons: verdict.reasons.iter().map(|reason| reason.text.clone()).collect(),
                ..Act::question(id, question, &[], Credit::whole(verdict.correct))
            })
        }
        LessonAction::Predicted { predict, choice, confidence, right } => {
            let asked = lesson.predictions().find(|p| p.id == *predict)?.of(model);
            Some(Act {
                kind: ActKind::Prediction,
                confidence: Some(*confidence),
                tweaks: tweaks.iter().filter_map(|tweak| serde_json::to_value(tweak).ok()).collect(),
                answer: asked.options.get(*choice).map(|option| option.text.clone()).unwrap_or_default(),
                ..Act::question(id, predict, &[], Credit::whole((*right)?))
            })
        }
        _ => None,
    }
}

/// An answer in words.
fn words(question: &Question, answer: &Answer) -> String {
    let choices = match &question.kind {
        QuestionKind::Single(choices) | QuestionKind::Multiple(choices) => choices.as_slice(),
        QuestionKind::Numeric { .. } => &[],
    };
    let text = |i: &usize| choices.get(*i).map(|choice| choice.text.as_str());
    match answer {
        Answer::One(i) => text(i).unwrap_or_default().to_owned(),
        Answer::Many(all) => all.iter().filter_map(text).collect::<Vec<_>>().join("; "),
        Answer::Number(number) => number.to_string(),
    }
}
