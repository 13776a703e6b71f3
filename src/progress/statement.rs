//! The log's own language: xAPI statements.
//!
//! A statement says who (an account of this machine, a random number without a name), what (a verb and an object) and
//! how it went, as xAPI 1.0.3 has it (Advanced Distributed Learning, "Experience API", part two, 2.2 and 4.1). What xAPI
//! has no word for stands in `extensions`: the hash of the model, the seed, the values of the sliders, and what the log
//! itself needs to be folded again. An [`Act`] goes in and comes out unchanged.
//!
//! Two kinds are written: `answered` for a graded act, and `experienced` for a place in a lesson that was reached, which
//! earns nothing and only says where to go on. The addresses end in `.invalid`, which never leads anywhere (RFC 6761):
//! they name things, and nothing is ever sent to them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Act, ActKind, Credit, Graded, Moment};

/// Where the names of this program begin.
const HOME: &str = "https://glassbox.invalid";
const ANSWERED: &str = "http://adlnet.gov/expapi/verbs/answered";
const EXPERIENCED: &str = "http://adlnet.gov/expapi/verbs/experienced";
const INTERACTION: &str = "http://adlnet.gov/expapi/activities/interaction";
const LESSON: &str = "http://adlnet.gov/expapi/activities/lesson";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// A random UUID.
    pub id: String,
    /// Who.
    pub actor: Actor,
    /// Did.
    pub verb: Verb,
    /// What.
    pub object: Object,
    /// With what result; none where nothing was graded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Outcome>,
    /// Under what circumstances.
    pub context: Context,
    /// When.
    pub timestamp: Moment,
}

/// Who: an account, with no name and no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Always `Agent`.
    #[serde(rename = "objectType")]
    pub kind: String,
    /// The account.
    pub account: Account,
}

/// An account on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Names the file that the account is in, by a random number.
    pub home_page: String,
    /// The account's own random number.
    pub name: String,
}

/// A verb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verb {
    /// Its address.
    pub id: String,
    /// The word.
    pub display: English,
}

/// A word in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct English {
    /// The word.
    pub en: String,
}

/// What was done: an item or a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Always `Activity`.
    #[serde(rename = "objectType")]
    pub kind: String,
    /// Its address.
    pub id: String,
    /// What it is.
    pub definition: Definition,
}

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The address of the kind.
    #[serde(rename = "type")]
    pub kind: String,
}

/// How an act went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether all of it was right.
    pub success: bool,
    /// How much of it was right.
    pub score: Score,
    /// The answer.
    pub response: String,
    /// What xAPI has no word for.
    pub extensions: OutcomeExtensions,
}

/// A score in parts and as a share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The share, from 0 to 1.
    pub scaled: f64,
    /// The parts that were right.
    pub raw: u32,
    /// Always 0.
    pub min: u32,
    /// All parts.
    pub max: u32,
}

/// What this program adds to a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeExtensions {
    /// The XP that it earned.
    #[serde(rename = "https://glassbox.invalid/xapi/xp")]
    pub xp: u32,
    /// Which try it was, from 1.
    #[serde(rename = "https://glassbox.invalid/xapi/attempt")]
    pub attempt: u32,
    /// The hints that were read.
    #[serde(rename = "https://glassbox.invalid/xapi/hints")]
    pub hints: u32,
    /// The confidence in per cent.
    #[serde(rename = "https://glassbox.invalid/xapi/confidence-percent", skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// What the student was told.
    #[serde(rename = "https://glassbox.invalid/xapi/reasons", default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// The circumstances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The program.
    pub platform: String,
    /// What xAPI has no word for.
    pub extensions: ContextExtensions,
}

/// What this program adds to a context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContextExtensions {
    /// The id of the lesson.
    #[serde(rename = "https://glassbox.invalid/xapi/lesson")]
    pub lesson: String,
    /// The kind of the item and its id.
    #[serde(rename = "https://glassbox.invalid/xapi/item", skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// The block of the lesson that was reached, from 0.
    #[serde(rename = "https://glassbox.invalid/xapi/place", skip_serializing_if = "Option::is_none")]
    pub place: Option<u32>,
    /// The concepts.
    #[serde(rename = "https://glassbox.invalid/xapi/concepts", default, skip_serializing_if = "Vec::is_empty")]
    pub concepts: Vec<String>,
    /// The seed of the variant, in 16 hexadecimal digits: a plain number of 64 bits loses digits in many readers.
    #[serde(rename = "https://glassbox.invalid/xapi/seed", skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The hash of the model.
    #[serde(rename = "https://glassbox.invalid/xapi/model-hash", skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The changes to the model and the values of its sliders.
    #[serde(rename = "https://glassbox.invalid/xapi/tweaks", default, skip_serializing_if = "Vec::is_empty")]
    pub tweaks: Vec<Value>,
}

