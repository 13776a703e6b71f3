//! What egui is told of the theme: fonts, type scale, spacing, and the look of its own widgets.
//!
//! Colours come from the [`Palette`]; this file only says which role goes where.

use std::sync::Arc;

use egui::epaint::Shadow;
use egui::style::{HandleShape, Selection, WidgetVisuals, Widgets};
use egui::{Color32, CornerRadius, FontFamily, FontId, Margin, Stroke, Style, TextStyle, Theme, Visuals, vec2};

use super::theme::{Palette, RADIUS, RADIUS_SMALL, STEP, bold, reading, subheading, tick, title};

/// Installs fonts, type scale and both palettes.
pub fn install(ctx: &egui::Context) {
    super::fonts::install(ctx);
    for theme in [Theme::Light, Theme::Dark] {
        ctx.set_style_of(theme, Arc::new(style(theme)));
    }
}

fn style(theme: Theme) -> Style {
    let mut style = Style { visuals: visuals(theme), ..Style::default() };
    style.text_styles = [
        (title(), FontId::new(22.0, bold())),
        (TextStyle::Heading, FontId::new(17.0, bold())),
        (subheading(), FontId::new(13.5, bold())),
        (reading(), FontId::new(15.0, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(13.5, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(13.5, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(12.5, FontFamily::Monospace)),
        (TextStyle::Small, FontId::new(12.0, FontFamily::Proportional)),
        (tick(), FontId::new(11.0, FontFamily::Proportional)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = vec2(2.0 * STEP, 1.5 * STEP);
    spacing.button_padding = vec2(2.5 * STEP, STEP);
    spacing.interact_size = vec2(36.0, 26.0);
    spacing.window_margin = Margin::same(16);
    spacing.menu_margin = Margin::same(6);
    spacing.slider_width = 120.0;
    spacing.slider_rail_height = 4.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 10.0;
    spacing.tooltip_width = 360.0;
    spacing.menu_width = 340.0;
    spacing.scroll.bar_width = 8.0;
    spacing.scroll.floating = true;
    spacing.scroll.floating_width = 5.0;
    // What scrolls says so.
    spacing.scroll.dormant_handle_opacity = 0.35;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.25;
    style
}

fn visuals(theme: Theme) -> Visuals {
    let p = Palette::of(theme);
    let mut v = if p.dark { Visuals::dark() } else { Visuals::light() };
    v.override_text_color = None;
    v.weak_text_color = Some(p.muted);
    v.hyperlink_color = p.accent;
    v.faint_bg_color = p.sunken;
    v.extreme_bg_color = p.sunken;
    v.text_edit_bg_color = Some(p.sunken);
    v.code_bg_color = p.sunken;
    v.warn_fg_color = p.warning;
    v.error_fg_color = p.danger;
    v.panel_fill = p.canvas;
    v.window_fill = p.raised;
    v.window_stroke = Stroke::new(1.0, p.border);
    v.window_corner_radius = CornerRadius::same(RADIUS + 2);
    v.menu_corner_radius = CornerRadius::same(RADIUS);
    v.window_shadow = Shadow { offset: [0, 8], blur: 28, spread: 0, color: p.shadow };
    v.popup_shadow = Shadow { offset: [0, 4], blur: 16, spread: 0, color: p.shadow };
    v.selection = Selection { bg_fill: p.accent_mid, stroke: Stroke::new(1.5, p.accent) };
    v.widgets = widgets(p);
    v.slider_trailing_fill = true;
    v.handle_shape = HandleShape::Circle;
    v.striped = false;
    v.interact_cursor = Some(egui::CursorIcon::PointingHand);
    v
}

fn widgets(p: &Palette) -> Widgets {
    let radius = CornerRadius::same(RADIUS_SMALL);
    let state = |fill: Color32, border: Color32, text: Color32| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, border),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.25, text),
        expansion: 0.0,
    };
    let mut inactive = state(p.surface, p.border_strong, p.text);
    // Rails and tick boxes are drawn with `bg_fill`; they must show on a white card.
    inactive.bg_fill = p.border_strong;
    Widgets {
        noninteractive: state(p.surface, p.border, p.text),
        inactive,
        hovered: state(p.hover, p.border_strong, p.text),
        active: state(p.accent_soft, p.accent, p.text),
        open: state(p.hover, p.border_strong, p.text),
    }
}
