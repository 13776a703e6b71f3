//! The head as lines between two columns of tokens: thicker and stronger means more attention.

use egui::epaint::CubicBezierShape;
use egui::{Align2, Color32, FontId, Rect, Role, ScrollArea, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::{Weights, sentence};
use crate::lab::Command;
use crate::model::tweak::HeadRef;
use crate::ui::fonts::printable;
use crate::ui::plot::Cached;
use crate::ui::theme::{Palette, RADIUS_SMALL, palette};
use crate::ui::view::View;
use crate::ui::widgets;

const ROW: f32 = 20.0;
const COLUMN: f32 = 116.0;
/// Lines that are drawn at most.
const MOST: usize = 600;

/// A line: from which token, to which, how much.
type Line = (usize, usize, f32);
type Key = (u64, u64, HeadRef, super::Source);

/// The plot, with the lines that are worth drawing.
#[derive(Default)]
pub struct Lines {
    strongest: Cached<(Key, bool), Vec<Line>>,
}

impl Lines {
    /// Draws the plot.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, weights: &Weights, skip_first: bool) {
        let strongest = self.strongest.get((weights.key, skip_first), || strongest(weights, skip_first));
        let largest = strongest.first().map_or(1.0, |line| line.2.abs());
        widgets::note(
            ui,
            "Each token on the left takes from tokens on the right. Point at a token to see only its lines.",
        );
        ScrollArea::vertical().id_salt("lines").auto_shrink([false, false]).show(ui, |ui| {
            let width = ui.available_width();
            let (rect, _) = ui.allocate_exact_size(vec2(width, ROW * weights.n as f32 + 4.0), Sense::hover());
            let span = (width - 2.0 * COLUMN).clamp(60.0, 520.0);
            let from = rect.left() + (width - span - 2.0 * COLUMN).max(0.0) * 0.5;
            let columns = (from + COLUMN, from + COLUMN + span);
            let y = |i: usize| rect.top() + (i as f32 + 0.5) * ROW;
            let looked_at = tokens(ui, view, weights, rect, columns);
            let p = palette(ui);
            let clip = ui.clip_rect();
            let draw = |(query, key, value): Line| {
                let (a, b) = (pos2(columns.0, y(query)), pos2(columns.1, y(key)));
                if a.y.max(b.y) >= clip.top() && a.y.min(b.y) <= clip.bottom() {
                    ui.painter().add(line(p, weights, [a.x, a.y, b.x, b.y], value / largest));
                }
            };
            match looked_at {
                Some(query) => weights.row(query).iter().enumerate().for_each(|(key, &w)| draw((query, key, w))),
                None => strongest.iter().copied().for_each(draw),
            }
        });
    }
}

fn line(p: &Palette, weights: &Weights, [x0, y0, x1, y1]: [f32; 4], strength: f32) -> Shape {
    let amount = strength.abs().clamp(0.0, 1.0);
    let base = if weights.signed { p.series(usize::from(strength < 0.0)) } else { p.accent };
    let stroke = Stroke::new(0.6 + 2.4 * amount, base.gamma_multiply(0.08 + 0.92 * amount));
    let bend = (x1 - x0) * 0.45;
    let points = [pos2(x0, y0), pos2(x0 + bend, y0), pos2(x1 - bend, y1), pos2(x1, y1)];
    CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke).into()
}

/// Both columns; returns the token that is looked at: the one under the pointer.
fn tokens(ui: &Ui, view: &mut View<'_>, weights: &Weights, rect: Rect, columns: (f32, f32)) -> Option<usize> {
    let p = palette(ui);
    let font: FontId = egui::TextStyle::Monospace.resolve(ui.style());
    let clip = ui.clip_rect();
    let mut looked_at = None;
    for i in 0..weights.n {
        let top = rect.top() + i as f32 * ROW;
        if top + ROW < clip.top() || top > clip.bottom() {
            continue;
        }
        let label: String = view.label(i).chars().take(14).collect();
        let label = printable(ui.ctx(), &label, &font).into_owned();
        let left = Rect::from_min_max(pos2(columns.0 - COLUMN, top), pos2(columns.0 - 4.0, top + ROW));
        let right = Rect::from_min_max(pos2(columns.1 + 4.0, top), pos2(columns.1 + COLUMN, top + ROW));
        let id = ui.scope_id().with(("query", i));
        let response = ui.interact(left, id, Sense::CLICK);
        let name = format!("Attention of token {i}: {}", view.label(i));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), &name));
        if response.clicked() {
            view.send(Command::SelectToken(i));
        }
        if response.hovered() {
            looked_at = Some(i);
        }
        let selected = view.snapshot.selection.token == i;
        if selected || response.hovered() {
            let fill = if selected { p.accent_soft } else { p.hover };
            ui.painter().rect_filled(left.shrink2(vec2(0.0, 1.0)), RADIUS_SMALL, fill);
        }
        ui.painter().text(left.right_center() - vec2(6.0, 0.0), Align2::RIGHT_CENTER, &label, font.clone(), p.text);
        ui.painter().text(right.left_center() + vec2(6.0, 0.0), Align2::LEFT_CENTER, &label, font.clone(), p.text);
        response.on_hover_ui(|ui| {
            let mut best: Vec<usize> = (0..weights.n).collect();
            best.sort_by(|a, b| weights.row(i)[*b].abs().total_cmp(&weights.row(i)[*a].abs()));
            for key in best.into_iter().take(4) {
                ui.label(sentence(view, weights, i, key));
            }
        });
    }
    looked_at
}

/// The strongest weights, strongest first.
fn strongest(weights: &Weights, skip_first: bool) -> Vec<Line> {
    let from = usize::from(skip_first && weights.n > 1);
    let mut lines: Vec<Line> = (0..weights.n)
        .flat_map(|q| weights.row(q).iter().enumerate().skip(from).map(move |(k, &w)| (q, k, w)))
        .filter(|line| line.2.is_finite() && line.2.abs() > 0.01)
        .collect();
    lines.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
    lines.truncate(MOST);
    lines
}
