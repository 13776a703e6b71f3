//! Markdown and formulas on the page.
//!
//! A text is parsed once into a [`Document`] and each paragraph is set as *one* piece of text: formulas stand in it as gaps
//! of exactly their width, and their pictures are painted onto the baseline. So lines break and align as in a book, text
//! can be selected across a formula, and a screen reader hears a paragraph as one sentence with the TeX in it.
//!
//! [`Typesetter`] keeps everything that is derived: documents, paragraphs, formulas. A frame only lays out and paints.

mod document;
mod paragraph;

use std::collections::HashMap;
use std::rc::Rc;

use egui::{Align2, Color32, FontFamily, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};

use document::{Block, Inlines};
pub use document::{Document, Span};
use paragraph::{Formula, Paragraph, Style};

use super::theme;
use crate::lesson::maths;

/// The longest comfortable line, in characters.
const MEASURE: f32 = 68.0;
/// Room between the columns of a table, in multiples of the font size.
const GAP: f32 = 1.2;
/// How far a wide formula is shrunk before it scrolls sideways instead.
const SMALLEST: f32 = 0.7;
/// Distance between baselines, in multiples of the font size.
const LEADING: f32 = 1.5;

/// Parses, caches and shows Markdown. One for each page.
#[derive(Default)]
pub struct Typesetter {
    documents: HashMap<String, Rc<Document>>,
    paragraphs: HashMap<(usize, Style), Rc<Paragraph>>,
    formulas: HashMap<(String, bool, u32), Option<Rc<Formula>>>,
    has_loaders: bool,
}

impl Typesetter {
    /// The parsed text.
    pub fn document(&mut self, text: &str) -> Rc<Document> {
        if let Some(known) = self.documents.get(text) {
            return Rc::clone(known);
        }
        let document = Rc::new(Document::parse(text));
        self.documents.insert(text.into(), Rc::clone(&document));
        document
    }

