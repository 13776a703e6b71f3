//! One row of a pattern as bars, small enough for a card.

use egui::{Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::theme::{RADIUS_SMALL, palette};

const HEIGHT: f32 = 64.0;

/// Draws weights that sum to 1, the first token at the left. The scale is that of the whole: a full bar is 1.
pub fn bars(ui: &mut Ui, weights: &[f64], name: &str) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let said = format!("{name}: {} weights, the largest {:.0} %", weights.len(), largest * 100.0);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    ui.painter().rect_filled(rect, RADIUS_SMALL, p.sunken);
    let inner = rect.shrink(4.0);
    let step = inner.width() / weights.len().max(1) as f32;
    for (i, weight) in weights.iter().enumerate() {
        let left = inner.left() + step * i as f32;
        let top = inner.bottom() - inner.height() * (*weight as f32).clamp(0.0, 1.0);
        let bar =
            Rect::from_min_max(pos2(left, top.min(inner.bottom() - 1.0)), pos2(left + step * 0.8, inner.bottom()));
        ui.painter().rect_filled(bar, 0.0, p.accent);
    }
}

/// Draws one bar of a whole, as the student placed it and, once it is known, as it is.
pub fn placed(ui: &mut Ui, placed: f32, truth: Option<f32>, name: &str) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), Sense::hover());
    let percent = |x: f32| format!("{:.0} %", x * 100.0);
    let said = match truth {
        Some(truth) => format!("{name}: you placed {}, it is {}", percent(placed), percent(truth)),
        None => format!("{name}: placed at {}", percent(placed)),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &said));
    ui.painter().rect_filled(rect, RADIUS_SMALL, p.sunken);
    let bar = |share: f32, top: f32, bottom: f32| {
        let size = vec2(rect.width() * share.clamp(0.0, 1.0), rect.height() * (bottom - top));
        Rect::from_min_size(rect.left_top() + vec2(0.0, rect.height() * top), size)
    };
    match truth {
        Some(truth) => {
            ui.painter().rect_filled(bar(placed, 0.0, 0.5), 0.0, p.muted);
            ui.painter().rect_filled(bar(truth, 0.5, 1.0), 0.0, p.accent);
        }
        None => {
            ui.painter().rect_filled(bar(placed, 0.0, 1.0), 0.0, p.accent);
        }
    }
}
