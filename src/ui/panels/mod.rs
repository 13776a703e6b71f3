//! The panels of the live lab, one idea per file.
//!
//! A panel draws from the [`View`] and keeps only what it derives (textures, sums) or what concerns looking (zoom, mode).
//! [`Panels::show`] is the registry: every [`PanelId`] has one panel, so a lesson can name it and a test can walk them.

mod analogy;
mod attention_grid;
mod attention_head;
mod attention_pipeline;
mod embedding_map;
mod head_effect;
mod head_scores;
mod logit_lens;
mod n_gram;
mod neighbours;
mod next_token;
mod patch_map;
mod study;
mod tweaks;
mod word_in_context;

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
    scores: head_scores::HeadScores,
    effect: head_effect::HeadEffect,
    n_gram: n_gram::NGram,
    patch_map: patch_map::PatchMap,
    map: embedding_map::EmbeddingMap,
    neighbours: neighbours::Neighbours,
    analogy: analogy::Analogy,
    context: word_in_context::WordInContext,
}

impl Panels {
    /// Draws a panel into all of the space there is.
    pub fn show(&mut self, ui: &mut Ui, panel: PanelId, view: &mut View<'_>, settings: &mut Settings) {
        let missing = match panel {
            PanelId::Tweaks => false,
            _ if asks_the_model(panel) => view.snapshot.model.is_none(),
            _ => view.snapshot.shown().is_none(),
        };
        if missing {
            return nothing_yet(ui, view, panel);
        }
        match panel {
            PanelId::AttentionGrid => self.grid.show(ui, view, settings),
            PanelId::AttentionHead => self.head.show(ui, view, settings),
            PanelId::AttentionPipeline => self.pipeline.show(ui, view),
            PanelId::NextToken => self.next.show(ui, view),
            PanelId::LogitLens => self.lens.show(ui, view),
            PanelId::Tweaks => self.tweaks.show(ui, view),
            PanelId::HeadScores => self.scores.show(ui, view),
            PanelId::HeadEffect => self.effect.show(ui, view),
            PanelId::NGram => self.n_gram.show(ui, view),
            PanelId::PatchMap => self.patch_map.show(ui, view),
            PanelId::EmbeddingMap => self.map.show(ui, view),
            PanelId::Neighbours => self.neighbours.show(ui, view),
            PanelId::Analogy => self.analogy.show(ui, view),
            PanelId::WordInContext => self.context.show(ui, view),
        }
    }

    /// Whether a picture is still being made.
    pub fn is_pending(&self) -> bool {
        self.grid.is_pending() || self.map.is_pending()
    }
}

/// Whether a panel shows the open model itself rather than a run of the prompt.
pub fn asks_the_model(panel: PanelId) -> bool {
    use PanelId::{Analogy, EmbeddingMap, HeadEffect, HeadScores, NGram, Neighbours, PatchMap, WordInContext};
    matches!(panel, EmbeddingMap | Neighbours | Analogy | WordInContext | HeadScores | HeadEffect | PatchMap | NGram)
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
        PanelId::HeadScores => "where each head looks",
        PanelId::HeadEffect => "what each head is worth",
        PanelId::NGram => "what counting alone predicts",
        PanelId::PatchMap => "where two prompts differ",
        PanelId::EmbeddingMap => "the embedding table as a map",
        PanelId::Neighbours => "which tokens lie near each other",
        PanelId::Analogy => "arithmetic with words",
        PanelId::WordInContext => "one word in several sentences",
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
