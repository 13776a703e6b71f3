//! The top bar: the model, the device, and the ways to everything else.

use egui::{Align, Button, Layout, Popup, ProgressBar, RichText, Stroke, Ui, vec2};

use super::actions::{Action, entry};
use super::settings::Settings;
use super::theme::{self, palette};
use super::view::View;
use super::{icon, widgets};
use crate::lab::{Command, DeviceOption, ModelSource};
use crate::model::DeviceKind;

/// Draws the bar.
pub fn show(ui: &mut Ui, view: &mut View<'_>, settings: &Settings) {
    ui.horizontal(|ui| {
        ui.set_height(30.0);
        let p = palette(ui);
        let rail = if settings.rail_open { "Hide the list of lessons" } else { "Show the list of lessons" };
        if widgets::icon_button(ui, icon::RAIL, rail).clicked() {
            view.act(Action::ToggleRail);
        }
        ui.label(RichText::new("Glassbox").family(theme::bold()).size(17.0).color(p.text));
        ui.add_space(8.0);
        model_menu(ui, view);
        device_menu(ui, view);
        let report = ui.add_enabled_ui(view.snapshot.model.is_some(), |ui| {
            widgets::button(ui, icon::REPORT, entry(Action::ShowReport).name)
        });
        if report.inner.clicked() {
            view.act(Action::ShowReport);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| right_side(ui, view));
    });
}

fn right_side(ui: &mut Ui, view: &mut View<'_>) {
    let p = palette(ui);
    let (icon, name) = if p.dark { (icon::LIGHT, "Use the light theme") } else { (icon::DARK, "Use the dark theme") };
    if widgets::icon_button(ui, icon, name).clicked() {
        view.act(Action::ToggleTheme);
    }
    let keys = entry(Action::Palette).keys.map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
    let label = widgets::icon_and_text(ui, icon::SEARCH, &keys, p.muted);
    let palette_button = widgets::named(ui.add(Button::new(label)), "Command palette");
    if palette_button.on_hover_text("Find any command").clicked() {
        view.act(Action::Palette);
    }
    if let Some(activity) = &view.snapshot.activity {
        if widgets::button(ui, icon::CLOSE, "Cancel").clicked() {
            view.send(Command::Cancel);
        }
        match activity.fraction {
            Some(fraction) => {
                let bar = ProgressBar::new(fraction).desired_width(120.0).desired_height(6.0).fill(p.accent_fill);
                ui.add(bar).accessible_name(activity.label.as_str());
            }
            None => {
                ui.add(egui::Spinner::new().size(16.0).color(p.accent));
            }
        }
        let label = RichText::new(&activity.label).small().color(p.muted);
        ui.add(egui::Label::new(label).truncate());
    }
}

/// A button of the bar that opens a menu below itself.
fn menu(ui: &mut Ui, icon: &str, text: &str, name: &str, width: f32, content: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let mut shown: String = text.chars().take(34).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let label = widgets::icon_and_text(ui, icon, &shown, p.text);
    let arrow = RichText::new(icon::EXPAND).family(theme::icons()).size(16.0).color(p.muted);
    let response = widgets::named(ui.add(Button::new((label, arrow)).gap(4.0)), name);
    Popup::menu(&response).gap(6.0).width(width).show(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.with_layout(Layout::top_down(Align::Min), content);
    });
}

fn model_menu(ui: &mut Ui, view: &mut View<'_>) {
    let snapshot = view.snapshot;
    let name = snapshot.model.as_ref().map_or("Open a model", |model| model.name.as_str());
    menu(ui, icon::MODEL, name, "Model", 360.0, |ui| {
        for action in [Action::OpenFile, Action::OpenFolder] {
            action_row(ui, view, action);
        }
        if !snapshot.recent.is_empty() {
            ui.separator();
            ui.horizontal(|ui| {
                widgets::note(ui, "Recent");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if ui.small_button("Forget").on_hover_text("Forget the recent files").clicked() {
                        view.send(Command::ClearRecent);
                    }
                });
            });
            for path in &snapshot.recent {
                let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
                if widgets::menu_row(ui, icon::RECENT, &file).on_hover_text(path.display().to_string()).clicked() {
                    view.send(Command::OpenModel(ModelSource::File(path.clone())));
                    ui.close();
                }
            }
        }
        if snapshot.model.is_some() {
            ui.separator();
            action_row(ui, view, Action::CloseModel);
        }
    });
}

