//! The window.
//!
//! The only room that knows egui. It reads the lab's [`Snapshot`](crate::lab::Snapshot) and returns
//! [`Command`](crate::lab::Command)s; it never computes on a model, blocks, or holds a lock, a file or a backend.
//!
//! - [`App`] is what eframe runs: it polls the lab, lets the shell draw, and hands its commands back.
//! - `shell` lays the window out: top bar, list of lessons, lesson, live lab, prompt bar.
//! - `panels` holds one idea per file; each draws one view of a run.
//! - `theme` is the only place that names a colour or a size of type.
//! - `actions` declares every command once; menus, shortcuts, the palette and the help derive from it.
//!
//! What a panel derives from a run (a texture, a sum) is kept until the run or the selection changes, so that a frame
//! costs layout and paint only.

pub mod actions;
mod app;
pub mod card;
mod command_palette;
mod fonts;
mod frame_work;
mod graded;
mod icon;
mod lesson_column;
pub mod lesson_truth;
pub mod lesson_view;
mod load_report;
pub mod markdown;
mod notice;
mod opener;
mod panels;
mod path_picker;
mod plot;
pub mod predict_view;
mod prompt_bar;
pub mod quiz_view;
mod rail;
mod settings;
mod shell;
mod shot;
mod style;
pub mod theme;
mod tiles;
mod top_bar;
mod view;
mod widgets;

pub use app::{App, Desk, FIRST_PROMPT, run};
pub use frame_work::{FrameWork, frame_work};
pub use settings::Settings;
pub use shot::{ShotOptions, settle, shot};
pub use view::View;
