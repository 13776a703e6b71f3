//! The student's own pages.
//!
//! Each page draws what the record's thread has computed ([`Standing`]) and hands requests back; none of them reads a
//! file, asks what time it is or folds a log. They fill the space of lesson and lab, and the list at the left leads to
//! them and away again.
//!
//! - `today`: what is due, and where to go on. - `review`: the due concepts as cards.
//! - `progress`: figures, the map of concepts (`mastery_map`), plots (`charts`), badges, exports.
//! - `leaderboard`, `profiles`: who learns on this machine. - `recovery`: after a damaged file.

mod badges;
mod charts;
mod leaderboard;
mod mastery_map;
mod profiles;
mod progress;
mod recovery;
mod review;
mod today;

use egui::{Frame, Margin, RichText, ScrollArea, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::actions::Action;
use super::lesson_column::LessonColumn;
use super::markdown::Typesetter;
use super::settings::Settings;
use super::theme::{self, palette};
use super::view::View;
use super::{icon, notice, widgets};
use crate::lab::{Command, LearnerCommand, Standing};
use crate::lesson::{Concepts, Library};

pub use recovery::show as show_recovery;

/// One of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Page {
    /// What to do today.
    Today,
    /// The due concepts, as cards.
    Review,
    /// What was learnt.
    Progress,
    /// This week among those who take part.
    Leaderboard,
    /// Who learns here.
    Profiles,
}

impl Page {
    /// Every page, in the order of the list.
    pub const ALL: [Self; 5] = [Self::Today, Self::Review, Self::Progress, Self::Leaderboard, Self::Profiles];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Today => "Today",
            Self::Review => "Review",
            Self::Progress => "Progress",
            Self::Leaderboard => "Leaderboard",
            Self::Profiles => "Profiles",
        }
    }

    /// Its icon.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Today => icon::TODAY,
            Self::Review => icon::REVIEW,
            Self::Progress => icon::PROGRESS,
            Self::Leaderboard => icon::LEADERBOARD,
            Self::Profiles => icon::PROFILES,
        }
    }

    /// The command that opens it.
    pub fn action(self) -> Action {
        match self {
            Self::Today => Action::ShowToday,
            Self::Review => Action::ShowReview,
            Self::Progress => Action::ShowProgress,
            Self::Leaderboard => Action::ShowLeaderboard,
            Self::Profiles => Action::ShowProfiles,
        }
    }
}

/// The pages with what they keep between frames.
#[derive(Default)]
pub struct LearnerPages {
    open: Option<Page>,
    review: review::ReviewSession,
    profiles: profiles::Profiles,
    type_: Typesetter,
}

/// What a page is given beside the view.
struct Desk<'a> {
    standing: &'a Standing,
    settings: &'a mut Settings,
    library: &'a Library,
    concepts: &'a Concepts,
}

impl Desk<'_> {
    /// Leaves the page for a lesson.
    fn open_lesson(&mut self, id: &str) {
        self.settings.lesson = Some(id.to_owned());
        (self.settings.page, self.settings.lesson_hidden) = (None, false);
    }

    /// The number of a lesson and its title.
    fn lesson(&self, id: &str) -> Option<(u32, &str)> {
        let lesson = self.library.lessons.iter().find(|lesson| lesson.meta.id == id)?;
        Some((lesson.meta.order, &lesson.meta.title))
    }
}