/// A row of a menu for a command of the table, with its keys.
fn action_row(ui: &mut Ui, view: &mut View<'_>, action: Action) {
    let entry = entry(action);
    let p = palette(ui);
    let label = widgets::icon_and_text(ui, entry.icon, entry.name, p.text);
    let mut button = Button::new(label).frame_when_inactive(false).min_size(vec2(ui.available_width(), 28.0));
    if let Some(keys) = &entry.keys {
        button = button.shortcut_text(RichText::new(ui.ctx().format_shortcut(keys)).small().color(p.muted));
    }
    if widgets::named(ui.add(button), entry.name).clicked() {
        view.act(action);
        ui.close();
    }
}

fn device_menu(ui: &mut Ui, view: &mut View<'_>) {
    let snapshot = view.snapshot;
    let label = match &snapshot.model {
        Some(model) => match model.device.kind {
            DeviceKind::Cpu => format!("CPU · {}", model.device.arithmetic),
            DeviceKind::Gpu => format!("GPU · {}", model.device.arithmetic),
            DeviceKind::SoftwareGpu => format!("Software GPU · {}", model.device.arithmetic),
        },
        None => "Device".to_owned(),
    };
    menu(ui, icon::DEVICE, &label, "Device", 400.0, |ui| {
        widgets::note(ui, "Where to compute");
        if snapshot.devices.is_empty() {
            ui.horizontal(|ui| {
                ui.spinner();
                widgets::note(ui, "Looking for devices…");
            });
        }
        for option in &snapshot.devices {
            if device_row(ui, option, option.choice == snapshot.device_choice).clicked() {
                view.send(Command::SetDevice(option.choice.clone()));
                ui.close();
            }
        }
        ui.separator();
        if let Some(model) = &snapshot.model {
            widgets::note(ui, format!("Computing on {} with {}.", model.device.name, model.device.arithmetic));
        }
        let mut exact = snapshot.exact;
        if widgets::switch(ui, &mut exact, "Exact f32 arithmetic on the CPU").changed() {
            view.send(Command::SetExact(exact));
        }
        widgets::note(ui, "Exact numbers follow the reference to 1e-3; fast ones round activations to 16 bits.");
    });
}

fn device_row(ui: &mut Ui, option: &DeviceOption, chosen: bool) -> egui::Response {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), egui::Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::RadioButton, ui.is_enabled(), chosen, option.name.as_str())
    });
    if ui.is_rect_visible(rect) {
        let fill = if chosen {
            p.accent_soft
        } else if response.hovered() {
            p.hover
        } else {
            p.raised
        };
        let stroke = if response.has_focus() { Stroke::new(1.5, p.accent) } else { Stroke::NONE };
        ui.painter().rect(rect, theme::RADIUS_SMALL, fill, stroke, egui::StrokeKind::Inside);
        let text = rect.shrink2(vec2(10.0, 5.0));
        let width = text.width() - 24.0;
        let line = |text: &str, style: egui::TextStyle, color| {
            let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), style.resolve(ui.style()), color);
            job.wrap = egui::text::TextWrapping::truncate_at_width(width);
            ui.painter().layout_job(job)
        };
        let name = line(&option.name, egui::TextStyle::Button, p.text);
        let detail = line(&option.detail, egui::TextStyle::Small, p.muted);
        ui.painter().galley(text.left_top(), name, p.text);
        ui.painter().galley(text.left_bottom() - vec2(0.0, detail.size().y), detail, p.muted);
        if chosen {
            let font = egui::FontId::new(18.0, theme::icons());
            ui.painter().text(text.right_center(), egui::Align2::RIGHT_CENTER, icon::CHECK, font, p.accent);
        }
    }
    response
}
