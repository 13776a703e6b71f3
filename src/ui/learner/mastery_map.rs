//! The map of concepts: a graph of what builds on what, with where the student stands.
//!
//! Each lesson is a band. In it a concept stands to the right of those of the same lesson that it builds on, and a line
//! leads to it from each. A dot at its left says that it builds on another lesson too. All lines of a concept, those from
//! and to other lessons included, light up while it is pointed at or has the keyboard: drawn all at once they would hide
//! the map. A click opens the lesson. Where a concept stands is told by an icon and a word, not by colour alone.

use std::collections::BTreeMap;

use egui::epaint::CubicBezierShape;
use egui::{
    Align2, Color32, FontId, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use super::{Desk, long_date};
use crate::lesson::Lesson;
use crate::progress::{ConceptStanding, ConceptState};
use crate::ui::theme::{self, Palette, RADIUS_SMALL, palette};
use crate::ui::{icon, widgets};

const NODE_HEIGHT: f32 = 40.0;
const GAP: f32 = 8.0;
const BAND_HEAD: f32 = 24.0;
const BAND_GAP: f32 = 10.0;
/// Between columns: what a line needs to turn in.
const LANE: f32 = 26.0;

/// Every state, in the order of the legend.
const STATES: [ConceptState; 6] = [
    ConceptState::Mastered,
    ConceptState::Due,
    ConceptState::Slipped,
    ConceptState::Practising,
    ConceptState::Ready,
    ConceptState::Later,
];

/// The word for a state.
pub fn word(state: ConceptState) -> &'static str {
    match state {
        ConceptState::Later => "later",
        ConceptState::Ready => "ready to learn",
        ConceptState::Practising => "practising",
        ConceptState::Mastered => "mastered",
        ConceptState::Due => "review due",
        ConceptState::Slipped => "slipped",
    }
}

fn mark(state: ConceptState) -> &'static str {
    match state {
        ConceptState::Later => icon::LATER,
        ConceptState::Ready => icon::CHEVRON,
        ConceptState::Practising => icon::EDIT,
        ConceptState::Mastered => icon::CHECK,
        ConceptState::Due => icon::REVIEW,
        ConceptState::Slipped => icon::UNDO,
    }
}

/// Ink, fill and outline of a state.
fn look(p: &Palette, state: ConceptState) -> (Color32, Color32, Color32) {
    match state {
        ConceptState::Later => (p.muted, p.sunken, p.border),
        ConceptState::Ready => (p.text, p.surface, p.border_strong),
        ConceptState::Practising => (p.accent, p.accent_soft, p.accent_mid),
        ConceptState::Mastered => (p.positive, p.positive_soft, p.positive),
        ConceptState::Due => (p.warning, p.warning_soft, p.warning),
        ConceptState::Slipped => (p.danger, p.danger_soft, p.danger),
    }
}

/// Draws the map over the available width.
pub fn show(ui: &mut Ui, desk: &mut Desk<'_>) {
    legend(ui, desk);
    let plan = plan(desk, ui.available_width());
    let (area, _) = ui.allocate_exact_size(vec2(ui.available_width(), plan.height), Sense::hover());
    let origin = area.min.to_vec2();
    let p = palette(ui);
    for (y, title) in &plan.bands {
        let at = pos2(area.left(), area.top() + y);
        let font = egui::TextStyle::Small.resolve(ui.style());
        ui.painter().text(at, Align2::LEFT_TOP, title, font, p.muted);
    }
    // Nodes are placed before lines are drawn, so that a line knows whether its end is pointed at.
    let responses: Vec<(&Place, Response)> = plan
        .places
        .iter()
        .map(|place| {
            let id = ui.scope_id().with(("concept", &place.concept));
            (place, ui.interact(place.rect.translate(origin), id, Sense::click()))
        })
        .collect();
    let lit =
        |concept: &str| responses.iter().any(|(place, r)| place.concept == concept && (r.hovered() || r.has_focus()));
    for (place, _) in &responses {
        for need in desk.standing.needs.get(&place.concept).into_iter().flatten() {
            let Some(from) = plan.find(need) else { continue };
            let is_lit = lit(need) || lit(&place.concept);
            if is_lit || from.lesson == place.lesson {
                line(ui, p, from.rect.translate(origin), place.rect.translate(origin), is_lit);
            }
        }
    }
    let mut opened = None;
    for (place, response) in responses {
        if node(ui, desk, place, &response).clicked() {
            opened = Some(place.lesson.clone());
        }
    }
    if let Some(lesson) = opened {
        desk.open_lesson(&lesson);
    }
}

