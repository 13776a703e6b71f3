//! One paragraph: text with formulas in it, set as a single galley.
//!
//! A formula is a pair of no-break spaces around a gap (`leading_space`) that together are as wide as its picture. The line
//! breaker sees an ordinary word, so the formula moves to the next line as a whole; after layout the picture goes
//! where the first of the two spaces landed, baseline on baseline.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::text_selection::LabelSelectionState;
use egui::{
    Color32, Context, FontFamily, FontId, Galley, Image, OpenUrl, Pos2, Rect, Response, Role, Sense, Stroke, Ui, Vec2,
    WidgetInfo, vec2,
};

use super::super::theme;
use super::{LEADING, Span};
use crate::lesson::maths;

const NO_BREAK_SPACE: &str = "\u{a0}";

/// How a paragraph looks. Hashable, so that what was built for it can be found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Style {
    /// Half points, so that it can be hashed.
    pub half_points: u32,
    pub color: Color32,
    pub strong: bool,
    /// Whether lines stand close together, as in headings.
    pub tight: bool,
}

impl Style {
    pub fn new(size: f32, color: Color32) -> Self {
        Self { half_points: (size * 2.0).round() as u32, color, strong: false, tight: false }
    }

    /// The font size, in points.
    pub fn size(&self) -> f32 {
        self.half_points as f32 / 2.0
    }

    /// The font size of formulas: the letters of KaTeX's faces are smaller than those of text faces.
    pub fn formula_size(&self) -> f32 {
        1.1 * self.size()
    }

    pub fn font(&self) -> FontId {
        FontId::new(self.size(), FontFamily::Proportional)
    }
}

/// A formula's picture.
#[derive(Debug)]
pub(super) struct Formula {
    uri: String,
    /// With its margins, in points.
    pub size: Vec2,
    /// From the top of the picture to the baseline, in points.
    ascent: f32,
}

impl Formula {
    pub fn new(ctx: &Context, tex: &str, display: bool, font_size: f32, set: maths::Formula) -> Self {
        // The name is the content: two pages that show a formula in one size share its texture.
        let uri = format!("bytes://formula/{display}/{font_size}/{tex}.svg");
        ctx.include_bytes(uri.clone(), set.svg.into_bytes());
        let margin = Vec2::splat(2.0 * maths::PADDING);
        Self {
            uri,
            size: font_size * vec2(set.width, set.height + set.depth) + margin,
            ascent: font_size * set.height + maths::PADDING,
        }
    }

    pub fn paint(&self, ui: &Ui, rect: Rect, color: Color32) {
        Image::from_uri(self.uri.as_str()).tint(color).show_loading_spinner(false).paint_at(ui, rect);
    }
}

/// A paragraph, ready for layout at any width.
#[derive(Debug)]
pub(super) struct Paragraph {
    job: LayoutJob,
    /// Each formula with the index of the character that it starts at.
    formulas: Vec<(usize, Rc<Formula>)>,
    /// The ranges of characters that are code.
    code: Vec<Range<usize>>,
    /// Each link with its range of characters.
    links: Vec<(Range<usize>, String)>,
    /// What a screen reader says.
    spoken: String,
    color: Color32,
    size: f32,
}

impl Paragraph {
    pub fn build(
        ui: &Ui,
        spans: &[Span],
        style: Style,
        mut formula: impl FnMut(&str, f32) -> Option<Rc<Formula>>,
    ) -> Self {
        let mut out = Self {
            job: LayoutJob::default(),
            formulas: Vec::new(),
            code: Vec::new(),
            links: Vec::new(),
            spoken: String::new(),
            color: style.color,
            size: style.size(),
        };
        let size = style.formula_size();
        let set: Vec<_> = spans.iter().map(|s| s.math.then(|| formula(&s.text, size)).flatten()).collect();
        // A tall formula spreads all lines of its paragraph alike.
        let tallest = set.iter().flatten().map(|f| f.size.y + 2.0).fold(0.0, f32::max);
        let leading = if style.tight { 1.2 } else { LEADING };
        let line_height = (leading * style.size()).max(tallest).round();
        let space = ui.fonts_mut(|f| f.glyph_width(&style.font(), '\u{a0}'));
        let mut chars = 0;
        for (span, formula) in spans.iter().zip(set) {
            let start = chars;
            out.spoken += &span.text;
            if let Some(formula) = formula {
                let format =
                    TextFormat { line_height: Some(line_height), ..TextFormat::simple(style.font(), style.color) };
                let width = formula.size.x - 2.0 * maths::PADDING + side(style.size());
                out.job.append(NO_BREAK_SPACE, 0.0, format.clone());
                // The gap is before the second space, so it stays on the line of the first.
                out.job.append(NO_BREAK_SPACE, width - 2.0 * space, format);
                out.formulas.push((chars, formula));
                chars += 2;
            } else {
                out.job.append(&span.text, 0.0, format(ui, span, style, line_height));
                chars += span.text.chars().count();
            }
            if span.code {
                out.code.push(start..chars);
            }
            if let Some(url) = &span.link {
                out.links.push((start..chars, url.clone()));
            }
        }
        out
    }

    pub fn layout(&self, ui: &Ui, width: f32) -> Arc<Galley> {
        let mut job = self.job.clone();
        job.wrap = TextWrapping::wrap_at_width(width);
        ui.fonts_mut(|fonts| fonts.layout_job(job))
    }

