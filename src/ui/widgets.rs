//! Widgets that the whole window shares, all with an accessible name.

use egui::text::LayoutJob;
use egui::{
    Align, Button, Color32, FontId, FontSelection, Layout, Popup, Response, RichText, Role, Sense, Stroke, TextFormat,
};
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

/// A button that opens a menu below itself.
pub fn menu(ui: &mut Ui, icon: &str, text: &str, name: &str, width: f32, content: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let mut shown: String = text.chars().take(34).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    let label = icon_and_text(ui, icon, &shown, p.text);
    let arrow = RichText::new(super::icon::EXPAND).family(theme::icons()).size(16.0).color(p.muted);
    let response = named(ui.add(Button::new((label, arrow)).gap(4.0)), name);
    Popup::menu(&response).gap(6.0).width(width).show(|ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.with_layout(Layout::top_down(Align::Min), content);
    });
}

/// A wide row of a menu, of which one is chosen: a title, a short text at its right, and a line below. The accessible name
/// may say more than the title.
pub fn choice_row(ui: &mut Ui, name: &str, title: &str, side: &str, detail: &str, chosen: bool) -> Response {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 44.0), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, name));
    if ui.is_rect_visible(rect) {
        let fill = if chosen {
            p.accent_soft
        } else if response.hovered() {
            p.hover
        } else {
            p.raised
        };
        let stroke = if response.has_focus() { Stroke::new(1.5, p.accent) } else { Stroke::NONE };
        ui.painter().rect(rect, RADIUS_SMALL, fill, stroke, egui::StrokeKind::Inside);
        let text = rect.shrink2(vec2(10.0, 5.0));
        let line = |text: &str, style: egui::TextStyle, color, width| {
            let mut job = LayoutJob::simple_singleline(text.to_owned(), style.resolve(ui.style()), color);
            job.wrap = egui::text::TextWrapping::truncate_at_width(width);
            ui.painter().layout_job(job)
        };
        let width = text.width() - 24.0;
        let side = line(side, egui::TextStyle::Small, p.muted, width);
        let title = line(title, egui::TextStyle::Button, p.text, width - side.size().x - 12.0);
        let detail = line(detail, egui::TextStyle::Small, p.muted, width);
        let right = egui::pos2(text.right() - 24.0 - side.size().x, text.top() + title.size().y - side.size().y - 1.0);
        ui.painter().galley(text.left_top(), title, p.text);
        ui.painter().galley(right, side, p.muted);
        ui.painter().galley(text.left_bottom() - vec2(0.0, detail.size().y), detail, p.muted);
        if chosen {
            let font = FontId::new(18.0, theme::icons());
            ui.painter().text(text.right_center(), egui::Align2::RIGHT_CENTER, super::icon::CHECK, font, p.accent);
        }
    }
    response
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

/// A large number, short: "34 thousand", "1.2 million".
pub fn count(n: u64) -> String {
    match n as f64 {
        x if x >= 999.5e6 => format!("{:.1} billion", x / 1e9),
        x if x >= 999.5e3 => format!("{:.1} million", x / 1e6),
        x if x >= 1e3 => format!("{:.0} thousand", x / 1e3),
        x => format!("{x:.0}"),
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
    fn counts_read_well() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (34_496, "34 thousand"),
            (999_499, "999 thousand"),
            (999_600, "1.0 million"),
            (134_515_008, "134.5 million"),
            (7_240_000_000, "7.2 billion"),
        ] {
            assert_eq!(count(n), text);
        }
    }

    #[test]
    fn byte_counts_read_well() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(96 * 1024 * 1024), "96.0 MiB");
    }
}
