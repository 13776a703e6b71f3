//! A map of cells, rows by columns: a colour for each value, a name and a hover for each cell, arrow keys inside.

use egui::{Align2, Color32, FontId, Key, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::ui::theme::{self, palette};

const GUTTER: Vec2 = vec2(44.0, 20.0);

/// What a map shows.
pub struct Heat<'a> {
    /// The accessible name; cells are called after it.
    pub name: &'a str,
    /// What a row is; stands over the numbers of the rows.
    pub rows: &'a str,
    /// Rows and columns.
    pub size: [usize; 2],
    /// The colour of a cell; none while its value is not known.
    pub color: &'a dyn Fn(usize, usize) -> Option<Color32>,
    /// What a cell is called, after the map's name.
    pub cell: &'a dyn Fn(usize, usize) -> String,
    /// What is said about a cell under the pointer.
    pub about: &'a dyn Fn(&mut Ui, usize, usize),
    /// The labels of columns; their numbers where there are none.
    pub columns: &'a dyn Fn(usize) -> String,
    /// The cell that is chosen.
    pub chosen: Option<(usize, usize)>,
}

/// Draws the map over the available width, at most `height` high. Returns the cell that was clicked or moved to.
pub fn heat(ui: &mut Ui, height: f32, map: &Heat<'_>) -> Option<(usize, usize)> {
    let p = palette(ui);
    let [rows, columns] = map.size;
    let space = vec2(ui.available_width(), height) - GUTTER;
    let cell =
        vec2((space.x / columns.max(1) as f32).clamp(2.0, 64.0), (space.y / rows.max(1) as f32).clamp(2.0, 40.0));
    let size = GUTTER + vec2(cell.x * columns as f32, cell.y * rows as f32);
    let (rect, response) = ui.allocate_exact_size(size, Sense::FOCUSABLE);
    response.widget_info(|| {
        let name = format!("{}; arrow keys choose a cell", map.name);
        WidgetInfo::labeled(Role::Grid, ui.is_enabled(), name)
    });
    let at = |row: usize, column: usize| {
        let min = rect.min + GUTTER + vec2(cell.x * column as f32, cell.y * row as f32);
        Rect::from_min_size(min, cell)
    };
    let mut chosen = moved(ui, &response, map);
    let clip = ui.clip_rect();
    for row in 0..rows {
        for column in (0..columns).filter(|column| clip.intersects(at(row, *column))) {
            let here = at(row, column);
            let fill = (map.color)(row, column).unwrap_or(p.sunken);
            ui.painter().rect_filled(here.shrink(0.5), 1.0, fill);
            let part = ui.interact(here, response.id.with((row, column)), Sense::CLICK);
            part.widget_info(|| {
                let name = format!("{}: {}", map.name, (map.cell)(row, column));
                WidgetInfo::selected(Role::GridCell, ui.is_enabled(), map.chosen == Some((row, column)), name)
            });
            if part.clicked() {
                response.request_focus();
                chosen = Some((row, column));
            }
            if part.hovered() {
                ui.painter().rect_stroke(here, 1.0, Stroke::new(1.5, p.text), StrokeKind::Inside);
            }
            part.on_hover_ui(|ui| (map.about)(ui, row, column));
        }
    }
    if let Some((row, column)) = map.chosen.filter(|(row, column)| *row < rows && *column < columns) {
        let width = if response.has_focus() { 3.0 } else { 2.0 };
        ui.painter().rect_stroke(at(row, column), 1.0, Stroke::new(width, p.accent), StrokeKind::Outside);
    }
    let font: FontId = theme::tick().resolve(ui.style());
    let every = |cell: f32, least: f32| (least / cell).ceil().max(1.0) as usize;
    let corner = pos2(rect.left(), rect.top() + GUTTER.y - 3.0);
    ui.painter().text(corner, Align2::LEFT_BOTTOM, format!("{} ↓", map.rows), font.clone(), p.muted);
    for row in (0..rows).step_by(every(cell.y, 12.0)) {
        let place = pos2(rect.left() + GUTTER.x - 5.0, at(row, 0).center().y);
        ui.painter().text(place, Align2::RIGHT_CENTER, row.to_string(), font.clone(), p.muted);
    }
    for column in (0..columns).step_by(every(cell.x, 18.0)) {
        let here = at(0, column);
        let room =
            Rect::from_min_max(pos2(here.left(), rect.top()), pos2(here.left() + cell.x.max(18.0) - 2.0, here.top()));
        let text = crate::ui::fonts::printable(ui.ctx(), &(map.columns)(column), &font).into_owned();
        let place = pos2(here.left() + 2.0, here.top() - 3.0);
        ui.painter_at(room.intersect(clip)).text(place, Align2::LEFT_BOTTOM, text, font.clone(), p.muted);
    }
    chosen
}

/// The cell that the arrow keys go to.
fn moved(ui: &Ui, response: &egui::Response, map: &Heat<'_>) -> Option<(usize, usize)> {
    if !response.has_focus() {
        return None;
    }
    let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |key| isize::from(ui.input(|i| i.key_pressed(key)));
    let x = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
    let y = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
    let (row, column) = map.chosen.unwrap_or_default();
    let to = |from: usize, by: isize, n: usize| from.saturating_add_signed(by).min(n.saturating_sub(1));
    ((x, y) != (0, 0)).then(|| (to(row, y, map.size[0]), to(column, x, map.size[1])))
}
