//! How sure the model grows on its way up: a line over the layers.

use egui::Ui;
use egui_plot::{HoverPosition, Line, MarkerShape, Plot, PlotPoints, Points};

use crate::lab::Lens;
use crate::ui::theme::palette;

/// The probability of the best guess after each layer, for the token at `position`. Row 0 of the lens is the embedding.
pub fn show(ui: &mut Ui, lens: &Lens, position: usize, height: f32) {
    let p = palette(ui);
    let best = |layer: usize| lens.cells.get(layer * lens.n_positions + position)?.first();
    let n_layers = lens.cells.len() / lens.n_positions.max(1);
    let points: Vec<[f64; 2]> = (0..n_layers)
        .filter_map(|layer| best(layer).map(|(score, _)| [layer as f64, f64::from(score.probability)]))
        .collect();
    let labels: Vec<String> =
        (0..n_layers).map(|l| best(l).map_or_else(String::new, |(_, label)| label.clone())).collect();
    let about = move |at: &HoverPosition<'_>| {
        let HoverPosition::NearDataPoint { position: at, .. } = at else { return None };
        let layer = at.x.round().max(0.0) as usize;
        let name = labels.get(layer).map_or("", String::as_str);
        let place = layer.checked_sub(1).map_or("embedding".to_owned(), |l| format!("after layer {l}"));
        Some(format!("{place}: “{name}” {:.0} %", 100.0 * at.y))
    };
    Plot::new("through the layers")
        .height(height)
        .include_y(0.0)
        .include_y(1.0)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .show_grid([false, true])
        .y_axis_formatter(|mark, _| format!("{:.0} %", 100.0 * mark.value))
        .x_axis_formatter(|mark, _| if mark.value < 1.0 { "in".to_owned() } else { format!("{:.0}", mark.value - 1.0) })
        .label_formatter(about)
        .show(ui, |plot| {
            plot.line(Line::new("best guess", PlotPoints::from(points.clone())).color(p.accent).width(1.5));
            let dots = Points::new("best guess", PlotPoints::from(points)).shape(MarkerShape::Circle);
            plot.points(dots.radius(2.5).color(p.accent));
        });
}
