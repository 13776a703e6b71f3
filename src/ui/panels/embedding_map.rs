//! The embedding table as a map: each token a point, placed by the table's principal components.
//!
//! Tens of thousands of points are drawn into one picture, in the size that the map has on screen; shapes are spent only
//! on the few tokens that are marked. The picture is made anew when the view turns or the size changes.

mod cloud;

use egui::{Align2, EventFilter, Key, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, vec2};

use self::cloud::{Cloud, Look};
use crate::lab::{Command, Question, TokenMap, Word};
use crate::ui::fonts::printable;
use crate::ui::theme::{self, palette};
use crate::ui::view::View;
use crate::ui::{icon, widgets};

/// Classes that can be coloured at once: as many as there are colours that stay apart under colour blindness.
const MOST_CLASSES: usize = 5;
/// Marked tokens that get their text.
const MOST_LABELS: usize = 40;
/// Pixels around the pointer in which a token is found.
const REACH: f32 = 9.0;

/// What dragging does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Drag {
    #[default]
    Move,
    Select,
}

/// The panel.
#[derive(Default)]
pub struct EmbeddingMap {
    look: Look,
    cloud: Cloud,
    drag: Drag,
    classes: Option<Vec<u8>>,
    search: String,
    list: String,
    selected: Vec<u32>,
    from: Option<Pos2>,
    glance: Option<u32>,
}

impl EmbeddingMap {
    /// Draws the panel.
    pub fn show(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let asked = &view.snapshot.meaning.map;
        let Some(map) = asked.answer.clone() else {
            if asked.is_new() {
                view.send(Command::Ask(Question::Map));
            }
            match &asked.problem {
                Some(problem) => {
                    let problem = problem.clone();
                    widgets::note(ui, &problem);
                    if widgets::button(ui, icon::GENERATE, "Make the map").clicked() {
                        view.send(Command::Ask(Question::Map));
                    }
                }
                None => widgets::empty_state(
                    ui,
                    icon::RECENT,
                    "Making the map",
                    "The directions in which the tokens differ most are being found. Stop ends it.",
                ),
            }
            return;
        };
        self.controls(ui, &map);
        self.legend(ui, &map);
        self.plot(ui, view, &map);
    }

    /// Whether the picture is still being made.
    pub fn is_pending(&self) -> bool {
        self.cloud.is_pending()
    }

    fn controls(&mut self, ui: &mut Ui, map: &TokenMap) {
        ui.horizontal_wrapped(|ui| {
            widgets::segmented(ui, &mut self.look.solid, &[(false, "2-D"), (true, "3-D")]);
            widgets::segmented(ui, &mut self.drag, &[(Drag::Move, "Move"), (Drag::Select, "Select a box")]);
            let label = widgets::note(ui, "Find a token");
            ui.add(egui::TextEdit::singleline(&mut self.search).desired_width(90.0)).labelled_by(label.id);
            let label = widgets::note(ui, "Word list");
            let hint = "king queen man";
            ui.add(egui::TextEdit::singleline(&mut self.list).desired_width(120.0).hint_text(hint))
                .labelled_by(label.id);
            if widgets::button(ui, icon::RESET, "Reset the view").clicked() {
                self.look = self.look.reset();
            }
            if !self.selected.is_empty() && widgets::button(ui, icon::CLOSE, "Clear the selection").clicked() {
                self.selected.clear();
            }
        });
        if !self.selected.is_empty() {
            let names: Vec<&str> =
                self.selected.iter().take(12).filter_map(|id| Some(map.labels.get(*id as usize)?.as_str())).collect();
            let more = if self.selected.len() > names.len() { ", …" } else { "" };
            widgets::note(ui, format!("{} selected: {}{more}", self.selected.len(), names.join(" ")));
        }
    }

