//! The parts that predict, quiz and scene cards are made of.
//!
//! A card is a framed block with a kicker line. An option is one wide target: mark, text (with formulas) and state, so that
//! it can be hit anywhere, reached by Tab and chosen with Space or Enter. State is never told by colour alone: marks are
//! drawn, and a word stands beside them.

use egui::{
    Button, Color32, Frame, Rect, Response, RichText, Role, Sense, Shape, Stroke, StrokeKind, TextStyle, Ui, Vec2,
    WidgetInfo, vec2,
};

use super::markdown::Typesetter;
use super::theme::{self, RADIUS, RADIUS_SMALL, palette};

/// The meaning of a colour on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to say.
    Plain,
    /// What is chosen, and what a card is called.
    Accent,
    /// Right.
    Right,
    /// Wrong.
    Wrong,
}

impl Tone {
    /// Its colour in the current theme.
    pub fn color(self, ui: &Ui) -> Color32 {
        let p = palette(ui);
        match self {
            Self::Plain => p.muted,
            Self::Accent => p.accent,
            Self::Right => p.positive,
            Self::Wrong => p.danger,
        }
    }
}

/// A framed block with a kicker ("Question 1 of 3").
pub fn card(ui: &mut Ui, kicker: &str, tone: Tone, contents: impl FnOnce(&mut Ui)) {
    let p = palette(ui);
    let frame = Frame::new().fill(p.surface).stroke(Stroke::new(1.0, p.border)).corner_radius(RADIUS).inner_margin(16);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        ui.label(RichText::new(kicker).small().color(tone.color(ui)));
        contents(ui);
    });
}

/// How an option is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionState {
    /// Whether it is chosen.
    pub chosen: bool,
    /// Whether it can still be changed.
    pub open: bool,
    /// What is known about it.
    pub tone: Tone,
}

