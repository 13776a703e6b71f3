//! The prompt's tokens as chips.

use egui::{FontId, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, pos2, vec2};

use crate::lab::{Chip, Command};
use crate::ui::fonts::printable;
use crate::ui::theme::{Palette, RADIUS_SMALL, palette};
use crate::ui::view::View;
use crate::ui::widgets;

const HEIGHT: f32 = 26.0;
/// Characters of a token that its chip shows; the rest is on hover.
const LONGEST: usize = 28;

/// The row of chips. Remembers which token it scrolled to.
#[derive(Debug, Default)]
pub struct Chips {
    shown: Option<(usize, usize)>,
}

impl Chips {
    /// Draws the row; a click selects a token.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let snapshot = view.snapshot;
        let scroll = ScrollArea::horizontal().id_salt("chips").auto_shrink([false, true]);
        scroll.show(ui, |ui| {
            ui.set_min_height(HEIGHT + 6.0);
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 3.0;
                if snapshot.chips.is_empty() {
                    let hint = if snapshot.model.is_some() {
                        "The prompt is empty: type something, and its tokens appear here."
                    } else {
                        "Tokens appear here once a model is open."
                    };
                    widgets::note(ui, hint);
                    return;
                }
                let selected = snapshot.selection.token;
                let now = (selected, snapshot.chips.len());
                let grew = self.shown.is_some_and(|(_, len)| len < now.1) && now.1 > snapshot.n_prompt;
                let followed = if grew { now.1 - 1 } else { selected };
                let moved = self.shown.replace(now) != Some(now);
                for (position, chip) in snapshot.chips.iter().enumerate() {
                    let generated = position >= snapshot.n_prompt;
                    let response = chip_ui(ui, chip, position, position == selected, generated);
                    if response.clicked() {
                        view.send(Command::SelectToken(position));
                    }
                    if moved && position == followed {
                        response.scroll_to_me(None);
                    }
                }
                if !snapshot.dropped.is_empty() {
                    let dropped: Vec<&str> = snapshot.dropped.iter().take(12).map(String::as_str).collect();
                    widgets::note(
                        ui,
                        format!("Left out, because this vocabulary cannot write it: {}", dropped.join(" ")),
                    );
                }
            });
        });
    }
}

fn chip_ui(ui: &mut Ui, chip: &Chip, position: usize, selected: bool, generated: bool) -> egui::Response {
    let p = palette(ui);
    let font: FontId = TextStyle::Monospace.resolve(ui.style());
    let mut label: String = chip.label.chars().take(LONGEST).collect();
    if label.len() < chip.label.len() {
        label.push('…');
    }
    let label = printable(ui.ctx(), &label, &font).into_owned();
    let color = if chip.special || chip.fragment { p.muted } else { p.text };
    let galley = ui.painter().layout_no_wrap(label, font, color);
    let size = vec2(galley.size().x.max(4.0) + 12.0, HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let name = format!("Token {position}: {}", chip.label);
    response.widget_info(|| WidgetInfo::selected(Role::ListBoxOption, ui.is_enabled(), selected, &name));
    if ui.is_rect_visible(rect) {
        paint(ui, p, rect, selected, generated, chip, response.hovered(), response.has_focus());
        let at = pos2(rect.center().x - galley.size().x * 0.5, rect.center().y - galley.size().y * 0.5);
        ui.painter().galley(at, galley, color);
    }
    response.on_hover_ui(|ui| {
        ui.label(format!("“{}”", printable(ui.ctx(), &chip.label, &TextStyle::Body.resolve(ui.style()))));
        let kind = match (chip.special, chip.fragment, generated) {
            (true, ..) => ", a control token",
            (_, true, _) => ", part of a character",
            (.., true) => ", generated",
            _ => "",
        };
        widgets::note(ui, format!("position {position}, id {}{kind}", chip.id));
    })
}

#[expect(clippy::too_many_arguments, reason = "a chip has this many states, and each is drawn")]
fn paint(ui: &Ui, p: &Palette, rect: Rect, selected: bool, generated: bool, chip: &Chip, hovered: bool, focus: bool) {
    let fill = match (selected, hovered, generated) {
        (true, ..) => p.accent_soft,
        (_, true, _) => p.hover,
        (.., true) => p.generated_soft,
        _ => p.sunken,
    };
    let stroke = if selected || focus {
        Stroke::new(1.5, p.accent)
    } else if chip.special || chip.fragment {
        Stroke::new(1.0, p.border_strong)
    } else {
        Stroke::new(1.0, p.border)
    };
    ui.painter().rect(rect, RADIUS_SMALL, fill, stroke, StrokeKind::Inside);
}
