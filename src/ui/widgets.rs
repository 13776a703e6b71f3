//! Widgets that the whole window shares, all with an accessible name.

use egui::text::LayoutJob;
use egui::{Align, Button, Color32, FontId, FontSelection, Response, RichText, Role, Sense, Stroke, TextFormat};
use egui::{Ui, Vec2, WidgetInfo, WidgetText, vec2};

use super::theme::{self, RADIUS_SMALL, palette};

/// An icon followed by text, aligned on one line.
pub fn icon_and_text(ui: &Ui, icon: &str, text: &str, color: Color32) -> WidgetText {
    let body = FontSelection::Style(egui::TextStyle::Button).resolve(ui.style());
    let mut job = LayoutJob::default();
    let format = |font: FontId| TextFormat { font_id: font, color, valign: Align::Center, ..TextFormat::default() };
    job.append(icon, 0.0, format(FontId::new(body.size + 2.5, theme::icons())));
    job.append(text, 6.0, format(body));
    job.into()
}

/// A button with an icon and a text; its accessible name is the text.
pub fn button(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let color = if ui.is_enabled() { palette(ui).text } else { palette(ui).muted };
    let label = icon_and_text(ui, icon, text, color);
    named(ui.add(Button::new(label)), text)
}

/// The one button of a group that matters most.
pub fn primary_button(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let p = palette(ui);
    let label = icon_and_text(ui, icon, text, p.on_accent);
    named(ui.add(Button::new(label).fill(p.accent_fill).stroke(Stroke::NONE)), text)
}

/// A square button with an icon only.
pub fn icon_button(ui: &mut Ui, icon: &str, name: &str) -> Response {
    let color = palette(ui).muted;
    let text = RichText::new(icon).family(theme::icons()).size(17.0).color(color);
    let button = Button::new(text).frame_when_inactive(false).min_size(Vec2::splat(26.0));
    ui.scope(|ui| {
        ui.spacing_mut().button_padding = vec2(4.0, 2.0);
        named(ui.add(button), name)
    })
    .inner
    .on_hover_text(name)
}

/// A row of a menu: icon, text, and what it does when it is not plain.
pub fn menu_row(ui: &mut Ui, icon: &str, text: &str) -> Response {
    let color = palette(ui).text;
    let label = icon_and_text(ui, icon, text, color);
    let button = Button::new(label).frame_when_inactive(false).min_size(vec2(ui.available_width(), 28.0)).truncate();
    named(ui.add(button), text)
}

/// Gives a widget an accessible name that differs from the text it shows.
pub fn named(response: Response, name: &str) -> Response {
    response.widget_info(|| WidgetInfo::labeled(Role::Button, response.enabled(), name));
    response
}

/// A choice between a few values, as one joined control. Returns whether it changed.
pub fn segmented<T: PartialEq + Copy>(ui: &mut Ui, value: &mut T, options: &[(T, &str)]) -> bool {
    const PAD: f32 = 9.0;
    let p = palette(ui);
    let font = FontSelection::Style(egui::TextStyle::Small).resolve(ui.style());
    let galley = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), Color32::PLACEHOLDER);
    let labels: Vec<_> = options.iter().map(|(_, text)| galley(text)).collect();
    let width: f32 = labels.iter().map(|l| l.size().x + 2.0 * PAD).sum();
    // Allocated in one piece, so that it wraps as a whole.
    let (rect, whole) = ui.allocate_exact_size(vec2(width + 4.0, 26.0), Sense::hover());
    ui.painter().rect_filled(rect, RADIUS_SMALL, p.sunken);
    let mut left = rect.left() + 2.0;
    let mut changed = false;
    for ((option, text), label) in options.iter().zip(labels) {
        let size = vec2(label.size().x + 2.0 * PAD, 22.0);
        let part = egui::Rect::from_min_size(egui::pos2(left, rect.top() + 2.0), size);
        left += size.x;
        let selected = *value == *option;
        let response = ui.interact(part, whole.id.with(text), Sense::click());
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), selected, *text));
        let color = if selected || response.hovered() { p.text } else { p.muted };
        if selected {
            let line = Stroke::new(1.0, p.border_strong);
            ui.painter().rect(part, RADIUS_SMALL - 1, p.surface, line, egui::StrokeKind::Inside);
        }
        if response.has_focus() {
            let line = Stroke::new(1.5, p.accent);
            ui.painter().rect_stroke(part, RADIUS_SMALL - 1, line, egui::StrokeKind::Inside);
        }
        ui.painter().galley(part.center() - label.size() * 0.5, label, color);
        if response.clicked() && !selected {
            *value = *option;
            changed = true;
        }
    }
    changed
}

