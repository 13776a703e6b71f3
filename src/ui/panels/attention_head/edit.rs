//! Editing one row: the selected token's attention as bars that can be dragged.

use egui::{Align2, FontId, Key, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::Weights;
use crate::model::tweak::{HeadRef, Tweak};
use crate::ui::fonts::printable;
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

const BAR: f32 = 34.0;

/// The editor. The weights live in the lab's list of changes.
#[derive(Debug, Default)]
pub struct RowEditor;

impl RowEditor {
    /// Draws the bars of the selected token.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, weights: &Weights) {
        let HeadRef { layer, head } = view.snapshot.selection.head;
        let query = view.snapshot.selection.token.min(weights.n - 1);
        let is_ours = |t: &Tweak| matches!(t, Tweak::PatternRow { layer: l, head: h, query: q, .. } if (*l, *h, *q) == (layer, head, query));
        let edited = view.snapshot.tweaks.iter().find_map(|t| match t {
            Tweak::PatternRow { weights, .. } if is_ours(t) => Some(weights.clone()),
            _ => None,
        });
        ui.horizontal_wrapped(|ui| {
            let text = format!(
                "How much “{}” takes from each token. Drag a bar; the row is brought back to a sum of 1.",
                view.label(query)
            );
            widgets::note(ui, text);
            ui.add_enabled_ui(edited.is_some(), |ui| {
                if widgets::button(ui, icon::UNDO, "Undo this row").clicked() {
                    view.set_tweak(is_ours, None);
                }
            });
        });
        let mut row = edited.clone().unwrap_or_else(|| weights.row(query).to_vec());
        row.resize(weights.n, 0.0);
        let visible = query + 1;
        let mut changed = None;
        ScrollArea::horizontal().id_salt("edit row").auto_shrink([false, false]).show(ui, |ui| {
            let height = (ui.available_height() - 8.0).max(70.0);
            let n = if row.iter().skip(visible).any(|w| *w > 0.0) { weights.n } else { visible };
            let (rect, _) = ui.allocate_exact_size(vec2(BAR * n as f32, height), Sense::hover());
            for (key, value) in row.iter_mut().enumerate().take(n) {
                let column = Rect::from_min_size(pos2(rect.left() + BAR * key as f32, rect.top()), vec2(BAR, height));
                if ui.is_rect_visible(column) && bar(ui, view, column, (query, key), value) {
                    changed = Some(key);
                }
            }
        });
        if let Some(key) = changed {
            share_the_rest(&mut row, key, visible.max(key + 1));
            view.set_tweak(is_ours, Some(Tweak::PatternRow { layer, head, query, weights: row }));
        }
    }
}

/// Keeps the weight at `key` and scales the others of the first `visible`, so that all sum to 1.
fn share_the_rest(row: &mut [f32], key: usize, visible: usize) {
    let kept = row[key];
    let others: f32 = row.iter().enumerate().filter(|(i, _)| *i != key).map(|(_, w)| w).sum();
    let n_others = visible.min(row.len()).saturating_sub(1);
    if n_others == 0 {
        row[key] = 1.0;
        return;
    }
    for (i, weight) in row.iter_mut().enumerate().filter(|(i, _)| *i != key) {
        let even = if i < visible { 1.0 / n_others as f32 } else { 0.0 };
        *weight = (1.0 - kept) * if others > 0.0 { *weight / others } else { even };
    }
}

/// One bar with its token below; dragging or the arrow keys set its height. True if it moved.
fn bar(ui: &Ui, view: &View<'_>, column: Rect, (query, key): (usize, usize), value: &mut f32) -> bool {
    let before = *value;
    let p = palette(ui);
    let track = Rect::from_min_max(column.min + vec2(4.0, 16.0), column.max - vec2(4.0, 22.0));
    let id = ui.scope_id().with(("bar", query, key));
    let response = ui.interact(column, id, Sense::click_and_drag()).on_hover_cursor(egui::CursorIcon::ResizeVertical);
    if let Some(pos) = response.interact_pointer_pos() {
        *value = ((track.bottom() - pos.y) / track.height()).clamp(0.0, 1.0);
    }
    if response.has_focus() {
        let filter = egui::EventFilter { vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
        let (up, down) = ui.input(|i| (i.key_pressed(Key::ArrowUp), i.key_pressed(Key::ArrowDown)));
        *value = (*value + 0.05 * (f32::from(u8::from(up)) - f32::from(u8::from(down)))).clamp(0.0, 1.0);
    }
    let name = format!("Weight of token {key}: {}", view.label(key));
    response.widget_info(|| WidgetInfo::slider(ui.is_enabled(), f64::from(*value), &name));
    ui.ctx().accesskit_node_builder(id, |node| node.set_role(Role::Slider));
    ui.painter().rect_filled(track, 4.0, p.sunken);
    let top = egui::lerp(track.bottom()..=track.top(), value.clamp(0.0, 1.0));
    ui.painter().rect_filled(track.with_min_y(top.min(track.bottom() - 1.0)), 4.0, p.accent);
    if response.has_focus() || response.hovered() {
        ui.painter().rect_stroke(track, 4.0, Stroke::new(1.5, p.accent), StrokeKind::Outside);
    }
    let font: FontId = crate::ui::theme::tick().resolve(ui.style());
    let at = pos2(column.center().x, column.top() + 2.0);
    ui.painter().text(at, Align2::CENTER_TOP, format!("{value:.2}"), font.clone(), p.muted);
    let label: String = view.label(key).chars().take(5).collect();
    let label = printable(ui.ctx(), &label, &font).into_owned();
    ui.painter().text(pos2(at.x, track.bottom() + 5.0), Align2::CENTER_TOP, label, font, p.text);
    (*value - before).abs() > 1e-4
}

#[cfg(test)]
mod tests {
    use super::share_the_rest;

    #[test]
    fn a_moved_bar_stays_and_the_others_make_room() {
        let mut row = vec![0.8, 0.1, 0.1, 0.0];
        share_the_rest(&mut row, 0, 3);
        assert!((row[0] - 0.8).abs() < 1e-6 && (row.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        let mut only = vec![0.5, 0.0, 0.0, 0.0];
        share_the_rest(&mut only, 0, 3);
        assert_eq!(only, [0.5, 0.25, 0.25, 0.0]);
        let mut single = vec![0.2];
        share_the_rest(&mut single, 0, 1);
        assert_eq!(single, [1.0]);
    }
}
