//! What the panels of studies share: the row that begins, stops and tells how far it is.

use std::sync::Arc;

use egui::{ProgressBar, Ui};

use crate::lab::{Command, LossText, Study, StudyView};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// A button that begins a study or stops it, with its progress, and the sentence where there is nothing to find. Returns
/// what is known.
pub fn controls(ui: &mut Ui, view: &mut View<'_>, study: Study, text: LossText, begin: &str) -> Option<Arc<StudyView>> {
    let now = view.snapshot.studies.get(&study).cloned();
    ui.horizontal_wrapped(|ui| {
        if let Some(now) = now.as_ref().filter(|now| now.running) {
            let fraction = now.done as f32 / now.total.max(1) as f32;
            let name = format!("{begin}: {} of {}", now.done, now.total);
            let bar = ProgressBar::new(fraction).desired_width(140.0).desired_height(8.0).fill(palette(ui).accent_fill);
            ui.add(bar).accessible_name(&name);
            widgets::note(ui, format!("{} of {}", now.done, now.total));
            if widgets::button(ui, icon::STOP, "Stop the study").clicked() {
                view.send(Command::StopStudy(study));
            }
        } else if widgets::button(ui, icon::STEP, begin).clicked() {
            view.send(Command::Study(study, text));
        }
    });
    if let Some(problem) = now.as_ref().and_then(|now| now.problem.as_ref()) {
        widgets::note(ui, problem.as_str());
    }
    now
}

/// Whether a model is open; says so where there is none.
pub fn has_model(ui: &mut Ui, view: &View<'_>, about: &str) -> bool {
    let open = view.snapshot.model.is_some();
    if !open {
        widgets::empty_state(ui, icon::MODEL, "No model is open", &format!("Open a model to see {about}."));
    }
    open
}
