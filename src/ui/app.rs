//! What eframe runs.

use std::sync::Arc;

use eframe::{CreationContext, Frame, Storage};
use egui::{Context, Ui};

use super::settings::Settings;
use super::shell::Shell;
use super::theme;
use crate::builtin::ModelFolders;
use crate::lab::{Begin, Command, DeviceChoice, Lab, LabOptions, ModelSource, Snapshot};

/// Where [`Settings`] are kept in eframe's storage.
const SETTINGS: &str = "settings";

/// What the window needs of a lab.
pub trait Desk {
    /// Carries out a command; returns at once.
    fn apply(&mut self, command: Command);
    /// Collects what has been done. True if the snapshot changed.
    fn poll(&mut self) -> bool;
    /// What is to be shown.
    fn snapshot(&self) -> &Snapshot;
    /// Whether nothing runs or waits.
    fn is_idle(&self) -> bool;
    /// Waits until nothing runs or waits. For pictures and tests; the window never calls it.
    fn wait_until_idle(&mut self);
}

impl Desk for Lab {
    fn apply(&mut self, command: Command) {
        Lab::apply(self, command);
    }

    fn poll(&mut self) -> bool {
        Lab::poll(self)
    }

    fn snapshot(&self) -> &Snapshot {
        Lab::snapshot(self)
    }

    fn is_idle(&self) -> bool {
        Lab::is_idle(self)
    }

    fn wait_until_idle(&mut self) {
        Lab::wait_until_idle(self);
    }
}

/// The window over a lab.
pub struct App {
    lab: Box<dyn Desk>,
    shell: Shell,
}

impl App {
    /// A window with a lab of its own, with what was remembered from last time. It opens the model that is named, else
    /// the one of last time, else the default one.
    pub fn new(cc: &CreationContext<'_>, open: Option<ModelSource>, device: Option<DeviceChoice>) -> Self {
        let mut settings: Settings =
            cc.storage.and_then(|storage| eframe::get_value(storage, SETTINGS)).unwrap_or_default();
        if let Some(device) = device {
            settings.device = device;
        }
        let options = LabOptions {
            begin: open.map_or(Begin::Again, Begin::With),
            last: settings.model.clone(),
            folders: ModelFolders::of_this_program(),
            recent: settings.recent.clone(),
            device: settings.device.clone(),
            exact: settings.exact,
            prompt: FIRST_PROMPT.to_owned(),
            record: crate::progress::default_path().ok(),
        };
        let waker = cc.egui_ctx.clone();
        let lab = Lab::new(options, move || waker.request_repaint());
        Self::with_lab(&cc.egui_ctx, Box::new(lab), settings)
    }

    /// A window over a given lab.
    pub fn with_lab(ctx: &Context, lab: Box<dyn Desk>, settings: Settings) -> Self {
        theme::install(ctx);
        egui_extras::install_image_loaders(ctx);
        if let Some(theme) = settings.theme {
            ctx.set_theme(theme);
        }
        Self { lab, shell: Shell::new(settings) }
    }

    /// The lab under the window.
    pub fn lab(&self) -> &dyn Desk {
        self.lab.as_ref()
    }

    /// The lab under the window, to be told something from outside.
    pub fn lab_mut(&mut self) -> &mut dyn Desk {
        self.lab.as_mut()
    }

    /// What the lab shows.
    pub fn snapshot(&self) -> &Snapshot {
        self.lab.snapshot()
    }

    /// The layout and state of the window.
    pub fn shell_mut(&mut self) -> &mut Shell {
        &mut self.shell
    }

    /// What is remembered for the next start.
    pub fn settings_to_save(&self) -> Settings {
        self.shell.settings_to_save(self.lab.snapshot())
    }

    /// Whether the lab rests and every picture of the panels has been made.
    pub fn is_settled(&self) -> bool {
        self.lab.is_idle() && !self.shell.is_pending()
    }
}

/// What the prompt says before the student types, where the model does not suggest one.
pub const FIRST_PROMPT: &str = "The little boat sailed past the old lighthouse. The little boat";

impl eframe::App for App {
    fn logic(&mut self, ctx: &Context, _frame: &mut Frame) {
        if self.lab.poll() {
            ctx.request_repaint();
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let commands = self.shell.show(ui, self.lab.snapshot());
        if !commands.is_empty() {
            ui.ctx().request_repaint();
        }
        for command in commands {
            self.lab.apply(command);
        }
    }

    fn save(&mut self, storage: &mut dyn Storage) {
        eframe::set_value(storage, SETTINGS, &self.settings_to_save());
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// Opens the window and runs until it is closed.
pub fn run(open: Option<ModelSource>, device: Option<DeviceChoice>) -> eframe::Result {
    let viewport = egui::ViewportBuilder::default()
        .with_title("Glassbox")
        .with_app_id("glassbox")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([960.0, 620.0])
        .with_icon(Arc::new(theme::app_icon()))
        .with_drag_and_drop(true);
    let options = eframe::NativeOptions { viewport, ..eframe::NativeOptions::default() };
    eframe::run_native("glassbox", options, Box::new(move |cc| Ok(Box::new(App::new(cc, open, device)))))
}
