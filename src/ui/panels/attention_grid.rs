//! Every head of every layer, as thumbnails of its pattern.
//!
//! All thumbnails live in one texture, made on a thread of its own once per run: each pattern is shrunk by taking the
//! largest weight of a block, so that a single strong cell stays visible at any size. A frame then costs one textured
//! quad per visible head.

use std::sync::Arc;

use egui::{
    ColorImage, FontId, Key, Mesh, Pos2, Rect, Response, Role, ScrollArea, Sense, Shape, Stroke, StrokeKind,
    TextureHandle, TextureId, TextureOptions, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::lab::{Command, Run};
use crate::model::tweak::HeadRef;
use crate::model::{HookPoint, Site};
use crate::ui::plot::{Later, Ramp};
use crate::ui::settings::Settings;
use crate::ui::theme::{self, Palette, palette};
use crate::ui::view::View;
use crate::ui::{icon, shell, widgets};

/// Pixels of one thumbnail's side, at most.
const LARGEST: usize = 64;
/// Pixels of the whole texture, about.
const BUDGET: usize = 2_000_000;
/// Below this side a thumbnail says nothing; the grid scrolls instead.
const READABLE: f32 = 15.0;
/// Space for the layer's number.
const GUTTER: f32 = 38.0;

/// The panel.
#[derive(Default)]
pub struct AttentionGrid {
    pictures: Later<PictureKey, Atlas>,
    texture: Option<TextureHandle>,
}

/// What the thumbnails depend on.
#[derive(Debug, Clone, PartialEq)]
struct PictureKey {
    run: u64,
    skip_first: bool,
    dark: bool,
}

/// Thumbnails in rows of layers and columns of heads.
struct Atlas {
    image: Option<ColorImage>,
    side: usize,
    /// Pixels per cell, each way.
    zoom: usize,
    n_layers: usize,
    n_heads: usize,
    /// The largest weight of each head, layer by layer, as its colour scale ends there.
    largest: Vec<f32>,
    size: [usize; 2],
    /// Heads per row of the texture.
    columns: usize,
}

impl AttentionGrid {
    /// Whether thumbnails are being made.
    pub fn is_pending(&self) -> bool {
        self.pictures.is_pending()
    }

    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>, settings: &mut Settings) {
        let (Some(run), Some(model)) = (view.snapshot.shown().cloned(), view.snapshot.model.clone()) else { return };
        let (n_layers, n_heads) = (model.config.n_layers, model.config.n_heads);
        ui.horizontal_wrapped(|ui| {
            widgets::note(ui, format!("{n_layers} layers, {n_heads} heads each"));
            widgets::switch(ui, &mut settings.skip_first, "Leave out the first token").on_hover_text(
                "Many heads park their attention on the first token. Leaving it out of the colour scale shows the rest.",
            );
        });
        let p = palette(ui);
        let key = PictureKey { run: run.id, skip_first: settings.skip_first, dark: p.dark };
        let (ramp, skip_first) = (p.sequential.clone(), settings.skip_first);
        let made = self.pictures.get(ui.ctx(), &key, move || Atlas::new(&run, n_layers, n_heads, skip_first, &ramp));
        let Some((_, atlas, arrived)) = made else {
            ui.centered_and_justified(|ui| ui.spinner());
            return;
        };
        if arrived || self.texture.is_none() {
            let Some(image) = atlas.image.clone() else {
                widgets::empty_state(ui, icon::ABLATE, "No patterns", "This run recorded no attention patterns.");
                return;
            };
            let options = TextureOptions { magnification: egui::TextureFilter::Nearest, ..TextureOptions::LINEAR };
            self.texture = Some(ui.ctx().load_texture("every head", image, options));
        }
        if let Some(texture) = &self.texture {
            grid(ui, view, atlas, texture.id());
        }
    }
}

/// How the thumbnails stand: layers down, or layers across where that makes them larger.
struct Arrangement {
    cell: f32,
    across: bool,
}

impl Arrangement {
    fn fit(space: Vec2, n_layers: usize, n_heads: usize) -> Self {
        let fit = |cols: usize, rows: usize| {
            ((space.x - GUTTER) / cols.max(1) as f32).min((space.y - GUTTER) / rows.max(1) as f32).floor()
        };
        let (down, across) = (fit(n_heads, n_layers), fit(n_layers, n_heads));
        if down >= READABLE || across >= 1.5 * READABLE {
            let best = if across > 1.5 * down { across } else { down };
            return Self { cell: best.min(96.0), across: across > 1.5 * down };
        }
        let cell = ((space.x - GUTTER - 8.0) / n_heads.max(1) as f32).floor().clamp(READABLE, 48.0);
        Self { cell, across: false }
    }

