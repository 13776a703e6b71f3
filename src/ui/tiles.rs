//! The live lab: panels in tiles that can be dragged, split and stacked.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, CornerRadius, Frame, Margin, RichText, Sense, Stroke, Ui, Visuals, WidgetText, vec2};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, SimplificationOptions, TabState, TileId, Tiles, Tree, UiResponse,
};

use super::panels::{self, Panels};
use super::settings::Settings;
use super::theme::{self, RADIUS, palette};
use super::view::View;
use super::widgets;
use crate::lesson::PanelId;

/// The panels of the layout before anything is asked for. All others are guests.
const RESIDENTS: [PanelId; 6] = [
    PanelId::AttentionGrid,
    PanelId::AttentionHead,
    PanelId::AttentionPipeline,
    PanelId::LogitLens,
    PanelId::NextToken,
    PanelId::Tweaks,
];

/// How panels stand before the student moves them: every head on the left, one head above, its effect below.
pub fn default_layout() -> Tree<PanelId> {
    let mut tiles = Tiles::default();
    let grid = tiles.insert_pane(PanelId::AttentionGrid);
    let grid = tiles.insert_tab_tile(vec![grid]);
    let close_up: Vec<TileId> = [PanelId::AttentionHead, PanelId::AttentionPipeline, PanelId::LogitLens]
        .into_iter()
        .map(|panel| tiles.insert_pane(panel))
        .collect();
    let close_up = tiles.insert_tab_tile(close_up);
    let next = tiles.insert_pane(PanelId::NextToken);
    let tweaks = tiles.insert_pane(PanelId::Tweaks);
    let (next, tweaks) = (tiles.insert_tab_tile(vec![next]), tiles.insert_tab_tile(vec![tweaks]));
    let effects = Linear::new_binary(LinearDir::Horizontal, [next, tweaks], 0.46);
    let effects = tiles.insert_container(Container::Linear(effects));
    let right = Linear::new_binary(LinearDir::Vertical, [close_up, effects], OWN_SHARE);
    let right = tiles.insert_container(Container::Linear(right));
    let root = Linear::new_binary(LinearDir::Horizontal, [grid, right], 0.32);
    let root = tiles.insert_container(Container::Linear(root));
    Tree::new(egui::Id::unique("live lab"), root, tiles)
}

/// The close-ups' share of their column, and what it is while a guest is among them: most guests are tall.
const OWN_SHARE: f32 = 0.56;
const GUEST_SHARE: f32 = 0.68;
/// Guests beside the close-ups at most; the one that came first gives way.
const MOST_GUESTS: usize = 4;

/// Brings a panel to the front. One that the layout has no place for at first joins the close-ups as a guest.
pub fn reveal(tree: &mut Tree<PanelId>, panel: PanelId) {
    if tree.tiles.find_pane(&panel).is_none() {
        if tree.tiles.find_pane(&PanelId::AttentionHead).is_none() {
            *tree = default_layout();
        }
        let beside = tree.tiles.find_pane(&PanelId::AttentionHead).and_then(|head| tree.tiles.parent_of(head));
        if let Some(parent) = beside.filter(|_| tree.tiles.find_pane(&panel).is_none()) {
            let surplus = (guests(tree).len() + 1).saturating_sub(MOST_GUESTS);
            for guest in guests(tree).into_iter().take(surplus) {
                tree.remove_recursively(guest);
            }
            let pane = tree.tiles.insert_pane(panel);
            tree.move_tile_to_container(pane, parent, usize::MAX, false);
            divide(tree, parent, OWN_SHARE, GUEST_SHARE);
        }
    }
    tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(id) if *id == panel));
}

/// Shows the panels of a scene, its first in front. Guests of an earlier scene leave.
pub fn set_scene(tree: &mut Tree<PanelId>, scene: &[PanelId]) {
    if scene.is_empty() {
        return;
    }
    for guest in guests(tree) {
        if tree.tiles.get_pane(&guest).is_some_and(|panel| !scene.contains(panel)) {
            tree.remove_recursively(guest);
        }
    }
    let beside = tree.tiles.find_pane(&PanelId::AttentionHead).and_then(|head| tree.tiles.parent_of(head));
    if let Some(parent) = beside.filter(|_| guests(tree).is_empty()) {
        divide(tree, parent, GUEST_SHARE, OWN_SHARE);
    }
    scene.iter().rev().for_each(|panel| reveal(tree, *panel));
}

/// Changes the share of its column that a tile has, if the student has not changed it.
fn divide(tree: &mut Tree<PanelId>, tile: TileId, from: f32, to: f32) {
    let Some(parent) = tree.tiles.parent_of(tile) else { return };
    let Some(egui_tiles::Tile::Container(Container::Linear(column))) = tree.tiles.get_mut(parent) else { return };
    if let [first, second] = column.children[..]
        && first == tile
        && (column.shares[first] / (column.shares[first] + column.shares[second]) - from).abs() < 1e-3
    {
        column.shares.set_share(first, 2.0 * to);
        column.shares.set_share(second, 2.0 - 2.0 * to);
    }
}

