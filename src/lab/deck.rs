//! The cards of a review session.
//!
//! For each concept that is due, the least well remembered first, one question about it: of those that were answered
//! before, the one that was not seen for the longest time, else the first that there is. A question about several due
//! concepts stands for all of them, because its answer is recorded for all of them. Questions that the open model settles are
//! left to their lessons: a review needs no model.

use crate::lesson::{Library, Question, QuestionKind};
use crate::progress::{Memory, Record};

/// A question to answer again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewCard {
    /// The id of its lesson.
    pub lesson: String,
    /// Its id.
    pub item: String,
    /// The due concepts that it is about.
    pub concepts: Vec<String>,
}

/// The cards for the concepts that are due, in their order. A concept that no question is about has none.
pub fn deck(library: &Library, record: &Record, due: &[(String, Memory)]) -> Vec<ReviewCard> {
    let mut cards: Vec<ReviewCard> = Vec::new();
    for (concept, _) in due {
        if cards.iter().any(|card| card.concepts.contains(concept)) {
            continue;
        }
        let questions = library.lessons.iter().flat_map(|lesson| lesson.questions().map(move |q| (lesson, q)));
        let stands_alone = |question: &Question| !matches!(question.kind, QuestionKind::Live { .. });
        let about = questions.filter(|(_, q)| q.concepts.contains(concept) && stands_alone(q));
        let last_seen = |lesson: &str, item: &str| record.item(lesson, item).map_or(i64::MAX, |item| item.last.ms());
        let Some((lesson, question)) = about.min_by_key(|(l, q)| last_seen(&l.meta.id, &q.id)) else { continue };
        let is_due = |id: &&String| due.iter().any(|(concept, _)| concept == *id);
        cards.push(ReviewCard {
            lesson: lesson.meta.id.clone(),
            item: question.id.clone(),
            concepts: question.concepts.iter().filter(is_due).cloned().collect(),
        });
    }
    cards
}
