//! Markdown as a tree of blocks, each a run of styled text.

use std::sync::atomic::{AtomicUsize, Ordering};

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

use crate::lesson::prose;

/// A parsed text.
#[derive(Debug)]
pub struct Document {
    pub(super) blocks: Vec<Block>,
    /// All of the text in one run, for widgets that hold a single paragraph.
    pub(super) flat: Inlines,
}

#[derive(Debug)]
pub(super) enum Block {
    Heading(u8, Inlines),
    Paragraph(Inlines),
    Display(String),
    Code(String),
    Quote(Vec<Block>),
    List { first: Option<u64>, items: Vec<Vec<Block>> },
    Table { head: Vec<Inlines>, rows: Vec<Vec<Inlines>> },
    Rule,
}

/// A run of styled text, with a number of its own that caches go by.
#[derive(Debug)]
pub(super) struct Inlines {
    pub id: usize,
    pub spans: Vec<Span>,
}

/// A piece of text in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Span {
    /// The text, or the TeX of a formula.
    pub text: String,
    /// Whether the text is TeX.
    pub math: bool,
    /// Bold.
    pub strong: bool,
    /// Italic.
    pub emphasis: bool,
    /// Code.
    pub code: bool,
    /// Where it links to.
    pub link: Option<String>,
}

impl Inlines {
    fn new(spans: Vec<Span>) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), spans }
    }
}

impl Document {
    /// Parses a text. HTML becomes plain text.
    pub fn parse(text: &str) -> Self {
        let mut builder = Builder { open: vec![Vec::new()], ..Builder::default() };
        for (event, _) in prose::events(text) {
            builder.event(event);
        }
        builder.flush();
        let blocks = builder.open.swap_remove(0);
        let mut flat = Vec::new();
        flatten(&blocks, &mut flat);
        Self { blocks, flat: Inlines::new(flat) }
    }

    /// The words alone, formulas as TeX, for names that a screen reader reads.
    pub fn plain(&self) -> String {
        self.flat.spans.iter().map(|s| s.text.as_str()).collect()
    }
}

fn flatten(blocks: &[Block], out: &mut Vec<Span>) {
    fn run(out: &mut Vec<Span>, spans: &[Span]) {
        if !out.is_empty() {
            out.push(Span { text: " ".into(), ..Span::default() });
        }
        out.extend_from_slice(spans);
    }
    for block in blocks {
        match block {
            Block::Heading(_, inlines) | Block::Paragraph(inlines) => run(out, &inlines.spans),
            Block::Display(tex) => run(out, &[Span { text: tex.clone(), math: true, ..Span::default() }]),
            Block::Code(text) => run(out, &[Span { text: text.clone(), code: true, ..Span::default() }]),
            Block::Quote(blocks) => flatten(blocks, out),
            Block::List { items, .. } => items.iter().for_each(|item| flatten(item, out)),
            Block::Table { head, rows } => head.iter().chain(rows.iter().flatten()).for_each(|c| run(out, &c.spans)),
            Block::Rule => {}
        }
    }
}

/// Collects events: the open containers, and the text of the current block.
#[derive(Default)]
struct Builder {
    open: Vec<Vec<Block>>,
    /// First number and finished items of each open list.
    lists: Vec<(Option<u64>, Vec<Vec<Block>>)>,
    spans: Vec<Span>,
    style: Span,
    code: Option<String>,
    cells: Vec<Inlines>,
    head: Vec<Inlines>,
    rows: Vec<Vec<Inlines>>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.push(&text),
            },
            Event::Html(text) => {
                self.push(text.trim_end());
                self.push("\n");
            }
            Event::InlineHtml(text) => self.push(&text),
            Event::Code(text) => self.spans.push(Span { text: text.into_string(), code: true, ..self.style.clone() }),
            Event::InlineMath(tex) => {
                self.spans.push(Span { text: tex.trim().into(), math: true, ..Span::default() });
            }
            Event::DisplayMath(tex) => {
                self.flush();
                self.add(Block::Display(tex.trim().into()));
            }
            Event::SoftBreak => self.push(" "),
            Event::HardBreak => self.push("\n"),
            Event::Rule => self.add(Block::Rule),
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) | Tag::Item => {
                self.flush();
                self.open.push(Vec::new());
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push((first, Vec::new()));
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::Strong => self.style.strong = true,
            Tag::Emphasis => self.style.emphasis = true,
            Tag::Link { dest_url, .. } => self.style.link = Some(dest_url.into_string()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.flush(),
            TagEnd::Heading(level) => {
                let inlines = Inlines::new(std::mem::take(&mut self.spans));
                self.add(Block::Heading(rank(level), inlines));
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                let blocks = self.open.pop().unwrap_or_default();
                self.add(Block::Quote(blocks));
            }
            TagEnd::Item => {
                self.flush();
                let item = self.open.pop().unwrap_or_default();
                if let Some((_, items)) = self.lists.last_mut() {
                    items.push(item);
                }
            }
            TagEnd::List(_) => {
                if let Some((first, items)) = self.lists.pop() {
                    self.add(Block::List { first, items });
                }
            }
            TagEnd::CodeBlock => {
                let text = self.code.take().unwrap_or_default();
                self.add(Block::Code(text.trim_end().into()));
            }
            TagEnd::Strong => self.style.strong = false,
            TagEnd::Emphasis => self.style.emphasis = false,
            TagEnd::Link => self.style.link = None,
            TagEnd::TableCell => self.cells.push(Inlines::new(std::mem::take(&mut self.spans))),
            TagEnd::TableHead => self.head = std::mem::take(&mut self.cells),
            TagEnd::TableRow => self.rows.push(std::mem::take(&mut self.cells)),
            TagEnd::Table => {
                let (head, rows) = (std::mem::take(&mut self.head), std::mem::take(&mut self.rows));
                self.add(Block::Table { head, rows });
            }
            _ => {}
        }
    }

    fn push(&mut self, text: &str) {
        match self.spans.last_mut() {
            // Runs in one style are one span, so that ligatures and kerning work across them.
            Some(last) if !last.math && same_style(last, &self.style) => last.text.push_str(text),
            _ => self.spans.push(Span { text: text.into(), ..self.style.clone() }),
        }
    }

    fn flush(&mut self) {
        if let Some(last) = self.spans.last_mut().filter(|s| !s.math) {
            last.text.truncate(last.text.trim_end().len());
        }
        let spans = std::mem::take(&mut self.spans);
        if spans.iter().any(|s| !s.text.trim().is_empty()) {
            self.add(Block::Paragraph(Inlines::new(spans)));
        }
    }

    fn add(&mut self, block: Block) {
        if let Some(blocks) = self.open.last_mut() {
            blocks.push(block);
        }
    }
}

fn same_style(a: &Span, b: &Span) -> bool {
    (a.strong, a.emphasis, a.code, &a.link) == (b.strong, b.emphasis, b.code, &b.link)
}

fn rank(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        _ => 3,
    }
}
