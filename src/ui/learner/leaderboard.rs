//! This week among those who take part: one's own place and the neighbours, never the whole list.

use egui::{Frame, Layout, Margin, RichText, Ui};

use super::{Desk, Page, block, counted, long_date};
use crate::lab::{Command, LearnerCommand};
use crate::progress::Profile;
use crate::ui::theme::{self, palette};
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// Draws the page.
pub fn show(ui: &mut Ui, view: &mut View<'_>, desk: &mut Desk<'_>) {
    let standing = desk.standing;
    let Some(board) = &standing.board else {
        block(ui, "You do not take part", |ui| {
            ui.label(
                "Who takes part sees how many XP the profiles of this machine have earned since Monday: the own line, \
                 two neighbours on each side and the own best week. Only profiles that ask for it are shown, under \
                 their aliases.",
            );
            widgets::note(ui, "Comparing can spur on, and it can discourage. You can leave again at any time.");
            if widgets::primary_button(ui, icon::LEADERBOARD, "Take part").clicked() {
                change(view, Profile { on_leaderboard: true, ..standing.profile.clone() });
            }
        });
        return;
    };
    block(ui, &format!("Week of {}", long_date(board.season.monday())), |ui| {
        for line in &board.lines {
            let p = palette(ui);
            let fill = if line.own { p.accent_soft } else { p.sunken };
            let frame =
                Frame::new().fill(fill).corner_radius(theme::RADIUS_SMALL).inner_margin(Margin::symmetric(12, 8));
            let row = frame.show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.add_sized([28.0, 18.0], egui::Label::new(RichText::new(line.place.to_string()).strong()));
                    let alias = if line.own { format!("{} (you)", line.alias) } else { line.alias.clone() };
                    ui.add(egui::Label::new(alias).truncate());
                    ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.label(RichText::new(format!("{} XP", line.xp)).color(p.text));
                    });
                });
            });
            let name = format!("Place {}: {}, {} XP", line.place, line.alias, line.xp);
            row.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, name.as_str()));
        }
        if board.players < 2 {
            ui.label("Nobody else takes part yet. Others who learn on this machine can join under their own profile.");
            if widgets::button(ui, icon::PROFILES, "Go to the profiles").clicked() {
                view.act(Page::Profiles.action());
            }
        } else {
            widgets::note(ui, format!("{} take part. It begins anew on Monday.", counted(board.players, "profile")));
        }
    });
    block(ui, "Your best week", |ui| {
        ui.label(match board.best {
            Some((season, xp)) => format!("{xp} XP in the week of {}", long_date(season.monday())),
            None => "It comes with the first answer.".to_owned(),
        });
    });
    if widgets::button(ui, icon::CLOSE, "Leave the leaderboard").clicked() {
        change(view, Profile { on_leaderboard: false, ..standing.profile.clone() });
    }
}

fn change(view: &mut View<'_>, profile: Profile) {
    view.send(Command::Learner(LearnerCommand::ChangeProfile(profile)));
}
