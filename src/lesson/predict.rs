//! Predictions: commit first, then see.
//!
//! The student picks an option and a confidence; only then the live model is asked. An option says *when* it would be
//! right ([`Match`]), and the run's facts decide: which option is right is nowhere written down.

use serde::{Deserialize, Serialize};

use super::RunFacts;

/// A prediction to commit to.
#[derive(Debug, Clone, PartialEq)]
pub struct Predict {
    /// Unique on its page; the learner's record uses it.
    pub id: String,
    /// What to predict, as Markdown.
    pub question: String,
    /// The text that the model is asked about.
    pub prompt: String,
    /// How the truth is found out.
    pub reveal: Reveal,
    /// The options; none for a bar.
    pub options: Vec<Guess>,
    /// What a student reads once the truth is out, as Markdown.
    pub explanation: String,
    /// How some built-in models are asked.
    pub variants: Vec<Variant>,
}

/// A prediction as some built-in models are asked it, in words that they know.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Their ids.
    pub models: Vec<String>,
    /// The whole prediction: what the variant does not say is that of the others. Has no variants itself.
    pub predict: Predict,
}

/// Which fact of the live run settles a prediction.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reveal {
    /// The likeliest next token after the prompt.
    TopToken {},
    /// The position that the last token takes most from, averaged over all heads of all layers.
    AttendedMost {},
    /// How long a bar is: the student places it before the model draws its own.
    Bar {
        /// What the bar shows.
        measure: Measure,
        /// How far off the student's bar may be, from 0 to 1.
        #[serde(default = "within")]
        within: f32,
    },
}

/// A tenth of the whole: what the eye tells apart on a bar at a glance.
fn within() -> f32 {
    0.1
}

/// What a bar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The probability of the likeliest next token.
    TopProbability,
}

/// What a student commits to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Commitment {
    /// An option, as the file counts them.
    Option(usize),
    /// A bar of this length, from 0 to 1.
    Bar(f32),
}

/// One option.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// What it says, as Markdown.
    pub text: String,
    /// When it is right.
    pub when: Match,
}

/// When an option is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// The token is this word, or the first piece of it; spaces around it do not count.
    Token(String),
    /// The position is this one.
    Place(Place),
    /// No other option is right.
    Otherwise,
}

/// A position, seen from the last token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The first token of the text.
    First,
    /// The token just before the last one.
    Previous,
    /// The last token itself.
    Own,
}

/// What the live run said about a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    /// The option that is right; none where the run cannot tell the options apart, and for a bar.
    pub right: Option<usize>,
    /// How long the bar is, from 0 to 1; none for options.
    pub bar: Option<f32>,
    /// What was found, with its numbers, in plain words.
    pub finding: String,
}

impl Predict {
    /// The prediction as the open model is asked it.
    pub fn of(&self, model: Option<&str>) -> &Self {
        let is_meant = |variant: &&Variant| variant.models.iter().any(|id| Some(id.as_str()) == model);
        self.variants.iter().find(is_meant).map_or(self, |variant| &variant.predict)
    }

    /// Settles the prediction by a run; none while the run is of another prompt or did not record what is needed.
    pub fn settle(&self, facts: &RunFacts) -> Option<Settled> {
        if facts.prompt != self.prompt {
            return None;
        }
        match self.reveal {
            Reveal::TopToken {} => self.settle_token(facts),
            Reveal::AttendedMost {} => self.settle_place(facts),
            Reveal::Bar { measure: Measure::TopProbability, .. } => {
                let top = facts.next.first()?;
                let finding = format!("The model puts {} on “{}”.", percent(top.probability), visible(&top.text));
                Some(Settled { right: None, bar: Some(top.probability), finding })
            }
        }
    }

    /// Whether a commitment came true; none where the run could not tell.
    pub fn came_true(&self, settled: &Settled, commitment: Commitment) -> Option<bool> {
        match (commitment, self.reveal) {
            (Commitment::Option(chosen), _) => settled.right.map(|right| right == chosen),
            (Commitment::Bar(placed), Reveal::Bar { within, .. }) => Some((placed - settled.bar?).abs() <= within),
            (Commitment::Bar(_), _) => None,
        }
    }

    fn settle_token(&self, facts: &RunFacts) -> Option<Settled> {
        let top = facts.next.first()?;
        let token = top.text.trim();
        let matching: Vec<usize> = self.indices(|when| match when {
            // A small vocabulary spells a word in pieces: its first piece stands for it.
            Match::Token(word) => !token.is_empty() && word.trim().starts_with(token),
            _ => false,
        });
        let exact = self.indices(|when| matches!(when, Match::Token(word) if word.trim() == token));
        let right = match (exact.first(), matching.as_slice()) {
            (Some(exact), _) => Some(*exact),
            (None, [one]) => Some(*one),
            (None, []) => self.indices(|when| *when == Match::Otherwise).first().copied(),
            (None, _) => None,
        };
        let mut finding = format!("The model puts {} on “{}”", percent(top.probability), visible(&top.text));
        if let Some(second) = facts.next.get(1) {
            finding += &format!("; next comes “{}” with {}", visible(&second.text), percent(second.probability));
        }
        Some(Settled { right, bar: None, finding: finding + "." })
    }

    fn settle_place(&self, facts: &RunFacts) -> Option<Settled> {
        let (most, weight) = facts.last_row.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let last = facts.last_row.len().checked_sub(1)?;
        let is_at = |place: Place| match place {
            Place::First => most == 0,
            Place::Previous => most + 1 == last,
            Place::Own => most == last,
        };
        let matching = self.indices(|when| matches!(when, Match::Place(place) if is_at(*place)));
        let right = match matching.as_slice() {
            [one] => Some(*one),
            [] => self.indices(|when| *when == Match::Otherwise).first().copied(),
            // In a text of one or two tokens, places coincide.
            _ => None,
        };
        let token = facts.tokens.get(most).map_or("?", String::as_str);
        let finding = format!(
            "Averaged over all heads of all layers, the last token takes most from token {} of {}, “{}”: {}.",
            most + 1,
            last + 1,
            visible(token),
            percent(weight)
        );
        Some(Settled { right, bar: None, finding })
    }

    fn indices(&self, holds: impl Fn(&Match) -> bool) -> Vec<usize> {
        self.options.iter().enumerate().filter(|(_, o)| holds(&o.when)).map(|(i, _)| i).collect()
    }
}

/// A token's text with its line breaks and tabs made visible.
pub(super) fn visible(token: &str) -> String {
    let text = token.replace('\n', "\\n").replace('\t', "\\t");
    let trimmed = text.trim();
    if trimmed.is_empty() { text } else { trimmed.into() }
}

pub(super) fn percent(probability: f32) -> String {
    let percent = probability * 100.0;
    if percent < 1.0 { format!("{percent:.2} %") } else { format!("{percent:.0} %") }
}