impl LearnerPages {
    /// Draws a page into all of the space there is.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        page: Page,
        view: &mut View<'_>,
        settings: &mut Settings,
        lessons: &LessonColumn,
    ) {
        // Another window may have written meanwhile, or a night passed.
        if self.open.replace(page) != Some(page) {
            self.review.forget_if_finished();
            view.send(Command::Learner(LearnerCommand::Refresh));
        }
        notice::show_sticky(ui, view);
        let Some(standing) = view.snapshot.standing.clone() else { return no_record(ui, view) };
        let mut desk = Desk { standing: &standing, settings, library: lessons.library(), concepts: lessons.concepts() };
        let width = if page == Page::Progress { 1180.0 } else { 760.0 };
        ScrollArea::vertical().id_salt(page.name()).auto_shrink(false).show(ui, |ui| {
            column(ui, width, |ui| {
                let subtitle = match page {
                    Page::Today => format!("{}, {}", standing.alias, long_date(standing.day)),
                    Page::Leaderboard | Page::Profiles => "On this machine. Nothing is sent anywhere.".to_owned(),
                    Page::Progress => standing.alias.clone(),
                    Page::Review => "What is about to fade, asked once more".to_owned(),
                };
                head(ui, page.name(), &subtitle);
                match page {
                    Page::Today => today::show(ui, view, &mut desk),
                    Page::Review => self.review.show(ui, view, &mut desk, &mut self.type_),
                    Page::Progress => progress::show(ui, view, &mut desk),
                    Page::Leaderboard => leaderboard::show(ui, view, &mut desk),
                    Page::Profiles => self.profiles.show(ui, view, &desk),
                }
            });
        });
    }

    /// To be called when no page is on screen: the next one looks at the record anew.
    pub fn left(&mut self) {
        self.open = None;
    }
}

/// What is said where there is no record to draw.
fn no_record(ui: &mut Ui, view: &View<'_>) {
    let words = match &view.snapshot.no_record {
        Some(why) => why.as_str(),
        None if view.snapshot.keeps_record => "The record of what was learnt is being opened.",
        None => "No record is kept in this sitting.",
    };
    widgets::empty_state(ui, icon::PROFILES, "Nothing to show yet", words);
}

/// A centred column of at most some width.
fn column(ui: &mut Ui, width: f32, contents: impl FnOnce(&mut Ui)) {
    const MARGIN: f32 = 24.0;
    let available = ui.available_width();
    let width = (available - 2.0 * MARGIN).min(width).max(200.0);
    ui.horizontal_top(|ui| {
        ui.add_space(((available - width) / 2.0).floor());
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.add_space(MARGIN);
            contents(ui);
            ui.add_space(2.0 * MARGIN);
        });
    });
}

fn head(ui: &mut Ui, title: &str, subtitle: &str) {
    let p = palette(ui);
    ui.label(RichText::new(title).text_style(theme::title()));
    ui.label(RichText::new(subtitle).color(p.muted));
    ui.add_space(14.0);
}

/// A framed block with a heading.
fn block(ui: &mut Ui, title: &str, contents: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let line = egui::Stroke::new(1.0, p.border);
    let frame = Frame::new().fill(p.surface).stroke(line).corner_radius(theme::RADIUS).inner_margin(Margin::same(16));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        if !title.is_empty() {
            widgets::heading(ui, title);
        }
        contents(ui);
    });
    ui.add_space(12.0);
}

/// A bar that says how far something has come, with its words for a screen reader.
fn meter(ui: &mut Ui, name: &str, share: f32) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 8.0), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, name));
    ui.painter().rect_filled(rect, 4.0, p.hover);
    let filled = rect.with_max_x(egui::lerp(rect.x_range(), share.clamp(0.0, 1.0)));
    if share > 0.0 {
        ui.painter().rect_filled(filled.with_max_x(filled.right().max(rect.left() + 8.0)), 4.0, p.accent_fill);
    }
}

/// “1 card”, “3 cards”.
fn counted(n: usize, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day in words: 24 November 2026.
fn long_date(day: crate::progress::Day) -> String {
    let text = day.to_string();
    let mut parts = text.split('-');
    let (year, month, of_month) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|m| m.parse::<usize>().ok()).and_then(|m| MONTHS.get(m.wrapping_sub(1)));
    match (year, month, of_month) {
        (Some(year), Some(month), Some(of_month)) => format!("{} {month} {year}", of_month.trim_start_matches('0')),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Day;

    #[test]
    fn dates_read_well() {
        assert_eq!(long_date(Day(0)), "1 January 1970");
        assert_eq!(long_date(Day(20_786)), "29 November 2026");
    }

    #[test]
    fn every_page_has_a_command_of_its_name() {
        for page in Page::ALL {
            assert_eq!(super::super::actions::entry(page.action()).name, page.name());
        }
    }
}
