//! Today: the first thing that a returning student wants to know.

use egui::{RichText, Ui};

use super::{Desk, Page, block, counted, long_date, meter};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// Draws the page.
pub fn show(ui: &mut Ui, view: &mut View<'_>, desk: &mut Desk<'_>) {
    block(ui, "Review", |ui| review(ui, view, desk));
    block(ui, "Lessons", |ui| lesson(ui, desk));
    block(ui, "This day", |ui| day(ui, view, desk));
}

fn review(ui: &mut Ui, view: &mut View<'_>, desk: &Desk<'_>) {
    let standing = desk.standing;
    let due: Vec<String> = standing.today.reviews.iter().map(|(concept, _)| desk.concepts.title(concept)).collect();
    if due.is_empty() {
        let next = standing.due_dates.values().min();
        let words = match next {
            Some(day) => format!("Nothing is due today. The next review is on {}.", long_date(*day)),
            None => "Nothing is due yet. What you answer in a lesson comes back here just before it fades.".into(),
        };
        ui.label(words);
        return;
    }
    let (verb, n) = (if due.len() == 1 { "is" } else { "are" }, counted(due.len(), "concept"));
    ui.label(format!("{n} {verb} about to fade: {}.", due.join(", ")));
    if standing.deck.is_empty() {
        widgets::note(ui, "No question of the lessons is about them, so there is nothing to ask.");
        return;
    }
    let words = format!("Review {}", counted(standing.deck.len(), "card"));
    if widgets::primary_button(ui, icon::REVIEW, &words).clicked() {
        view.act(Page::Review.action());
    }
}

fn lesson(ui: &mut Ui, desk: &mut Desk<'_>) {
    let Some(next) = desk.standing.today.next.clone() else {
        ui.label("Every lesson is finished. Reviews keep what you know from fading.");
        return;
    };
    let Some((number, title)) = desk.lesson(&next.lesson) else { return };
    let (done, of) = (next.state.done, next.state.of);
    let line = format!("Lesson {number}: {title}");
    let begun = done > 0 || next.place.is_some();
    ui.label(RichText::new(&line).strong());
    let state = format!("{done} of {of} done");
    widgets::note(ui, &state);
    meter(ui, &format!("{line}, {state}"), done as f32 / of.max(1) as f32);
    ui.add_space(2.0);
    let words = format!("{} lesson {number}", if begun { "Continue" } else { "Begin" });
    let button = match desk.standing.deck.is_empty() {
        // One button matters most, and a review comes first.
        true => widgets::primary_button(ui, icon::LESSON, &words),
        false => widgets::button(ui, icon::LESSON, &words),
    };
    if button.clicked() {
        desk.open_lesson(&next.lesson);
    }
}

fn day(ui: &mut Ui, view: &mut View<'_>, desk: &Desk<'_>) {
    let standing = desk.standing;
    let (today, goal) = (standing.xp_today(), standing.profile.goal);
    if goal > 0 {
        let words = match today >= u64::from(goal) {
            true => format!("{today} XP today: your goal of {goal} is reached."),
            false => format!("{today} of {goal} XP today"),
        };
        ui.label(&words);
        meter(ui, &words, today as f32 / goal as f32);
    } else {
        ui.label(format!("{today} XP today"));
    }
    let level = standing.level;
    let (number, left) = (level.number, level.to - standing.xp);
    let words = format!("Level {number}, {left} XP to the next");
    ui.label(&words);
    meter(ui, &words, (standing.xp - level.from) as f32 / (level.to - level.from) as f32);
    if standing.profile.with_streak {
        let streak = standing.streak;
        let freezes = counted(streak.freezes as usize, "free day");
        let words = match (streak.days, streak.today) {
            (0, _) => "A streak begins with the first answer of today.".to_owned(),
            (n, true) => format!("{} in a row; {freezes} left.", counted(n as usize, "day")),
            (n, false) => {
                format!("{} in a row, waiting for an answer today; {freezes} left.", counted(n as usize, "day"))
            }
        };
        ui.label(words);
    }
    let p = palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Goal and streak are up to you:").small().color(p.muted));
        if ui.link(RichText::new("choose them under Profiles").small()).clicked() {
            view.act(Page::Profiles.action());
        }
    });
}