/// An item of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What kind it is.
    pub kind: ActKind,
    /// Its id.
    pub id: String,
}

/// What a statement says, read back.
#[derive(Debug, Clone, PartialEq)]
pub enum Logged {
    /// An act was graded.
    Answered {
        /// The act.
        act: Act,
        /// Which try it was, from 1.
        attempt: u32,
        /// What it earned.
        xp: u32,
    },
    /// A place of a lesson was reached.
    Reached {
        /// The lesson's id.
        lesson: String,
        /// The block, from 0.
        place: u32,
    },
}

impl Actor {
    /// The account of a profile in a file; both are random numbers.
    pub fn new(store: &str, account: &str) -> Self {
        let account = Account { home_page: format!("{HOME}/records/{store}"), name: account.into() };
        Self { kind: "Agent".into(), account }
    }
}

impl Statement {
    /// The statement of a graded act.
    pub fn answered(id: String, actor: Actor, act: &Act, graded: &Graded, now: Moment) -> Self {
        let Credit { got, of } = act.credit;
        let result = Outcome {
            success: act.credit.is_right(),
            score: Score { scaled: act.credit.share(), raw: got, min: 0, max: of },
            response: act.answer.clone(),
            extensions: OutcomeExtensions {
                xp: graded.xp,
                attempt: graded.attempt,
                hints: act.hints,
                confidence: act.confidence,
                reasons: act.reasons.clone(),
            },
        };
        let extensions = ContextExtensions {
            lesson: act.lesson.clone(),
            item: Some(Item { kind: act.kind, id: act.item.clone() }),
            place: None,
            concepts: act.concepts.clone(),
            seed: act.variant.map(|seed| format!("{seed:016x}")),
            model: act.model.clone(),
            tweaks: act.tweaks.clone(),
        };
        let address = format!("{HOME}/lessons/{}/items/{}", act.lesson, act.item);
        Self::new(id, actor, (ANSWERED, "answered"), (address, INTERACTION), Some(result), extensions, now)
    }

    /// The statement of a place that was reached.
    pub fn reached(id: String, actor: Actor, lesson: &str, place: u32, now: Moment) -> Self {
        let extensions = ContextExtensions {
            lesson: lesson.into(),
            item: None,
            place: Some(place),
            concepts: Vec::new(),
            seed: None,
            model: None,
            tweaks: Vec::new(),
        };
        let address = format!("{HOME}/lessons/{lesson}");
        Self::new(id, actor, (EXPERIENCED, "experienced"), (address, LESSON), None, extensions, now)
    }

    fn new(
        id: String,
        actor: Actor,
        (verb, word): (&str, &str),
        (address, kind): (String, &str),
        result: Option<Outcome>,
        extensions: ContextExtensions,
        timestamp: Moment,
    ) -> Self {
        Self {
            id,
            actor,
            verb: Verb { id: verb.into(), display: English { en: word.into() } },
            object: Object { kind: "Activity".into(), id: address, definition: Definition { kind: kind.into() } },
            result,
            context: Context { platform: "Glassbox".into(), extensions },
            timestamp,
        }
    }

    /// What it says. An error is why it is none of ours.
    pub fn read(&self) -> Result<Logged, String> {
        let said = &self.context.extensions;
        match (self.verb.id.as_str(), &self.result, &said.item, said.place) {
            (ANSWERED, Some(result), Some(item), _) => {
                let seed = |hex: &String| u64::from_str_radix(hex, 16).map_err(|_| format!("“{hex}” is not a seed"));
                let act = Act {
                    kind: item.kind,
                    lesson: said.lesson.clone(),
                    item: item.id.clone(),
                    concepts: said.concepts.clone(),
                    credit: Credit { got: result.score.raw, of: result.score.max },
                    hints: result.extensions.hints,
                    confidence: result.extensions.confidence,
                    variant: said.seed.as_ref().map(seed).transpose()?,
                    model: said.model.clone(),
                    tweaks: said.tweaks.clone(),
                    answer: result.response.clone(),
                    reasons: result.extensions.reasons.clone(),
                };
                act.check().map_err(|e| e.to_string())?;
                Ok(Logged::Answered { act, attempt: result.extensions.attempt, xp: result.extensions.xp })
            }
            (EXPERIENCED, None, None, Some(place)) => Ok(Logged::Reached { lesson: said.lesson.clone(), place }),
            (verb, ..) => Err(format!("“{verb}” with these parts is not one of its statements")),
        }
    }
}

/// A random UUID of version 4 (RFC 9562, 5.4).
pub(super) fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
