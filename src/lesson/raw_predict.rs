//! From the TOML of a `predict` block to its checked type.
//!
//! A prediction may have variants, for built-in models that know other words. A variant says only what differs, and
//! becomes a whole prediction here, checked like any other.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::Spanned;

use super::raw_quiz::MAX_OPTIONS;
use super::toml_block::{Result, Text, Toml};
use super::{Guess, Match, Place, Predict, Reveal, Variant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPredict {
    id: Text,
    question: Text,
    prompt: Text,
    reveal: Reveal,
    explanation: Text,
    options: Option<Options>,
    #[serde(default)]
    variants: Vec<RawVariant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    models: Spanned<Vec<Text>>,
    prompt: Text,
    question: Option<Text>,
    explanation: Option<Text>,
    options: Option<Options>,
}

type Options = Spanned<Vec<Spanned<RawGuess>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGuess {
    text: Text,
    token: Option<String>,
    place: Option<Place>,
    #[serde(default)]
    otherwise: bool,
}

impl Toml<'_> {
    /// The prediction, and where its id stands.
    pub fn predict(&self) -> Result<(Predict, usize)> {
        let raw: RawPredict = self.read()?;
        let at = self.offset + raw.id.span().start;
        self.prompt(&raw.prompt)?;
        if let Reveal::Bar { within, .. } = raw.reveal
            && !(within > 0.0 && within < 1.0)
        {
            return Err(self.error(&self.find("reveal"), "The bar's within must be above 0 and below 1."));
        }
        let mut predict = Predict {
            id: self.id(raw.id)?,
            question: self.prose(raw.question)?,
            prompt: raw.prompt.into_inner(),
            reveal: raw.reveal,
            options: self.options(raw.reveal, raw.options, at)?,
            explanation: self.prose(raw.explanation)?,
            variants: Vec::new(),
        };
        let mut taken = BTreeSet::new();
        let variants = raw.variants.into_iter().map(|variant| self.variant(&predict, variant, &mut taken));
        predict.variants = variants.collect::<Result<_>>()?;
        Ok((predict, at))
    }

    fn variant(&self, main: &Predict, raw: RawVariant, taken: &mut BTreeSet<String>) -> Result<Variant> {
        let at = raw.models.span();
        let models = raw.models.into_inner();
        if models.is_empty() {
            return Err(self.error(&at, "The variant is for no model: name at least one in models."));
        }
        for id in &models {
            if !taken.insert(id.get_ref().clone()) {
                return Err(self.error(&id.span(), format!("The model {:?} has a variant already.", id.get_ref())));
            }
        }
        self.prompt(&raw.prompt)?;
        let text = |own: Option<Text>, main: &String| own.map_or_else(|| Ok(main.clone()), |text| self.prose(text));
        let predict = Predict {
            question: text(raw.question, &main.question)?,
            prompt: raw.prompt.into_inner(),
            options: match raw.options {
                Some(options) => self.options(main.reveal, Some(options), 0)?,
                None => main.options.clone(),
            },
            explanation: text(raw.explanation, &main.explanation)?,
            ..main.clone()
        };
        Ok(Variant { models: models.into_iter().map(|id| self.model_id(id)).collect::<Result<_>>()?, predict })
    }

    /// The options of a prediction, which a bar has none of.
    fn options(&self, reveal: Reveal, raw: Option<Options>, at: usize) -> Result<Vec<Guess>> {
        match (reveal, raw) {
            (Reveal::Bar { .. }, None) => Ok(Vec::new()),
            (Reveal::Bar { .. }, Some(raw)) => {
                Err(self.error(&raw.span(), "A bar is placed and not chosen: remove the options."))
            }
            (_, Some(raw)) => self.guesses(reveal, raw),
            (_, None) => Err(self.source.error(at, "The prediction has no options to choose from: add some.")),
        }
    }

    fn guesses(&self, reveal: Reveal, raw: Options) -> Result<Vec<Guess>> {
        let options_at = raw.span();
        let mut options: Vec<Guess> = Vec::new();
        for option in raw.into_inner() {
            let span = option.span();
            let RawGuess { text, token, place, otherwise } = option.into_inner();
            let when = match (reveal, token, place, otherwise) {
                (Reveal::TopToken {}, Some(token), None, false) if !token.trim().is_empty() => Match::Token(token),
                (Reveal::AttendedMost {}, None, Some(place), false) => Match::Place(place),
                (_, None, None, true) => Match::Otherwise,
                (Reveal::TopToken {}, ..) => {
                    let sentence =
                        "An option of a top-token prediction needs either token = \"…\" or otherwise = true.";
                    return Err(self.error(&span, sentence));
                }
                (Reveal::Bar { .. }, ..) => return Err(self.error(&span, "A bar has no options.")),
                (Reveal::AttendedMost {}, ..) => {
                    let sentence = "An option of an attended-most prediction needs either place = \"first\", \"previous\" \
                                    or \"own\", or otherwise = true.";
                    return Err(self.error(&span, sentence));
                }
            };
            if options.iter().any(|o| o.when == when) {
                return Err(self.error(&span, "Two options would be right at the same time."));
            }
            options.push(Guess { text: self.prose(text)?, when });
        }
        if !(2..=MAX_OPTIONS).contains(&options.len()) {
            let sentence = format!("A prediction has 2 to {MAX_OPTIONS} options, but here are {}.", options.len());
            return Err(self.error(&options_at, sentence));
        }
        if !options.iter().any(|o| o.when == Match::Otherwise) {
            let sentence = "Any model may be open: add an option with otherwise = true for every other outcome.";
            return Err(self.error(&options_at, sentence));
        }
        Ok(options)
    }
}
