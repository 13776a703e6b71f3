//! The panels of the live lab, one idea per file.
//!
//! A panel draws from the [`View`] and keeps only what it derives (textures, sums) or what concerns looking (zoom, mode).
//! [`Panels::show`] is the registry: every [`PanelId`] has one panel, so a lesson can name it and a test can walk them.

mod attention_grid;
mod attention_head;
mod attention_pipeline;
mod logit_lens;
mod next_token;
mod tweaks;

use egui::Ui;
pub use tweaks::describe;

use super::settings::Settings;
use super::view::View;
use super::{icon, widgets};
use crate::lesson::PanelId;

/// Every panel, with what it keeps between frames.
#[derive(Default)]
pub struct Panels {
    grid: attention_grid::AttentionGrid,
    head: attention_head::AttentionHead,
    pipeline: attention_pipeline::AttentionPipeline,
    next: next_token::NextToken,
    lens: logit_lens::LogitLens,
    tweaks: tweaks::Tweaks,
}

impl Panels {
    /// Draws a panel into all of the space there is.
    pub fn show(&mut self, ui: &mut Ui, panel: PanelId, view: &mut View<'_>, settings: &mut Settings) {
        let needs_run = panel != PanelId::Tweaks;
        if needs_run && view.snapshot.shown().is_none() {
            return nothing_yet(ui, view, panel);
        }
        match panel {
            PanelId::AttentionGrid => self.grid.show(ui, view, settings),
            PanelId::AttentionHead => self.head.show(ui, view, settings),
            PanelId::AttentionPipeline => self.pipeline.show(ui, view),
            PanelId::NextToken => self.next.show(ui, view),
            PanelId::LogitLens => self.lens.show(ui, view),
            PanelId::Tweaks => self.tweaks.show(ui, view),
        }
    }

    /// Whether a picture is still being made.
    pub fn is_pending(&self) -> bool {
        self.grid.is_pending()
    }
}

/// What a panel says before there is a run.
fn nothing_yet(ui: &mut Ui, view: &View<'_>, panel: PanelId) {
    let s = view.snapshot;
    let about = match panel {
        PanelId::AttentionGrid => "every head of every layer",
        PanelId::AttentionHead => "who attends to whom in one head",
        PanelId::AttentionPipeline => "the way from scores to output",
        PanelId::NextToken => "what the model expects next",
        PanelId::LogitLens => "what each layer would already predict",
        PanelId::Tweaks => "your changes",
    };
    if s.model.is_none() && s.activity.is_some() {
        widgets::empty_state(ui, icon::MODEL, "Opening the model", &format!("In a moment this shows {about}."));
    } else if s.model.is_none() {
        let hint = format!("Choose one in the model menu, or drop a file on the window, to see {about}.");
        widgets::empty_state(ui, icon::MODEL, "No model is open", &hint);
    } else if s.stale || s.activity.is_some() {
        widgets::empty_state(ui, icon::RECENT, "Running the prompt", &format!("In a moment this shows {about}."));
    } else {
        widgets::empty_state(ui, icon::EDIT, "Nothing to run", &format!("Type a prompt below to see {about}."));
    }
}
