//! Reading one block's TOML, with every error on its line of the file.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::error::Source;
use super::{LessonError, prose};
use crate::builtin;

/// The longest text of a field, in bytes.
pub(super) const MAX_TEXT: usize = 4_000;
const MAX_PROMPT: usize = 4_000;

pub(super) type Result<T> = std::result::Result<T, LessonError>;
/// A string that knows where it stands.
pub(super) type Text = Spanned<String>;

/// The TOML of one block, with its place in the file.
pub(super) struct Toml<'a> {
    pub source: Source<'a>,
    /// What it is called in messages: `front matter`, `quiz block`.
    pub what: &'static str,
    /// The TOML.
    pub body: &'a str,
    /// Where the body starts in the file, in bytes.
    pub offset: usize,
}

impl Toml<'_> {
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        toml::from_str(self.body).map_err(|e| {
            let message = e.message().lines().next().unwrap_or("it is not valid TOML").trim_end_matches('.');
            let span = e.span().unwrap_or(0..0);
            self.error(&span, format!("The {} cannot be read: {message}.", self.what))
        })
    }

    pub fn error(&self, span: &Range<usize>, sentence: impl Into<String>) -> LessonError {
        self.source.error(self.offset + span.start, sentence)
    }

    /// Where a top-level key stands; the start of the block where it is not found.
    pub fn find(&self, key: &str) -> Range<usize> {
        let mut start = 0;
        for line in self.body.split_inclusive('\n') {
            if line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')) {
                return start..start + line.len();
            }
            start += line.len();
        }
        0..0
    }

    pub fn id(&self, id: Text) -> Result<String> {
        if is_id(id.get_ref()) {
            return Ok(id.into_inner());
        }
        Err(self.error(&id.span(), "The id must be of small letters, digits and hyphens."))
    }

    /// The id of a built-in model.
    pub fn model_id(&self, id: Text) -> Result<String> {
        if builtin::find(id.get_ref()).is_some() {
            return Ok(id.into_inner());
        }
        let sentence = format!("There is no built-in model {:?}: the ids are {}.", id.get_ref(), builtin::ids());
        Err(self.error(&id.span(), sentence))
    }

    /// A text on one line, without Markdown.
    pub fn line(&self, text: Text) -> Result<String> {
        let given = text.get_ref().trim();
        if given.is_empty() || given.len() > MAX_TEXT || given.contains('\n') {
            return Err(self.error(&text.span(), "This text must be one line, and not empty."));
        }
        Ok(given.into())
    }

    pub fn prompt(&self, prompt: &Text) -> Result<()> {
        let len = prompt.get_ref().len();
        if len == 0 || len > MAX_PROMPT {
            let sentence = format!("The prompt is {len} bytes long: it must be from 1 to {MAX_PROMPT}.");
            return Err(self.error(&prompt.span(), sentence));
        }
        Ok(())
    }

    /// A text with Markdown.
    pub fn prose(&self, text: Text) -> Result<String> {
        let span = text.span();
        let given = text.into_inner();
        if given.trim().is_empty() || given.len() > MAX_TEXT {
            let sentence = format!("This text is empty, or longer than {MAX_TEXT} bytes.");
            return Err(self.error(&span, sentence));
        }
        if let Err((offset, sentence)) = prose::check(&given) {
            let lines = given.bytes().take(offset).filter(|b| *b == b'\n').count();
            return Err(self.error(&self.nth_line(&span, lines), sentence));
        }
        Ok(given.trim().into())
    }

    /// Where line `n` of a TOML string stands in the body, as far as its line breaks are real ones.
    fn nth_line(&self, span: &Range<usize>, n: usize) -> Range<usize> {
        let raw = self.body.get(span.clone()).unwrap_or_default();
        // TOML drops a line break right after the opening quotes of a multi-line string.
        let n = if raw.starts_with("\"\"\"\n") || raw.starts_with("'''\n") { n + 1 } else { n };
        let breaks = raw.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        let into = std::iter::once(0).chain(breaks).take(n + 1).last().unwrap_or(0);
        span.start + into..span.end
    }
}

/// Whether this can name a lesson, a block or a concept.
pub(super) fn is_id(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !id.is_empty() && id.len() <= 64 && id.bytes().all(plain)
}
