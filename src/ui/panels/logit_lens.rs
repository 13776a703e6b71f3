//! The logit lens: what every layer would already predict at every position.
//!
//! Each cell reads the residual stream that leaves a layer through the final norm and the unembedding (nostalgebraist,
//! "interpreting GPT: the logit lens", 2020). Only the cells in view are drawn.

use std::sync::Arc;

use egui::{Align2, FontId, Pos2, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::lab::{Command, Lens};
use crate::ui::fonts::printable;
use crate::ui::plot::through_layers;
use crate::ui::theme::{self, palette};
use crate::ui::view::View;
use crate::ui::{icon, widgets};

const CELL: egui::Vec2 = egui::vec2(66.0, 21.0);
const GUTTER: f32 = 30.0;
const HEADER: f32 = 22.0;
/// Height of the line over the layers, with its title.
const LINE: f32 = 132.0;

/// The panel. It derives nothing: the lab prepares the lens.
#[derive(Debug, Default)]
pub struct LogitLens;

impl LogitLens {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(run) = view.snapshot.shown() else { return };
        let Some(lens) = run.lens.clone() else {
            widgets::empty_state(ui, icon::RECENT, "One moment", "The residual stream of every layer is being read.");
            return;
        };
        if lens.n_positions == 0 || lens.cells.is_empty() {
            widgets::empty_state(ui, icon::EDIT, "Nothing to read", "Type a prompt below.");
            return;
        }
        widgets::note(
            ui,
            "Rows are layers, columns are tokens: the best guess for the token that follows, were this the last layer.",
        );
        let n_layers = lens.cells.len() / lens.n_positions;
        let all = ui.available_rect_before_wrap();
        // The line over the layers takes the foot of the panel, where there is room for both.
        let line = if all.height() > 3.0 * LINE { LINE } else { 0.0 };
        let outer = all.with_max_y(all.bottom() - line);
        let area = Rect::from_min_max(outer.min + vec2(GUTTER, HEADER), outer.max);
        let mut offset = egui::Vec2::ZERO;
        ui.scope_builder(egui::UiBuilder::new().max_rect(area), |ui| {
            let scroll = ScrollArea::both().id_salt("lens").auto_shrink([false, false]);
            let shown = scroll.show(ui, |ui| {
                let size = vec2(CELL.x * lens.n_positions as f32, CELL.y * n_layers as f32);
                let (rect, response) = ui.allocate_exact_size(size, Sense::click());
                let name = "Logit lens; rows are layers, columns are tokens";
                response.widget_info(|| WidgetInfo::labeled(Role::Image, ui.is_enabled(), name));
                cells(ui, view, &lens, rect.min, n_layers, &response);
            });
            offset = shown.state.clamped_offset();
        });
        headers(ui, view, area, offset, lens.n_positions, n_layers);
        ui.advance_cursor_after_rect(outer);
        if line > 0.0 {
            let position = view.snapshot.selection.token.min(lens.n_positions - 1);
            let about = format!("How sure the best guess is after each layer, at “{}”:", view.label(position));
            widgets::note(ui, &about);
            through_layers::show(ui, &lens, position, ui.available_height());
        }
    }
}

