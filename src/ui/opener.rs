//! Opening files: the system's dialog, a dropped file, or the path picker where the system has no dialog.
//!
//! The dialog runs on a thread of its own, because it blocks until the student answers. Where the desktop offers none,
//! it comes back empty within milliseconds, faster than anybody can cancel; the path picker then takes over and says why.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use egui::{Context, Ui};

use super::path_picker::{PathPicker, Pick};
use super::theme::{RADIUS, palette};
use super::view::View;
use crate::lab::{Command, ModelSource, worker};

/// An answer that comes sooner than this was not given by a person.
const TOO_FAST: Duration = Duration::from_millis(150);
/// What the path picker says when it stands in for a dialog.
const NO_DIALOG: &str = "The system has no file dialog, so choose the file here.";

/// Asks the student for a model.
pub struct Opener {
    /// Whether to try the system's dialog first.
    pub native: bool,
    waiting: Option<Waiting>,
    picker: PathPicker,
}

struct Waiting {
    answer: Receiver<Option<PathBuf>>,
    asked: Instant,
    pick: Pick,
}

impl Default for Opener {
    fn default() -> Self {
        Self { native: true, waiting: None, picker: PathPicker::default() }
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

    fn ask(&mut self, ctx: &Context, pick: Pick) {
        if !self.native {
            self.picker.open(ctx, pick, None);
            return;
        }
        if self.waiting.is_some() {
            return;
        }
        let waker = ctx.clone();
        let answer = worker::background("file dialog", move || {
            let answer = match pick {
                Pick::File => rfd::FileDialog::new()
                    .set_title("Open a model")
                    .add_filter("Model weights", &["gguf", "safetensors", "json"])
                    .add_filter("All files", &["*"])
                    .pick_file(),
                Pick::Folder => rfd::FileDialog::new().set_title("Open a model folder").pick_folder(),
            };
            waker.request_repaint();
            answer
        });
        self.waiting = Some(Waiting { answer, asked: Instant::now(), pick });
    }

    /// Takes dropped files and answers, and draws the path picker while it is open.
    pub fn show(&mut self, ui: &Ui, view: &mut View<'_>) {
        let dropped = ui.input_mut(|input| std::mem::take(&mut input.raw.dropped_files));
        if let Some(path) = dropped.first().map(|file| file.path().to_path_buf()) {
            view.send(open(path));
        }
        drop_hint(ui);
        self.collect(ui.ctx(), view);
        if let Some(path) = self.picker.show(ui) {
            view.send(open(path));
        }
    }

    fn collect(&mut self, ctx: &Context, view: &mut View<'_>) {
        let Some(waiting) = &self.waiting else { return };
        let answer = match waiting.answer.try_recv() {
            Err(TryRecvError::Empty) => {
                ctx.request_repaint_after(Duration::from_millis(50));
                return;
            }
            Err(TryRecvError::Disconnected) => None,
            Ok(answer) => answer,
        };
        let (too_fast, pick) = (waiting.asked.elapsed() < TOO_FAST, waiting.pick);
        self.waiting = None;
        match answer {
            Some(path) => view.send(open(path)),
            None if too_fast => self.picker.open(ctx, pick, Some(NO_DIALOG)),
            None => {}
        }
    }
}

fn open(path: PathBuf) -> Command {
    Command::OpenModel(ModelSource::File(path))
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
