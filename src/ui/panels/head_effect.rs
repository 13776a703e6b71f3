//! What each head is worth: how much the loss rises without it, beside where it looks; and the search for the fewest heads
//! whose silence changes the prediction.

use egui::{ScrollArea, Ui};
use egui_plot::{Plot, PlotPoints, Points};

use super::head_scores::choose;
use super::study;
use crate::insight::heads::{HeadKind, label};
use crate::lab::study::effect::HeadEffect as Effect;
use crate::lab::study::flip::FlipSearch;
use crate::lab::{Command, Finding, LossText, Study};
use crate::model::tweak::{Ablation, HeadRef, Tweak, every_head};
use crate::ui::plot::heat::{Heat, heat};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// The least width of the map and of the dots beside it.
const LEAST: f32 = 330.0;

/// The panel.
#[derive(Debug)]
pub struct HeadEffect {
    text: LossText,
    kind: HeadKind,
}

impl Default for HeadEffect {
    fn default() -> Self {
        Self { text: LossText::Repeats, kind: HeadKind::Induction }
    }
}

impl HeadEffect {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        if !study::has_model(ui, view, "what each head is worth") {
            return;
        }
        ScrollArea::vertical().id_salt("head effect").auto_shrink([false, false]).show(ui, |ui| {
            let known = ui.horizontal_wrapped(|ui| {
                let texts = [(LossText::Repeats, "Repeated tokens"), (LossText::Prompt, "This prompt")];
                widgets::segmented(ui, &mut self.text, &texts);
                study::controls(ui, view, Study::HeadEffect, self.text, "Silence each head in turn")
            });
            match known.inner.as_ref().and_then(|known| known.finding.as_ref()) {
                // Side by side where that leaves room for both.
                Some(Finding::Effect(effect)) if ui.available_width() > 2.0 * LEAST => {
                    let height = (ui.available_height() - 90.0).max(170.0);
                    ui.columns(2, |columns| {
                        draw(&mut columns[0], view, effect, height);
                        self.scatter(&mut columns[1], view, effect, height - 50.0);
                    });
                }
                Some(Finding::Effect(effect)) => {
                    draw(ui, view, effect, 170.0);
                    self.scatter(ui, view, effect, 170.0);
                }
                _ => {
                    widgets::note(ui, "Runs the model once without each head, and measures how much its loss rises.");
                }
            }
            ui.separator();
            flip(ui, view);
        });
    }

    /// Score against effect, a dot per head.
    fn scatter(&mut self, ui: &mut Ui, view: &View<'_>, effect: &Effect, height: f32) {
        let scores = view.snapshot.studies.get(&Study::HeadScores).and_then(|known| known.finding.as_ref());
        let (Some(Finding::Scores(scores)), Some(model)) = (scores, &view.snapshot.model) else {
            widgets::note(ui, "Score every head as well to see each score against its effect.");
            return;
        };
        widgets::note(ui, "Across: score. Up: rise of the loss in nats.");
        choose(ui, &mut self.kind);
        let Some(map) = scores.map(self.kind) else { return };
        let point = |head: HeadRef| Some([f64::from(map.get(head)?), effect.rise(head)?]);
        let heads: Vec<(HeadRef, [f64; 2])> =
            every_head(&model.config).filter_map(|head| Some((head, point(head)?))).collect();
        let p = palette(ui);
        let all: Vec<[f64; 2]> = heads.iter().map(|(_, at)| *at).collect();
        let chosen: Vec<[f64; 2]> = point(view.snapshot.selection.head).into_iter().collect();
        let about = move |at: &egui_plot::HoverPosition<'_>| {
            let egui_plot::HoverPosition::NearDataPoint { position, .. } = at else { return None };
            let near = |at: &[f64; 2]| (at[0] - position.x).abs() + (at[1] - position.y).abs() < 1e-9;
            let (head, [x, y]) = heads.iter().find(|(_, at)| near(at))?;
            Some(format!("{}: score {x:.3}, loss {y:+.3} nats", label(*head)))
        };
        let response = Plot::new("score against effect")
            .height(height)
            .include_x(0.0)
            .include_x(1.0)
            .include_y(0.0)
            .allow_drag(false)
            .allow_zoom(false)
            .allow_scroll(false)
            .label_formatter(about)
            .show(ui, |plot| {
                plot.points(Points::new("heads", PlotPoints::from(all)).radius(2.5).color(p.series(0)));
                plot.points(Points::new("chosen head", PlotPoints::from(chosen)).radius(5.0).color(p.series(1)));
            });
        response.response.accessible_name("Score against effect, a dot per head");
    }
}

