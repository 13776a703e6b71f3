//! A review session: one question for each due concept, the same cards and the same grading as in the lessons.
//!
//! The first answer to a card is what counts for the session; every answer is kept in the record, which sets the date of
//! the next review. The deck is drawn when the session begins and stays as it is, although each answer changes what is due.

use egui::Ui;

use super::{Desk, Page, block, counted, long_date};
use crate::lab::{Command, ReviewCard};
use crate::lesson::LiveTruth;
use crate::ui::lesson_view::LessonAction;
use crate::ui::markdown::Typesetter;
use crate::ui::quiz_view::{self, Place, QuizState};
use crate::ui::view::View;
use crate::ui::{graded, icon, memo, widgets};

/// A session, or none yet.
#[derive(Default)]
pub struct ReviewSession {
    /// Whose session it is.
    account: String,
    deck: Vec<ReviewCard>,
    /// The card that is on screen.
    at: usize,
    card: QuizState,
    /// Whether the first answer to each card so far was right.
    first: Vec<bool>,
    /// XP when it began.
    xp_before: u64,
    /// Whether the button that ends the session takes the keyboard.
    focus: bool,
}

impl ReviewSession {
    /// Makes room for the next session. One that was left halfway goes on where it was.
    pub fn forget_if_finished(&mut self) {
        if self.at >= self.deck.len() {
            *self = Self::default();
        }
    }

    /// Draws the session; begins one if cards wait.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, desk: &mut Desk<'_>, type_: &mut Typesetter) {
        let standing = desk.standing;
        if self.account != standing.profile.account || self.deck.is_empty() {
            *self = Self {
                account: standing.profile.account.clone(),
                deck: standing.deck.clone(),
                xp_before: standing.xp,
                ..Self::default()
            };
        }
        if self.deck.is_empty() {
            return nothing_due(ui, view, desk);
        }
        let Some(card) = self.deck.get(self.at).cloned() else { return self.summary(ui, view, desk) };
        self.card(ui, view, desk, type_, &card);
    }

    fn card(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        desk: &mut Desk<'_>,
        type_: &mut Typesetter,
        card: &ReviewCard,
    ) {
        let lesson = desk.library.lessons.iter().find(|lesson| lesson.meta.id == card.lesson);
        let question = lesson.and_then(|lesson| Some((lesson, lesson.questions().find(|q| q.id == card.item)?)));
        let Some((lesson, question)) = question else {
            // Only a deck of other lessons could name it.
            return self.next(false);
        };
        let about: Vec<String> = card.concepts.iter().map(|concept| desk.concepts.title(concept)).collect();
        let (order, title) = (lesson.meta.order, &lesson.meta.title);
        widgets::note(ui, format!("{} · from lesson {order}, {title}", about.join(", ")));
        ui.add_space(2.0);
        let place = Place { lesson: &lesson.meta.id, number: self.at + 1, of: self.deck.len() };
        if let Some(standing) = &view.snapshot.standing {
            let key = (lesson.meta.id.clone(), question.id.clone());
            self.card.begin_after(standing.answers.get(&key).map_or(0, |(_, tries)| *tries));
        }
        // No card of a review is settled by the open model (`lab/deck.rs`).
        for action in quiz_view::show(ui, type_, question, &mut self.card, &LiveTruth::default(), place) {
            if let LessonAction::Answered { verdict, .. } = &action
                && self.first.len() == self.at
            {
                self.first.push(verdict.correct);
            }
            if let Some(mut act) = graded::act(lesson, &action, None, &[]) {
                act.given = memo::of_question(question, &self.card);
                view.send(Command::Record(Box::new(act)));
            }
        }
        ui.add_space(12.0);
        if self.first.len() > self.at {
            let last = self.at + 1 == self.deck.len();
            let words = if last { "Finish the review" } else { "Next card" };
            let next = widgets::primary_button(ui, icon::CHEVRON, words);
            if next.clicked() {
                self.next(next.has_focus());
            }
        } else if widgets::button(ui, icon::CLOSE, "Stop here").clicked() {
            view.act(Page::Today.action());
        }
    }

    /// Goes on; who works by keyboard is taken along, since the button is gone.
    fn next(&mut self, by_keyboard: bool) {
        self.at += 1;
        self.card = if by_keyboard { QuizState::with_focus() } else { QuizState::default() };
        self.focus = by_keyboard;
    }

    fn summary(&mut self, ui: &mut Ui, view: &mut View<'_>, desk: &Desk<'_>) {
        let (cards, right) = (self.first.len(), self.first.iter().filter(|right| **right).count());
        let earned = desk.standing.xp.saturating_sub(self.xp_before);
        block(ui, "Review finished", |ui| {
            ui.label(format!("{}, {right} right at the first try, {earned} XP.", counted(cards, "card")));
            for concept in self.deck.iter().flat_map(|card| &card.concepts) {
                if let Some(day) = desk.standing.due_dates.get(concept) {
                    widgets::note(ui, format!("{}: again on {}", desk.concepts.title(concept), long_date(*day)));
                }
            }
            ui.add_space(2.0);
            let back = widgets::primary_button(ui, icon::TODAY, "Back to today");
            if std::mem::take(&mut self.focus) {
                back.request_focus();
            }
            if back.clicked() {
                *self = Self::default();
                view.act(Page::Today.action());
            }
        });
    }
}

fn nothing_due(ui: &mut Ui, view: &mut View<'_>, desk: &Desk<'_>) {
    block(ui, "Nothing is due", |ui| {
        let words = match desk.standing.due_dates.values().min() {
            Some(day) => format!("The next review is on {}.", long_date(*day)),
            None => "Answer a few questions in a lesson: each concept comes back here just before it fades.".into(),
        };
        ui.label(words);
        if widgets::primary_button(ui, icon::TODAY, "Back to today").clicked() {
            view.act(Page::Today.action());
        }
    });
}