    fn origin(&self, layer: usize, head: usize) -> Vec2 {
        let (column, row) = if self.across { (layer, head) } else { (head, layer) };
        vec2(GUTTER + column as f32 * self.cell, GUTTER + row as f32 * self.cell)
    }

    fn size(&self, n_layers: usize, n_heads: usize) -> Vec2 {
        let (columns, rows) = if self.across { (n_layers, n_heads) } else { (n_heads, n_layers) };
        vec2(GUTTER + columns as f32 * self.cell, GUTTER + rows as f32 * self.cell)
    }
}

fn grid(ui: &mut Ui, view: &mut View<'_>, atlas: &Atlas, texture: TextureId) {
    let arrangement = Arrangement::fit(ui.available_size(), atlas.n_layers, atlas.n_heads);
    ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
        let size = arrangement.size(atlas.n_layers, atlas.n_heads);
        // In the middle, where there is space to spare.
        let whole = vec2(size.x.max(ui.available_width()), size.y);
        let (rect, response) = ui.allocate_exact_size(whole, Sense::FOCUSABLE);
        let rect = rect.translate(vec2(((whole.x - size.x - GUTTER) * 0.5).max(0.0).floor(), 0.0));
        response.widget_info(|| WidgetInfo::labeled(Role::Grid, ui.is_enabled(), "Every head; arrow keys choose one"));
        keys(ui, view, &response, arrangement.across);
        paint(ui, view, atlas, texture, &arrangement, rect.min, response.has_focus());
        heads(ui, view, atlas, texture, &arrangement, rect.min, &response);
    });
}

/// The arrow keys move the selection while the grid has the focus.
fn keys(ui: &Ui, view: &mut View<'_>, response: &Response, across: bool) {
    if !response.has_focus() {
        return;
    }
    let filter = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |key| isize::from(ui.input(|i| i.key_pressed(key)));
    let x = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
    let y = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
    if (x, y) != (0, 0) {
        let (layers, heads) = if across { (x, y) } else { (y, x) };
        shell::select_head(view, layers, heads);
    }
}

fn paint(
    ui: &Ui,
    view: &View<'_>,
    atlas: &Atlas,
    texture: TextureId,
    arrangement: &Arrangement,
    origin: Pos2,
    focus: bool,
) {
    let p = palette(ui);
    let (clip, selected) = (ui.clip_rect(), view.snapshot.selection.head);
    let mut mesh = Mesh::with_texture(texture);
    let mut marks = Vec::new();
    for layer in 0..atlas.n_layers {
        for head in 0..atlas.n_heads {
            let cell = cell_rect(arrangement, origin, layer, head);
            if !clip.intersects(cell) {
                continue;
            }
            mesh.add_rect_with_uv(cell, atlas.uv(layer, head), theme::UNTINTED);
            if shell::ablation_of(&view.snapshot.tweaks, HeadRef { layer, head }).is_some() {
                marks.push(Shape::rect_filled(cell, 2.0, p.surface.gamma_multiply(0.65)));
                let line = Stroke::new(2.0, p.danger);
                marks.push(Shape::line_segment([cell.left_top(), cell.right_bottom()], line));
                marks.push(Shape::line_segment([cell.right_top(), cell.left_bottom()], line));
            }
        }
    }
    frames(ui, p, atlas, arrangement, origin);
    ui.painter().add(Shape::mesh(mesh));
    ui.painter().extend(marks);
    let chosen = cell_rect(arrangement, origin, selected.layer, selected.head);
    let width = if focus { 3.0 } else { 2.0 };
    ui.painter().rect_stroke(chosen, 2.0, Stroke::new(width, p.accent), StrokeKind::Outside);
    numbers(ui, p, atlas, arrangement, origin);
}

/// A hairline around each thumbnail, drawn as one sheet behind all of them.
fn frames(ui: &Ui, p: &Palette, atlas: &Atlas, arrangement: &Arrangement, origin: Pos2) {
    let size = arrangement.size(atlas.n_layers, atlas.n_heads);
    let sheet = Rect::from_min_max(origin + Vec2::splat(GUTTER), origin + size);
    ui.painter().rect_filled(sheet, 2.0, p.border);
}