    /// The classes, each a switch in its colour.
    fn legend(&mut self, ui: &mut Ui, map: &TokenMap) {
        let p = palette(ui);
        let n = map.classes.len() as u8;
        let shown = self.classes.get_or_insert_with(|| (0..n.min(MOST_CLASSES as u8)).collect());
        shown.retain(|class| *class < n);
        ui.horizontal_wrapped(|ui| {
            widgets::menu(ui, icon::KNOBS, "Colours", "Which classes are coloured", 230.0, |ui| {
                egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| classes_menu(ui, map, shown));
            });
            for (i, class) in shown.iter().enumerate() {
                let name = map.classes.get(usize::from(*class)).map_or("", String::as_str);
                let text = egui::RichText::new(name).text_style(egui::TextStyle::Small);
                ui.colored_label(p.series(i), "●");
                ui.label(text);
            }
            let kept = 100.0 * map.shares.iter().take(if self.look.solid { 3 } else { 2 }).sum::<f64>();
            let about = format!("{} tokens; the map keeps {kept:.1} % of the variance", map.places.len());
            let [x, y, z] = map.shares.map(|share| format!("{:.1} %", 100.0 * share));
            widgets::note(ui, about).on_hover_text(format!(
                "Principal components of the table: place = (x − mean)·axis; share = the axis's variance / the sum over \
                 all dimensions: {x}, {y} and {z}. What is left out is large, so near on the map need not be near in \
                 the table."
            ));
        });
    }

    fn plot(&mut self, ui: &mut Ui, view: &mut View<'_>, map: &std::sync::Arc<TokenMap>) {
        let size = ui.available_size().max(vec2(40.0, 60.0));
        let (rect, response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        let name = "Map of the embedding table; arrow keys move it, plus and minus zoom";
        response.widget_info(|| WidgetInfo::labeled(Role::Image, ui.is_enabled(), name));
        self.moves(ui, &response, rect, map);
        let shown = self.classes.clone().unwrap_or_default();
        let look = self.cloud.paint(ui, rect, map, self.look, &shown);
        let marked = self.marked(map);
        marks(ui, rect, map, look, &marked);
        arrows(ui, rect, view, map, look);
        let p = palette(ui);
        let focus = if response.has_focus() { Stroke::new(1.5, p.accent) } else { Stroke::new(1.0, p.border) };
        ui.painter().rect_stroke(rect, 2.0, focus, StrokeKind::Inside);
        if let (Some(from), Some(to)) = (self.from, response.interact_pointer_pos()) {
            let line = Stroke::new(1.5, p.accent);
            ui.painter().rect_stroke(Rect::from_two_pos(from, to), 0.0, line, StrokeKind::Inside);
        }
        let hovered = response.hover_pos().and_then(|at| nearest(rect, map, self.look, at));
        let Some(id) = hovered else { return };
        if self.glance.replace(id) != Some(id) {
            view.send(Command::Ask(Question::Glance(id)));
        }
        if response.clicked() {
            view.send(Command::Ask(Question::Near { word: Word::Id(id), centred: false }));
            self.selected = vec![id];
        }
        let near = view.snapshot.meaning.glance.answer.clone().filter(|near| near.token.neighbour.id == id);
        response.on_hover_ui_at_pointer(|ui| {
            widgets::heading(ui, map.labels.get(id as usize).map_or("", String::as_str));
            let class = map.class_of.get(id as usize).and_then(|class| map.classes.get(usize::from(*class)));
            widgets::note(ui, format!("Token {id}{}", class.map_or(String::new(), |class| format!(", {class}"))));
            for one in near.iter().flat_map(|near| near.lists[0].iter().take(5)) {
                ui.monospace(format!("{:.3}  {}", one.neighbour.value, one.label));
            }
            widgets::note(ui, "cosine = x·y / (|x||y|), in all dimensions of the table");
        });
    }

    /// Dragging, scrolling and keys.
    fn moves(&mut self, ui: &Ui, response: &egui::Response, rect: Rect, map: &TokenMap) {
        if response.clicked() || response.drag_started() {
            response.request_focus();
        }
        if self.drag == Drag::Select {
            if response.drag_started() {
                // Where the button went down: a drag is known to be one only some pixels later.
                self.from = ui.input(|i| i.pointer.press_origin());
            }
            if response.drag_stopped()
                && let (Some(from), Some(to)) = (self.from.take(), response.interact_pointer_pos())
            {
                let area = Rect::from_two_pos(from, to);
                let inside = |place: &[f32; 3]| area.contains(self.look.screen(rect, map.radius, *place));
                let ids = map.places.iter().enumerate().filter(|(_, place)| inside(place));
                self.selected = ids.map(|(id, _)| id as u32).collect();
            }
        } else if response.dragged() {
            self.look.drag(response.drag_delta(), rect);
        }
        if response.hovered() {
            let scrolled = ui.input(|i| i.smooth_scroll_delta.y + 200.0 * (i.zoom_delta() - 1.0));
            self.look.zoom_by((scrolled * 0.004).exp());
        }
        if response.has_focus() {
            let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
            let pressed = |key| f32::from(u8::from(ui.input(|i| i.key_pressed(key))));
            let x = pressed(Key::ArrowRight) - pressed(Key::ArrowLeft);
            let y = pressed(Key::ArrowDown) - pressed(Key::ArrowUp);
            self.look.drag(vec2(x, y) * 24.0, rect);
            self.look.zoom_by(1.25f32.powf(pressed(Key::Plus) + pressed(Key::Equals) - pressed(Key::Minus)));
        }
    }

    /// Tokens to mark: what is searched for, the word list, the selection.
    fn marked(&self, map: &TokenMap) -> Vec<u32> {
        let mut marked = self.selected.clone();
        let wanted = self.search.trim();
        let words: Vec<&str> = self.list.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        if wanted.is_empty() && words.is_empty() {
            return marked;
        }
        for (id, label) in map.labels.iter().enumerate() {
            let bare = label.trim_start_matches(['·', '␣', ' ']);
            if (!wanted.is_empty() && bare.starts_with(wanted)) || words.contains(&bare) {
                marked.push(id as u32);
            }
        }
        marked
    }
}

