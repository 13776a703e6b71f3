//! From scores to output: every step of attention for one token in one head, with its numbers.
//!
//! softmax(q·kᵀ · scale + mask) · v (arXiv 1706.03762), one card per step. All numbers were recorded in the run that the
//! other panels show; the panel computes only what it prints beside them (lengths and sums).

use egui::{RichText, ScrollArea, Ui, vec2};

use crate::lab::Run;
use crate::model::tweak::HeadRef;
use crate::model::{HookPoint, ModelConfig, Site};
use crate::ui::plot::{Bars, Cached, bars};
use crate::ui::theme::{self, palette};
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// A card is not narrower than this.
const CARD: f32 = 210.0;

/// The panel.
#[derive(Default)]
pub struct AttentionPipeline {
    steps: Cached<(u64, HeadRef, usize), Option<Steps>>,
}

/// The numbers of one token in one head.
struct Steps {
    raw: Vec<f32>,
    scaled: Vec<f32>,
    masked: Vec<f32>,
    pattern: Vec<f32>,
    /// ‖p·v‖ for each token.
    contributions: Vec<f32>,
    z: Vec<f32>,
    out: Vec<f32>,
    scale: f32,
}

impl AttentionPipeline {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let (Some((run, query)), Some(model)) = (view.shown(), view.snapshot.model.as_ref()) else { return };
        let head = view.snapshot.selection.head;
        let steps = self.steps.get((run.id, head, query), || Steps::read(run, &model.config, head, query));
        let Some(steps) = steps else {
            let hint = format!("The steps of layer {} are being recorded.", head.layer);
            widgets::empty_state(ui, icon::RECENT, "One moment", &hint);
            return;
        };
        let label = view.label(query);
        let title = format!(
            "Token {query}, “{label}”, in layer {}, head {}. Choose another token below.",
            head.layer, head.head
        );
        widgets::note(ui, title);
        ScrollArea::vertical().id_salt("pipeline").auto_shrink([false, false]).show(ui, |ui| {
            let columns = ((ui.available_width() + 10.0) / (CARD + 10.0)).floor().clamp(1.0, 4.0) as usize;
            let width = (ui.available_width() - 10.0 * (columns - 1) as f32) / columns as f32 - 1.0;
            let cards = cards(steps, model.config.d_head, query);
            // Plots grow into the space that titles and notes leave.
            let rows = cards.len().div_ceil(columns) as f32;
            let height = (ui.available_height() / rows - 72.0).clamp(52.0, 150.0).floor();
            for (row, chunk) in cards.chunks(columns).enumerate() {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 10.0;
                    for (i, card) in chunk.iter().enumerate() {
                        ui.allocate_ui_with_layout(vec2(width, 0.0), egui::Layout::top_down(egui::Align::Min), |ui| {
                            show_card(ui, view, card, row * columns + i + 1, vec2(width, height));
                        });
                    }
                });
                ui.add_space(8.0);
            }
        });
    }
}

impl Steps {
    fn read(run: &Run, config: &ModelConfig, head: HeadRef, query: usize) -> Option<Self> {
        let n = run.tokens.len();
        let row = |site| -> Option<Vec<f32>> {
            let matrix = run.trace.get(HookPoint::layer(head.layer, site))?.head(head.head)?;
            Some(matrix.get(query * n..(query + 1) * n)?.to_vec())
        };
        let vector = |site, position: usize, index: usize, width: usize| -> Option<Vec<f32>> {
            let values = run.trace.get(HookPoint::layer(head.layer, site))?.row(position)?;
            Some(values.get(index * width..(index + 1) * width)?.to_vec())
        };
        let pattern = row(Site::Pattern)?;
        let kv_head = head.head / config.group_size().max(1);
        let contributions = pattern.iter().enumerate().map(|(key, weight)| {
            let value = vector(Site::V, key, kv_head, config.d_head)?;
            Some(weight * value.iter().map(|x| x * x).sum::<f32>().sqrt())
        });
        Some(Self {
            raw: row(Site::RawScores)?,
            scaled: row(Site::ScaledScores)?,
            masked: row(Site::Scores)?,
            contributions: contributions.collect::<Option<_>>()?,
            pattern,
            z: vector(Site::Z, query, head.head, config.d_head)?,
            out: vector(Site::AttnOut, query, 0, config.d_model)?,
            scale: config.attn_scale(head.layer),
        })
    }
}