fn cells(ui: &mut Ui, view: &mut View<'_>, lens: &Arc<Lens>, origin: Pos2, n_layers: usize, response: &egui::Response) {
    let p = palette(ui);
    let clip = ui.clip_rect();
    let font: FontId = theme::tick().resolve(ui.style());
    let range = |from: f32, to: f32, cell: f32, n: usize| {
        let first = (from / cell).floor().max(0.0) as usize;
        first.min(n)..((to / cell).ceil().max(0.0) as usize).min(n)
    };
    for layer in range(clip.top() - origin.y, clip.bottom() - origin.y, CELL.y, n_layers) {
        for position in range(clip.left() - origin.x, clip.right() - origin.x, CELL.x, lens.n_positions) {
            let Some((best, label)) = lens.cells.get(layer * lens.n_positions + position).and_then(|c| c.first())
            else {
                continue;
            };
            let cell = cell_rect(origin, layer, position);
            let fill = p.sequential.at(best.probability);
            ui.painter().rect_filled(cell, 2.0, fill);
            let text: String = label.chars().take(9).collect();
            let text = printable(ui.ctx(), &text, &font).into_owned();
            let galley = ui.painter().layout_no_wrap(text, font.clone(), p.on(fill));
            let at = pos2(
                cell.center().x - (galley.size().x * 0.5).min(cell.width() * 0.5 - 3.0),
                cell.center().y - galley.size().y * 0.5,
            );
            ui.painter().with_clip_rect(cell.shrink(2.0).intersect(clip)).galley(at, galley, p.text);
        }
    }
    let Some(pos) = response.hover_pos() else { return };
    let (layer, position) = (((pos.y - origin.y) / CELL.y) as usize, ((pos.x - origin.x) / CELL.x) as usize);
    if layer >= n_layers || position >= lens.n_positions {
        return;
    }
    ui.painter().rect_stroke(cell_rect(origin, layer, position), 2.0, Stroke::new(1.5, p.text), StrokeKind::Outside);
    if response.clicked() {
        view.send(Command::SelectToken(position));
    }
    response.clone().on_hover_ui_at_pointer(|ui| {
        widgets::heading(ui, &format!("{}, at “{}”", row_name(layer), view.label(position)));
        for (score, label) in lens.cells.get(layer * lens.n_positions + position).into_iter().flatten() {
            ui.horizontal(|ui| {
                ui.set_min_width(180.0);
                ui.monospace(label.as_str());
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.label(widgets::percent(score.probability));
                });
            });
        }
        widgets::note(ui, "softmax(unembed(norm(residual stream)))");
    });
}

/// What a row reads: the embeddings, or what leaves a layer.
fn row_name(row: usize) -> String {
    row.checked_sub(1).map_or("The embedding".to_owned(), |layer| format!("After layer {layer}"))
}

fn cell_rect(origin: Pos2, layer: usize, position: usize) -> Rect {
    let at = origin + vec2(position as f32 * CELL.x, layer as f32 * CELL.y);
    Rect::from_min_size(at, CELL).shrink(0.5)
}

/// Layer numbers and tokens, which stay in view while the cells scroll.
fn headers(ui: &Ui, view: &View<'_>, area: Rect, offset: egui::Vec2, n_positions: usize, n_layers: usize) {
    let p = palette(ui);
    let font: FontId = theme::tick().resolve(ui.style());
    let left = Rect::from_min_max(pos2(area.left() - GUTTER, area.top()), pos2(area.left(), area.bottom()));
    let top = Rect::from_min_max(pos2(area.left(), area.top() - HEADER), pos2(area.right(), area.top()));
    let (left, top) = (ui.painter_at(left), ui.painter_at(top));
    for layer in 0..n_layers {
        let y = area.top() - offset.y + (layer as f32 + 0.5) * CELL.y;
        let name = if layer == 0 { "in".to_owned() } else { (layer - 1).to_string() };
        left.text(pos2(area.left() - 8.0, y), Align2::RIGHT_CENTER, name, font.clone(), p.muted);
    }
    let first = (offset.x / CELL.x) as usize;
    let visible = (area.width() / CELL.x) as usize + 2;
    for position in first..(first + visible).min(n_positions) {
        let x = area.left() - offset.x + (position as f32 + 0.5) * CELL.x;
        let label: String = view.label(position).chars().take(9).collect();
        let label = printable(ui.ctx(), &label, &font).into_owned();
        let selected = view.snapshot.selection.token == position;
        let color = if selected { p.accent } else { p.muted };
        top.text(pos2(x, area.top() - 5.0), Align2::CENTER_BOTTOM, label, font.clone(), color);
    }
}