/// A switch for each class; beyond the colours that there are, the oldest gives way.
fn classes_menu(ui: &mut Ui, map: &TokenMap, shown: &mut Vec<u8>) {
    for (class, name) in map.classes.iter().enumerate() {
        let class = class as u8;
        let mut on = shown.contains(&class);
        if widgets::switch(ui, &mut on, name).changed() {
            shown.retain(|c| *c != class);
            if on {
                shown.push(class);
            }
            let surplus = shown.len().saturating_sub(MOST_CLASSES);
            shown.drain(..surplus);
        }
    }
}

/// The token nearest to a point on screen, within reach; of several the one in front.
fn nearest(rect: Rect, map: &TokenMap, look: Look, at: Pos2) -> Option<u32> {
    let distance = |place: &[f32; 3]| look.screen(rect, map.radius, *place).distance_sq(at);
    let best = map.places.iter().enumerate().map(|(id, place)| (distance(place), id));
    let (distance, id) = best.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (distance <= REACH * REACH).then_some(id as u32)
}

fn marks(ui: &Ui, rect: Rect, map: &TokenMap, look: Look, marked: &[u32]) {
    let p = palette(ui);
    let painter = ui.painter_at(rect);
    let font = theme::tick().resolve(ui.style());
    for id in marked.iter().take(MOST_LABELS) {
        let (Some(place), Some(label)) = (map.places.get(*id as usize), map.labels.get(*id as usize)) else { continue };
        let at = look.screen(rect, map.radius, *place);
        painter.circle_stroke(at, 4.0, Stroke::new(1.5, p.text));
        let label: String = label.chars().take(16).collect();
        let text = printable(ui.ctx(), &label, &font).into_owned();
        painter.text(at + vec2(6.0, -3.0), Align2::LEFT_BOTTOM, text, font.clone(), p.text);
    }
}

/// The analogy that was asked last, as two arrows that should be parallel.
fn arrows(ui: &Ui, rect: Rect, view: &View<'_>, map: &TokenMap, look: Look) {
    let Some(analogy) = &view.snapshot.meaning.analogy.answer else { return };
    let ids = analogy.tokens.each_ref().map(|token| token.neighbour.id);
    let at = |id: u32| map.places.get(id as usize).map(|place| look.screen(rect, map.radius, *place));
    let painter = ui.painter_at(rect);
    for (i, (from, to)) in [(ids[0], ids[1]), (ids[2], ids[3])].into_iter().enumerate() {
        if let (Some(from), Some(to)) = (at(from), at(to)) {
            painter.arrow(from, to - from, Stroke::new(2.0, palette(ui).series(i)));
        }
    }
    marks(ui, rect, map, look, &ids);
}

/// The middle of a rectangle moved by a fraction of its size.
fn shifted(rect: Rect, by: Vec2) -> Pos2 {
    rect.center() + by * rect.size().min_elem()
}