    /// Shows the paragraph as wide as the space that there is; its text can be selected and its links followed.
    pub fn show(&self, ui: &mut Ui, heading: Option<u8>) -> Response {
        let galley = self.layout(ui, ui.available_width());
        // Selectable with the mouse, but no stop for the Tab key.
        let sense = Sense::click_and_drag() - Sense::FOCUSABLE;
        let (rect, response) = ui.allocate_exact_size(galley.size(), sense);
        let role = if heading.is_some() { Role::Heading } else { Role::Label };
        response.widget_info(|| WidgetInfo::labeled(role, true, &self.spoken));
        if let Some(level) = heading {
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_level(usize::from(level)));
        }
        if ui.is_rect_visible(rect) {
            self.paint_code(ui, rect.min, &galley);
            let selected = Arc::clone(&galley);
            LabelSelectionState::label_text_selection(ui, &response, rect.min, selected, self.color, Stroke::NONE);
            self.paint_formulas(ui, rect.min, &galley);
        }
        self.follow_links(ui, &response, rect.min, &galley);
        response
    }

    /// Paints what stands behind code; call it before the text.
    pub fn paint_code(&self, ui: &Ui, at: Pos2, galley: &Galley) {
        for (rect, baseline) in self.code.iter().flat_map(|range| row_rects(galley, range)) {
            let (top, bottom) = (baseline - 0.85 * self.size, baseline + 0.32 * self.size);
            let behind = Rect::from_x_y_ranges(rect.x_range(), top..=bottom).translate(at.to_vec2());
            ui.painter().rect_filled(behind.expand2(vec2(2.0, 0.0)), 3, ui.visuals().code_bg_color);
        }
    }

    /// The widest formula, in points: what no line break can make narrower.
    pub fn widest_formula(&self) -> f32 {
        self.formulas.iter().map(|(_, f)| f.size.x + side(self.size)).fold(0.0, f32::max)
    }

    pub fn paint_formulas(&self, ui: &Ui, at: Pos2, galley: &Galley) {
        let mut rest = self.formulas.iter().peekable();
        let mut index = 0;
        for row in &galley.rows {
            for glyph in &row.glyphs {
                if let Some((_, formula)) = rest.next_if(|(start, _)| *start == index) {
                    let baseline = at + row.pos.to_vec2() + glyph.pos.to_vec2();
                    let top_left = baseline + vec2(side(self.size) - maths::PADDING, -formula.ascent);
                    formula.paint(ui, Rect::from_min_size(top_left, formula.size), self.color);
                }
                index += 1;
            }
            index += usize::from(row.ends_with_newline);
        }
    }

    /// A link is a widget of its own over its words, so that Tab reaches it.
    fn follow_links(&self, ui: &Ui, paragraph: &Response, at: Pos2, galley: &Galley) {
        for (i, (range, url)) in self.links.iter().enumerate() {
            let mut link: Option<Response> = None;
            for (j, (rect, baseline)) in row_rects(galley, range).into_iter().enumerate() {
                // Close under the letters: the text's own underline would stand at the foot of the line.
                let (rect, y) = (rect.translate(at.to_vec2()), at.y + baseline + 3.0);
                ui.painter().hline(rect.x_range(), y, Stroke::new(1.0, ui.visuals().hyperlink_color));
                let id = paragraph.id.with(("link", i, j));
                let sense = if j == 0 { Sense::click() } else { Sense::click() - Sense::FOCUSABLE };
                let part = ui.interact(rect, id, sense);
                if j == 0 {
                    let words: String = self.job.text.chars().skip(range.start).take(range.len()).collect();
                    part.widget_info(|| WidgetInfo::labeled(Role::Link, true, &words));
                }
                link = Some(link.map_or(part.clone(), |l| l | part));
            }
            let Some(link) = link else { continue };
            let link = link.on_hover_cursor(egui::CursorIcon::PointingHand).on_hover_text(url);
            if link.has_focus() {
                let stroke = ui.visuals().selection.stroke;
                ui.painter().rect_stroke(link.rect.expand(2.0), 3, stroke, egui::StrokeKind::Outside);
            }
            if link.clicked() {
                ui.ctx().open_url(OpenUrl::new_tab(url));
            }
        }
    }
}

/// Where a range of characters stands: a rectangle and the height of the baseline for each row.
fn row_rects(galley: &Galley, range: &Range<usize>) -> Vec<(Rect, f32)> {
    let mut rects = Vec::new();
    let mut index = 0;
    for row in &galley.rows {
        let n = row.glyphs.len();
        let inside = range.start.clamp(index, index + n) - index..range.end.clamp(index, index + n) - index;
        if let Some([first, .., last] | [first @ last]) = row.glyphs.get(inside) {
            let (top, bottom) = (row.min_y(), row.max_y());
            let left_right = row.pos.x + first.pos.x..=row.pos.x + last.max_x();
            rects.push((Rect::from_x_y_ranges(left_right, top..=bottom), row.pos.y + first.pos.y));
        }
        index += n + usize::from(row.ends_with_newline);
    }
    rects
}

/// The room to the left of a formula, in points: on the right, the italic correction makes it.
fn side(size: f32) -> f32 {
    0.05 * size
}

fn format(ui: &Ui, span: &Span, style: Style, line_height: f32) -> TextFormat {
    let visuals = ui.visuals();
    let (mut font, mut color) = (style.font(), style.color);
    if span.strong || style.strong {
        color = visuals.strong_text_color();
        font.family = theme::bold();
    }
    if span.code || span.math {
        // A formula that could not be typeset shows its TeX.
        font = FontId::new(style.size() * 0.92, FontFamily::Monospace);
    }
    let mut format = TextFormat { line_height: Some(line_height), ..TextFormat::simple(font, color) };
    if span.emphasis && !span.code {
        // There is no face that is both: bold is slanted.
        match span.strong {
            true => format.italics = true,
            false => format.font_id.family = theme::italic(),
        }
    }
    if span.link.is_some() {
        format.color = visuals.hyperlink_color;
    }
    format
}