fn legend(ui: &mut Ui, desk: &Desk<'_>) {
    let p = palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for state in STATES {
            let n = desk.standing.concepts.iter().filter(|concept| concept.state == state).count();
            let (ink, ..) = look(p, state);
            ui.label(egui::RichText::new(mark(state)).family(theme::icons()).size(14.0).color(ink));
            widgets::note(ui, format!("{n} {}", word(state)));
            ui.add_space(10.0);
        }
        let (dot, _) = ui.allocate_exact_size(vec2(12.0, 16.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 3.5, p.muted);
        widgets::note(ui, "builds on another lesson; point at it to see the lines");
    });
}

/// Where a concept stands on the map.
struct Place {
    concept: String,
    lesson: String,
    rect: Rect,
    /// Whether it builds on a concept of another lesson.
    needs_others: bool,
}

/// The map before it is drawn; its origin is the upper left.
struct MapPlan {
    places: Vec<Place>,
    bands: Vec<(f32, String)>,
    height: f32,
}

impl MapPlan {
    fn find(&self, concept: &str) -> Option<&Place> {
        self.places.iter().find(|place| place.concept == concept)
    }
}

fn plan(desk: &Desk<'_>, width: f32) -> MapPlan {
    let columns: Vec<BTreeMap<usize, Vec<&String>>> =
        desk.library.lessons.iter().map(|lesson| by_depth(lesson, &desk.standing.needs)).collect();
    let deepest = columns.iter().filter_map(|of| of.keys().max()).max().map_or(1, |depth| depth + 1);
    let node = ((width - LANE * (deepest as f32 - 1.0)) / deepest as f32).clamp(60.0, 190.0);
    let (mut places, mut bands, mut y) = (Vec::new(), Vec::new(), 0.0);
    for (lesson, columns) in desk.library.lessons.iter().zip(&columns) {
        bands.push((y, format!("{} {}", lesson.meta.order, lesson.meta.title)));
        y += BAND_HEAD;
        for (depth, concepts) in columns {
            for (row, concept) in concepts.iter().enumerate() {
                let at = pos2(*depth as f32 * (node + LANE), y + row as f32 * (NODE_HEIGHT + GAP));
                let rect = Rect::from_min_size(at, vec2(node, NODE_HEIGHT));
                let mut needs = desk.standing.needs.get(*concept).into_iter().flatten();
                let needs_others = needs.any(|need| !lesson.meta.concepts.contains(need));
                let (concept, lesson) = ((*concept).clone(), lesson.meta.id.clone());
                places.push(Place { concept, lesson, rect, needs_others });
            }
        }
        let rows = columns.values().map(Vec::len).max().unwrap_or(0);
        y += rows as f32 * (NODE_HEIGHT + GAP) + BAND_GAP;
    }
    MapPlan { places, bands, height: y }
}

