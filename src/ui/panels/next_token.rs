//! The next token: what the model expects, before and after the changes.

use egui::{Align2, FontId, Rect, Role, ScrollArea, Sense, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::lab::{Run, TokenBar};
use crate::model::sampler::{entropy, kl};
use crate::ui::fonts::printable;
use crate::ui::plot::Cached;
use crate::ui::theme::{Palette, palette};
use crate::ui::view::View;
use crate::ui::widgets;

const ROW: f32 = 28.0;

/// The panel.
#[derive(Default)]
pub struct NextToken {
    facts: Cached<(u64, u64), Facts>,
}

/// What is said about the two distributions.
struct Facts {
    /// e^H: between about how many tokens the model hesitates.
    choices: f64,
    entropy: f64,
    /// KL(changed ‖ unchanged) in nats.
    kl: Option<f64>,
}

impl NextToken {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let s = view.snapshot;
        let Some(run) = s.shown() else { return };
        let clean = s.clean.as_deref().filter(|_| s.tweaked.is_some());
        let key = (run.id, clean.map_or(0, |r| r.id));
        let facts = self.facts.get(key, || Facts::new(run, clean));
        let p = palette(ui);
        widgets::note(ui, sentence(facts));
        if clean.is_some() {
            legend(ui, p);
        }
        ScrollArea::vertical().id_salt("next token").auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let most: f32 = run.top.iter().map(|t| t.score.probability.max(t.clean_probability)).fold(1e-6, f32::max);
            for bar in &run.top {
                row(ui, p, bar, most, clean.is_some());
            }
        });
    }
}

impl Facts {
    fn new(run: &Run, clean: Option<&Run>) -> Self {
        let entropy = entropy(&run.logits);
        let kl = clean.map(|clean| kl(&run.logits, &clean.logits));
        Self { choices: entropy.exp(), entropy, kl }
    }
}

/// The facts in words.
fn sentence(facts: &Facts) -> String {
    let certainty = match facts.choices {
        x if x < 1.5 => "The model is nearly certain".to_owned(),
        x if x < 1000.0 => format!("The model hesitates between about {x:.0} tokens"),
        _ => "The model has hardly any idea".to_owned(),
    };
    let entropy = format!("{certainty} (entropy {:.2} nats).", facts.entropy);
    match facts.kl {
        None => entropy,
        Some(kl) => {
            let effect = match kl {
                x if x < 0.001 => "The changes leave the prediction as it was",
                x if x < 0.05 => "The changes nudge the prediction",
                x if x < 0.5 => "The changes move the prediction",
                x if x < 2.0 => "The changes move the prediction strongly",
                _ => "The changes overturn the prediction",
            };
            format!("{effect} (KL {kl:.3} nats). {entropy}")
        }
    }
}

fn legend(ui: &mut Ui, p: &Palette) {
    ui.horizontal_wrapped(|ui| {
        for (color, text) in [(p.border_strong, "unchanged"), (p.accent, "changed")] {
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 8.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, color);
            widgets::note(ui, text);
        }
    });
}

fn row(ui: &mut Ui, p: &Palette, bar: &TokenBar, most: f32, compared: bool) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    let (now, before) = (bar.score.probability, bar.clean_probability);
    let name = format!("Next token {}: {}", bar.label, widgets::percent(now));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, ui.is_enabled(), &name));
    if ui.is_rect_visible(rect) {
        let mono: FontId = TextStyle::Monospace.resolve(ui.style());
        let small: FontId = TextStyle::Small.resolve(ui.style());
        let label_width = (rect.width() * 0.3).clamp(60.0, 130.0);
        let narrow = rect.width() < 250.0;
        let number_width = if compared && !narrow { 98.0 } else { 50.0 };
        let label: String = bar.label.chars().take(14).collect();
        let label = printable(ui.ctx(), &label, &mono).into_owned();
        let clip = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()).with_max_x(rect.left() + label_width));
        clip.text(rect.left_center(), Align2::LEFT_CENTER, label, mono, p.text);
        let track = Rect::from_min_max(
            pos2(rect.left() + label_width + 6.0, rect.top() + 3.0),
            pos2(rect.right() - number_width, rect.bottom() - 3.0),
        );
        let part = |probability: f32| track.left() + track.width() * (probability / most).clamp(0.0, 1.0);
        ui.painter().rect_filled(track, 3.0, p.sunken);
        if compared {
            let (upper, lower) = track.split_top_bottom_at_fraction(0.5);
            ui.painter().rect_filled(upper.with_max_x(part(before).max(track.left() + 1.0)), 2.0, p.border_strong);
            ui.painter().rect_filled(lower.with_max_x(part(now).max(track.left() + 1.0)), 2.0, p.accent);
        } else {
            ui.painter().rect_filled(track.with_max_x(part(now).max(track.left() + 1.0)), 3.0, p.accent);
        }
        let text = if compared && !narrow {
            format!("{} → {}", widgets::percent(before), widgets::percent(now))
        } else {
            widgets::percent(now)
        };
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, text, small, p.text);
    }
    response.on_hover_ui(|ui| {
        ui.label(format!("“{}”, id {}", bar.label, bar.score.id));
        widgets::note(ui, format!("logit {:.3}; softmax over the whole vocabulary: {:.5}", bar.score.logit, now));
        if compared {
            widgets::note(ui, format!("without your changes: {before:.5}"));
        }
    });
}
