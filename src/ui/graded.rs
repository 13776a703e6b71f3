//! What a student did on a lesson's page, as an act for the record.

use super::lesson_view::LessonAction;
use crate::lesson::{Answer, Attempt, Commitment, Lesson, Pair, Question, QuestionKind};
use crate::model::tweak::{HeadRef, Tweak};
use crate::progress::{Act, ActKind, Credit};

/// The act of an answer, a settled prediction or a task. None for everything else, and for a prediction that the run could not
/// decide.
pub fn act(lesson: &Lesson, action: &LessonAction, model: Option<&str>, tweaks: &[Tweak]) -> Option<Act> {
    let id = lesson.meta.id.as_str();
    match action {
        LessonAction::Answered { question, answer, verdict, hints, variant, .. } => {
            let asked = lesson.questions().find(|q| q.id == *question)?;
            Some(Act {
                concepts: asked.concepts.clone(),
                hints: u32::try_from(*hints).unwrap_or(u32::MAX),
                variant: *variant,
                answer: words(asked, answer),
                reasons: verdict.reasons.iter().map(|reason| reason.text.clone()).collect(),
                ..Act::question(id, question, &[], Credit::whole(verdict.correct))
            })
        }
        LessonAction::Solved { task, attempt, verdict, hints, seed } => {
            let asked = lesson.tasks().find(|t| t.id == *task)?;
            Some(Act {
                kind: ActKind::Task,
                concepts: asked.concepts.clone(),
                hints: u32::try_from(*hints).unwrap_or(u32::MAX),
                variant: Some(*seed),
                tweaks: tweaks.iter().filter_map(|tweak| serde_json::to_value(tweak).ok()).collect(),
                answer: handed_in(attempt),
                reasons: verdict.reasons.iter().map(|reason| reason.text.clone()).collect(),
                ..Act::question(id, task, &[], Credit::whole(verdict.correct))
            })
        }
        LessonAction::Predicted { predict, made, confidence, right } => {
            let asked = lesson.predictions().find(|p| p.id == *predict)?.of(model);
            Some(Act {
                kind: ActKind::Prediction,
                confidence: Some(*confidence),
                tweaks: tweaks.iter().filter_map(|tweak| serde_json::to_value(tweak).ok()).collect(),
                answer: match made {
                    Commitment::Option(i) => {
                        asked.options.get(*i).map(|option| option.text.clone()).unwrap_or_default()
                    }
                    Commitment::Bar(bar) => format!("{:.0} %", bar * 100.0),
                },
                ..Act::question(id, predict, &[], Credit::whole((*right)?))
            })
        }
        _ => None,
    }
}

/// What was handed in for a task, in words.
fn handed_in(attempt: &Attempt) -> String {
    let label = |head: &HeadRef| format!("layer {}, head {}", head.layer, head.head);
    match attempt {
        Attempt::Head(head) => label(head),
        Attempt::Silenced(heads, now) => {
            format!("{}; then “{}”", heads.iter().map(label).collect::<Vec<_>>().join("; "), now.trim())
        }
        Attempt::Temperature(temperature) => format!("a temperature of {temperature}"),
    }
}

/// An answer in words.
fn words(question: &Question, answer: &Answer) -> String {
    let text = |i: &usize| question.choices().get(*i).map(|choice| choice.text.as_str());
    match answer {
        Answer::One(i) => text(i).unwrap_or_default().to_owned(),
        Answer::Many(all) => all.iter().filter_map(text).collect::<Vec<_>>().join("; "),
        Answer::Number(number) => number.to_string(),
        Answer::Word(word) => word.trim().to_owned(),
        Answer::Order(order) => match &question.kind {
            QuestionKind::Order { items, .. } => {
                order.iter().filter_map(|i| items.get(*i).map(String::as_str)).collect::<Vec<_>>().join("; ")
            }
            _ => String::new(),
        },
        Answer::Pairs(given) => match &question.kind {
            QuestionKind::Match { pairs, .. } => {
                let rights = question.rights();
                let pair = |(pair, right): (&Pair, &usize)| Some(format!("{}: {}", pair.left, rights.get(*right)?));
                pairs.iter().zip(given).filter_map(pair).collect::<Vec<_>>().join("; ")
            }
            _ => String::new(),
        },
    }
}