/// One option of a choice: a radio button, or a check box where several may be chosen. `card` names the card that it is on,
/// so that a screen reader and a test can tell equal words on two cards apart.
pub fn option(ui: &mut Ui, type_: &mut Typesetter, card: &str, text: &str, role: Role, state: OptionState) -> Response {
    const PAD: Vec2 = vec2(12.0, 7.0);
    const MARK: f32 = 16.0;
    let inner = ui.available_width() - 2.0 * PAD.x - MARK - 10.0;
    let laid = type_.line(ui, text, inner);
    let size = vec2(ui.available_width(), laid.size().y + 2.0 * PAD.y);
    let sense = if state.open { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    let name = format!("{card}: {}", type_.document(text).plain());
    response.widget_info(|| WidgetInfo::selected(role, state.open, state.chosen, &name));
    if !ui.is_rect_visible(rect) {
        return response;
    }
    let p = palette(ui);
    let known = matches!(state.tone, Tone::Right | Tone::Wrong);
    let color = if known || state.chosen { state.tone.color(ui) } else { p.muted };
    let stroke = match (known || state.chosen, state.open) {
        (true, _) => Stroke::new(1.5, color),
        (false, true) => Stroke::new(1.0, p.border_strong),
        (false, false) => Stroke::NONE,
    };
    let fill = match (state.tone, state.open) {
        (Tone::Right, false) => p.positive_soft,
        (Tone::Wrong, false) => p.danger_soft,
        (_, true) if response.hovered() => p.hover,
        (_, true) if state.chosen => p.accent_soft,
        (_, true) => p.surface,
        (_, false) => p.sunken,
    };
    ui.painter().rect(rect, RADIUS_SMALL, fill, stroke, StrokeKind::Inside);
    if response.has_focus() {
        ui.painter().rect_stroke(rect.expand(2.0), 8, ui.visuals().selection.stroke, StrokeKind::Outside);
    }
    let first_line = rect.top() + PAD.y + laid.first_row_height() / 2.0;
    let center = egui::pos2(rect.left() + PAD.x + MARK / 2.0, first_line);
    mark(ui, Rect::from_center_size(center, Vec2::splat(MARK)), role, state, color);
    laid.paint(ui, rect.min + vec2(PAD.x + MARK + 10.0, PAD.y));
    response.on_hover_cursor(if state.open { egui::CursorIcon::PointingHand } else { egui::CursorIcon::Default })
}

fn mark(ui: &Ui, rect: Rect, role: Role, state: OptionState, color: Color32) {
    match state.tone {
        Tone::Right => return tick(ui, rect, color),
        Tone::Wrong => return cross(ui, rect, color),
        Tone::Plain | Tone::Accent => {}
    }
    let outline = Stroke::new(1.5, color);
    if role == Role::RadioButton {
        ui.painter().circle_stroke(rect.center(), 6.5, outline);
        if state.chosen {
            ui.painter().circle_filled(rect.center(), 3.5, color);
        }
    } else {
        ui.painter().rect_stroke(rect.shrink(1.5), 3, outline, StrokeKind::Inside);
        if state.chosen {
            tick(ui, rect.shrink(3.0), color);
        }
    }
}

/// A drawn tick: fonts differ in which of these signs they hold.
pub fn tick(ui: &Ui, rect: Rect, color: Color32) {
    let at = |x: f32, y: f32| rect.lerp_inside(vec2(x, y));
    ui.painter().add(Shape::line(vec![at(0.1, 0.55), at(0.4, 0.85), at(0.92, 0.18)], Stroke::new(2.0, color)));
}

/// A drawn cross.
pub fn cross(ui: &Ui, rect: Rect, color: Color32) {
    let rect = rect.shrink(2.5);
    let stroke = Stroke::new(2.0, color);
    ui.painter().line_segment([rect.left_top(), rect.right_bottom()], stroke);
    ui.painter().line_segment([rect.right_top(), rect.left_bottom()], stroke);
}

/// A verdict line: a drawn mark and words. It can hold the focus, so that a screen reader reads it at once and Tab goes
/// on from here.
pub fn verdict(ui: &mut Ui, tone: Tone, card: &str, words: &str) -> Response {
    const MARK: f32 = 16.0;
    let text = RichText::new(words).text_style(theme::subheading()).color(tone.color(ui));
    let galley = egui::WidgetText::from(text).into_galley(ui, None, ui.available_width() - 24.0, TextStyle::Body);
    let size = vec2(24.0 + galley.size().x, galley.size().y.max(MARK));
    let (rect, response) = ui.allocate_exact_size(size, Sense::focusable_noninteractive());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{card}: {words}")));
    let left = Rect::from_center_size(rect.left_center() + vec2(MARK / 2.0, 0.0), Vec2::splat(MARK));
    match tone {
        Tone::Right => tick(ui, left, tone.color(ui)),
        Tone::Wrong => cross(ui, left, tone.color(ui)),
        Tone::Plain | Tone::Accent => {}
    }
    let at = rect.left_center() + vec2(24.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, tone.color(ui));
    if response.has_focus() {
        ui.painter().rect_stroke(rect.expand(3.0), 4, ui.visuals().selection.stroke, StrokeKind::Outside);
    }
    response
}

/// A text that belongs to what stands above it: set in, with a bar in the colour of its meaning.
pub fn aside(ui: &mut Ui, type_: &mut Typesetter, tone: Tone, text: &str) {
    let top = ui.cursor().left_top();
    let inner = ui.horizontal_top(|ui| {
        ui.add_space(14.0);
        ui.vertical(|ui| type_.show(ui, text));
    });
    let bar = Rect::from_min_size(top, vec2(3.0, inner.response.rect.height()));
    ui.painter().rect_filled(bar, 1.5, tone.color(ui));
}

/// The button that matters most on a card.
pub fn primary(ui: &mut Ui, enabled: bool, words: &str) -> Response {
    let p = palette(ui);
    let button = if enabled {
        Button::new(RichText::new(words).color(p.on_accent)).fill(p.accent_fill).stroke(Stroke::NONE)
    } else {
        Button::new(words)
    };
    ui.add_enabled(enabled, button)
}

/// The button that opens the next of `total` hints; none once all are open. `card` says whose hints they are.
pub fn hint(ui: &mut Ui, open: usize, total: usize, card: &str) -> Option<Response> {
    (open < total).then(|| {
        let words = format!("Hint {} of {total}", open + 1);
        let hint = ui.add(Button::new(RichText::new(&words).weak()).frame_when_inactive(false));
        named(ui, hint, format!("{words}, {card}"))
    })
}

/// A text for the model, set apart from the prose: it is read character by character.
pub fn quoted(ui: &mut Ui, text: &str) {
    let p = palette(ui);
    Frame::new().fill(p.sunken).corner_radius(RADIUS_SMALL).inner_margin(10).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.add(egui::Label::new(RichText::new(text).monospace()).wrap());
    });
}

/// Gives a widget a name that is unique on the page, and that begins with what it shows.
pub fn named(ui: &Ui, response: Response, name: impl Into<String>) -> Response {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name.into()));
    response
}
