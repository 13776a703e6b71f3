//! The Markdown of a lesson: which of it is understood, and what is refused.
//!
//! CommonMark with tables and maths. HTML is not interpreted: it is shown as the text that it is. Links go to the web
//! only. Pictures are refused, whatever they point at: plots come from the live model.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::maths;

/// How deep lists and quotes may be nested.
pub const MAX_DEPTH: usize = 12;

/// The block languages that the app brings to life; anything else is plain code.
pub const LIVE_BLOCKS: &[&str] = &["lab", "predict", "quiz", "task", "claim"];

/// Reads Markdown as every lesson is read, with byte ranges.
pub fn events(text: &str) -> pulldown_cmark::OffsetIter<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_MATH | Options::ENABLE_SMART_PUNCTUATION)
        .into_offset_iter()
}

/// Checks prose; an error is a byte offset into it and a sentence.
pub(super) fn check(text: &str) -> Result<(), (usize, String)> {
    let mut depth = 0usize;
    let mut in_code = false;
    for (event, range) in events(text) {
        let fail = |sentence: String| Err((range.start, sentence));
        match event {
            Event::Start(tag) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return fail(format!("Lists and quotes are nested more than {MAX_DEPTH} deep here: flatten them."));
                }
                in_code |= matches!(tag, Tag::CodeBlock(_));
                match tag {
                    Tag::Image { dest_url, .. } => return fail(picture(&dest_url)),
                    Tag::Link { dest_url, .. } if !goes_to_the_web(&dest_url) => {
                        return fail(format!(
                            "The link to {dest_url:?} does not go to the web: write a full https:// address."
                        ));
                    }
                    Tag::CodeBlock(CodeBlockKind::Fenced(info)) if LIVE_BLOCKS.contains(&&*info) => {
                        return fail(format!(
                            "A {info} block cannot stand inside a list or a quote: move it to the left margin."
                        ));
                    }
                    _ => {}
                }
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                in_code &= end != TagEnd::CodeBlock;
            }
            // A formula with a slip in its braces or dollars reads as plain text: say so instead of printing TeX.
            Event::Text(words) if !in_code && words.contains('$') && !escaped(text, range.start) => {
                return fail(
                    "This dollar sign begins no formula: close the formula, or write \\$ for the sign.".into(),
                );
            }
            Event::InlineMath(tex) => maths::check(&tex, false).or_else(|e| fail(formula(&tex, &e)))?,
            Event::DisplayMath(tex) => maths::check(&tex, true).or_else(|e| fail(formula(&tex, &e)))?,
            _ => {}
        }
    }
    Ok(())
}

fn escaped(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with('$')) && text.get(..at).is_some_and(|t| t.ends_with('\\'))
}

fn picture(path: &str) -> String {
    let inside = !path.contains("..") && !path.starts_with(['/', '\\', '~']) && !path.contains(':');
    if inside {
        format!("The picture {path:?} cannot be shown: a lesson's plots come from the live model, so use a lab block.")
    } else {
        format!("The picture {path:?} points outside the lesson's folder: remove it.")
    }
}

fn formula(tex: &str, error: &str) -> String {
    let start: String = tex.trim().chars().take(40).collect();
    format!("The formula {start:?} cannot be typeset: {}.", error.trim_end_matches('.'))
}

fn goes_to_the_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| url.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)))
}
