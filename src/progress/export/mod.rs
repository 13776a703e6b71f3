//! The record, for others: statements for a learning record store, a table for a grade book, a report to hand in.
//!
//! All three are made from the log and from the course that the caller describes, and are plain text. What a student or a
//! teacher typed is data in each of them and never a formula, a tag or a script.

mod csv;
mod html;

pub use csv::grade_book;
pub use html::{LabReport, Plot};

use super::Statement;

/// The statements as one JSON array, as a learning record store takes them.
pub fn xapi(statements: &[Statement]) -> String {
    // Numbers, strings, lists and maps with string keys: all that a statement holds can be written.
    serde_json::to_string_pretty(statements).unwrap_or_else(|_| "[]".into()) + "\n"
}
