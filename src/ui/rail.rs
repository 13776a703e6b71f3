//! The list of lessons.

use egui::{
    Align2, FontId, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, vec2,
};

use super::lesson_column::LessonColumn;
use super::settings::Settings;
use super::theme::{self, RADIUS_SMALL, palette};
use super::{icon, widgets};
use crate::lab::Standing;

/// Draws the list; a click opens a lesson.
pub fn show(ui: &mut Ui, lessons: &LessonColumn, settings: &mut Settings, standing: Option<&Standing>) {
    ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        widgets::note(ui, "Lessons");
        ui.add_space(2.0);
        ui.spacing_mut().item_spacing.y = 2.0;
        for lesson in &lessons.library().lessons {
            let meta = &lesson.meta;
            let (done, of) = lessons.progress(&meta.id, standing);
            let detail = format!("{done} of {of} done · {} min", meta.minutes);
            let open = settings.lesson.as_deref() == Some(meta.id.as_str());
            if row(ui, Some(meta.order), &meta.title, &detail, open).clicked() {
                settings.lesson = Some(meta.id.clone());
            }
        }
        for problem in &lessons.library().problems {
            widgets::note(ui, format!("{}: {}", problem.file, problem.sentence));
        }
        ui.add_space(10.0);
        if row(ui, None, "Your model", "Panels without a lesson", settings.lesson.is_none()).clicked() {
            settings.lesson = None;
        }
    });
}

/// One row: a number or an icon, a title and a line below.
fn row(ui: &mut Ui, number: Option<u32>, title: &str, detail: &str, open: bool) -> Response {
    let p = palette(ui);
    let text_width = ui.available_width() - 44.0;
    let title_galley = ui.painter().layout(title.to_owned(), TextStyle::Button.resolve(ui.style()), p.text, text_width);
    let detail_galley = ui.painter().layout(detail.to_owned(), theme::tick().resolve(ui.style()), p.muted, text_width);
    let height = title_galley.size().y + detail_galley.size().y + 14.0;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, ui.is_enabled(), open, title));
    if ui.is_rect_visible(rect) {
        let fill = if open {
            p.accent_soft
        } else if response.hovered() {
            p.hover
        } else {
            p.surface
        };
        let stroke = if response.has_focus() { Stroke::new(1.5, p.accent) } else { Stroke::NONE };
        ui.painter().rect(rect, RADIUS_SMALL, fill, stroke, StrokeKind::Inside);
        let badge = Rect::from_center_size(rect.left_center() + vec2(19.0, 0.0), vec2(22.0, 22.0));
        let (mark, font) = match number {
            Some(n) => (n.to_string(), FontId::new(12.0, theme::bold())),
            None => (icon::MODEL.to_owned(), FontId::new(15.0, theme::icons())),
        };
        let (back, fore) = if open { (p.accent_fill, p.on_accent) } else { (p.sunken, p.muted) };
        ui.painter().circle_filled(badge.center(), 11.0, back);
        ui.painter().text(badge.center(), Align2::CENTER_CENTER, mark, font, fore);
        let at = rect.left_top() + vec2(38.0, 7.0);
        let below = at + vec2(0.0, title_galley.size().y);
        ui.painter().galley(at, title_galley, p.text);
        ui.painter().galley(below, detail_galley, p.muted);
    }
    response
}
