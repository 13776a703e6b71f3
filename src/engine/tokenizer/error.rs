//! What can be wrong with a tokenizer or a text.

/// A tokenizer that cannot be used, or a text that it cannot take. Prints as one sentence that names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct TokenizerError {
    /// The file, as the student knows it.
    pub file: String,
    /// What is wrong and what to do, as a sentence.
    pub problem: String,
}

/// The result of a tokenizer operation.
pub type Result<T> = std::result::Result<T, TokenizerError>;

/// Shortens a text from a file so that it fits into a sentence, and makes its control characters visible.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = text.chars().take(LONGEST).flat_map(|c| c.escape_debug()).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}
