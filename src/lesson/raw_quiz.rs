//! From the TOML of a `quiz` block to its checked type: what all questions share, choices and numbers.
//!
//! One raw struct holds the fields of every kind, so that a field at the wrong kind gets a sentence that names both. The
//! kinds that are more than a choice or a number are read in `raw_kinds`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::raw::RawShow;
use super::raw_kinds::{RawPair, RawPrecedence};
use super::toml_block::{Result, Text, Toml};
use super::{Choice, LiveKey, Meta, Mistake, Question, QuestionKind, is_near};

pub(super) const MAX_OPTIONS: usize = 8;
const MAX_VARIANTS: usize = 50;

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawKind {
    Single,
    Multiple,
    Numeric,
    Order,
    Match,
    Text,
    Live,
}

impl RawKind {
    /// With its article, for messages.
    fn name(self) -> &'static str {
        match self {
            Self::Single => "A single choice",
            Self::Multiple => "A multiple choice",
            Self::Numeric => "A numeric question",
            Self::Order => "An order question",
            Self::Match => "A match question",
            Self::Text => "A text question",
            Self::Live => "A live question",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuestion {
    pub id: Text,
    pub kind: RawKind,
    concepts: Vec<Text>,
    pub question: Text,
    hints: Spanned<Vec<Text>>,
    explanation: Text,
    #[serde(default)]
    options: Vec<Spanned<RawChoice>>,
    pub answer: Option<Spanned<f64>>,
    tolerance: Option<Spanned<f64>>,
    unit: Option<Text>,
    #[serde(default)]
    pub mistakes: Vec<Spanned<RawMistake>>,
    #[serde(default)]
    variants: Vec<Spanned<RawVariant>>,
    pub items: Option<Spanned<Vec<Text>>>,
    #[serde(default)]
    pub reasons: Vec<Spanned<RawPrecedence>>,
    #[serde(default)]
    pub pairs: Vec<Spanned<RawPair>>,
    #[serde(default)]
    pub distractors: Vec<Text>,
    pub accepted: Option<Spanned<Vec<Text>>>,
    pub prompt: Option<Text>,
    #[serde(default)]
    pub prompts: BTreeMap<Text, Text>,
    pub key: Option<Spanned<LiveKey>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChoice {
    text: Text,
    #[serde(default)]
    correct: bool,
    reason: Option<Text>,
    show: Option<Spanned<RawShow>>,
}

/// A field that only some kinds have: its name, where it stands if it does, and the kinds.
type Field = (&'static str, Option<Range<usize>>, &'static [RawKind]);

/// A wrong number or a wrong word.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMistake {
    value: Option<f64>,
    pub text: Option<Text>,
    pub reason: Text,
    pub show: Option<Spanned<RawShow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    question: Text,
    answer: Spanned<f64>,
    #[serde(default)]
    mistakes: Vec<Spanned<RawMistake>>,
}

impl Toml<'_> {
    /// The question, and where its id stands. Without front matter, its concepts cannot be checked.
    pub fn question(&self, meta: Option<&Meta>) -> Result<(Question, usize)> {
        let raw: RawQuestion = self.read()?;
        let at = self.offset + raw.id.span().start;
        let concepts = self.concepts(&raw.concepts, &raw.id, meta)?;
        self.strays(&raw)?;
        let kind = match raw.kind {
            RawKind::Single | RawKind::Multiple => self.choice(&raw)?,
            RawKind::Numeric => self.numeric(&raw)?,
            RawKind::Order => self.order(&raw)?,
            RawKind::Match => self.matching(&raw)?,
            RawKind::Text => self.text(&raw)?,
            RawKind::Live => self.live(&raw)?,
        };
        let mut question = Question {
            id: self.id(raw.id)?,
            concepts,
            question: self.prose(raw.question)?,
            kind,
            hints: self.hints(raw.hints)?,
            explanation: self.prose(raw.explanation)?,
            variants: Vec::new(),
        };
        if let Some(one_more) = raw.variants.get(MAX_VARIANTS) {
            return Err(self.error(&one_more.span(), format!("A question has at most {MAX_VARIANTS} variants.")));
        }
        let variants = raw.variants.into_iter().map(|variant| self.number_variant(&question, variant.into_inner()));
        question.variants = variants.collect::<Result<_>>()?;
        Ok((question, at))
    }

    /// The concepts that an item tests: at least one, and each one of the lesson's.
    pub fn concepts(&self, named: &[Text], id: &Text, meta: Option<&Meta>) -> Result<Vec<String>> {
        for concept in named {
            if meta.is_some_and(|meta| !meta.concepts.contains(concept.get_ref())) {
                let sentence = format!("The concept {:?} is not in the lesson's concepts: add it.", concept.get_ref());
                return Err(self.error(&concept.span(), sentence));
            }
        }
        if named.is_empty() {
            return Err(self.error(&id.span(), "The question names no concept that it tests: add concepts."));
        }
        Ok(named.iter().map(|concept| concept.get_ref().clone()).collect())
    }

    pub fn hints(&self, hints: Spanned<Vec<Text>>) -> Result<[String; 3]> {
        let at = hints.span();
        let hints = hints.into_inner().into_iter().map(|h| self.prose(h)).collect::<Result<Vec<_>>>()?;
        hints.try_into().map_err(|given: Vec<_>| {
            let sentence = format!(
                "A question has three hints (a pointer, the principle, a worked step), but here are {}.",
                given.len()
            );
            self.error(&at, sentence)
        })
    }

    /// Refuses a field that another kind has.
    fn strays(&self, raw: &RawQuestion) -> Result<()> {
        use RawKind::{Live, Match, Multiple, Numeric, Order, Single};
        fn first<T>(all: &[Spanned<T>]) -> Option<Range<usize>> {
            all.first().map(Spanned::span)
        }
        let fields: [Field; 14] = [
            ("options", first(&raw.options), &[Single, Multiple]),
            ("answer", raw.answer.as_ref().map(Spanned::span), &[Numeric]),
            ("tolerance", raw.tolerance.as_ref().map(Spanned::span), &[Numeric]),
            ("unit", raw.unit.as_ref().map(Spanned::span), &[Numeric]),
            ("mistakes", first(&raw.mistakes), &[Numeric, RawKind::Text]),
            ("variants", first(&raw.variants), &[Numeric]),
            ("items", raw.items.as_ref().map(Spanned::span), &[Order]),
            ("reasons", first(&raw.reasons), &[Order]),
            ("pairs", first(&raw.pairs), &[Match]),
            ("distractors", first(&raw.distractors), &[Match]),
            ("accepted", raw.accepted.as_ref().map(Spanned::span), &[RawKind::Text]),
            ("prompt", raw.prompt.as_ref().map(Spanned::span), &[Live]),
            ("prompts", raw.prompts.keys().next().map(Spanned::span), &[Live]),
            ("key", raw.key.as_ref().map(Spanned::span), &[Live]),
        ];
        for (name, span, kinds) in fields {
            if let Some(span) = span.filter(|_| !kinds.contains(&raw.kind)) {
                let sentence = format!("{} has no {name}: remove it, or change the kind.", raw.kind.name());
                return Err(self.error(&span, sentence));
            }
        }
        Ok(())
    }

    fn choice(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let single = raw.kind == RawKind::Single;
        let mut choices = Vec::new();
        let mut texts = BTreeSet::new();
        for option in &raw.options {
            let choice = option.get_ref();
            if !texts.insert(choice.text.get_ref().trim()) {
                return Err(self.error(&choice.text.span(), "Two options say the same."));
            }
            let reason = match &choice.reason {
                Some(reason) => self.prose(reason.clone())?,
                None if choice.correct => String::new(),
                None => {
                    let sentence = "This wrong option has no reason: say why it is wrong.";
                    return Err(self.error(&choice.text.span(), sentence));
                }
            };
            let show = self.show(choice.show.clone())?;
            choices.push(Choice { text: self.prose(choice.text.clone())?, correct: choice.correct, reason, show });
        }
        let (n, right) = (choices.len(), choices.iter().filter(|c| c.correct).count());
        if !(2..=MAX_OPTIONS).contains(&n) {
            let sentence = format!("A choice has 2 to {MAX_OPTIONS} options, but here are {n}.");
            return Err(self.error(&raw.id.span(), sentence));
        }
        if right == 0 {
            return Err(self.error(&raw.id.span(), "No option is marked correct = true."));
        }
        if single && right > 1 {
            let sentence = format!("{right} options are marked correct: leave one, or make it kind = \"multiple\".");
            return Err(self.error(&raw.id.span(), sentence));
        }
        Ok(if single { QuestionKind::Single(choices) } else { QuestionKind::Multiple(choices) })
    }

    fn numeric(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        let (Some(answer), Some(tolerance)) = (&raw.answer, &raw.tolerance) else {
            return Err(self.error(&raw.id.span(), "A numeric question needs an answer and a tolerance."));
        };
        if !(tolerance.get_ref().is_finite() && *tolerance.get_ref() >= 0.0) {
            return Err(self.error(&tolerance.span(), "The tolerance must be 0 or more."));
        }
        let unit = raw.unit.clone().map(Spanned::into_inner).unwrap_or_default();
        self.number(answer, *tolerance.get_ref(), unit, &raw.mistakes)
    }

    fn number(
        &self,
        answer: &Spanned<f64>,
        tolerance: f64,
        unit: String,
        raw: &[Spanned<RawMistake>],
    ) -> Result<QuestionKind> {
        let at = answer.span();
        let answer = *answer.get_ref();
        if !answer.is_finite() {
            return Err(self.error(&at, "The answer is not a finite number."));
        }
        let mut mistakes = Vec::new();
        for mistake in raw {
            let RawMistake { value, text, reason, show } = mistake.get_ref().clone();
            let (Some(value), None) = (value, text) else {
                return Err(self.error(&mistake.span(), "The mistake of a numeric question has a value, and no text."));
            };
            // The same arithmetic as the grading, so that what is accepted here is never graded as right.
            if !value.is_finite() || is_near(value, answer, tolerance) {
                return Err(self.error(&mistake.span(), "This mistake would be graded as right."));
            }
            mistakes.push(Mistake { value, reason: self.prose(reason)?, show: self.show(show)? });
        }
        Ok(QuestionKind::Numeric { answer, tolerance, unit, mistakes })
    }

    fn number_variant(&self, main: &Question, raw: RawVariant) -> Result<Question> {
        let QuestionKind::Numeric { tolerance, unit, .. } = &main.kind else {
            return Err(self.error(&raw.question.span(), "Only a numeric question has variants."));
        };
        let kind = self.number(&raw.answer, *tolerance, unit.clone(), &raw.mistakes)?;
        Ok(Question { question: self.prose(raw.question)?, kind, variants: Vec::new(), ..main.clone() })
    }
}