/// The numbers of layers and heads along the edges.
fn numbers(ui: &Ui, p: &Palette, atlas: &Atlas, arrangement: &Arrangement, origin: Pos2) {
    let font: FontId = theme::tick().resolve(ui.style());
    let every = if arrangement.cell >= 14.0 { 1 } else { 5 };
    for (count, is_layer) in [(atlas.n_layers, true), (atlas.n_heads, false)] {
        for i in (0..count).step_by(every) {
            let cell =
                if is_layer { cell_rect(arrangement, origin, i, 0) } else { cell_rect(arrangement, origin, 0, i) };
            let (at, align) = if is_layer == arrangement.across {
                (pos2(cell.center().x, cell.top() - 4.0), egui::Align2::CENTER_BOTTOM)
            } else {
                (pos2(cell.left() - 5.0, cell.center().y), egui::Align2::RIGHT_CENTER)
            };
            ui.painter().text(at, align, i.to_string(), font.clone(), p.muted);
        }
    }
    let (rows, columns) = if arrangement.across { ("head", "layer") } else { ("layer", "head") };
    let corner = origin + Vec2::splat(GUTTER);
    let at = pos2(corner.x - 2.0, corner.y - 18.0);
    ui.painter().text(at, egui::Align2::LEFT_BOTTOM, format!("{columns} →"), font.clone(), p.muted);
    ui.painter().text(corner - vec2(4.0, 4.0), egui::Align2::RIGHT_BOTTOM, format!("{rows} ↓"), font, p.muted);
}

/// One clickable, named area per visible head.
fn heads(
    ui: &mut Ui,
    view: &mut View<'_>,
    atlas: &Atlas,
    texture: TextureId,
    arrangement: &Arrangement,
    origin: Pos2,
    grid: &Response,
) {
    let clip = ui.clip_rect();
    for layer in 0..atlas.n_layers {
        for head in 0..atlas.n_heads {
            let cell = cell_rect(arrangement, origin, layer, head);
            if !clip.intersects(cell) {
                continue;
            }
            // Not focusable one by one: the grid is one stop for the Tab key, and arrow keys move inside.
            let response = ui.interact(cell, grid.id.with((layer, head)), Sense::CLICK);
            let here = HeadRef { layer, head };
            let selected = view.snapshot.selection.head == here;
            response.widget_info(|| {
                let name = format!("Layer {layer}, head {head}");
                WidgetInfo::selected(Role::GridCell, ui.is_enabled(), selected, name)
            });
            if response.clicked() {
                grid.request_focus();
                view.send(Command::SelectHead(here));
            }
            if response.hovered() {
                let line = Stroke::new(1.5, palette(ui).text);
                ui.painter().rect_stroke(cell, 2.0, line, StrokeKind::Outside);
            }
            response.on_hover_ui(|ui| enlarged(ui, atlas, texture, here));
        }
    }
}

fn enlarged(ui: &mut Ui, atlas: &Atlas, texture: TextureId, head: HeadRef) {
    widgets::heading(ui, &format!("Layer {}, head {}", head.layer, head.head));
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(192.0), Sense::hover());
    ui.painter().image(texture, rect, atlas.uv(head.layer, head.head), theme::UNTINTED);
    ui.painter().rect_stroke(rect, 2.0, Stroke::new(1.0, palette(ui).border), StrokeKind::Outside);
    let largest = atlas.largest.get(head.layer * atlas.n_heads + head.head).copied().unwrap_or(0.0);
    widgets::note(ui, format!("Rows attend to columns. The largest weight on the scale is {largest:.2}."));
}

fn cell_rect(arrangement: &Arrangement, origin: Pos2, layer: usize, head: usize) -> Rect {
    let gap = if arrangement.cell >= 24.0 { 2.0 } else { 1.0 };
    Rect::from_min_size(origin + arrangement.origin(layer, head), Vec2::splat(arrangement.cell)).shrink(gap * 0.5)
}

