//! From the TOML of the front matter and of a `lab` block to its checked type.
//!
//! The raw structs mirror what a teacher writes; unknown fields are refused by serde. What serde cannot say (a panel named
//! twice, a button without a label, a temperature of 0) is checked here, each with the line where it stands.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::toml_block::{MAX_TEXT, Result, Text, Toml, is_id};
use super::{Meta, ModelText, PLANNED, PanelId, Scene, Show, TweakButton};
use crate::model::tweak::{HeadRef, Tweak};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScene {
    title: Text,
    panels: Vec<Text>,
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

/// What a teacher writes for a [`Show`].
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShow {
    prompt: Option<Text>,
    #[serde(default)]
    prompts: BTreeMap<Text, Text>,
    #[serde(default)]
    tweaks: Vec<Spanned<Tweak>>,
    select: Option<HeadRef>,
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
        let (panels, planned) = self.panels(&raw.panels)?;
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
            panels,
            planned,
            prompt,
            compare_prompt,
            select: raw.select,
            token: raw.token,
            tweaks: raw.tweaks.into_iter().map(Spanned::into_inner).collect(),
        })
    }

    /// The panels that there are, and those that are still to be built.
    fn panels(&self, named: &[Text]) -> Result<(Vec<PanelId>, Vec<&'static str>)> {
        let (mut panels, mut planned, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
        for panel in named {
            let name = panel.get_ref().as_str();
            if !seen.insert(name) {
                return Err(self.error(&panel.span(), format!("The panel {name:?} is listed twice.")));
            }
            match (PanelId::find(name), PLANNED.iter().find(|planned| **planned == name)) {
                (Some(found), _) => panels.push(found),
                (None, Some(known)) => planned.push(*known),
                (None, None) => {
                    let all: Vec<_> = PanelId::ALL.iter().map(|panel| panel.name()).collect();
                    let sentence = format!("There is no panel {name:?}: the panels are {}.", all.join(", "));
                    return Err(self.error(&panel.span(), sentence));
                }
            }
        }
        Ok((panels, planned))
    }

    /// The state of the lab that a wrong answer offers.
    pub fn show(&self, raw: Option<Spanned<RawShow>>) -> Result<Option<Show>> {
        let Some(raw) = raw else { return Ok(None) };
        let at = raw.span();
        let RawShow { prompt, prompts, tweaks, select } = raw.into_inner();
        if prompt.is_none() && tweaks.is_empty() && select.is_none() {
            return Err(self.error(&at, "This shows nothing: give it a prompt, tweaks or a head to select."));
        }
        for tweak in &tweaks {
            let needs_second = matches!(tweak.get_ref(), Tweak::Patch { .. });
            let second = needs_second.then_some("A patch takes from a second prompt, which only a scene has.");
            if let Some(sentence) = tweak_problem(tweak.get_ref()).or(second) {
                return Err(self.error(&tweak.span(), sentence));
            }
        }
        let prompt = self.model_text(prompt, prompts)?;
        Ok(Some(Show { prompt, tweaks: tweaks.into_iter().map(Spanned::into_inner).collect(), select }))
    }

    /// A prompt, and those that some built-in models have of their own.
    pub fn model_text(&self, default: Option<Text>, own: BTreeMap<Text, Text>) -> Result<ModelText> {
        for prompt in default.iter().chain(own.values()) {
            self.prompt(prompt)?;
        }
        let own = own.into_iter().map(|(id, prompt)| Ok((self.model_id(id)?, prompt.into_inner())));
        Ok(ModelText { default: default.map(Spanned::into_inner), own: own.collect::<Result<_>>()? })
    }
}

pub(super) fn tweak_problem(tweak: &Tweak) -> Option<&'static str> {
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
