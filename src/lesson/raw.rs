//! From the TOML of a block to its checked type.
//!
//! The raw structs mirror what a teacher writes; unknown fields are refused by serde. What serde cannot say (an option
//! without a reason, two right options, a temperature of 0) is checked here, each with the line where it stands.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::toml_block::{MAX_TEXT, Result, Text, Toml, is_id};
use super::{Choice, Meta, Mistake, ModelText, PanelId, Question, QuestionKind, Scene, TweakButton};
use crate::model::tweak::{HeadRef, Tweak};

pub(super) const MAX_OPTIONS: usize = 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScene {
    title: Text,
    panels: Vec<Spanned<PanelId>>,
    prompt: Option<Text>,
    #[serde(default)]
    prompts: BTreeMap<Text, Text>,
    compare_prompt: Option<Text>,
    #[serde(default)]
    compare_prompts: BTreeMap<Text, Text>,
    select: Option<HeadRef>,
    token: Option<usize>,
    #[serde(default)]
    tweaks: Vec<Spanned<TweakButton>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawKind {
    Single,
    Multiple,
    Numeric,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuestion {
    id: Text,
    kind: RawKind,
    concepts: Vec<Text>,
    question: Text,
    hints: Spanned<Vec<Text>>,
    explanation: Text,
    #[serde(default)]
    options: Vec<Spanned<RawChoice>>,
    answer: Option<Spanned<f64>>,
    tolerance: Option<Spanned<f64>>,
    unit: Option<Text>,
    #[serde(default)]
    mistakes: Vec<Spanned<RawMistake>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawChoice {
    text: Text,
    #[serde(default)]
    correct: bool,
    reason: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMistake {
    value: f64,
    reason: Text,
}

impl Toml<'_> {
    pub fn meta(&self) -> Result<Meta> {
        let meta: Meta = self.read()?;
        if !is_id(&meta.id) {
            return Err(self.error(&self.find("id"), "The id must be of small letters, digits and hyphens."));
        }
        for (field, text) in [
            ("title", &meta.title),
            ("summary", &meta.summary),
            ("takeaway", &meta.takeaway),
            ("core_question", &meta.core_question),
        ] {
            if text.trim().is_empty() || text.len() > MAX_TEXT {
                return Err(
                    self.error(&self.find(field), format!("The {field} is empty or too long: write a sentence."))
                );
            }
        }
        if let Some(bad) = meta.concepts.iter().find(|c| !is_id(c)) {
            let sentence = format!("The concept {bad:?} must be of small letters, digits and hyphens.");
            return Err(self.error(&self.find("concepts"), sentence));
        }
        let distinct: BTreeSet<_> = meta.concepts.iter().collect();
        if meta.concepts.is_empty() || distinct.len() != meta.concepts.len() {
            return Err(self.error(&self.find("concepts"), "Name at least one concept, and each only once."));
        }
        if !(1..=600).contains(&meta.minutes) {
            return Err(self.error(&self.find("minutes"), "The minutes must be from 1 to 600."));
        }
        Ok(meta)
    }

    pub fn scene(&self) -> Result<Scene> {
        let raw: RawScene = self.read()?;
        if raw.panels.is_empty() {
            return Err(self.error(&(0..0), "The scene shows no panel: name at least one in panels."));
        }
        let mut seen = BTreeSet::new();
        for panel in &raw.panels {
            if !seen.insert(*panel.get_ref()) {
                let sentence = format!("The panel {:?} is listed twice.", panel.get_ref().name());
                return Err(self.error(&panel.span(), sentence));
            }
        }
        let prompt = self.model_text(raw.prompt, raw.prompts)?;
        let compare_prompt = self.model_text(raw.compare_prompt, raw.compare_prompts)?;
        let mut labels = BTreeSet::new();
        for button in &raw.tweaks {
            let TweakButton { label, tweak } = button.get_ref();
            let problem = if label.trim().is_empty() {
                Some("The button has no label.".to_owned())
            } else if !labels.insert(label.as_str()) {
                Some(format!("Two buttons are called {label:?}."))
            } else if matches!(tweak, Tweak::Patch { .. }) && compare_prompt.default.is_none() {
                Some("A patch takes from a second prompt: give the scene a compare_prompt.".to_owned())
            } else {
                tweak_problem(tweak).map(str::to_owned)
            };
            if let Some(sentence) = problem {
                return Err(self.error(&button.span(), sentence));
            }
        }
        Ok(Scene {
            title: self.line(raw.title)?,
            panels: raw.panels.into_iter().map(Spanned::into_inner).collect(),
            prompt,
            compare_prompt,
            select: raw.select,
            token: raw.token,
            tweaks: raw.tweaks.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    /// A prompt, and those that some built-in models have of their own.
    fn model_text(&self, default: Option<Text>, own: BTreeMap<Text, Text>) -> Result<ModelText> {
        for prompt in default.iter().chain(own.values()) {
            self.prompt(prompt)?;
        }
        let own = own.into_iter().map(|(id, prompt)| Ok((self.model_id(id)?, prompt.into_inner())));
        Ok(ModelText { default: default.map(Spanned::into_inner), own: own.collect::<Result<_>>()? })
    }

    pub fn question(&self, meta: &Meta) -> Result<(Question, usize)> {
        let raw: RawQuestion = self.read()?;
        let at = self.offset + raw.id.span().start;
        for concept in &raw.concepts {
            if !meta.concepts.contains(concept.get_ref()) {
                let sentence = format!("The concept {:?} is not in the lesson's concepts: add it.", concept.get_ref());
                return Err(self.error(&concept.span(), sentence));
            }
        }
        if raw.concepts.is_empty() {
            return Err(self.error(&raw.id.span(), "The question names no concept that it tests: add concepts."));
        }
        let kind = self.question_kind(&raw)?;
        let hints_at = raw.hints.span();
        let hints = raw.hints.into_inner().into_iter().map(|h| self.prose(h)).collect::<Result<Vec<_>>>()?;
        let hints: [String; 3] = hints.try_into().map_err(|given: Vec<_>| {
            let sentence = format!(
                "A question has three hints (a pointer, the principle, a worked step), but here are {}.",
                given.len()
            );
            self.error(&hints_at, sentence)
        })?;
        let question = Question {
            id: self.id(raw.id)?,
            concepts: raw.concepts.into_iter().map(Spanned::into_inner).collect(),
            question: self.prose(raw.question)?,
            kind,
            hints,
            explanation: self.prose(raw.explanation)?,
        };
        Ok((question, at))
    }

    fn question_kind(&self, raw: &RawQuestion) -> Result<QuestionKind> {
        if let RawKind::Numeric = raw.kind {
            return self.numeric(raw);
        }
        if let Some(stray) = [&raw.answer, &raw.tolerance].into_iter().flatten().next() {
            return Err(self.error(&stray.span(), "Only a numeric question has an answer and a tolerance."));
        }
        if let Some(span) = raw.unit.as_ref().map(Spanned::span).or_else(|| raw.mistakes.first().map(Spanned::span)) {
            return Err(self.error(&span, "Only a numeric question has a unit and mistakes."));
        }
        let single = matches!(raw.kind, RawKind::Single);
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
            choices.push(Choice { text: self.prose(choice.text.clone())?, correct: choice.correct, reason });
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
        if let Some(option) = raw.options.first() {
            return Err(self.error(&option.span(), "A numeric question has no options."));
        }
        let id_at = raw.id.span();
        let (Some(answer), Some(tolerance)) = (&raw.answer, &raw.tolerance) else {
            return Err(self.error(&id_at, "A numeric question needs an answer and a tolerance."));
        };
        if !answer.get_ref().is_finite() {
            return Err(self.error(&answer.span(), "The answer is not a finite number."));
        }
        if !(tolerance.get_ref().is_finite() && *tolerance.get_ref() >= 0.0) {
            return Err(self.error(&tolerance.span(), "The tolerance must be 0 or more."));
        }
        let mut mistakes = Vec::new();
        for mistake in &raw.mistakes {
            let RawMistake { value, reason } = mistake.get_ref();
            if !value.is_finite() || (value - answer.get_ref()).abs() <= *tolerance.get_ref() {
                return Err(self.error(&mistake.span(), "This mistake would be graded as right."));
            }
            mistakes.push(Mistake { value: *value, reason: self.prose(reason.clone())? });
        }
        let unit = raw.unit.clone().map(Spanned::into_inner).unwrap_or_default();
        Ok(QuestionKind::Numeric { answer: *answer.get_ref(), tolerance: *tolerance.get_ref(), unit, mistakes })
    }
}

fn tweak_problem(tweak: &Tweak) -> Option<&'static str> {
    match tweak {
        Tweak::AblateHeads { heads, .. } if heads.is_empty() => Some("The change names no head to ablate."),
        Tweak::Temperature { value, .. } if !(value.is_finite() && *value > 0.0) => {
            Some("The temperature must be above 0.")
        }
        Tweak::Window { width: 0 } => Some("The window must be at least 1 token wide."),
        Tweak::PatternRow { weights, .. }
            if !weights.iter().all(|w| w.is_finite() && *w >= 0.0) || weights.iter().sum::<f32>() <= 0.0 =>
        {
            Some("The weights of a pattern row must be 0 or more, and not all 0.")
        }
        _ => None,
    }
}