/// One step on screen.
struct Card<'a> {
    title: &'static str,
    formula: String,
    values: &'a [f32],
    signed: bool,
    /// Whether the bars are tokens (or dimensions).
    over_tokens: bool,
    /// A sentence on the numbers.
    note: String,
}

fn cards(s: &Steps, d_head: usize, query: usize) -> Vec<Card<'_>> {
    let masked = s.masked.iter().filter(|x| !x.is_finite()).count();
    let best = s.pattern.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    let sum: f32 = s.pattern.iter().sum();
    let length = |x: &[f32]| x.iter().map(|v| v * v).sum::<f32>().sqrt();
    vec![
        Card {
            title: "Scores",
            formula: "q · k".into(),
            values: &s.raw,
            signed: true,
            over_tokens: true,
            note: format!("How well the query of token {query} fits each key."),
        },
        Card {
            title: "Scaled",
            formula: format!("q · k × {:.4}", s.scale),
            values: &s.scaled,
            signed: true,
            over_tokens: true,
            note: format!("1/√{d_head} keeps the softmax from saturating."),
        },
        Card {
            title: "Masked",
            formula: "later tokens become −∞".into(),
            values: &s.masked,
            signed: true,
            over_tokens: true,
            note: if masked == 0 {
                "Nothing is hidden from this token.".into()
            } else {
                format!("{masked} tokens are hidden.")
            },
        },
        Card {
            title: "Softmax",
            formula: "eˢ / Σ eˢ".into(),
            values: &s.pattern,
            signed: false,
            over_tokens: true,
            note: format!("The weights sum to {sum:.4}; the largest is {:.3}, at position {best}.", s.pattern[best]),
        },
        Card {
            title: "Weighted values",
            formula: "weight × ‖v‖".into(),
            values: &s.contributions,
            signed: false,
            over_tokens: true,
            note: "How much each token really brings: a large weight on a short value is little.".into(),
        },
        Card {
            title: "Sum of values",
            formula: "z = Σ weight × v".into(),
            values: &s.z,
            signed: true,
            over_tokens: false,
            note: format!("{d_head} numbers, of length {:.3}: what this head found.", length(&s.z)),
        },
        Card {
            title: "Output of the layer",
            formula: "Σ over heads of z · W_O".into(),
            values: &s.out,
            signed: true,
            over_tokens: false,
            note: format!("{} numbers, of length {:.3}, added to the residual stream.", s.out.len(), length(&s.out)),
        },
    ]
}

fn show_card(ui: &mut Ui, view: &View<'_>, card: &Card<'_>, number: usize, size: egui::Vec2) {
    let p = palette(ui);
    ui.scope(|ui| {
        ui.set_width(size.x);
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{number}")).family(theme::bold()).size(13.5).color(p.accent));
            widgets::heading(ui, card.title);
            ui.add(egui::Label::new(RichText::new(&card.formula).text_style(theme::tick()).color(p.muted)).truncate());
        });
        let name = format!("{}: {}", card.title, card.formula);
        let marked = None;
        let plot = Bars { name: &name, values: card.values, height: size.y, marked, signed: card.signed };
        let (response, hovered) = bars(ui, &plot);
        if let Some(i) = hovered {
            let value = card.values.get(i).copied().unwrap_or(f32::NAN);
            let value = if value == f32::NEG_INFINITY { "−∞".to_owned() } else { format!("{value:.4}") };
            response.on_hover_ui_at_pointer(|ui| {
                if card.over_tokens {
                    ui.label(format!("“{}”, position {i}: {value}", view.label(i)));
                } else {
                    ui.label(format!("dimension {i}: {value}"));
                }
                widgets::note(ui, card.formula.as_str());
            });
        }
        ui.add(egui::Label::new(RichText::new(&card.note).text_style(theme::tick()).color(p.muted)).wrap());
    });
}
