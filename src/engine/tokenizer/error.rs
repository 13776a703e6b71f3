//! What can be wrong with a tokenizer or a text.

/// A tokenizer that cannot be used, or a text that it cannot take. Prints as one sentence that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{file}”: {problem}")]
pub struct TokenizerError {
    /// The file, as the student knows it.
    pub file: String,
    /// What is wrong and what to do, as a sentence.
    pub problem: String,
}

/// The result of a tokenizer operation.
pub type Result<T> = std::result::Result<T, TokenizerError>;

/// Quotes a text from a file within a sentence: short, and on one line.
pub(crate) fn quote(text: &str) -> String {
    format!("\"{}\"", one_line(text, 40))
}

/// The first `longest` characters of a text, with its control characters as spaces.
pub(crate) fn one_line(text: &str, longest: usize) -> String {
    let mut line: String = text.chars().take(longest).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}