/// Panels that joined the close-ups and were not moved elsewhere, the one that came first before the others.
fn guests(tree: &Tree<PanelId>) -> Vec<TileId> {
    let head = tree.tiles.find_pane(&PanelId::AttentionHead);
    let Some(parent) = head.and_then(|head| tree.tiles.parent_of(head)) else { return Vec::new() };
    let Some(egui_tiles::Tile::Container(Container::Tabs(tabs))) = tree.tiles.get(parent) else { return Vec::new() };
    let is_guest = |tile: &TileId| tree.tiles.get_pane(tile).is_some_and(|panel| !RESIDENTS.contains(panel));
    tabs.children.iter().copied().filter(is_guest).collect()
}

/// Draws the panels.
pub fn show(ui: &mut Ui, tree: &mut Tree<PanelId>, panels: &mut Panels, view: &mut View<'_>, settings: &mut Settings) {
    let stale = is_stale_for_a_while(ui, view);
    let mut behavior = Lab { panels, view, settings, stale };
    tree.ui(&mut behavior, ui);
}

/// Whether what is shown has been out of date for longer than a quick run takes; dimming at once would flicker.
fn is_stale_for_a_while(ui: &Ui, view: &View<'_>) -> bool {
    const QUICK: f64 = 0.15;
    let key = egui::Id::unique("stale since");
    if !view.snapshot.stale || view.snapshot.shown().is_none() {
        ui.data_mut(|data| data.remove::<f64>(key));
        return false;
    }
    let now = ui.input(|input| input.time);
    let since = ui.data_mut(|data| *data.get_temp_mut_or(key, now));
    if now - since < QUICK {
        ui.ctx().request_repaint_after_secs((QUICK - (now - since)) as f32 + 0.01);
    }
    now - since >= QUICK
}

/// Room around the title of a tab.
const TAB_MARGIN: f32 = 24.0;
/// The narrowest tab.
const LEAST_TAB: f32 = 56.0;

/// How wide a tab may be, so that all of its row fit. Short titles keep their width; long ones share what is left.
fn tab_width(ui: &Ui, tiles: &Tiles<PanelId>, tile: TileId) -> f32 {
    let parent = tiles.parent_of(tile);
    let row = parent.and_then(|parent| match tiles.get(parent)? {
        egui_tiles::Tile::Container(Container::Tabs(tabs)) => Some((tiles.rect(parent)?.width(), &tabs.children)),
        _ => None,
    });
    let Some((width, tabs)) = row else { return f32::INFINITY };
    let font = theme::subheading().resolve(ui.style());
    let natural = |tile: &TileId| {
        let title = tiles.get_pane(tile).map_or("Panels", |panel| panel.title());
        ui.painter().layout_no_wrap(title.to_owned(), font.clone(), Color32::PLACEHOLDER).size().x + TAB_MARGIN
    };
    widest_that_fits(tabs.iter().map(natural).collect(), width - 2.0)
}

/// The width at which things of these widths have to be cut so that their sum is at most `room`.
fn widest_that_fits(mut widths: Vec<f32>, room: f32) -> f32 {
    widths.sort_by(f32::total_cmp);
    let mut left = room;
    for (i, width) in widths.iter().enumerate() {
        let share = left / (widths.len() - i) as f32;
        if *width > share {
            return share.max(LEAST_TAB);
        }
        left -= width;
    }
    f32::INFINITY
}

struct Lab<'a, 'b> {
    panels: &'a mut Panels,
    view: &'a mut View<'b>,
    settings: &'a mut Settings,
    stale: bool,
}

