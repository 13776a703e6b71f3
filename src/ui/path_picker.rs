//! The in-app way to a file or to a place for one, for systems without a file dialog, for tests and for the keyboard.
//!
//! A field takes a path, and below it stands what the folder holds, narrowed by what was typed after the last slash.
//! Reading a folder can hang on a slow disk, so it happens on a thread of its own.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use egui::{Button, Context, Key, Modal, RichText, ScrollArea, TextEdit, Ui, vec2};

use super::theme::{self, palette};
use super::{icon, widgets};
use crate::lab::{Export, worker};

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// A weight file.
    File,
    /// A model folder.
    Folder,
    /// A place for a file that is written.
    Save(Export),
    /// A folder of lessons.
    Lessons,
}

impl Pick {
    /// What the dialog is called.
    pub fn title(self) -> String {
        match self {
            Self::File => "Open a model file".to_owned(),
            Self::Folder => "Open a model folder".to_owned(),
            Self::Save(export) => format!("Save: {}", export.name()),
            Self::Lessons => "Open a folder of lessons".to_owned(),
        }
    }
}

/// Entries of a folder that are listed at most.
const MOST: usize = 2000;

/// The picker; closed at first.
#[derive(Default)]
pub struct PathPicker {
    open: Option<Pick>,
    reason: Option<&'static str>,
    text: String,
    listing: Option<Listing>,
    pending: Option<(PathBuf, Receiver<Listing>)>,
    selected: usize,
    focus: bool,
}

struct Listing {
    folder: PathBuf,
    entries: Result<Vec<Entry>, String>,
}

#[derive(Clone)]
struct Entry {
    name: String,
    is_folder: bool,
    is_model: bool,
}

impl PathPicker {
    /// Shows the picker, with a sentence on why it is there.
    pub fn open(&mut self, ctx: &Context, pick: Pick, reason: Option<&'static str>) {
        if self.text.is_empty() {
            let home = std::env::home_dir().or_else(|| std::env::current_dir().ok()).unwrap_or_else(|| "/".into());
            self.text = folder_text(&home);
        }
        if let Pick::Save(export) = pick {
            let (folder, _) = self.split();
            self.text = folder_text(&folder) + export.file_name();
        }
        (self.open, self.reason, self.focus) = (Some(pick), reason, true);
        self.listing = None;
        self.list(ctx);
    }

    /// Whether a folder is being read.
    pub fn is_listing(&self) -> bool {
        self.pending.is_some()
    }

    /// The folder that the typed text is in, and what was typed after it.
    fn split(&self) -> (PathBuf, &str) {
        match self.text.rfind(std::path::MAIN_SEPARATOR) {
            Some(at) => (PathBuf::from(&self.text[..=at]), &self.text[at + 1..]),
            None => (PathBuf::from("."), &self.text),
        }
    }

    /// Reads the folder, if it is not the one that is listed.
    fn list(&mut self, ctx: &Context) {
        if let Some((_, receiver)) = &self.pending
            && let Ok(listing) = receiver.try_recv()
        {
            (self.listing, self.pending, self.selected) = (Some(listing), None, 0);
        }
        let (folder, _) = self.split();
        let listed = self.listing.as_ref().is_some_and(|l| l.folder == folder);
        let asked = self.pending.as_ref().is_some_and(|(f, _)| *f == folder);
        if !listed && !asked {
            let (waker, wanted) = (ctx.clone(), folder.clone());
            let receiver = worker::background("folder listing", move || {
                let listing = Listing { entries: read_folder(&wanted), folder: wanted };
                waker.request_repaint();
                listing
            });
            self.pending = Some((folder, receiver));
        }
        if self.pending.is_some() {
            ctx.request_repaint_after(std::time::Duration::from_millis(20));
        }
    }

    /// The entries that fit what was typed.
    fn matching(&self, pick: Pick) -> Vec<Entry> {
        // A name for a new file narrows nothing.
        let typed = if matches!(pick, Pick::Save(_)) { String::new() } else { self.split().1.to_lowercase() };
        let Some(Ok(entries)) = self.listing.as_ref().map(|l| &l.entries) else { return Vec::new() };
        let fits = |e: &&Entry| {
            e.name.to_lowercase().starts_with(&typed) && (!e.name.starts_with('.') || typed.starts_with('.'))
        };
        entries.iter().filter(fits).filter(|e| pick != Pick::Folder || e.is_folder).cloned().collect()
    }

    /// Draws the picker while it is open; returns what was asked for with the path that was chosen.
    pub fn show(&mut self, ui: &Ui) -> Option<(Pick, PathBuf)> {
        let pick = self.open?;
        self.list(ui.ctx());
        let shown = Modal::new(egui::Id::unique("path picker")).show(ui.ctx(), |ui| {
            ui.set_width(560.0);
            self.content(ui, pick)
        });
        let should_close = shown.should_close();
        if shown.inner.is_some() || should_close {
            self.open = None;
        }
        shown.inner.flatten().map(|path| (pick, path))
    }

