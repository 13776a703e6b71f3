//! The head as a matrix: rows attend to columns.

use egui::{
    Color32, FontId, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind, TextureHandle, TextureOptions, Ui, Vec2,
    WidgetInfo, epaint::TextShape, pos2, vec2,
};

use super::{Weights, sentence};
use crate::lab::Command;
use crate::model::tweak::HeadRef;
use crate::model::{HookPoint, Site};
use crate::ui::fonts::printable;
use crate::ui::plot::{Cached, matrix_image};
use crate::ui::theme::{self, Palette, palette};
use crate::ui::view::View;
use crate::ui::widgets;

/// Cells from this side on have their tokens written beside them.
const LABELLED: f32 = 9.5;
/// … and above them from this side on.
const ROOMY: f32 = 13.0;
/// Longest label of a row or column, in points.
const LABEL: f32 = 74.0;
/// Space beside the matrix where no label fits.
const MARGIN: f32 = 12.0;
/// Largest side of a cell.
const LARGEST_CELL: f32 = 34.0;
/// How much wider than high cells may be, so that a low pane is used and its columns can be labelled.
const WIDEST: f32 = 2.0;

type Key = ((u64, u64, HeadRef, super::Source), bool, bool);

/// The plot, with its texture.
#[derive(Default)]
pub struct MatrixPlot {
    texture: Cached<Key, TextureHandle>,
    largest: Cached<Key, f32>,
}

impl MatrixPlot {
    /// Draws the plot.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, weights: &Weights, skip_first: &mut bool) {
        let p = palette(ui);
        let key = (weights.key, *skip_first, p.dark);
        let largest = *self.largest.get(key, || weights.largest(*skip_first));
        let texture = self.texture.get(key, || texture(ui, p, weights, largest));
        let space = ui.available_size() - vec2(0.0, 24.0);
        let layout = Layout::fit(space, weights.n, longest_label(ui, view, weights.n));
        let Layout { size, left: gutter, top } = layout;
        let (whole, response) = ui.allocate_exact_size(vec2(ui.available_width(), size.y + top), Sense::click());
        response.widget_info(|| {
            WidgetInfo::labeled(Role::Image, ui.is_enabled(), "Attention matrix; rows attend to columns")
        });
        let left = whole.left() + ((whole.width() - size.x - gutter) * 0.5).max(0.0);
        let square = Rect::from_min_size(pos2(left + gutter, whole.top() + top), size);
        let painter = ui.painter_at(whole.expand(1.0));
        let full = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        painter.image(texture.id(), square, full, theme::UNTINTED);
        painter.rect_stroke(square, 2.0, Stroke::new(1.0, p.border), StrokeKind::Outside);
        let cell = size / weights.n as f32;
        let hovered = response.hover_pos().filter(|pos| square.contains(*pos)).map(|pos| {
            let at = |x: f32, cell: f32| ((x / cell) as usize).min(weights.n - 1);
            let inside = pos - square.min;
            (at(inside.y, cell.y), at(inside.x, cell.x))
        });
        labels(ui, view, square, weights.n, hovered, &layout);
        marks(ui, view, square, cell, hovered);
        if let Some((query, key)) = hovered {
            if response.clicked() {
                view.send(Command::SelectToken(query));
            }
            response.on_hover_ui_at_pointer(|ui| explain(ui, view, weights, query, key));
        }
        legend(ui, p, weights, largest, skip_first);
    }
}

/// Where the matrix stands in its pane.
struct Layout {
    /// Of the matrix.
    size: Vec2,
    /// Space for the labels of rows.
    left: f32,
    /// Space for the labels of columns.
    top: f32,
}

