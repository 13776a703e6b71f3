//! Small bar plots with a number under the pointer.

use egui::{Color32, Mesh, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use crate::ui::theme::{Palette, palette};

/// One bar plot.
pub struct Bars<'a> {
    /// The accessible name.
    pub name: &'a str,
    /// The values; −∞ is drawn as masked.
    pub values: &'a [f32],
    /// Height of the plot in points.
    pub height: f32,
    /// The bar to emphasise.
    pub marked: Option<usize>,
    /// Whether values are coloured by sign.
    pub signed: bool,
}

/// Draws bars over the available width. Returns the response and the bar under the pointer.
pub fn bars(ui: &mut Ui, plot: &Bars<'_>) -> (Response, Option<usize>) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), plot.height), Sense::hover());
    let n = plot.values.len().max(1);
    let hovered = response.hover_pos().map(|pos| {
        let x = (pos.x - rect.left()) / rect.width() * n as f32;
        (x.max(0.0) as usize).min(n - 1)
    });
    if ui.is_rect_visible(rect) && !plot.values.is_empty() {
        ui.painter().rect_filled(rect, 3.0, p.sunken);
        paint(ui, p, rect, plot, hovered);
    }
    (response.accessible_name(plot.name), hovered)
}

fn paint(ui: &Ui, p: &Palette, rect: Rect, plot: &Bars<'_>, hovered: Option<usize>) {
    let inner = rect.shrink2(vec2(0.0, 3.0));
    let finite = || plot.values.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().fold(0.0f32, f32::min), finite().fold(0.0f32, f32::max));
    let span = (high - low).max(f32::MIN_POSITIVE);
    let y = |value: f32| inner.bottom() - (value - low) / span * inner.height();
    let step = inner.width() / plot.values.len() as f32;
    let gap = if step >= 4.0 { 1.0 } else { 0.0 };
    let mut mesh = Mesh::default();
    let mut masked = Mesh::default();
    for (i, &value) in plot.values.iter().enumerate() {
        let x = inner.left() + i as f32 * step;
        let (left, right) = (x + gap * 0.5, x + (step - gap * 0.5).max(0.75));
        if !value.is_finite() {
            masked.add_colored_rect(Rect::from_min_max(pos2(x, inner.top()), pos2(x + step, inner.bottom())), p.hover);
            continue;
        }
        let color = bar_color(p, plot, i, value, hovered);
        let (a, b) = (y(value), y(0.0));
        let bar = Rect::from_min_max(pos2(left, a.min(b)), pos2(right, a.max(b).max(a.min(b) + 1.0)));
        mesh.add_colored_rect(bar, color);
    }
    ui.painter().add(Shape::mesh(masked));
    ui.painter().add(Shape::mesh(mesh));
    if low < 0.0 && high > 0.0 {
        ui.painter().hline(inner.x_range(), y(0.0), Stroke::new(1.0, p.border_strong));
    }
}

fn bar_color(p: &Palette, plot: &Bars<'_>, index: usize, value: f32, hovered: Option<usize>) -> Color32 {
    if hovered == Some(index) {
        return p.text;
    }
    if plot.signed {
        return p.series(usize::from(value < 0.0));
    }
    if plot.marked.is_none_or(|m| m == index) { p.accent } else { p.accent.gamma_multiply(0.55) }
}