    /// `Some(None)` closes without a choice.
    fn content(&mut self, ui: &mut Ui, pick: Pick) -> Option<Option<PathBuf>> {
        let p = palette(ui);
        ui.label(RichText::new(pick.title()).heading());
        if let Some(reason) = self.reason {
            widgets::note(ui, reason);
        }
        ui.add_space(4.0);
        // The list has the arrow keys while the cursor is in the field.
        let (up, down) = ui.input_mut(|i| {
            let none = egui::Modifiers::NONE;
            (i.consume_key(none, Key::ArrowUp), i.consume_key(none, Key::ArrowDown))
        });
        let field = TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY).margin(vec2(10.0, 7.0));
        let hint = match pick {
            Pick::Save(_) => "Path of the file to write",
            Pick::Lessons => "Path of a folder with lessons as .md files",
            Pick::File | Pick::Folder => "Path of a .gguf or .safetensors file, or of a folder",
        };
        let field = ui.add(field.hint_text(hint));
        let field = field.accessible_name("Path");
        if std::mem::take(&mut self.focus) {
            field.request_focus();
        }
        if field.changed() {
            self.selected = 0;
            if let Some(again) = begun_again(&self.text) {
                self.text = again;
            }
        }
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let entries = self.matching(pick);
        self.selected =
            (self.selected + usize::from(down)).saturating_sub(usize::from(up)).min(entries.len().saturating_sub(1));
        let mut done = self.entries(ui, &entries, pick, up || down);
        if entered {
            done = self.enter(&entries, pick);
            self.focus = done.is_none();
        }
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let keys = match pick {
                Pick::Save(_) if self.exists() => "This file is there already and will be replaced.",
                Pick::Save(_) => "Enter saves · Esc closes",
                Pick::File | Pick::Folder | Pick::Lessons => "↑ ↓ choose · Enter opens · Esc closes",
            };
            widgets::note(ui, keys).on_hover_cursor(egui::CursorIcon::Default);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let label = match pick {
                    Pick::File => "Open this path",
                    Pick::Folder | Pick::Lessons => "Open this folder",
                    Pick::Save(_) => "Save here",
                };
                let ready = !matches!(pick, Pick::Save(_)) || !self.split().1.is_empty();
                if widgets::primary_button(ui, icon::CHECK, label).clicked() && ready {
                    done = Some(Some(PathBuf::from(self.text.trim())));
                }
                if ui.add(Button::new(RichText::new("Back").color(p.text))).clicked() {
                    done = Some(None);
                }
            });
        });
        done
    }

    /// The list. A click on a folder enters it, a click on a file chooses it.
    fn entries(&mut self, ui: &mut Ui, entries: &[Entry], pick: Pick, moved: bool) -> Option<Option<PathBuf>> {
        let p = palette(ui);
        let mut done = None;
        let height = (ui.ctx().content_rect().height() - 300.0).clamp(120.0, 340.0);
        ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
            ui.set_min_height(height);
            match (&self.listing, entries.is_empty()) {
                (None, _) => drop(widgets::note(ui, "Reading the folder…")),
                (Some(Listing { entries: Err(error), .. }), _) => {
                    ui.label(RichText::new(error).color(p.warning));
                }
                (_, true) if self.split().1.is_empty() => drop(widgets::note(ui, "Nothing to open in this folder.")),
                (_, true) => drop(widgets::note(ui, "Nothing here begins with that.")),
                _ => {}
            }
            ScrollArea::vertical().auto_shrink([false, false]).show_rows(ui, 28.0, entries.len() + 1, |ui, rows| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for row in rows {
                    let Some(index) = row.checked_sub(1) else {
                        if widgets::menu_row(ui, icon::UP, "Folder above").clicked() {
                            self.up();
                        }
                        continue;
                    };
                    let entry = &entries[index];
                    let response = entry_row(ui, entry, index == self.selected);
                    if moved && index == self.selected {
                        response.scroll_to_me(None);
                    }
                    if response.clicked() {
                        done = self.choose(entry, pick);
                    }
                }
            });
        });
        done
    }

    fn up(&mut self) {
        let (folder, _) = self.split();
        if let Some(parent) = folder.parent() {
            let name = match self.open {
                Some(Pick::Save(export)) => export.file_name(),
                _ => "",
            };
            self.text = folder_text(parent) + name;
        }
        self.focus = true;
    }

    /// Whether the folder holds a file of the typed name.
    fn exists(&self) -> bool {
        let typed = self.split().1;
        let Some(Ok(entries)) = self.listing.as_ref().map(|l| &l.entries) else { return false };
        entries.iter().any(|entry| !entry.is_folder && entry.name == typed)
    }

    fn choose(&mut self, entry: &Entry, pick: Pick) -> Option<Option<PathBuf>> {
        let path = self.split().0.join(&entry.name);
        if let Pick::Save(export) = pick {
            // A click goes into a folder or takes over a name; only the button and Enter write.
            self.text =
                if entry.is_folder { folder_text(&path) + export.file_name() } else { path.display().to_string() };
            self.focus = true;
            return None;
        }
        if entry.is_folder {
            self.text = folder_text(&path);
            self.focus = true;
            return None;
        }
        Some(Some(path))
    }

    /// Enter: what is typed in full is opened, else the chosen entry is.
    fn enter(&mut self, entries: &[Entry], pick: Pick) -> Option<Option<PathBuf>> {
        let (_, typed) = self.split();
        if matches!(pick, Pick::Save(_)) {
            return (!typed.is_empty()).then(|| Some(PathBuf::from(self.text.trim())));
        }
        if typed.is_empty() && pick != Pick::File {
            return Some(Some(PathBuf::from(&self.text)));
        }
        match entries.get(self.selected).cloned() {
            Some(entry) if !typed.is_empty() || self.selected > 0 || entry.is_folder => self.choose(&entry, pick),
            _ => Some(Some(PathBuf::from(self.text.trim()))),
        }
    }
}