impl Layout {
    /// Labels of rows take the space that the cells leave; those of columns, which cost height, need more to spare. Cells
    /// are square where that is large enough, and wider where the pane is low.
    fn fit(space: Vec2, n: usize, label: f32) -> Self {
        let n = n as f32;
        let fit = |left: f32, top: f32| {
            let high = (space.y - top).min(LARGEST_CELL * n).max(40.0);
            let wide = (space.x - left).min(LARGEST_CELL * n).max(40.0);
            vec2(wide.min(WIDEST * high), high.min(wide))
        };
        for (left, top, wide) in [(label, label, ROOMY), (label, MARGIN, LABELLED)] {
            let size = fit(left, top);
            if size.y / n >= LABELLED && size.x / n >= wide {
                return Self { size, left, top };
            }
        }
        Self { size: fit(MARGIN, MARGIN), left: MARGIN, top: MARGIN }
    }
}

/// The width that the longest label takes, up to [`LABEL`].
fn longest_label(ui: &Ui, view: &View<'_>, n: usize) -> f32 {
    // Beyond this many tokens no label fits anyway.
    const MANY: usize = 128;
    if n > MANY {
        return LABEL;
    }
    let font: FontId = theme::tick().resolve(ui.style());
    let width = |i| {
        let text = shortened(ui, view.label(i), &font, LABEL - 8.0);
        ui.painter().layout_no_wrap(text, font.clone(), Color32::PLACEHOLDER).size().x
    };
    (0..n).map(width).fold(16.0, f32::max) + 9.0
}

fn texture(ui: &Ui, p: &Palette, weights: &Weights, largest: f32) -> TextureHandle {
    let ramp = if weights.signed { &p.diverging } else { &p.sequential };
    let n = weights.n;
    let image = matrix_image(&weights.values, n, ramp, p.sunken, |_, x| {
        if weights.signed { x / largest * 0.5 + 0.5 } else { x / largest }
    });
    let options = TextureOptions { magnification: egui::TextureFilter::Nearest, ..TextureOptions::LINEAR };
    ui.ctx().load_texture("one head", image, options)
}

/// Tokens along the edges; only those under the pointer where there is no space for all.
fn labels(ui: &Ui, view: &View<'_>, square: Rect, n: usize, hovered: Option<(usize, usize)>, layout: &Layout) {
    let p = palette(ui);
    let (all_rows, all_columns, cell) = (layout.left > MARGIN, layout.top > MARGIN, square.size() / n as f32);
    let mut font: FontId = theme::tick().resolve(ui.style());
    font.size = font.size.min(cell.min_elem().max(9.0));
    for i in 0..n {
        let (is_row, is_column) = hovered.map_or((false, false), |(q, k)| (q == i, k == i));
        let selected = view.snapshot.selection.token == i;
        if !(all_rows || is_row || is_column || selected) {
            continue;
        }
        let color = |on: bool| if on { p.text } else { p.muted };
        let text = shortened(ui, view.label(i), &font, LABEL - 8.0);
        if all_rows || is_row || (selected && hovered.is_none()) {
            let galley = ui.painter().layout_no_wrap(text.clone(), font.clone(), color(is_row || selected));
            let y = square.top() + (i as f32 + 0.5) * cell.y;
            let x = square.left() - 5.0 - galley.size().x;
            if all_rows {
                ui.painter().galley(pos2(x, y - galley.size().y * 0.5), galley, p.text);
            } else {
                let mark = [pos2(square.left() - 10.0, y), pos2(square.left() - 3.0, y)];
                ui.painter().line_segment(mark, Stroke::new(2.0, p.accent));
            }
        }
        if all_columns || is_column {
            let x = square.left() + (i as f32 + 0.5) * cell.x;
            if all_columns {
                let galley = ui.painter().layout_no_wrap(text, font.clone(), color(is_column));
                let at = pos2(x - galley.size().y * 0.5, square.top() - 4.0);
                let shape = TextShape::new(at, galley, p.text).with_angle(-std::f32::consts::FRAC_PI_2);
                ui.painter().add(Shape::Text(shape));
            } else {
                let mark = [pos2(x, square.top() - 10.0), pos2(x, square.top() - 3.0)];
                ui.painter().line_segment(mark, Stroke::new(2.0, p.accent));
            }
        }
    }
}