    /// Shows a text as a column of blocks, as wide as the space that there is.
    pub fn show(&mut self, ui: &mut Ui, text: &str) {
        let document = self.document(text);
        let style = Style::prose(ui);
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
            self.blocks(ui, &document.blocks, style, true);
        });
    }

    /// Shows a text as a column of blocks in another colour.
    pub fn show_tinted(&mut self, ui: &mut Ui, text: &str, color: Color32) {
        let document = self.document(text);
        let style = Style { color, ..Style::prose(ui) };
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing = egui::Vec2::ZERO;
            self.blocks(ui, &document.blocks, style, true);
        });
    }

    /// Shows words as they are, in the type of prose: what a model put out is not Markdown.
    pub fn plain(&mut self, ui: &mut Ui, words: &str) {
        let style = Style::prose(ui);
        let span = Span { text: words.into(), ..Span::default() };
        Paragraph::build(ui, &[span], style, |_, _| None).show(ui, None);
    }

    /// Sets a short text as one paragraph, for a widget that paints it itself.
    pub fn line(&mut self, ui: &Ui, text: &str, width: f32) -> Laid {
        let document = self.document(text);
        let style = Style::prose(ui);
        let paragraph = self.paragraph(ui, &document.flat, style);
        let galley = paragraph.layout(ui, width);
        Laid { paragraph, galley }
    }

    fn blocks(&mut self, ui: &mut Ui, blocks: &[Block], style: Style, outermost: bool) {
        let em = style.size();
        for (i, block) in blocks.iter().enumerate() {
            if i > 0 {
                let before = match block {
                    Block::Heading(..) => 1.7,
                    _ if outermost => 0.8,
                    _ => 0.4,
                };
                ui.add_space(before * em);
            }
            self.block(ui, block, style);
        }
    }

    fn block(&mut self, ui: &mut Ui, block: &Block, style: Style) {
        match block {
            Block::Heading(level, inlines) => {
                self.text(ui, inlines, Style::heading(ui, *level), Some(*level));
            }
            Block::Paragraph(inlines) => {
                self.text(ui, inlines, style, None);
            }
            Block::Display(tex) => self.display(ui, tex, style),
            Block::Code(text) => code(ui, text, style),
            Block::Rule => {
                ui.separator();
            }
            Block::Quote(blocks) => self.quote(ui, blocks, style),
            Block::List { first, items } => {
                let gap = if items.iter().any(|item| item.len() > 1) { 0.6 } else { 0.3 };
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        ui.add_space(gap * style.size());
                    }
                    self.item(ui, first.map(|n| n.saturating_add(i as u64)), item, style);
                }
            }
            Block::Table { head, rows } => self.table(ui, head, rows, style),
        }
    }

    fn text(&mut self, ui: &mut Ui, inlines: &Inlines, style: Style, heading: Option<u8>) -> Response {
        let paragraph = self.paragraph(ui, inlines, style);
        paragraph.show(ui, heading)
    }

    fn item(&mut self, ui: &mut Ui, number: Option<u64>, blocks: &[Block], style: Style) {
        let em = style.size();
        let marker_width = if number.is_some() { 1.9 * em } else { 1.4 * em };
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(marker_width, LEADING * em), Sense::hover());
            match number {
                Some(n) => {
                    let at = rect.right_center() - vec2(0.6 * em, 0.0);
                    let weak = ui.visuals().weak_text_color();
                    ui.painter().text(at, Align2::RIGHT_CENTER, format!("{n}."), style.font(), weak);
                }
                None => {
                    let at = rect.right_center() - vec2(0.75 * em, -0.04 * em);
                    ui.painter().circle_filled(at, 0.14 * em, ui.visuals().weak_text_color());
                }
            }
            ui.vertical(|ui| self.blocks(ui, blocks, style, false));
        });
    }

    fn quote(&mut self, ui: &mut Ui, blocks: &[Block], style: Style) {
        let em = style.size();
        let top = ui.cursor().left_top();
        let inner = ui.horizontal_top(|ui| {
            ui.add_space(1.2 * em);
            ui.vertical(|ui| self.blocks(ui, blocks, Style { color: ui.visuals().weak_text_color(), ..style }, false));
        });
        let bar = Rect::from_min_size(top, vec2(3.0, inner.response.rect.height()));
        ui.painter().rect_filled(bar, 1.5, ui.visuals().widgets.noninteractive.bg_stroke.color);
    }

    /// A formula on a line of its own: centred, and shrunk where it is wider than the column.
    fn display(&mut self, ui: &mut Ui, tex: &str, style: Style) {
        let Some(formula) = self.formula(ui, tex, true, style.formula_size()) else {
            return code(ui, tex, style);
        };
        let width = ui.available_width();
        let size = formula.size * (width / formula.size.x).clamp(SMALLEST, 1.0);
        let show = |ui: &mut Ui| {
            let room = vec2(width.max(size.x), size.y + 0.4 * style.size());
            let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Formula: {tex}")));
            if ui.is_rect_visible(rect) {
                formula.paint(ui, Rect::from_center_size(rect.center(), size), style.color);
            }
        };
        if size.x > width { sideways(ui, tex, show) } else { show(ui) }
    }

    fn table(&mut self, ui: &mut Ui, head: &[Inlines], rows: &[Vec<Inlines>], style: Style) {
        let em = style.size();
        let gap = GAP * em;
        let strong = Style { strong: true, ..style };
        let width = ui.available_width();
        let mut columns = vec![Column::default(); head.len()];
        for (row, style) in std::iter::once((head, strong)).chain(rows.iter().map(|r| (r.as_slice(), style))) {
            for (cell, column) in row.iter().zip(&mut columns) {
                let cell = self.paragraph(ui, cell, style);
                let natural = cell.layout(ui, f32::INFINITY).size().x + 1.0;
                column.natural = column.natural.max(natural);
                column.least = column.least.max(natural.min(5.5 * em)).max(cell.widest_formula());
            }
        }
        let gaps = gap * columns.len().saturating_sub(1) as f32;
        let widths = share(&columns, width - gaps);
        let total = widths.iter().sum::<f32>() + gaps;
        let mut show = |ui: &mut Ui| self.rows(ui, head, rows, &widths, style);
        if total > width + 1.0 { sideways(ui, head.first().map(|h| h.id), show) } else { show(ui) }
    }

    fn rows(&mut self, ui: &mut Ui, head: &[Inlines], rows: &[Vec<Inlines>], widths: &[f32], style: Style) {
        let em = style.size();
        let gap = GAP * em;
        let strong = Style { strong: true, ..style };
        let width = widths.iter().sum::<f32>() + gap * widths.len().saturating_sub(1) as f32;
        for (i, row) in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)).enumerate() {
            let style = if i == 0 { strong } else { style };
            ui.horizontal_top(|ui| {
                for (j, (cell, width)) in row.iter().zip(widths).enumerate() {
                    if j > 0 {
                        ui.add_space(gap);
                    }
                    ui.vertical(|ui| {
                        ui.set_width(*width);
                        self.text(ui, cell, style, None);
                    });
                }
            });
            ui.add_space(0.3 * em);
            if i < rows.len() {
                let y = ui.cursor().top();
                let stroke = ui.visuals().widgets.noninteractive.bg_stroke;
                ui.painter().hline(ui.max_rect().left()..=ui.max_rect().left() + width, y, stroke);
                ui.add_space(0.3 * em);
            }
        }
    }

    fn paragraph(&mut self, ui: &Ui, inlines: &Inlines, style: Style) -> Rc<Paragraph> {
        let key = (inlines.id, style);
        if let Some(known) = self.paragraphs.get(&key) {
            return Rc::clone(known);
        }
        let paragraph =
            Rc::new(Paragraph::build(ui, &inlines.spans, style, |tex, size| self.formula(ui, tex, false, size)));
        self.paragraphs.insert(key, Rc::clone(&paragraph));
        paragraph
    }

    fn formula(&mut self, ui: &Ui, tex: &str, display: bool, size: f32) -> Option<Rc<Formula>> {
        if !self.has_loaders {
            egui_extras::install_image_loaders(ui.ctx());
            self.has_loaders = true;
        }
        let key = (tex.to_owned(), display, size.to_bits());
        let set = self.formulas.entry(key).or_insert_with(|| {
            let set = maths::typeset(tex, display, size).ok()?;
            Some(Rc::new(Formula::new(ui.ctx(), tex, display, size, set)))
        });
        set.clone()
    }
}

