//! From the TOML of `task` and `claim` blocks to their checked types.

use serde::Deserialize;
use toml::Spanned;

use super::raw::tweak_problem;
use super::toml_block::{Result, Text, Toml};
use super::{Claim, Holds, Meta, OUTSIDE, Task, TaskKind};
use crate::builtin;
use crate::model::tweak::Tweak;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTask {
    id: Text,
    title: Text,
    kind: TaskKind,
    concepts: Vec<Text>,
    question: Text,
    hints: Spanned<Vec<Text>>,
    explanation: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClaim {
    id: Text,
    models: Spanned<Vec<Text>>,
    prompt: Text,
    holds: Spanned<Holds>,
}

impl Toml<'_> {
    /// The task, and where its id stands.
    pub fn task(&self, meta: Option<&Meta>) -> Result<(Task, usize)> {
        let raw: RawTask = self.read()?;
        let at = self.offset + raw.id.span().start;
        let task = Task {
            concepts: self.concepts(&raw.concepts, &raw.id, meta)?,
            id: self.id(raw.id)?,
            title: self.line(raw.title)?,
            kind: raw.kind,
            question: self.prose(raw.question)?,
            hints: self.hints(raw.hints)?,
            explanation: self.prose(raw.explanation)?,
        };
        Ok((task, at))
    }

    /// The claim, and where its id stands.
    pub fn claim(&self) -> Result<(Claim, usize)> {
        let raw: RawClaim = self.read()?;
        let at = self.offset + raw.id.span().start;
        self.prompt(&raw.prompt)?;
        let models_at = raw.models.span();
        let models = raw.models.into_inner();
        if models.is_empty() {
            return Err(self.error(&models_at, "The claim is about no model: name at least one in models."));
        }
        let models = models.into_iter().map(|id| self.any_model(id)).collect::<Result<_>>()?;
        if let Some(sentence) = problem(raw.holds.get_ref()) {
            return Err(self.error(&raw.holds.span(), sentence));
        }
        let claim =
            Claim { id: self.id(raw.id)?, models, prompt: raw.prompt.into_inner(), holds: raw.holds.into_inner() };
        Ok((claim, at))
    }

    /// The id of a built-in model, or of one that tests fetch.
    fn any_model(&self, id: Text) -> Result<String> {
        if OUTSIDE.contains(&id.get_ref().as_str()) {
            return Ok(id.into_inner());
        }
        self.model_id(id).map_err(|mut error| {
            error.sentence = format!(
                "A claim is about a model that tests open, which this is not: the ids are {}, {}.",
                builtin::ids(),
                OUTSIDE.join(", ")
            );
            error
        })
    }
}

fn problem(holds: &Holds) -> Option<&'static str> {
    let share = |x: f64| (0.0..1.0).contains(&x);
    match holds {
        Holds::TopToken { token } | Holds::ProbabilityAbove { token, .. } if token.trim().is_empty() => {
            Some("The claim names no token.")
        }
        Holds::ProbabilityAbove { above, .. } | Holds::HeadScore { above, .. } if !share(*above) => {
            Some("A probability or a score is from 0 to 1: above must be at least 0 and less than 1.")
        }
        Holds::Change { kl_above, .. } if !(kl_above.is_finite() && *kl_above >= 0.0) => {
            Some("A divergence is never negative: kl_above must be 0 or more.")
        }
        Holds::Change { tweak: Tweak::Patch { .. }, .. } => {
            Some("A claim has one prompt, and a patch takes from a second one.")
        }
        Holds::Change { tweak, .. } => tweak_problem(tweak),
        _ => None,
    }
}
