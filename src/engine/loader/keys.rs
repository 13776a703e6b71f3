//! Asking a config for its values, whatever file it stands in.
//!
//! `config.json` and GGUF metadata say the same things under different names. A [`Keys`] answers by name, checks the type
//! and range of each answer, and remembers which keys were asked for, so that what was not understood can be reported.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use serde_json::Value as Json;

use super::error::{LoadError, Result, printable, remedy};
use super::gguf::Value;

/// Largest size that a config may ask for: far above any model, and small enough that products of three fit 64 bits.
const LARGEST: u64 = 1 << 21;

/// A value of a config, by its type.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A whole number.
    Int(i128),
    /// Any number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(String),
    /// A group of values, or a list: looked into by the caller.
    Other(Json),
    /// A list of whole numbers (GGUF).
    Ints(Vec<i64>),
}

/// Where a config's values come from.
pub enum Origin<'a> {
    /// A JSON object.
    Json(&'a serde_json::Map<String, Json>),
    /// GGUF metadata; keys of the architecture are asked for without their prefix.
    Gguf(&'a HashMap<String, Value>, String),
}

/// A config that can be asked.
pub struct Keys<'a> {
    origin: Origin<'a>,
    path: PathBuf,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Keys<'a> {
    /// A config that stands in the file at `path`.
    pub fn new(origin: Origin<'a>, path: PathBuf) -> Self {
        Self { origin, path, asked: RefCell::default() }
    }

    /// The keys that were asked for so far.
    pub fn asked(&self) -> BTreeSet<String> {
        self.asked.borrow().clone()
    }

    /// A problem with this config.
    pub fn bad(&self, problem: String, remedy: &'static str) -> LoadError {
        // A GGUF carries its own config: there is no other to use.
        let own = remedy == remedy::MISMATCH && matches!(self.origin, Origin::Gguf(..));
        LoadError::new(&self.path, problem, if own { remedy::DAMAGED } else { remedy })
    }

    /// A value, if the key is there and not null.
    pub fn get(&self, key: &str) -> Option<Answer> {
        self.asked.borrow_mut().insert(key.to_owned());
        match &self.origin {
            Origin::Json(map) => match map.get(key)? {
                Json::Null => None,
                Json::Bool(b) => Some(Answer::Bool(*b)),
                Json::String(text) => Some(Answer::Text(text.clone())),
                Json::Number(n) => {
                    let int = n.as_i64().map(i128::from).or(n.as_u64().map(i128::from));
                    Some(int.map_or_else(|| Answer::Float(n.as_f64().unwrap_or(f64::NAN)), Answer::Int))
                }
                other => Some(Answer::Other(other.clone())),
            },
            Origin::Gguf(map, prefix) => {
                let value = map.get(&format!("{prefix}.{key}")).or_else(|| map.get(key))?;
                Some(match value {
                    Value::Int(n) => Answer::Int(*n),
                    Value::Float(x) => Answer::Float(*x),
                    Value::Bool(b) => Answer::Bool(*b),
                    Value::Text(text) => Answer::Text(text.clone()),
                    Value::Ints(list) => Answer::Ints(list.clone()),
                    _ => Answer::Other(Json::Null),
                })
            }
        }
    }

    /// A size of at least 1, if it is there.
    pub fn size(&self, key: &str) -> Result<Option<usize>> {
        let n = match self.get(key) {
            None => return Ok(None),
            Some(Answer::Int(n)) => n,
            // Some files give one value per layer; a model whose layers differ is another architecture.
            Some(Answer::Ints(list)) if !list.is_empty() && list.iter().all(|n| *n == list[0]) => i128::from(list[0]),
            // JSON knows only one kind of number, so 4.0 is four; GGUF tells the kinds apart.
            Some(Answer::Float(x)) if x.fract() == 0.0 && x.abs() < 1e15 && matches!(self.origin, Origin::Json(_)) => {
                x as i128
            }
            Some(_) => {
                return Err(self.bad(format!("gives “{key}” a value that is not one whole number"), remedy::MISMATCH));
            }
        };
        if n < 1 || n > i128::from(LARGEST) {
            return Err(self.bad(format!("sets “{key}” to {n}, which makes no sense"), remedy::MISMATCH));
        }
        Ok(Some(n as usize))
    }

    /// A size that must be there.
    pub fn needed(&self, key: &str) -> Result<usize> {
        self.size(key)?.ok_or_else(|| self.bad(format!("does not say “{key}”"), remedy::MISMATCH))
    }

    /// A size, or the default of a key that is left out; null is no size.
    pub fn size_or(&self, key: &str, default: usize) -> Result<usize> {
        if self.has(key) { self.needed(key) } else { Ok(default) }
    }

    /// Whether the key is there, if only with null.
    pub fn has(&self, key: &str) -> bool {
        match &self.origin {
            Origin::Json(map) => map.contains_key(key),
            Origin::Gguf(map, prefix) => map.contains_key(&format!("{prefix}.{key}")),
        }
    }

    /// A finite number, if it is there.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        let x = match self.get(key) {
            None => return Ok(None),
            Some(Answer::Int(n)) => n as f64,
            Some(Answer::Float(x)) => x,
            Some(_) => return Err(self.bad(format!("gives “{key}” a value that is not a number"), remedy::MISMATCH)),
        };
        if !x.is_finite() {
            return Err(self.bad(format!("sets “{key}” to {}, which makes no sense", short(x)), remedy::MISMATCH));
        }
        Ok(Some(x))
    }

    /// A number above zero, or the default. It is above zero and finite as an f32, too.
    pub fn positive(&self, key: &str, default: f64) -> Result<f64> {
        let x = self.number(key)?.unwrap_or(default);
        if x as f32 <= 0.0 || !(x as f32).is_finite() {
            return Err(self.bad(format!("sets “{key}” to {}, which makes no sense", short(x)), remedy::MISMATCH));
        }
        Ok(x)
    }

    /// A truth value, or the default.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(Answer::Bool(b)) => Ok(b),
            Some(_) => Err(self.bad(format!("gives “{key}” a value that is neither true nor false"), remedy::MISMATCH)),
        }
    }

    /// A text, if it is there.
    pub fn text(&self, key: &str) -> Result<Option<String>> {
        match self.get(key) {
            None => Ok(None),
            Some(Answer::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.bad(format!("gives “{key}” a value that is not a text"), remedy::MISMATCH)),
        }
    }

    /// Refuses a key that is set to anything but one of the harmless values.
    pub fn refuse_unless(&self, key: &str, harmless: &[Json]) -> Result<()> {
        let value = match self.get(key) {
            None => return Ok(()),
            Some(Answer::Int(n)) => Json::from(n as i64),
            Some(Answer::Float(x)) => Json::from(x),
            Some(Answer::Bool(b)) => Json::from(b),
            Some(Answer::Text(text)) => Json::from(text),
            Some(Answer::Ints(list)) => Json::from(list),
            Some(Answer::Other(json)) => json,
        };
        let same = |a: &Json| a == &value || a.as_f64().zip(value.as_f64()).is_some_and(|(a, b)| a == b);
        if harmless.iter().any(same) {
            return Ok(());
        }
        let value = printable(&value.to_string());
        Err(self.bad(format!("asks for {key} = {value}, which is not supported"), remedy::UNSUPPORTED))
    }

    /// The first key that holds a group of its own (JSON).
    pub fn key_of_group(&self) -> Option<String> {
        match &self.origin {
            Origin::Json(map) => map.iter().find(|(_, value)| value.is_object()).map(|(key, _)| key.clone()),
            Origin::Gguf(..) => None,
        }
    }

    /// The named group of a JSON config, as a config of its own.
    pub fn group<R>(&self, key: &str, read: impl FnOnce(&Keys<'_>) -> Result<R>) -> Result<Option<R>> {
        match self.get(key) {
            None => Ok(None),
            Some(Answer::Other(Json::Object(map))) => read(&Keys::new(Origin::Json(&map), self.path.clone())).map(Some),
            Some(_) => Err(self.bad(format!("gives “{key}” a value that is not a group"), remedy::MISMATCH)),
        }
    }
}

/// A number in few characters.
fn short(x: f64) -> String {
    let plain = x == 0.0 || (1e-4..1e9).contains(&x.abs()) || !x.is_finite();
    if plain { x.to_string() } else { format!("{x:e}") }
}
