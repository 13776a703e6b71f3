//! After a damaged file: what happened, and how to go on.

use egui::{Modal, RichText, Ui};

use crate::lab::{Command, LearnerCommand};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// Asks, while there is something to decide. What was opened stays open whatever is pressed, until a button is.
pub fn show(ui: &Ui, view: &mut View<'_>) {
    let Some(what) = view.snapshot.standing.as_ref().and_then(|standing| standing.recovery.clone()) else { return };
    Modal::new(egui::Id::unique("recovery")).show(ui.ctx(), |ui| {
        ui.set_width(520.0);
        let p = palette(ui);
        ui.label(RichText::new("Your record was repaired").heading());
        ui.add_space(4.0);
        ui.label(what);
        ui.add_space(4.0);
        ui.label("Go on with it, or begin a new record. Either way no file is removed.");
        ui.add_space(8.0);
        ui.horizontal_wrapped(|ui| {
            if widgets::primary_button(ui, icon::CHECK, "Go on with this record").clicked() {
                view.send(Command::Learner(LearnerCommand::KeepRestored));
            }
            if widgets::button(ui, icon::RESET, "Begin a new record").clicked() {
                view.send(Command::Learner(LearnerCommand::StartAfresh));
            }
        });
        ui.label(RichText::new("A new record keeps this one under another name beside it.").small().color(p.muted));
    });
}
