//! The live lab: panels in tiles that can be dragged, split and stacked.

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
    let right = Linear::new_binary(LinearDir::Vertical, [close_up, effects], 0.56);
    let right = tiles.insert_container(Container::Linear(right));
    let root = Linear::new_binary(LinearDir::Horizontal, [grid, right], 0.32);
    let root = tiles.insert_container(Container::Linear(root));
    Tree::new(egui::Id::unique("live lab"), root, tiles)
}

/// Brings a panel to the front, and puts it back if it is nowhere.
pub fn reveal(tree: &mut Tree<PanelId>, panel: PanelId) {
    if tree.tiles.find_pane(&panel).is_none() && tree.tiles.find_pane(&PanelId::AttentionHead).is_none() {
        *tree = default_layout();
    }
    // A panel that the layout has no place for at first joins the close-ups.
    if tree.tiles.find_pane(&panel).is_none() {
        let beside = tree.tiles.find_pane(&PanelId::AttentionHead).and_then(|head| tree.tiles.parent_of(head));
        let pane = tree.tiles.insert_pane(panel);
        if let Some(parent) = beside {
            tree.move_tile_to_container(pane, parent, usize::MAX, false);
        }
    }
    tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(id) if *id == panel));
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
        let galley = ui.painter().layout_no_wrap(title.to_owned(), font, color);
        let (_, rect) = ui.allocate_space(vec2(galley.size().x + 24.0, ui.available_height()));
        let response = ui.interact(rect, id, Sense::click_and_drag()).on_hover_cursor(egui::CursorIcon::Grab);
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