/// A label that fits into a width.
fn shortened(ui: &Ui, label: &str, font: &FontId, width: f32) -> String {
    let label = printable(ui.ctx(), label, font);
    let fits =
        |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x <= width;
    if fits(&label) {
        return label.into_owned();
    }
    let mut text: String = label.chars().take(18).collect();
    while !text.is_empty() && !fits(&format!("{text}…")) {
        text.pop();
    }
    text.push('…');
    text
}

/// The selected token's row and the cell under the pointer.
fn marks(ui: &Ui, view: &View<'_>, square: Rect, cell: Vec2, hovered: Option<(usize, usize)>) {
    let p = palette(ui);
    let row =
        |i: usize| Rect::from_min_size(square.left_top() + vec2(0.0, i as f32 * cell.y), vec2(square.width(), cell.y));
    let selected = row(view.snapshot.selection.token);
    if square.intersects(selected) {
        ui.painter().rect_stroke(selected, 1.0, Stroke::new(1.5, p.accent), StrokeKind::Outside);
    }
    if let Some((query, key)) = hovered {
        let line = Stroke::new(1.0, p.text.gamma_multiply(0.5));
        let column =
            Rect::from_min_size(square.left_top() + vec2(key as f32 * cell.x, 0.0), vec2(cell.x, square.height()));
        ui.painter().rect_stroke(row(query), 0.0, line, StrokeKind::Outside);
        ui.painter().rect_stroke(column, 0.0, line, StrokeKind::Outside);
    }
}

/// The sentence, and where the number comes from.
fn explain(ui: &mut Ui, view: &View<'_>, weights: &Weights, query: usize, key: usize) {
    ui.label(sentence(view, weights, query, key));
    if weights.signed {
        return;
    }
    let Some((run, _)) = view.shown() else { return };
    let HeadRef { layer, head } = view.snapshot.selection.head;
    let number = |site| {
        let values = run.trace.get(HookPoint::layer(layer, site))?.head(head)?;
        values.get(query * weights.n + key).copied()
    };
    let numbers = (number(Site::RawScores), number(Site::ScaledScores), number(Site::Scores));
    if let (Some(raw), Some(scaled), Some(masked)) = numbers {
        let masked = if masked.is_finite() { format!("{masked:.3}") } else { "−∞ (masked)".to_owned() };
        widgets::note(ui, format!("q·k = {raw:.3} → scaled {scaled:.3} → {masked} → softmax over the row"));
    } else {
        widgets::note(ui, "softmax over the row of q·k / √d_head");
    }
}

fn legend(ui: &mut Ui, p: &Palette, weights: &Weights, largest: f32, skip_first: &mut bool) {
    ui.horizontal(|ui| {
        ui.set_height(20.0);
        let (ramp, low) = if weights.signed { (&p.diverging, -largest) } else { (&p.sequential, 0.0) };
        widgets::note(ui, format!("{low:.2}"));
        let (bar, _) = ui.allocate_exact_size(vec2(80.0, 8.0), Sense::hover());
        let steps = 40;
        for i in 0..steps {
            let x = bar.left() + bar.width() * i as f32 / steps as f32;
            let part = Rect::from_min_size(pos2(x, bar.top()), vec2(bar.width() / steps as f32 + 0.5, bar.height()));
            ui.painter().rect_filled(part, 0.0, ramp.at(i as f32 / (steps - 1) as f32));
        }
        ui.painter().rect_stroke(bar, 0.0, Stroke::new(1.0, p.border), StrokeKind::Outside);
        widgets::note(ui, format!("{largest:.2}"));
        ui.add_space(4.0);
        widgets::switch(ui, skip_first, "Scale without the first token");
    });
}
