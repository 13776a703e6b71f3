//! The top bar: the model, the device, and the ways to everything else.

use egui::{Align, Button, Layout, ProgressBar, RichText, Ui, vec2};

use super::actions::{Action, entry};
use super::settings::Settings;
use super::theme::{self, palette};
use super::view::View;
use super::{icon, widgets};
use crate::builtin::{BUILTIN, BuiltIn};
use crate::lab::{Command, DeviceChoice, DeviceOption, ModelSource, Snapshot};
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
    if let Some(standing) = &view.snapshot.standing {
        let due = match standing.due {
            0 => String::new(),
            due => format!("review {due} · "),
        };
        let label = RichText::new(format!("{due}{} XP", standing.xp)).small().color(p.muted);
        let (level, left) = (standing.level.number, standing.level.to - standing.xp);
        let why =
            format!("{}: level {level}, {left} XP to the next. XP are for answers, never for reading.", standing.alias);
        ui.label(label).on_hover_text(why);
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

fn model_menu(ui: &mut Ui, view: &mut View<'_>) {
    let snapshot = view.snapshot;
    let name = snapshot.model.as_ref().map_or("Open a model", |model| model.name.as_str());
    widgets::menu(ui, icon::MODEL, name, "Model", 480.0, |ui| {
        widgets::note(ui, "Built in");
        for model in &BUILTIN {
            built_in_row(ui, view, model);
        }
        ui.separator();
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

/// A row of the menu for a model in the program.
fn built_in_row(ui: &mut Ui, view: &mut View<'_>, model: &'static BuiltIn) {
    let (about, action) = (model.about(), Action::OpenBuiltIn(model.id));
    let chosen = view.snapshot.model.as_ref().is_some_and(|open| open.source.built_in() == Some(model.id));
    let size = format!("{} parameters", widgets::count(about.params));
    let row = widgets::choice_row(ui, entry(action).name, &about.title, &size, &about.description, chosen);
    if row.on_hover_text(&about.description).clicked() {
        view.act(action);
        ui.close();
    }
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
            DeviceKind::Cpu => format!("CPU · {}", short(&model.device.arithmetic)),
            DeviceKind::Gpu => format!("GPU · {}", short(&model.device.arithmetic)),
            DeviceKind::SoftwareGpu => format!("Software GPU · {}", short(&model.device.arithmetic)),
        },
        None => "Device".to_owned(),
    };
    widgets::menu(ui, icon::DEVICE, &label, "Device", 400.0, |ui| {
        widgets::note(ui, "Where to compute");
        if snapshot.devices.is_empty() {
            ui.horizontal(|ui| {
                ui.spinner();
                widgets::note(ui, "Looking for devices…");
            });
        }
        for option in &snapshot.devices {
            let chosen = is_chosen(snapshot, option);
            if widgets::choice_row(ui, &option.name, &option.name, "", &option.detail, chosen).clicked() {
                view.send(Command::SetDevice(option.choice.clone()));
                ui.close();
            }
        }
        ui.separator();
        if let Some(model) = &snapshot.model {
            widgets::note(ui, format!("Computing on {}; {}.", model.device.name, model.device.arithmetic));
        }
        let mut exact = snapshot.exact;
        if widgets::switch(ui, &mut exact, "Exact f32 arithmetic on the CPU").changed() {
            view.send(Command::SetExact(exact));
        }
        widgets::note(ui, "Exact numbers follow the reference to 1e-3; fast ones round activations to 16 bits.");
    });
}

/// The first words on how a device computes, where there is no space for all.
fn short(arithmetic: &str) -> &str {
    arithmetic.split(" while ").next().unwrap_or_default()
}

/// Whether an entry of the menu is the one that was chosen; where nothing was chosen, the one that computes.
fn is_chosen(snapshot: &Snapshot, option: &DeviceOption) -> bool {
    match (&snapshot.device_choice, &snapshot.model) {
        (DeviceChoice::Auto, Some(model)) if model.device.kind == DeviceKind::Cpu => option.choice == DeviceChoice::Cpu,
        (DeviceChoice::Auto, Some(model)) => option.name == model.device.name,
        (choice, _) => option.choice == *choice,
    }
}
