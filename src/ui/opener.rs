//! Opening models and folders of lessons, and saving files: the system's dialog, a dropped file, or the path picker where
//! the system has no dialog.
//!
//! The dialog runs on a thread of its own, because it blocks until the student answers. Where the desktop offers none, it
//! comes back empty as a cancelled one does, at once or after a while of searching. What tells the two apart: a dialog
//! that was seen has taken the keyboard from this window. Where that did not happen there was no dialog; the path picker
//! then takes over and says why.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use egui::{Align2, Context, Ui, Window, vec2};

use super::panels::describe;
use super::path_picker::{PathPicker, Pick};
use super::theme::{RADIUS, palette};
use super::view::View;
use super::widgets;
use crate::lab::{Command, Export, LearnerCommand, ModelSource, worker};

/// Seconds after which a dialog that was not seen yet is no longer waited for in silence.
const PATIENCE: f64 = 2.0;
/// What the path picker says when it stands in for a dialog.
const NO_DIALOG: &str = "The system has no file dialog, so choose the file here.";

/// A dialog: blocks until the student chose a path, or none.
pub type Dialog = Arc<dyn Fn(Pick) -> Option<PathBuf> + Send + Sync>;

/// Asks the student for a model, or for a place to write to.
pub struct Opener {
    /// The system's dialog, if it is to be tried first.
    pub dialog: Option<Dialog>,
    /// The folder of lessons that was chosen, until the window takes it.
    pub lessons: Option<PathBuf>,
    waiting: Option<Waiting>,
    picker: PathPicker,
}

struct Waiting {
    answer: Receiver<Option<PathBuf>>,
    pick: Pick,
    since: f64,
    /// Whether this window had the keyboard when the dialog was asked for, and has since lost it to the dialog.
    had_focus: bool,
    was_seen: bool,
}

impl Default for Opener {
    fn default() -> Self {
        Self { dialog: Some(Arc::new(system_dialog)), lessons: None, waiting: None, picker: PathPicker::default() }
    }
}

impl Opener {
    /// Whether the system's dialog or a listing is awaited.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some() || self.picker.is_listing()
    }

    /// Asks for a weight file.
    pub fn open_file(&mut self, ctx: &Context) {
        self.ask(ctx, Pick::File);
    }

    /// Asks for a folder.
    pub fn open_folder(&mut self, ctx: &Context) {
        self.ask(ctx, Pick::Folder);
    }

    /// Asks where to save.
    pub fn save(&mut self, ctx: &Context, export: Export) {
        self.ask(ctx, Pick::Save(export));
    }

    /// Asks for a folder of lessons.
    pub fn open_lessons(&mut self, ctx: &Context) {
        self.ask(ctx, Pick::Lessons);
    }

    fn ask(&mut self, ctx: &Context, pick: Pick) {
        let Some(dialog) = self.dialog.clone() else { return self.picker.open(ctx, pick, None) };
        if self.waiting.is_some() {
            return;
        }
        let waker = ctx.clone();
        let answer = worker::background("file dialog", move || {
            let answer = dialog(pick);
            waker.request_repaint();
            answer
        });
        let (since, had_focus) = ctx.input(|input| (input.time, input.focused));
        self.waiting = Some(Waiting { answer, pick, since, had_focus, was_seen: false });
    }

    /// Takes dropped files and answers, and draws the path picker while it is open.
    pub fn show(&mut self, ui: &Ui, view: &mut View<'_>) {
        let dropped = ui.input_mut(|input| std::mem::take(&mut input.raw.dropped_files));
        if let Some(path) = dropped.first().map(|file| file.path().to_path_buf()) {
            view.send(open(path));
        }
        drop_hint(ui);
        self.collect(ui.ctx(), view);
        if let Some((pick, path)) = self.picker.show(ui) {
            self.chosen(pick, path, view);
        }
    }

    /// Does with a path what was asked.
    fn chosen(&mut self, pick: Pick, path: PathBuf, view: &mut View<'_>) {
        match pick {
            Pick::File | Pick::Folder => view.send(open(path)),
            Pick::Lessons => self.lessons = Some(path),
            Pick::Save(what) => {
                let changes = view.snapshot.tweaks.iter().map(describe).collect();
                view.send(Command::Learner(LearnerCommand::Export { what, to: path, changes }));
            }
        }
    }

    fn collect(&mut self, ctx: &Context, view: &mut View<'_>) {
        let Some(waiting) = &mut self.waiting else { return };
        let (time, focused) = ctx.input(|input| (input.time, input.focused));
        waiting.was_seen |= waiting.had_focus && !focused;
        let answer = match waiting.answer.try_recv() {
            Err(TryRecvError::Empty) => {
                ctx.request_repaint_after(Duration::from_millis(50));
                let is_late = !waiting.was_seen && time - waiting.since > PATIENCE;
                let pick = waiting.pick;
                if is_late && is_given_up(ctx) {
                    self.waiting = None;
                    self.picker.open(ctx, pick, None);
                }
                return;
            }
            Err(TryRecvError::Disconnected) => None,
            Ok(answer) => answer,
        };
        let (was_seen, pick) = (waiting.was_seen, waiting.pick);
        self.waiting = None;
        match answer {
            Some(path) => self.chosen(pick, path, view),
            None if was_seen => {}
            None => self.picker.open(ctx, pick, Some(NO_DIALOG)),
        }
    }
}

fn open(path: PathBuf) -> Command {
    Command::OpenModel(ModelSource::File(path))
}

fn system_dialog(pick: Pick) -> Option<PathBuf> {
    match pick {
        Pick::File => rfd::FileDialog::new()
            .set_title("Open a model")
            .add_filter("Model weights", &["gguf", "safetensors", "json"])
            .add_filter("All files", &["*"])
            .pick_file(),
        Pick::Folder | Pick::Lessons => rfd::FileDialog::new().set_title(pick.title()).pick_folder(),
        Pick::Save(export) => rfd::FileDialog::new()
            .set_title(pick.title())
            .set_file_name(export.file_name())
            .add_filter(export.name(), &[export.extension()])
            .save_file(),
    }
}

/// Says that the dialog is late; true once the student would rather choose here.
fn is_given_up(ctx: &Context) -> bool {
    let window = Window::new("Waiting for the system's file dialog…").id(egui::Id::unique("late dialog"));
    let window = window.collapsible(false).resizable(false).anchor(Align2::CENTER_TOP, vec2(0.0, 64.0));
    let shown = window.show(ctx, |ui| {
        widgets::note(ui, "It has not appeared yet. It may be behind this window, or the system may have none.");
        ui.button("Choose here instead").clicked()
    });
    shown.and_then(|shown| shown.inner).unwrap_or(false)
}

/// Says what letting go will do while a file is held over the window.
fn drop_hint(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let (p, screen) = (palette(ui), ui.ctx().content_rect());
    let layer = egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop hint"));
    let painter = ui.ctx().layer_painter(layer);
    painter.rect_filled(screen, 0.0, p.canvas.gamma_multiply(0.85));
    let frame = screen.shrink(16.0);
    painter.rect_stroke(frame, RADIUS, egui::Stroke::new(2.0, p.accent), egui::StrokeKind::Inside);
    let font = egui::TextStyle::Heading.resolve(ui.style());
    painter.text(screen.center(), egui::Align2::CENTER_CENTER, "Let go to open this model", font, p.text);
}
