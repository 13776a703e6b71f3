//! The last draw: which tokens could have come, and what cut the others.

use egui::{Button, Popup, Rect, RectAlign, ScrollArea, Sense, TextStyle, Ui, pos2, vec2};

use crate::lab::Generation;
use crate::model::sampler::{Candidate, Draw, Fate};
use crate::ui::theme::palette;
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// The button that opens the list of candidates.
pub fn button(ui: &mut Ui, _view: &View<'_>, generation: &Generation) {
    let Some((chip, draw)) = generation.draws.last() else { return };
    let p = palette(ui);
    let label = widgets::icon_and_text(ui, icon::KNOBS, "Last draw", p.text);
    let response = widgets::named(ui.add(Button::new(label)), "Last draw");
    let popup = Popup::menu(&response).align(RectAlign::TOP_END).gap(6.0).width(320.0);
    popup.close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(320.0);
        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| list(ui, generation, &chip.label, draw));
    });
}

/// What the popup holds.
fn list(ui: &mut Ui, generation: &Generation, label: &str, draw: &Draw) {
    widgets::heading(ui, &format!("“{label}” was drawn"));
    let choices = draw.entropy.exp();
    widgets::note(
        ui,
        format!(
            "{} tokens stayed in the draw. Before the cuts the model hesitated between about {choices:.0}.",
            draw.kept
        ),
    );
    ui.add_space(2.0);
    ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        let most = draw.candidates.iter().map(|c| c.probability).fold(f32::MIN_POSITIVE, f32::max);
        for (i, candidate) in draw.candidates.iter().enumerate() {
            row(ui, candidate, generation.labels.get(i).map_or("", String::as_str), most);
        }
    });
}

fn row(ui: &mut Ui, candidate: &Candidate, label: &str, most: f32) {
    let p = palette(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    let (word, color) = match candidate.fate {
        Fate::Chosen => ("drawn", p.accent),
        Fate::Kept => ("could come", p.text),
        Fate::CutByGreedy => ("not the best", p.muted),
        Fate::CutByTopK => ("cut by top-k", p.muted),
        Fate::CutByTopP => ("cut by top-p", p.muted),
    };
    let track =
        Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * 0.46, rect.bottom())).shrink2(vec2(0.0, 2.0));
    let bar = track.with_max_x(track.left() + track.width() * (candidate.probability / most).clamp(0.0, 1.0));
    let fill = if candidate.fate == Fate::Chosen { p.accent_soft } else { p.sunken };
    ui.painter().rect_filled(bar, 3.0, fill);
    let font = TextStyle::Small.resolve(ui.style());
    let label: String = label.chars().take(16).collect();
    let label = crate::ui::fonts::printable(ui.ctx(), &label, &font).into_owned();
    let text = |x: f32, align, text: String, color| {
        ui.painter().text(pos2(x, rect.center().y), align, text, font.clone(), color);
    };
    text(track.left() + 6.0, egui::Align2::LEFT_CENTER, label, color);
    text(rect.left() + rect.width() * 0.62, egui::Align2::RIGHT_CENTER, widgets::percent(candidate.probability), color);
    text(rect.left() + rect.width() * 0.66, egui::Align2::LEFT_CENTER, word.to_owned(), color);
}
