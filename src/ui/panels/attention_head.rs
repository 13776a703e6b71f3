//! One head, large: who attends to whom.
//!
//! The matrix shows every weight of the head as one texture; the lines show the strongest ones between two columns of
//! tokens. The run with changes, the one without, and their difference share one scale. Editing a row turns the weights
//! of the selected token into bars that can be dragged; the model is run again with them.

mod edit;
mod lines;
mod matrix;

use std::sync::Arc;

use egui::{DragValue, Ui};

use super::super::plot::Cached;
use super::super::settings::Settings;
use super::super::view::View;
use super::super::{icon, shell, widgets};
use crate::lab::{Command, Run};
use crate::model::tweak::{Ablation, HeadRef};
use crate::model::{HookPoint, Site};

/// How the head is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Matrix,
    Lines,
    Edit,
}

/// Which run is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Source {
    #[default]
    Changed,
    Clean,
    Difference,
}

/// The panel.
#[derive(Default)]
pub struct AttentionHead {
    mode: Mode,
    source: Source,
    matrix: matrix::MatrixPlot,
    lines: lines::Lines,
    edit: edit::RowEditor,
    weights: Cached<Key, Option<Weights>>,
}

/// Which weights: the two runs, the head, and which of the runs.
type Key = (u64, u64, HeadRef, Source);

/// One head's weights, ready to draw.
pub(super) struct Weights {
    /// `[n, n]`, queries by keys.
    pub values: Arc<[f32]>,
    /// Tokens.
    pub n: usize,
    /// Whether these are differences.
    pub signed: bool,
    /// Tells these weights apart from others.
    pub key: Key,
}

impl AttentionHead {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, settings: &mut Settings) {
        self.controls(ui, view);
        let ids =
            (view.snapshot.clean.as_ref().map_or(0, |r| r.id), view.snapshot.tweaked.as_ref().map_or(0, |r| r.id));
        let one_run = view.snapshot.tweaked.is_none() || self.mode == Mode::Edit;
        let source = if one_run { Source::Changed } else { self.source };
        let key = (ids.0, ids.1, view.snapshot.selection.head, source);
        let Some(weights) = self.weights.get(key, || weights_of(view, key)) else {
            widgets::empty_state(ui, icon::ABLATE, "No pattern", "This run did not record this head.");
            return;
        };
        ui.add_space(2.0);
        match self.mode {
            Mode::Matrix => self.matrix.show(ui, view, weights, &mut settings.skip_first),
            Mode::Lines => self.lines.show(ui, view, weights, settings.skip_first),
            Mode::Edit => self.edit.show(ui, view, weights),
        }
    }

    fn controls(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(model) = &view.snapshot.model else { return };
        let (n_layers, n_heads) = (model.config.n_layers, model.config.n_heads);
        ui.horizontal_wrapped(|ui| {
            let HeadRef { mut layer, mut head } = view.snapshot.selection.head;
            let label = widgets::note(ui, "Layer");
            ui.add(DragValue::new(&mut layer).range(0..=n_layers.saturating_sub(1)).speed(0.1)).labelled_by(label.id);
            let label = widgets::note(ui, "Head");
            ui.add(DragValue::new(&mut head).range(0..=n_heads.saturating_sub(1)).speed(0.1)).labelled_by(label.id);
            let chosen = HeadRef { layer, head };
            if chosen != view.snapshot.selection.head {
                view.send(Command::SelectHead(chosen));
            }
            widgets::segmented(
                ui,
                &mut self.mode,
                &[(Mode::Matrix, "Matrix"), (Mode::Lines, "Lines"), (Mode::Edit, "Edit a row")],
            );
            if view.snapshot.tweaked.is_some() && self.mode != Mode::Edit {
                let options =
                    [(Source::Changed, "Changed"), (Source::Clean, "Unchanged"), (Source::Difference, "Difference")];
                widgets::segmented(ui, &mut self.source, &options);
            }
            let head = view.snapshot.selection.head;
            let silenced = shell::ablation_of(&view.snapshot.tweaks, head);
            let name = if silenced.is_some() { "Let this head speak" } else { "Silence this head" };
            let short = if silenced.is_some() { "Restore" } else { "Silence" };
            let button = widgets::button(ui, icon::ABLATE, short).on_hover_text(name);
            if widgets::named(button, name).clicked() {
                shell::toggle_ablation(view, head, silenced.unwrap_or(Ablation::Zero));
            }
        });
    }
}

/// The weights to draw: of the changed run, of the unchanged one, or their difference.
fn weights_of(view: &View<'_>, key: Key) -> Option<Weights> {
    let (_, _, head, source) = key;
    let of = |run: &Run| -> Option<(Arc<[f32]>, usize)> {
        let values = run.trace.get(HookPoint::layer(head.layer, Site::Pattern))?.head(head.head)?;
        let n = run.tokens.len();
        (values.len() == n * n && n > 0).then(|| (values.into(), n))
    };
    let (clean, tweaked) = (view.snapshot.clean.as_deref(), view.snapshot.tweaked.as_deref());
    let (values, n) = match source {
        Source::Changed => of(tweaked.or(clean)?)?,
        Source::Clean => of(clean?)?,
        Source::Difference => {
            let ((a, n), (b, m)) = (of(tweaked?)?, of(clean?)?);
            (a.iter().zip(b.iter()).map(|(a, b)| a - b).collect(), if n == m { n } else { return None })
        }
    };
    Some(Weights { values, n, signed: source == Source::Difference, key })
}

impl Weights {
    /// How much `query` takes from each token.
    pub fn row(&self, query: usize) -> &[f32] {
        self.values.get(query * self.n..(query + 1) * self.n).unwrap_or(&[])
    }

    /// The largest weight by absolute value, the first key left out if asked.
    pub fn largest(&self, skip_first: bool) -> f32 {
        let from = usize::from(skip_first && self.n > 1);
        let rows = self.values.chunks_exact(self.n.max(1));
        let largest = rows.flat_map(|row| &row[from..]).filter(|x| x.is_finite()).fold(0.0, |m: f32, x| m.max(x.abs()));
        if largest > 0.0 { largest } else { 1.0 }
    }
}

/// "“John” takes 0.42 from “Mary”."
pub(super) fn sentence(view: &View<'_>, weights: &Weights, query: usize, key: usize) -> String {
    let value = weights.row(query).get(key).copied().unwrap_or(0.0);
    let (q, k) = (view.label(query), view.label(key));
    if weights.signed {
        let word = if value >= 0.0 { "more" } else { "less" };
        return format!("With the changes “{q}” takes {:.3} {word} from “{k}”.", value.abs());
    }
    if key > query && value == 0.0 {
        return format!("“{q}” cannot see “{k}”: it comes later.");
    }
    format!("“{q}” takes {value:.3} from “{k}”.")
}
