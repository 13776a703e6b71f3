//! From the TOML of a `quiz` block to its checked type: order, match, text and live questions.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::grade_parts::normal;
use super::raw_quiz::{MAX_OPTIONS, RawQuestion};
use super::toml_block::{Result, Text, Toml};
use super::{Pair, Precedence, QuestionKind, WrongWord};

/// The longest word that is typed as an answer, in bytes.
const MAX_WORD: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPrecedence {
    before: Text,
    after: Text,
    reason: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPair {
    left: Text,
    right: Text,
    reason: Text,
}

impl Toml<'_> {
    pub fn order(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let Some(given) = &raw.items else {
            return Err(self.error(&raw.id.span(), "An order question needs items: list the steps in the right order."));
        };
        let n = given.get_ref().len();
        if !(2..=MAX_OPTIONS).contains(&n) {
            let sentence = format!("An order question has 2 to {MAX_OPTIONS} items, but here are {n}.");
            return Err(self.error(&given.span(), sentence));
        }
        let mut items: Vec<String> = Vec::new();
        for item in given.get_ref() {
            let text = self.prose(item.clone())?;
            if items.contains(&text) {
                return Err(self.error(&item.span(), "Two items say the same."));
            }
            items.push(text);
        }
        let place = |text: &Text| {
            let found = items.iter().position(|item| item == text.get_ref().trim());
            found.ok_or_else(|| self.error(&text.span(), "This is none of the items: copy one word for word."))
        };
        let mut reasons = Vec::new();
        for raw in &raw.reasons {
            let RawPrecedence { before: first, after: second, reason } = raw.get_ref();
            let (before, after) = (place(first)?, place(second)?);
            if before >= after {
                return Err(
                    self.error(&raw.span(), "In items, the step of before does not stand before that of after.")
                );
            }
            reasons.push(Precedence { before, after, reason: self.prose(reason.clone())? });
        }
        // A wrong order always has two neighbours of the right one the wrong way round, so each wrong order gets a reason.
        let is_told = |i: usize| reasons.iter().any(|r| (r.before, r.after) == (i, i + 1));
        if let Some(i) = (0..n - 1).find(|i| !is_told(*i)) {
            let sentence = format!("No reason says why {:?} comes before {:?}: add one.", items[i], items[i + 1]);
            return Err(self.error(&given.span(), sentence));
        }
        Ok(QuestionKind::Order { items, reasons })
    }

    pub fn matching(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let (mut pairs, mut lefts, mut rights) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for pair in &raw.pairs {
            let RawPair { left, right, reason } = pair.get_ref();
            if !lefts.insert(left.get_ref().trim()) || !rights.insert(right.get_ref().trim()) {
                return Err(self.error(&pair.span(), "Two pairs have the same left or the same right side."));
            }
            let (left, right) = (self.prose(left.clone())?, self.prose(right.clone())?);
            pairs.push(Pair { left, right, reason: self.prose(reason.clone())? });
        }
        let mut distractors = Vec::new();
        for distractor in &raw.distractors {
            if !rights.insert(distractor.get_ref().trim()) {
                return Err(
                    self.error(&distractor.span(), "This distractor is the right side of a pair, or stands twice.")
                );
            }
            distractors.push(self.prose(distractor.clone())?);
        }
        if pairs.len() < 2 || rights.len() > MAX_OPTIONS {
            let sentence = format!(
                "A match question has at least 2 pairs, and with its distractors at most {MAX_OPTIONS} right sides, but \
                 here are {} and {}.",
                pairs.len(),
                rights.len()
            );
            return Err(self.error(&raw.id.span(), sentence));
        }
        Ok(QuestionKind::Match { pairs, distractors })
    }

    pub fn text(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let Some(given) = raw.accepted.as_ref().filter(|accepted| !accepted.get_ref().is_empty()) else {
            return Err(self.error(&raw.id.span(), "A text question needs accepted: list what counts as right."));
        };
        let accepted = given.get_ref().iter().map(|word| self.word(word.clone())).collect::<Result<Vec<_>>>()?;
        let right: BTreeSet<String> = accepted.iter().map(|word| normal(word)).collect();
        let (mut mistakes, mut seen) = (Vec::new(), BTreeSet::new());
        for mistake in &raw.mistakes {
            let (at, raw) = (mistake.span(), mistake.get_ref().clone());
            let Some(text) = raw.text else {
                return Err(self.error(&at, "The mistake of a text question has a text, and no value."));
            };
            let text = self.word(text)?;
            if right.contains(&normal(&text)) {
                return Err(self.error(&at, "This mistake would be graded as right."));
            }
            if !seen.insert(normal(&text)) {
                return Err(self.error(&at, "This mistake stands twice."));
            }
            mistakes.push(WrongWord { text, reason: self.prose(raw.reason)?, show: self.show(raw.show)? });
        }
        Ok(QuestionKind::Text { accepted, mistakes })
    }

    pub fn live(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let (Some(prompt), Some(key)) = (&raw.prompt, &raw.key) else {
            let sentence = "A live question needs a prompt and a key, such as key = { kind = \"top-token\" }.";
            return Err(self.error(&raw.id.span(), sentence));
        };
        let prompt = self.model_text(Some(prompt.clone()), raw.prompts.clone())?;
        Ok(QuestionKind::Live { prompt, key: *key.get_ref() })
    }

    /// A word or two that is typed as an answer.
    fn word(&self, word: Text) -> Result<String> {
        let at = word.span();
        if normal(word.get_ref()).is_empty() || word.get_ref().len() > MAX_WORD {
            return Err(self.error(&at, format!("This must be a word or two, of 1 to {MAX_WORD} bytes.")));
        }
        self.line(word)
    }
}
