//! Badges: what was reached, and what there is to reach.

use egui::{Align, FontId, Layout, RichText, Sense, Stroke, Ui, vec2};

use super::{Desk, long_date};
use crate::progress::Badge;
use crate::ui::theme::{self, palette};
use crate::ui::{icon, widgets};

/// Width that one badge wants, in points.
const WANTED: f32 = 260.0;

/// Draws every badge, as many beside each other as fit.
pub fn show(ui: &mut Ui, desk: &Desk<'_>) {
    let columns = ((ui.available_width() / WANTED) as usize).clamp(1, 4);
    for row in Badge::ALL.chunks(columns) {
        ui.columns(columns, |columns| {
            for (ui, badge) in columns.iter_mut().zip(row) {
                ui.with_layout(Layout::top_down(Align::Min), |ui| one(ui, desk, *badge));
            }
        });
    }
}

fn one(ui: &mut Ui, desk: &Desk<'_>, badge: Badge) {
    let p = palette(ui);
    let day = desk.standing.badges.get(&badge);
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(30.0, 30.0), Sense::hover());
        let (fill, ink) = if day.is_some() { (p.accent_fill, p.on_accent) } else { (p.sunken, p.muted) };
        let line = if day.is_some() { Stroke::NONE } else { Stroke::new(1.0, p.border_strong) };
        ui.painter().circle(rect.center(), 15.0, fill, line);
        let font = FontId::new(18.0, theme::icons());
        ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, icon::BADGE, font, ink);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            let color = if day.is_some() { p.text } else { p.muted };
            ui.label(RichText::new(badge.name()).text_style(theme::subheading()).color(color));
            widgets::note(ui, badge.how());
            if let Some(day) = day {
                ui.label(RichText::new(format!("Earned on {}", long_date(*day))).small().color(p.positive));
            }
        });
    });
    ui.add_space(6.0);
}