impl Behavior<PanelId> for Lab<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, panel: &mut PanelId) -> UiResponse {
        let p = palette(ui);
        let corners = CornerRadius { nw: 0, ne: 0, sw: RADIUS, se: RADIUS };
        let rect = ui.max_rect();
        ui.painter().rect(rect, corners, p.surface, Stroke::new(1.0, p.border), egui::StrokeKind::Inside);
        Frame::new().inner_margin(Margin::symmetric(12, 10)).show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            // A panel's margin is narrow: its text ends before the bar that scrolls it.
            ui.spacing_mut().scroll.floating_allocated_width = 7.0;
            ui.set_clip_rect(ui.clip_rect().intersect(rect.shrink(1.0)));
            if self.stale && *panel != PanelId::Tweaks && !panels::asks_the_model(*panel) {
                // The numbers belong to what was before the last change; they stay readable, but step back.
                ui.set_opacity(0.55);
            }
            self.panels.show(ui, *panel, self.view, self.settings);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, panel: &PanelId) -> WidgetText {
        RichText::new(panel.title()).text_style(theme::subheading()).into()
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        30.0
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        8.0
    }

    fn min_size(&self) -> f32 {
        120.0
    }

    fn resize_stroke(&self, style: &egui::Style, state: egui_tiles::ResizeState) -> Stroke {
        match state {
            egui_tiles::ResizeState::Idle => Stroke::NONE,
            _ => Stroke::new(2.0, style.visuals.selection.stroke.color),
        }
    }

    fn tab_bar_color(&self, visuals: &Visuals) -> Color32 {
        visuals.panel_fill
    }

    fn tab_bar_hline_stroke(&self, _visuals: &Visuals) -> Stroke {
        Stroke::NONE
    }

    fn tab_ui(
        &mut self,
        tiles: &mut Tiles<PanelId>,
        ui: &mut Ui,
        id: egui::Id,
        tile: TileId,
        state: &TabState,
    ) -> egui::Response {
        let p = palette(ui);
        let title = match tiles.get(tile) {
            Some(egui_tiles::Tile::Pane(panel)) => panel.title(),
            _ => "Panels",
        };
        let color = if state.active { p.text } else { p.muted };
        let font = theme::subheading().resolve(ui.style());
        let mut job = LayoutJob::simple_singleline(title.to_owned(), font, color);
        job.wrap = TextWrapping::truncate_at_width(tab_width(ui, tiles, tile) - TAB_MARGIN);
        let galley = ui.painter().layout_job(job);
        let (_, rect) = ui.allocate_space(vec2(galley.size().x + TAB_MARGIN, ui.available_height()));
        let mut response = ui.interact(rect, id, Sense::click_and_drag()).on_hover_cursor(egui::CursorIcon::Grab);
        if galley.elided {
            response = response.on_hover_text(title);
        }
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, ui.is_enabled(), state.active, title));
        if !state.is_being_dragged {
            if state.active {
                let corners = CornerRadius { nw: RADIUS, ne: RADIUS, sw: 0, se: 0 };
                let tab = rect.with_max_y(rect.bottom() + 1.0);
                ui.painter().rect(tab, corners, p.surface, Stroke::new(1.0, p.border), egui::StrokeKind::Inside);
                ui.painter().hline(rect.shrink(1.0).x_range(), rect.bottom(), Stroke::new(2.0, p.surface));
            } else if response.hovered() {
                ui.painter().rect_filled(rect.shrink(3.0), 6.0, p.hover);
            }
            if response.has_focus() {
                let focus = rect.shrink(3.0);
                ui.painter().rect_stroke(focus, 5.0, Stroke::new(1.5, p.accent), egui::StrokeKind::Inside);
            }
            let at = rect.center() - galley.size() * 0.5;
            ui.painter().galley(at, galley, color);
        }
        response
    }

    fn drag_ui(&mut self, tiles: &Tiles<PanelId>, ui: &mut Ui, tile: TileId) {
        Frame::popup(ui.style()).show(ui, |ui| {
            if let Some(panel) = tiles.get_pane(&tile) {
                widgets::heading(ui, panel.title());
            }
        });
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_tabs_share_what_short_ones_leave() {
        assert_eq!(widest_that_fits(vec![80.0, 100.0], 200.0), f32::INFINITY);
        assert_eq!(widest_that_fits(vec![60.0, 200.0, 200.0], 300.0), 120.0);
        assert_eq!(widest_that_fits(vec![100.0; 30], 300.0), LEAST_TAB);
    }

    #[test]
    fn the_residents_are_the_panels_of_the_first_layout() {
        let tree = default_layout();
        for panel in PanelId::ALL {
            assert_eq!(tree.tiles.find_pane(panel).is_some(), RESIDENTS.contains(panel), "{panel:?}");
        }
    }

    #[test]
    fn guests_come_in_front_and_the_oldest_gives_way() {
        let mut tree = default_layout();
        let all: Vec<PanelId> = PanelId::ALL.iter().copied().filter(|panel| !RESIDENTS.contains(panel)).collect();
        for panel in &all {
            reveal(&mut tree, *panel);
            reveal(&mut tree, *panel);
        }
        let shown = |tree: &Tree<PanelId>| -> Vec<PanelId> {
            guests(tree).iter().filter_map(|guest| tree.tiles.get_pane(guest).copied()).collect()
        };
        assert_eq!(shown(&tree), all[all.len() - MOST_GUESTS..]);
        set_scene(&mut tree, &[all[0], PanelId::NextToken]);
        assert_eq!(shown(&tree), [all[0]], "a scene sends the guests of another away");
        set_scene(&mut tree, &[PanelId::LogitLens]);
        assert!(shown(&tree).is_empty());
        assert!(RESIDENTS.iter().all(|panel| tree.tiles.find_pane(panel).is_some()));
    }
}