/// The map of rises.
fn draw(ui: &mut Ui, view: &mut View<'_>, effect: &Effect, height: f32) {
    let p = palette(ui);
    let rise = |layer, head| effect.rise(HeadRef { layer, head });
    let n_layers = effect.losses.len() / effect.n_heads.max(1);
    let rises = effect.losses.iter().flatten().map(|loss| (loss - effect.base).abs());
    let most = rises.fold(1e-6, f64::max);
    let on = if effect.text == LossText::Repeats { "the second copy of random tokens" } else { "this prompt" };
    widgets::note(ui, format!("Loss on {on}: {:.3} nats per token. The scale ends at ±{most:.3}.", effect.base));
    let about = |ui: &mut Ui, layer: usize, head: usize| {
        widgets::heading(ui, &format!("Without {}", label(HeadRef { layer, head })));
        match rise(layer, head) {
            Some(rise) => {
                ui.label(format!("{:.4} − {:.4} = {rise:+.4} nats per token", effect.base + rise, effect.base));
                widgets::note(ui, format!("L(head’s output × 0) − L, mean of −ln p over {} tokens", effect.n_tokens));
            }
            None => {
                widgets::note(ui, "Not run yet.");
            }
        }
    };
    let selected = view.snapshot.selection.head;
    let chosen = heat(
        ui,
        height,
        &Heat {
            name: "Rise of the loss",
            rows: "layer",
            size: [n_layers, effect.n_heads],
            color: &|layer, head| rise(layer, head).map(|rise| p.diverging.signed((rise / most) as f32)),
            cell: &|layer, head| format!("layer {layer}, head {head}"),
            about: &about,
            columns: &|head| head.to_string(),
            chosen: Some((selected.layer, selected.head)),
        },
    );
    if let Some((layer, head)) = chosen {
        view.send(Command::SelectHead(HeadRef { layer, head }));
    }
}

/// The search.
fn flip(ui: &mut Ui, view: &mut View<'_>) {
    widgets::heading(ui, "Flip the prediction with the fewest heads");
    let known = study::controls(ui, view, Study::Flip, LossText::Prompt, "Search the fewest heads");
    let Some(Finding::Flip(search)) = known.as_ref().and_then(|known| known.finding.as_ref()) else { return };
    let FlipSearch { top, margin, trying, found, finished, .. } = search;
    widgets::note(ui, format!("Now: “{top}”, {margin:.2} logits ahead of the next token."));
    if let Some((heads, other, after)) = found {
        let names: Vec<String> = heads.iter().take(12).map(|head| label(*head)).collect();
        let more = if heads.len() > names.len() { ", …" } else { "" };
        let words = if heads.len() == 1 { "head" } else { "heads" };
        ui.label(format!("Without {} {words} ({}{more}): “{other}”.", heads.len(), names.join(", ")));
        let honest = match (heads.len(), *finished) {
            (1, _) => "No set can be smaller.",
            (_, true) => "A smaller set may exist: heads were tried in the order of their own effect (an upper bound).",
            (_, false) => "Still giving back heads that are not needed.",
        };
        widgets::note(ui, format!("“{top}” is then {:.2} logits behind. {honest}", -after));
        if widgets::button(ui, icon::ABLATE, "Silence these heads").clicked() {
            let tweak = Tweak::AblateHeads { heads: heads.clone(), with: Ablation::Zero };
            view.set_tweak(|t| matches!(t, Tweak::AblateHeads { .. }), Some(tweak));
        }
    } else if *finished {
        widgets::note(ui, "No set in this order changes the prediction, not even all heads together.");
    } else if trying.len() > 1 {
        widgets::note(ui, format!("Silencing {} heads together.", trying.len()));
    }
}