impl Atlas {
    fn new(run: &Arc<Run>, n_layers: usize, n_heads: usize, skip_first: bool, ramp: &Ramp) -> Self {
        let n = run.tokens.len();
        let affordable = (BUDGET as f32 / (n_layers * n_heads).max(1) as f32).sqrt() as usize;
        let base = n.clamp(1, LARGEST.min(affordable.max(4)));
        // Short prompts are drawn with several pixels per cell, so that filtering does not smear them.
        let zoom = (32 / base).max(1);
        let side = base * zoom;
        let columns = n_heads.clamp(1, 4096 / side);
        let rows = (n_layers * n_heads).div_ceil(columns);
        let size = [columns * side, rows * side];
        let mut atlas =
            Self { image: None, side, zoom, n_layers, n_heads, largest: vec![0.0; n_layers * n_heads], size, columns };
        let mut image = ColorImage::filled(size, ramp.at(0.0));
        let mut found = false;
        for layer in 0..n_layers {
            let Some(patterns) = run.trace.get(HookPoint::layer(layer, Site::Pattern)) else { continue };
            found = true;
            for head in 0..n_heads {
                if let Some(pattern) = patterns.head(head) {
                    atlas.draw(&mut image, layer * n_heads + head, pattern, n, skip_first, ramp);
                }
            }
        }
        atlas.image = found.then_some(image);
        atlas
    }

    /// Shrinks one pattern `[n, n]` into its place in the texture.
    fn draw(&mut self, image: &mut ColorImage, index: usize, pattern: &[f32], n: usize, skip_first: bool, ramp: &Ramp) {
        let base = self.side / self.zoom;
        let small = shrink(pattern, n, base);
        let from = usize::from(skip_first && n > 1);
        let largest = pattern
            .chunks_exact(n.max(1))
            .flat_map(|row| row.iter().skip(from))
            .copied()
            .filter(|x| x.is_finite())
            .fold(0.0, f32::max);
        self.largest[index] = largest;
        let scale = if largest > 0.0 { 1.0 / largest } else { 0.0 };
        let (x0, y0) = ((index % self.columns) * self.side, (index / self.columns) * self.side);
        for row in 0..self.side {
            let start = (y0 + row) * self.size[0] + x0;
            let Some(pixels) = image.pixels.get_mut(start..start + self.side) else { return };
            let values = &small[row / self.zoom * base..][..base];
            for (column, pixel) in pixels.iter_mut().enumerate() {
                *pixel = ramp.at(values[column / self.zoom] * scale);
            }
        }
    }

    /// Where a head's thumbnail lies in the texture.
    fn uv(&self, layer: usize, head: usize) -> Rect {
        let index = layer * self.n_heads + head;
        let at = pos2((index % self.columns) as f32, (index / self.columns) as f32) * self.side as f32;
        let scale = vec2(1.0 / self.size[0] as f32, 1.0 / self.size[1] as f32);
        // Half a pixel inside, so that a neighbour does not bleed in.
        let min = pos2((at.x + 0.5) * scale.x, (at.y + 0.5) * scale.y);
        let side = self.side as f32 - 1.0;
        Rect::from_min_size(min, vec2(side * scale.x, side * scale.y))
    }
}

/// A matrix `[n, n]` shrunk to `[side, side]`, each cell the largest of its block.
fn shrink(matrix: &[f32], n: usize, side: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; side * side];
    let place = |i: usize| i * side / n.max(1);
    for (y, row) in matrix.chunks_exact(n.max(1)).enumerate().take(n) {
        let line = &mut out[place(y) * side..][..side];
        for (x, &value) in row.iter().enumerate() {
            let cell = &mut line[place(x)];
            *cell = cell.max(value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_keeps_the_strongest_cell() {
        let mut matrix = vec![0.01; 100];
        matrix[7 * 10 + 3] = 0.9;
        let small = shrink(&matrix, 10, 4);
        assert_eq!(small.len(), 16);
        assert_eq!(small[2 * 4 + 1], 0.9);
        assert!(small.iter().all(|x| *x >= 0.01));
    }

    #[test]
    fn an_unshrunk_pattern_stays_as_it_is() {
        let matrix: Vec<f32> = (0..9).map(|i| i as f32).collect();
        assert_eq!(shrink(&matrix, 3, 3), matrix);
    }

    #[test]
    fn many_layers_use_a_wide_space_across() {
        assert!(Arrangement::fit(vec2(900.0, 300.0), 30, 9).across);
        assert!(!Arrangement::fit(vec2(300.0, 900.0), 30, 9).across);
        assert!(Arrangement::fit(vec2(240.0, 240.0), 30, 9).cell >= READABLE);
    }
}
