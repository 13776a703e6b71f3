//! The window that says how the model was loaded.

use egui::{Grid, Label, RichText, ScrollArea, Ui, Window};

use super::theme::palette;
use super::view::View;
use super::{icon, widgets};

/// Draws the report while it is open.
pub fn show(ui: &Ui, view: &View<'_>, open: &mut bool) {
    let Some(model) = &view.snapshot.model else {
        *open = false;
        return;
    };
    let p = palette(ui);
    let height = ui.ctx().content_rect().height() - 180.0;
    let window = Window::new(format!("Load report: {}", model.name)).id(egui::Id::unique("load report"));
    let center = ui.ctx().content_rect().center();
    let window = window.pivot(egui::Align2::CENTER_CENTER).default_pos(center).default_size([600.0, height]);
    window.open(open).collapsible(false).max_height(height).show(ui.ctx(), |ui| {
        ScrollArea::vertical().auto_shrink([false, true]).show(ui, |ui| {
            for warning in &model.warnings {
                ui.horizontal_wrapped(|ui| {
                    ui.label(RichText::new(icon::WARNING).family(super::theme::icons()).size(16.0).color(p.warning));
                    ui.label(warning);
                });
            }
            for section in &model.report {
                ui.add_space(6.0);
                widgets::heading(ui, &section.title);
                Grid::new(&section.title).num_columns(2).spacing([24.0, 4.0]).min_col_width(150.0).show(ui, |ui| {
                    for (name, value) in &section.rows {
                        ui.label(RichText::new(name).color(p.muted));
                        ui.add(Label::new(value).wrap().selectable(true));
                        ui.end_row();
                    }
                });
            }
            ui.add_space(8.0);
            let memory = widgets::bytes(model.memory.weights);
            widgets::note(
                ui,
                format!("Loaded in {:.2} s; weights take {memory} on the device.", model.load_time.as_secs_f32()),
            );
        });
    });
}
