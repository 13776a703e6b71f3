//! Notices: calm sentences that say what happened and what to do.
//!
//! Sticky ones stand above the panels until they are dismissed; the others float over a corner for a while.

use std::time::Duration;

use egui::{Align2, Color32, Frame, Margin, RichText, Stroke, Ui, vec2};

use super::theme::{self, Palette, RADIUS, palette};
use super::view::View;
use super::{icon, widgets};
use crate::lab::{Command, Notice, NoticeLevel};

/// How long a passing notice stays, in seconds.
const SHOWN_FOR: f64 = 6.0;

/// The icon, the line colour and the tint of a level.
fn look(p: &Palette, level: NoticeLevel) -> (&'static str, Color32, Color32) {
    match level {
        NoticeLevel::Info => (icon::INFO, p.accent, p.raised),
        NoticeLevel::Warning => (icon::WARNING, p.warning, p.warning_soft),
        NoticeLevel::Error => (icon::ERROR, p.danger, p.danger_soft),
    }
}

/// Draws the notices that stay until they are dismissed.
pub fn show_sticky(ui: &mut Ui, view: &mut View<'_>) {
    let sticky = view.snapshot.notices.iter().filter(|n| n.sticky);
    let mut any = false;
    for notice in sticky {
        any = true;
        if body(ui, notice, None) {
            view.send(Command::Dismiss(notice.id));
        }
    }
    if any {
        ui.add_space(4.0);
    }
}

/// Draws the passing notices over the corner of the window.
pub fn show_toasts(ui: &Ui, view: &mut View<'_>) {
    let passing: Vec<&Notice> = view.snapshot.notices.iter().filter(|n| !n.sticky).collect();
    let Some(newest) = passing.last() else { return };
    let now = ui.input(|i| i.time);
    let key = egui::Id::unique(("notice since", newest.id));
    let since = ui.data_mut(|data| *data.get_temp_mut_or(key, now));
    if now - since > SHOWN_FOR {
        passing.iter().for_each(|notice| view.send(Command::Dismiss(notice.id)));
        return;
    }
    ui.ctx().request_repaint_after(Duration::from_secs_f64(SHOWN_FOR - (now - since) + 0.05));
    // Above the prompt bar, where it hides no tab.
    let offset = vec2(-20.0, -166.0);
    egui::Area::new(egui::Id::unique("notices")).anchor(Align2::RIGHT_BOTTOM, offset).show(ui.ctx(), |ui| {
        ui.set_max_width(380.0);
        for notice in passing.iter().rev().take(3).rev() {
            if body(ui, notice, Some(380.0)) {
                view.send(Command::Dismiss(notice.id));
            }
        }
    });
}

/// One notice. True when its cross was clicked.
fn body(ui: &mut Ui, notice: &Notice, width: Option<f32>) -> bool {
    let p = palette(ui);
    let (icon, line, fill) = look(p, notice.level);
    let mut frame = Frame::new().fill(fill).stroke(Stroke::new(1.0, line.gamma_multiply(0.45)));
    frame = frame.corner_radius(RADIUS).inner_margin(Margin::symmetric(12, 7));
    if width.is_some() {
        frame = frame.shadow(ui.visuals().popup_shadow);
    }
    let shown = frame.show(ui, |ui| {
        let text_width = (width.unwrap_or(ui.available_width()) - 62.0).max(40.0);
        let font = egui::TextStyle::Body.resolve(ui.style());
        let galley = ui.painter().layout(notice.text.clone(), font, p.text, text_width);
        let height = galley.size().y.max(26.0);
        ui.horizontal(|ui| {
            ui.set_height(height);
            ui.label(RichText::new(icon).family(theme::icons()).size(18.0).color(line));
            let (rect, response) = ui.allocate_exact_size(vec2(text_width, height), egui::Sense::hover());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, notice.text.as_str()));
            ui.painter().galley(rect.left_center() - vec2(0.0, galley.size().y * 0.5), galley, p.text);
            widgets::icon_button(ui, icon::CLOSE, &format!("Dismiss: {}", notice.text)).clicked()
        })
        .inner
    });
    shown.inner
}
