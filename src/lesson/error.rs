//! What is wrong with a lesson file, said to the teacher.

/// A lesson that cannot be shown. Prints as `file, line 12: sentence`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {sentence}", line.map(|l| format!(", line {l}")).unwrap_or_default())]
pub struct LessonError {
    /// The file.
    pub file: String,
    /// The line within the file, from 1; none where the file as a whole is the trouble.
    pub line: Option<usize>,
    /// What is wrong and what to do, in one sentence.
    pub sentence: String,
}

/// A lesson's text with its name, so that a byte offset becomes an error with a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// The file's name.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
}

impl Source<'_> {
    /// An error at a byte offset of the text.
    pub fn error(&self, offset: usize, sentence: impl Into<String>) -> LessonError {
        let before = self.text.as_bytes().iter().take(offset);
        let line = 1 + before.filter(|b| **b == b'\n').count();
        LessonError { file: self.file.into(), line: Some(line), sentence: sentence.into() }
    }
}
