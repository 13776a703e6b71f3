//! Profiles: who learns on this machine, and what each wants to see.

use egui::{RichText, TextEdit, Ui};

use super::{Desk, block, long_date};
use crate::lab::{Command, Learner, LearnerCommand};
use crate::progress::{Profile, ProfileId};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// Goals that can be chosen, in XP a day.
const GOALS: [(u32, &str); 4] = [(0, "No goal"), (20, "20 XP a day"), (50, "50 XP a day"), (100, "100 XP a day")];
/// Characters that an alias may have.
const MAX_ALIAS: usize = 40;

/// What is being typed or asked.
#[derive(Default)]
pub struct Profiles {
    new: String,
    renaming: Option<(ProfileId, String)>,
    removing: Option<ProfileId>,
    /// Whether the field or button that just appeared takes the keyboard.
    focus: bool,
}

impl Profiles {
    /// Draws the page.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, desk: &Desk<'_>) {
        let standing = desk.standing;
        for learner in &standing.everyone {
            let is_own = learner.profile.id == standing.profile.id;
            block(ui, "", |ui| {
                self.head(ui, view, learner, is_own);
                if is_own {
                    choices(ui, view, &standing.profile);
                }
            });
        }
        block(ui, "Somebody else", |ui| {
            let label = ui.label("Each profile has its own answers, XP and dates of review. An alias is enough.");
            ui.horizontal(|ui| {
                let field = TextEdit::singleline(&mut self.new).desired_width(240.0).char_limit(MAX_ALIAS);
                let field =
                    ui.add(field.hint_text("Alias")).labelled_by(label.id).accessible_name("Alias of the new profile");
                let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                let ready = !self.new.trim().is_empty();
                let add = ui.add_enabled_ui(ready, |ui| widgets::button(ui, icon::ADD, "Add profile")).inner;
                if ready && (add.clicked() || entered) {
                    let alias = std::mem::take(&mut self.new);
                    view.send(Command::Learner(LearnerCommand::AddProfile(alias)));
                }
            });
        });
        widgets::note(ui, format!("The record is kept in {}.", standing.path.display()));
    }

    fn head(&mut self, ui: &mut Ui, view: &mut View<'_>, learner: &Learner, is_own: bool) {
        let (id, alias) = (learner.profile.id, learner.profile.alias.as_str());
        if self.renaming.as_ref().is_some_and(|(renamed, _)| *renamed == id) {
            self.rename(ui, view, &learner.profile);
        } else {
            let p = palette(ui);
            ui.horizontal_wrapped(|ui| {
                widgets::heading(ui, alias);
                if is_own {
                    ui.label(RichText::new("learns now").small().color(p.accent));
                }
            });
            let last = learner
                .last
                .map_or("nothing answered yet".to_owned(), |day| format!("last answer on {}", long_date(day)));
            widgets::note(ui, format!("Level {}, {} XP, {last}", learner.level, learner.xp));
        }
        if self.removing == Some(id) {
            return self.remove(ui, view, learner);
        }
        ui.horizontal_wrapped(|ui| {
            if !is_own && widgets::button(ui, icon::PROFILES, &format!("Learn as {alias}")).clicked() {
                view.send(Command::Learner(LearnerCommand::SwitchProfile(id)));
            }
            if self.renaming.is_none() && widgets::button(ui, icon::EDIT, &format!("Rename {alias}")).clicked() {
                (self.renaming, self.focus) = (Some((id, alias.to_owned())), true);
            }
            if widgets::button(ui, icon::DELETE, &format!("Delete {alias}")).clicked() {
                (self.removing, self.focus) = (Some(id), true);
            }
        });
    }

    fn rename(&mut self, ui: &mut Ui, view: &mut View<'_>, profile: &Profile) {
        let Some((_, alias)) = &mut self.renaming else { return };
        let (mut done, mut cancelled) = (false, false);
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(alias).desired_width(240.0).char_limit(MAX_ALIAS));
            let field = field.accessible_name(format!("New alias of {}", profile.alias));
            if std::mem::take(&mut self.focus) {
                field.request_focus();
            }
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let ready = !alias.trim().is_empty();
            let save = ui.add_enabled_ui(ready, |ui| widgets::button(ui, icon::CHECK, "Save alias")).inner;
            done = ready && (save.clicked() || entered);
            cancelled = widgets::button(ui, icon::CLOSE, "Keep the old alias").clicked();
        });
        if done {
            let changed = Profile { alias: alias.clone(), ..profile.clone() };
            view.send(Command::Learner(LearnerCommand::ChangeProfile(changed)));
        }
        if done || cancelled {
            self.renaming = None;
        }
    }

    fn remove(&mut self, ui: &mut Ui, view: &mut View<'_>, learner: &Learner) {
        let (p, alias) = (palette(ui), learner.profile.alias.as_str());
        let words = format!(
            "Delete {alias} with {} XP and every answer? This cannot be taken back here. The copies beside the record \
             keep it until newer ones take their place.",
            learner.xp
        );
        ui.label(RichText::new(words).color(p.danger));
        ui.horizontal_wrapped(|ui| {
            let keep = widgets::button(ui, icon::UNDO, &format!("Keep {alias}"));
            // The safe answer has the keyboard.
            if std::mem::take(&mut self.focus) {
                keep.request_focus();
            }
            let delete = widgets::button(ui, icon::DELETE, &format!("Delete {alias} for good"));
            if delete.clicked() {
                view.send(Command::Learner(LearnerCommand::RemoveProfile(learner.profile.id)));
            }
            if keep.clicked() || delete.clicked() {
                self.removing = None;
            }
        });
    }
}

/// What the profile that learns wants to see.
fn choices(ui: &mut Ui, view: &mut View<'_>, profile: &Profile) {
    let mut changed = profile.clone();
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        widgets::note(ui, "Daily goal");
        let options: Vec<(u32, &str)> = GOALS.to_vec();
        widgets::segmented(ui, &mut changed.goal, &options);
    });
    ui.horizontal_wrapped(|ui| {
        widgets::switch(ui, &mut changed.with_streak, "Show my streak")
            .on_hover_text("Days in a row with an answer. Two missed days at a time are free.");
        ui.add_space(12.0);
        widgets::switch(ui, &mut changed.on_leaderboard, "Take part in the leaderboard")
            .on_hover_text("Your alias and the XP of the week, for the other profiles that take part");
    });
    if changed != *profile {
        view.send(Command::Learner(LearnerCommand::ChangeProfile(changed)));
    }
}