/// The concepts of a lesson by how many of the same lesson stand one behind the other before them.
fn by_depth<'l>(lesson: &'l Lesson, needs: &BTreeMap<String, Vec<String>>) -> BTreeMap<usize, Vec<&'l String>> {
    let ids = &lesson.meta.concepts;
    let mut depth: BTreeMap<&String, usize> = ids.iter().map(|id| (id, 0)).collect();
    // As many rounds as there are concepts settle every chain, and a circle cannot make it more.
    for _ in ids {
        for id in ids {
            let inside = needs.get(id).into_iter().flatten().filter_map(|need| depth.get(need));
            let own = inside.max().map_or(0, |deepest| deepest + 1).min(ids.len());
            depth.insert(id, own);
        }
    }
    // What is needed late only stands just before it, so that its line passes no other concept.
    let builds_on = |id: &String, need: &String| needs.get(id).is_some_and(|needs| needs.contains(need));
    for id in ids.iter().rev() {
        let after = ids.iter().filter(|other| builds_on(other, id)).map(|other| depth[other]).min();
        if let Some(after) = after {
            depth.insert(id, depth[id].max(after.saturating_sub(1)));
        }
    }
    let mut columns: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
    for id in ids {
        columns.entry(depth[id]).or_default().push(id);
    }
    // In a column, those whose followers stand higher come first: fewer lines cross.
    let follower = |id: &&String| ids.iter().position(|other| builds_on(other, id)).unwrap_or(ids.len());
    columns.values_mut().for_each(|column| column.sort_by_key(follower));
    columns
}

fn line(ui: &Ui, p: &Palette, from: Rect, to: Rect, lit: bool) {
    let stroke = if lit { Stroke::new(2.0, p.accent) } else { Stroke::new(1.25, p.border_strong) };
    let (start, end): (Pos2, Pos2) = (from.right_center(), to.left_center());
    let reach = vec2(((end.x - start.x).abs() * 0.5).clamp(18.0, 60.0), 0.0);
    let points = [start, start + reach, end - reach, end];
    ui.painter().add(CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke));
}

fn node(ui: &Ui, desk: &Desk<'_>, place: &Place, response: &Response) -> Response {
    let p = palette(ui);
    let title = desk.concepts.title(&place.concept);
    let standing = desk.standing.concepts.iter().find(|concept| concept.concept == place.concept);
    let state = standing.map_or(ConceptState::Later, |standing| standing.state);
    let words = about(desk, &place.concept, &title, standing);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words.as_str()));
    let rect = response.rect;
    if ui.is_rect_visible(rect) {
        let (ink, fill, outline) = look(p, state);
        let fill = if response.hovered() { p.hover } else { fill };
        ui.painter().rect(rect, RADIUS_SMALL, fill, Stroke::new(1.0, outline), StrokeKind::Inside);
        if response.has_focus() {
            ui.painter().rect_stroke(rect.expand(2.0), 8, Stroke::new(2.0, p.accent), StrokeKind::Outside);
        }
        let font = FontId::new(15.0, theme::icons());
        ui.painter().text(rect.left_center() + vec2(14.0, 0.0), Align2::CENTER_CENTER, mark(state), font, ink);
        if place.needs_others {
            ui.painter().circle_filled(rect.left_center(), 3.5, p.muted);
        }
        let color = if state == ConceptState::Later { p.muted } else { p.text };
        let font = egui::TextStyle::Small.resolve(ui.style());
        let galley = ui.painter().layout(title, font, color, rect.width() - 34.0);
        let at = rect.left_center() + vec2(26.0, -galley.size().y / 2.0);
        ui.painter().with_clip_rect(rect).galley(at, galley, color);
    }
    response.clone().on_hover_text(words)
}

/// Everything about a concept in words.
fn about(desk: &Desk<'_>, concept: &str, title: &str, standing: Option<&ConceptStanding>) -> String {
    let Some(standing) = standing else { return title.to_owned() };
    let mut words = format!("{title}: {}", word(standing.state));
    if let Some(recall) = standing.recall {
        words += &format!(", still known with {:.0} %", 100.0 * recall);
    }
    if let Some(day) = desk.standing.due_dates.get(concept) {
        words += &format!(", review on {}", long_date(*day));
    }
    let titles = |ids: &[String]| ids.iter().map(|id| desk.concepts.title(id)).collect::<Vec<_>>().join(", ");
    let needs = desk.standing.needs.get(concept).map_or(&[][..], Vec::as_slice);
    if !needs.is_empty() {
        words += &format!("; builds on {}", titles(needs));
    }
    if !standing.missing.is_empty() && standing.missing.len() < needs.len() {
        words += &format!("; not yet mastered of these: {}", titles(&standing.missing));
    }
    words
}