fn entry_row(ui: &mut Ui, entry: &Entry, selected: bool) -> egui::Response {
    let p = palette(ui);
    let icon = if entry.is_folder {
        icon::FOLDER
    } else if entry.is_model {
        icon::MODEL
    } else {
        icon::FILE
    };
    let color = if entry.is_folder || entry.is_model { p.text } else { p.muted };
    let label = widgets::icon_and_text(ui, icon, &entry.name, color);
    let mut button = Button::new(label).min_size(vec2(ui.available_width(), 28.0)).truncate();
    button = if selected { button.fill(p.accent_soft) } else { button.frame_when_inactive(false) };
    widgets::named(ui.add(button.corner_radius(theme::RADIUS_SMALL)), &entry.name)
}

/// What a path becomes when another one is typed or pasted after it: `/home/ada//data` is `/data`, `/home/ada/~/` is home.
fn begun_again(text: &str) -> Option<String> {
    if std::path::MAIN_SEPARATOR != '/' {
        return None;
    }
    if let Some(at) = text.rfind("//") {
        return Some(text[at + 1..].to_owned());
    }
    let (_, rest) = text.rsplit_once("/~/").or_else(|| text.strip_prefix("~/").map(|rest| ("", rest)))?;
    Some(folder_text(&std::env::home_dir()?) + rest)
}

/// A folder as text that ends in a separator.
fn folder_text(folder: &Path) -> String {
    let mut text = folder.display().to_string();
    if !text.ends_with(std::path::MAIN_SEPARATOR) {
        text.push(std::path::MAIN_SEPARATOR);
    }
    text
}

/// What a folder holds: folders first, then by name.
fn read_folder(folder: &Path) -> Result<Vec<Entry>, String> {
    let refuse = |error: std::io::Error| {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => "does not exist",
            std::io::ErrorKind::PermissionDenied => "may not be read by you",
            _ => "cannot be read",
        };
        format!("{} {reason}.", folder.display())
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refuse)?.take(MOST).flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.path().is_dir();
        let is_model =
            name.ends_with(".gguf") || name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json");
        entries.push(Entry { name, is_folder, is_model });
    }
    entries.sort_by_key(|e| (!e.is_folder, !e.is_model, e.name.to_lowercase()));
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_may_begin_again() {
        assert_eq!(begun_again("/home/ada//data/x.gguf").as_deref(), Some("/data/x.gguf"));
        assert_eq!(begun_again("/home/ada/x.gguf"), None);
        let home = std::env::home_dir().map(|home| folder_text(&home));
        assert_eq!(begun_again("/srv/~/").as_ref(), home.as_ref());
        assert_eq!(begun_again("~/models/x"), home.map(|home| home + "models/x"));
    }

    #[test]
    fn folders_stand_first_and_a_missing_one_is_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("b.txt"), "").unwrap();
        std::fs::write(dir.path().join("z.gguf"), "").unwrap();
        std::fs::create_dir(dir.path().join("models")).unwrap();
        let names: Vec<String> = read_folder(dir.path()).unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(names, ["models", "z.gguf", "b.txt"]);
        let missing = read_folder(&dir.path().join("nowhere")).err().unwrap();
        assert!(missing.ends_with("does not exist."), "{missing}");
    }
}