/// A switch with a label.
pub fn switch(ui: &mut Ui, on: &mut bool, text: &str) -> Response {
    let p = palette(ui);
    let font = FontSelection::Style(egui::TextStyle::Small).resolve(ui.style());
    let color = if ui.is_enabled() { p.text } else { p.muted };
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, color);
    let track = vec2(26.0, 15.0);
    let size = vec2(track.x + 7.0 + galley.size().x, 24.0);
    let (rect, mut response) = ui.allocate_exact_size(size, Sense::click());
    if response.clicked() {
        *on = !*on;
        response.mark_changed();
    }
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, ui.is_enabled(), *on, text));
    if ui.is_rect_visible(rect) {
        let t = ui.ctx().animate_bool_responsive(response.id, *on);
        let track = egui::Rect::from_min_size(rect.left_center() - vec2(0.0, track.y * 0.5), track);
        let (fill, knob) = if *on { (p.accent_fill, p.on_accent) } else { (p.border_strong, p.surface) };
        let opacity = if ui.is_enabled() { 1.0 } else { 0.5 };
        ui.painter().rect_filled(track, 8.0, fill.gamma_multiply(opacity));
        let x = egui::lerp(track.left() + 7.5..=track.right() - 7.5, t);
        ui.painter().circle_filled(egui::pos2(x, track.center().y), 5.5, knob);
        if response.has_focus() {
            ui.painter().rect_stroke(track.expand(2.0), 9.0, Stroke::new(1.5, p.accent), egui::StrokeKind::Outside);
        }
        let at = egui::pos2(track.right() + 7.0, rect.center().y - galley.size().y * 0.5);
        ui.painter().galley(at, galley, color);
    }
    response
}

/// A slider on a logarithmic scale with its number beside it; `label` names both.
pub fn slider(
    ui: &mut Ui,
    label: &Response,
    name: &str,
    value: &mut f32,
    range: std::ops::RangeInclusive<f32>,
) -> Response {
    let p = palette(ui);
    ui.horizontal(|ui| {
        let slider = ui.scope(|ui| {
            let visuals = ui.visuals_mut();
            visuals.selection.bg_fill = p.accent_fill;
            for state in [&mut visuals.widgets.inactive, &mut visuals.widgets.hovered, &mut visuals.widgets.active] {
                state.fg_stroke = Stroke::new(2.0, p.accent);
            }
            visuals.widgets.hovered.bg_fill = p.accent_soft;
            ui.spacing_mut().interact_size.y = 18.0;
            let slider = egui::Slider::new(value, range.clone()).logarithmic(true).smallest_positive(0.05);
            ui.add(slider.max_decimals(2).show_value(false)).labelled_by(label.id)
        });
        let number = egui::DragValue::new(value).range(range).speed(0.01).fixed_decimals(2);
        slider.inner | ui.add(number).accessible_name(format!("{name}, as a number"))
    })
    .inner
}

/// A heading inside a card.
pub fn heading(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).text_style(theme::subheading()).color(palette(ui).text))
}

/// Secondary text.
pub fn note(ui: &mut Ui, text: impl Into<String>) -> Response {
    ui.label(RichText::new(text).text_style(egui::TextStyle::Small).color(palette(ui).muted))
}

/// What a pane says when it has nothing to show: what is missing, and what to do about it.
pub fn empty_state(ui: &mut Ui, icon: &str, title: &str, hint: &str) {
    let p = palette(ui);
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.5 - 56.0).max(8.0));
        ui.label(RichText::new(icon).family(theme::icons()).size(30.0).color(p.border_strong));
        ui.add_space(2.0);
        ui.label(RichText::new(title).text_style(theme::subheading()));
        ui.set_max_width(ui.available_width().min(320.0));
        ui.label(RichText::new(hint).text_style(egui::TextStyle::Small).color(p.muted));
    });
}

/// A probability, short and honest: never "0 %" for something that can happen.
pub fn percent(x: f32) -> String {
    match x * 100.0 {
        y if y >= 99.95 => "100%".to_owned(),
        y if y >= 10.0 => format!("{y:.0}%"),
        y if y >= 1.0 => format!("{y:.1}%"),
        y if y >= 0.01 => format!("{y:.2}%"),
        y if y > 0.0 => "<0.01%".to_owned(),
        _ => "0%".to_owned(),
    }
}

/// A number of bytes with a binary unit.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit < 4 {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{n} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_read_well() {
        for (x, text) in [
            (1.0, "100%"),
            (0.5, "50%"),
            (0.0123, "1.2%"),
            (0.0012, "0.12%"),
            (1e-9, "<0.01%"),
            (0.0, "0%"),
            (0.9996, "100%"),
        ] {
            assert_eq!(percent(x), text);
        }
    }

    #[test]
    fn byte_counts_read_well() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(96 * 1024 * 1024), "96.0 MiB");
    }
}
