//! Progress: figures, the map of concepts, plots, badges, and the way out for all of it.

use egui::{Align, Layout, RichText, Ui};

use super::{Desk, badges, block, charts, mastery_map};
use crate::lab::Export;
use crate::progress::ConceptState;
use crate::ui::actions::{Action, entry};
use crate::ui::theme::{self, palette};
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// The command that saves an export.
pub fn action_of(export: Export) -> Action {
    match export {
        Export::Xapi => Action::SaveStatements,
        Export::GradeBook => Action::SaveGradeBook,
        Export::Report => Action::SaveReport,
    }
}

/// Draws the page.
pub fn show(ui: &mut Ui, view: &mut View<'_>, desk: &mut Desk<'_>) {
    block(ui, "", |ui| figures(ui, desk));
    block(ui, "What builds on what", |ui| mastery_map::show(ui, desk));
    block(ui, "", |ui| plots(ui, desk));
    block(ui, "Badges", |ui| badges::show(ui, desk));
    block(ui, "Take it with you", |ui| exports(ui, view));
}

/// The figures that stand for all the rest.
fn figures(ui: &mut Ui, desk: &Desk<'_>) {
    let standing = desk.standing;
    let is_mastered = |state: ConceptState| matches!(state, ConceptState::Mastered | ConceptState::Due);
    let mastered = standing.concepts.iter().filter(|concept| is_mastered(concept.state)).count();
    let right = standing.total.accuracy().map_or("none yet".to_owned(), |share| format!("{:.0} %", 100.0 * share));
    let brier = standing.calibration.brier.map_or("none yet".to_owned(), |brier| format!("{brier:.3}"));
    let figures = [
        ("Level", standing.level.number.to_string()),
        ("XP", standing.xp.to_string()),
        ("Concepts mastered", format!("{mastered} of {}", standing.concepts.len())),
        ("Right answers", right),
        ("Time", duration(standing.total.minutes())),
        ("Brier score", brier),
    ];
    let p = palette(ui);
    let columns = if ui.available_width() < 620.0 { 3 } else { 6 };
    for row in figures.chunks(columns) {
        ui.columns(columns, |columns| {
            for (ui, (name, value)) in columns.iter_mut().zip(row) {
                let shown = ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    widgets::note(ui, *name);
                    ui.label(RichText::new(value).text_style(theme::title()).color(p.text));
                });
                let words = format!("{name}: {value}");
                shown.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, words.as_str()));
            }
        });
    }
    if !standing.has_begun() {
        widgets::note(ui, "Nothing was answered yet. Every figure and plot here comes from answers in the lessons.");
    }
}

/// A time in words.
fn duration(minutes: f64) -> String {
    let minutes = minutes.round() as u64;
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

/// Draws one plot.
type Chart = fn(&mut Ui, &Desk<'_>);

fn plots(ui: &mut Ui, desk: &Desk<'_>) {
    let standing = desk.standing;
    let two = ui.available_width() >= 640.0;
    let pairs: [[Chart; 2]; 2] = [
        [|ui, desk| charts::xp(ui, desk.standing), |ui, desk| charts::accuracy(ui, desk.standing)],
        [|ui, desk| charts::time(ui, desk.standing), |ui, desk| charts::calibration(ui, &desk.standing.calibration)],
    ];
    if standing.total == crate::progress::DayFigures::default() {
        ui.label("Plots of XP, right answers, time and calibration begin with the first answer.");
        return;
    }
    ui.spacing_mut().item_spacing.x = 24.0;
    for pair in pairs {
        if two {
            ui.columns(2, |columns| {
                for (ui, plot) in columns.iter_mut().zip(pair) {
                    // Columns stretch their text to both sides; prose does not want that.
                    ui.with_layout(Layout::top_down(Align::Min), |ui| plot(ui, desk));
                }
            });
        } else {
            pair.into_iter().for_each(|plot| plot(ui, desk));
        }
        ui.add_space(10.0);
    }
    charts::brier(ui, &standing.calibration);
}

fn exports(ui: &mut Ui, view: &mut View<'_>) {
    ui.label(
        "The lab report holds every answer with the model's hash and the changes made, plots, and what is in the lab \
         now, as one file. The grade book has a line for each profile and lesson. The statements are for a learning \
         record store.",
    );
    ui.horizontal_wrapped(|ui| {
        for export in Export::ALL {
            let action = action_of(export);
            if widgets::button(ui, icon::SAVE, entry(action).name).clicked() {
                view.act(action);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        for (minutes, text) in [(0.0, "0 min"), (59.4, "59 min"), (59.6, "1 h 0 min"), (135.0, "2 h 15 min")] {
            assert_eq!(duration(minutes), text);
        }
    }
}