/// A paragraph with its lines broken, to be painted.
pub struct Laid {
    paragraph: Rc<Paragraph>,
    galley: std::sync::Arc<egui::Galley>,
}

impl Laid {
    /// How much room it takes.
    pub fn size(&self) -> egui::Vec2 {
        self.galley.size()
    }

    /// How high its first line is.
    pub fn first_row_height(&self) -> f32 {
        self.galley.rows.first().map_or(0.0, |row| row.height())
    }

    /// Paints it. It cannot be selected: the widget around it reacts to the mouse.
    pub fn paint(&self, ui: &Ui, at: egui::Pos2) {
        self.paragraph.paint_code(ui, at, &self.galley);
        ui.painter().galley(at, std::sync::Arc::clone(&self.galley), ui.visuals().text_color());
        self.paragraph.paint_formulas(ui, at, &self.galley);
    }
}

/// The widest column that reads well in prose, in points.
pub fn measure(ui: &Ui) -> f32 {
    let font = Style::prose(ui).font();
    let text = "the quick brown fox jumps over the lazy dog and then runs on for a while";
    let galley = ui.painter().layout_no_wrap(text.into(), font, Color32::PLACEHOLDER);
    galley.size().x / text.len() as f32 * MEASURE
}

fn code(ui: &mut Ui, text: &str, style: Style) {
    let em = style.size();
    egui::Frame::new().fill(ui.visuals().code_bg_color).corner_radius(4).inner_margin(0.7 * em).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let font = FontId::new(em * 0.9, FontFamily::Monospace);
        ui.add(egui::Label::new(egui::RichText::new(text).font(font)).wrap());
    });
}

/// How wide a column of a table wants to be, and must be.
#[derive(Clone, Copy, Default)]
struct Column {
    natural: f32,
    least: f32,
}

/// Divides a width among columns: narrow ones get what they need, wide ones share the rest by their need, and none gets
/// less than its least.
fn share(columns: &[Column], width: f32) -> Vec<f32> {
    let total: f32 = columns.iter().map(|c| c.natural).sum();
    if total <= width || columns.is_empty() {
        return columns.iter().map(|c| c.natural).collect();
    }
    let fair = width / columns.len() as f32;
    let narrow: f32 = columns.iter().map(|c| c.natural).filter(|w| *w <= fair).sum();
    let wide = total - narrow;
    let share = |c: &Column| if c.natural <= fair { c.natural } else { c.natural / wide * (width - narrow) };
    columns.iter().map(|c| share(c).max(c.least)).collect()
}

/// Shows what is wider than the column in a strip that scrolls sideways.
fn sideways(ui: &mut Ui, salt: impl std::hash::Hash + std::fmt::Debug, contents: impl FnOnce(&mut Ui)) {
    use egui::scroll_area::ScrollBarVisibility::{AlwaysHidden, VisibleWhenNeeded};
    // The bar of a strip that lies below what can be seen would stand at the lower edge of the page.
    let is_below = ui.cursor().top() > ui.clip_rect().bottom();
    let bar = if is_below { AlwaysHidden } else { VisibleWhenNeeded };
    let strip = egui::ScrollArea::horizontal().id_salt(salt).auto_shrink([false, true]);
    strip.scroll_bar_visibility(bar).show(ui, contents);
}

impl Style {
    fn prose(ui: &Ui) -> Self {
        Self::new(theme::reading().resolve(ui.style()).size, ui.visuals().text_color())
    }

    fn heading(ui: &Ui, level: u8) -> Self {
        let scale = match level {
            1 => 1.75,
            2 => 1.3,
            _ => 1.1,
        };
        let size = (Self::prose(ui).size() * scale).round();
        Self { strong: true, tight: true, ..Self::new(size, ui.visuals().strong_text_color()) }
    }
}
