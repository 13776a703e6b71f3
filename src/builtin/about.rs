//! What a model says about itself: `model.toml`.
//!
//! The file stands beside the weights and answers what weights cannot: what the model is called, what to ask it first,
//! and how it was made, so that anybody can make it again. It may lie in any folder that a student opens, and is then as
//! little trusted as the rest: unknown fields are refused, and every text is short and fit for one line on screen.

use serde::{Deserialize, Serialize};

/// A longer `model.toml` is refused unread, in bytes.
pub const LARGEST_ABOUT: u64 = 64 << 10;
/// Characters of a title, a description and the like.
const LONGEST_LINE: usize = 200;
/// Bytes of a prompt.
const LONGEST_PROMPT: usize = 4000;
/// Suggestions.
const MOST_PROMPTS: usize = 12;

/// A `model.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The model's name for programs: small letters, digits and hyphens.
    pub id: String,
    /// Its name on screen.
    pub title: String,
    /// One line on what it is for.
    pub description: String,
    /// The first prompt.
    pub prompt: String,
    /// Other prompts worth trying.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// The command that made it.
    pub command: String,
    /// The seed of all random draws.
    pub seed: u64,
    /// The version of the program that ran the command.
    pub commit: String,
    /// Tokens that it was trained on.
    pub tokens: u64,
    /// How long that took, in minutes.
    pub minutes: f64,
    /// Loss on the training text at the end, in nats per token.
    pub train_loss: f64,
    /// Loss on text that training never showed, in nats per token.
    pub held_out_loss: f64,
    /// Parameters.
    pub params: u64,
    /// The licence of the weights.
    pub licence: String,
}

impl About {
    /// Reads and checks the file's text. The error is the end of a sentence that begins with the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let about: Self = toml::from_str(text).map_err(|e| {
            let message = e.message().lines().next().unwrap_or_default();
            // The list of all fields that are known would bury the one that is not.
            let message = message.split(", expected").next().unwrap_or_default().trim_end_matches('.');
            let line = e.span().map(|span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1);
            line.map_or_else(
                || format!("cannot be read ({message})"),
                |n| format!("cannot be read (line {n}: {message})"),
            )
        })?;
        about.check().map(|()| about)
    }

    /// What a model in the program says. A test reads every one, so the stand-in is never shown.
    pub(super) fn of_program(id: &str, text: &[u8]) -> Self {
        let parsed = std::str::from_utf8(text).ok().and_then(|text| Self::parse(text).ok());
        parsed.unwrap_or_else(|| Self { id: id.into(), title: id.into(), ..Self::default() })
    }

    fn check(&self) -> Result<(), String> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.bytes().all(plain) {
            return Err("has an id that is not of small letters, digits and hyphens".into());
        }
        let lines = [
            ("title", &self.title),
            ("description", &self.description),
            ("command", &self.command),
            ("commit", &self.commit),
            ("licence", &self.licence),
        ];
        for (field, text) in lines {
            if text.trim().is_empty() || text.chars().count() > LONGEST_LINE || text.chars().any(char::is_control) {
                return Err(format!("has a {field} that is not one line of at most {LONGEST_LINE} characters"));
            }
        }
        if self.prompts.len() > MOST_PROMPTS {
            return Err(format!("suggests {} prompts, and at most {MOST_PROMPTS} are shown", self.prompts.len()));
        }
        let bad = |prompt: &String| prompt.trim().is_empty() || prompt.len() > LONGEST_PROMPT;
        if self.suggestions().any(bad) {
            return Err(format!("has a prompt that is empty or longer than {LONGEST_PROMPT} bytes"));
        }
        let numbers = [self.minutes, self.train_loss, self.held_out_loss];
        if numbers.iter().any(|x| !(x.is_finite() && *x >= 0.0)) {
            return Err("has minutes or a loss that is no number from 0 on".into());
        }
        Ok(())
    }

    /// Every prompt that it suggests, the first one first, each once.
    pub fn suggestions(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.prompt).chain(self.prompts.iter().filter(|prompt| **prompt != self.prompt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"id = "a-model"
title = "A model"
description = "For a test."
prompt = "the"
prompts = ["a", "the"]
command = "glassbox train"
seed = 1
commit = "abc"
tokens = 10
minutes = 2
train_loss = 1.5
held_out_loss = 1.75
params = 100
licence = "MIT"
"#;

    #[test]
    fn a_good_file_is_read() {
        let about = About::parse(GOOD).unwrap();
        assert_eq!((about.id.as_str(), about.minutes, about.params), ("a-model", 2.0, 100));
        assert_eq!(about.suggestions().collect::<Vec<_>>(), ["the", "a"], "each prompt once");
    }

    #[test]
    fn a_bad_file_is_refused_with_its_reason() {
        for (from, to, says) in [
            ("seed = 1", "seed = 1\ncolour = \"red\"", "line 8: unknown field `colour`"),
            ("seed = 1\n", "", "missing field `seed`"),
            ("seed = 1", "seed = \"one\"", "line 7"),
            ("tokens = 10", "tokens = -10", "line 9"),
            ("a-model", "../a", "an id that is not"),
            ("A model", "A\\nmodel", "a title that is not one line"),
            ("For a test.", "", "a description"),
            ("[\"a\", \"the\"]", "[\"\"]", "a prompt that is empty"),
            ("minutes = 2", "minutes = nan", "no number from 0 on"),
            ("licence", "= licence", "line 14"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD, "{from}");
            let problem = About::parse(&text).unwrap_err();
            assert!(problem.contains(says), "{says}: {problem}");
            assert!(problem.len() < 160 && !problem.contains('\n'), "{problem}");
        }
    }
}
