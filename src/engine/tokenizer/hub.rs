//! A tokenizer from a `tokenizer.json`, the format of the crate `tokenizers`.
//!
//! The file is read here rather than by the crate, which keeps a copy of everything as generic JSON and checks little.
//! Only the small parts (normaliser, pre-tokenizer) are handed on as they are, after a look at what they can do to a text.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::bpe::{Added, Plan};
use super::error::quote;
use super::specials::{Finder, Special};
use super::table::{Alphabet, TokenKind, TokenTable};
use super::{MAX_TOKEN_BYTES, Parts, Scheme, end_names};

/// A larger `tokenizer.json` is refused unread; the largest in use are about 35 MB.
pub const MAX_TOKENIZER_JSON_BYTES: usize = 96 << 20;
/// A longer regular expression is refused.
const MAX_EXPRESSION_BYTES: usize = 4096;
/// A normaliser that could make a text longer than this many times is refused.
const MAX_GROWTH: usize = 64;

/// A `tokenizer.json`, and what the files beside it say about its special tokens.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HubVocabulary {
    /// The bytes of `tokenizer.json`.
    pub json: Vec<u8>,
    /// `bos_token_id` of `config.json`.
    pub bos: Option<u32>,
    /// `eos_token_id` of `config.json` and `generation_config.json`: one or several.
    pub eos: Vec<u32>,
    /// `bos_token` of `tokenizer_config.json`: decides over `bos`.
    pub bos_token: Option<String>,
    /// `eos_token` of `tokenizer_config.json`: counts beside `eos`.
    pub eos_token: Option<String>,
    /// `add_bos_token` of `tokenizer_config.json`; without it, the post-processor of `tokenizer.json` decides.
    pub add_bos: Option<bool>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    added_tokens: Vec<AddedEntry>,
    normalizer: Option<Value>,
    pre_tokenizer: Option<Value>,
    post_processor: Option<Value>,
    decoder: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedEntry {
    id: u32,
    content: String,
    #[serde(default)]
    single_word: bool,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    normalized: bool,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: Option<Vocabulary>,
    #[serde(default)]
    merges: Vec<Merge>,
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    byte_fallback: Option<bool>,
    fuse_unk: Option<bool>,
    ignore_merges: Option<bool>,
    dropout: Option<f32>,
}

/// The map from text to id, in file order and with repetitions; `None` if it is not a map.
struct Vocabulary(Option<Vec<(String, u32)>>);

impl<'de> Deserialize<'de> for Vocabulary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocabulary;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map from token to id")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vocabulary, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Vocabulary(Some(entries)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vocabulary, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Vocabulary(None))
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

/// "left right", or the newer ["left", "right"].
struct Merge(String, String);

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Halves;
        impl<'de> Visitor<'de> for Halves {
            type Value = Merge;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a merge of two tokens")
            }
            fn visit_str<E: serde::de::Error>(self, line: &str) -> Result<Merge, E> {
                let halves = line.split_once(' ').filter(|(_, right)| !right.contains(' '));
                let (left, right) = halves.ok_or_else(|| E::custom(format!("the merge {} is no pair", quote(line))))?;
                Ok(Merge(left.into(), right.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merge, A::Error> {
                let mut next = || seq.next_element::<String>();
                match (next()?, next()?, next()?) {
                    (Some(left), Some(right), None) => Ok(Merge(left, right)),
                    _ => Err(serde::de::Error::custom("a merge is no pair")),
                }
            }
        }
        deserializer.deserialize_any(Halves)
    }
}

/// Checks the file against itself and against the rows of the embedding table, and builds. The error is a sentence.
pub(super) fn build(vocabulary: HubVocabulary, d_vocab: usize) -> Result<Parts, String> {
    if vocabulary.json.len() > MAX_TOKENIZER_JSON_BYTES {
        let megabytes = MAX_TOKENIZER_JSON_BYTES >> 20;
        return Err(format!("it is larger than {megabytes} MB, more than any tokenizer needs; try another copy."));
    }
    let HubVocabulary { json, bos, eos, bos_token, eos_token, add_bos } = vocabulary;
    let mut file: File = serde_json::from_slice(&json)
        .map_err(|error| format!("it is not a tokenizer that can be read ({error}); try another copy."))?;
    drop(json);
    let mut warnings = Vec::new();
    check_model(&file.model, &mut warnings)?;
    for part in [&file.normalizer, &file.pre_tokenizer].into_iter().flatten() {
        check_expressions(part)?;
    }
    if file.normalizer.as_ref().map_or(1, growth) > MAX_GROWTH {
        return Err(
            "its normaliser could make a text many times longer; it looks made to harm, so it is not used.".into()
        );
    }

    let alphabet = alphabet(&file);
    let entries = file.model.vocab.take().and_then(|vocab| vocab.0).unwrap_or_default();
    let mut plan = Plan::default();
    let mut table = TokenTable::default();
    let added_ids: HashSet<u32> = file.added_tokens.iter().map(|added| added.id).collect();
    let added_texts: HashSet<&str> = file.added_tokens.iter().map(|added| added.content.as_str()).collect();
    let mut used = vec![false; d_vocab];
    let mut renamed = 0;
    for (text, id) in entries {
        check_token(&text, id, d_vocab)?;
        let is_added = added_texts.contains(text.as_str());
        if added_ids.contains(&id) && !is_added {
            renamed += 1;
            continue;
        }
        let place = used.get_mut(id as usize).ok_or("its tokenizer is damaged.")?;
        if std::mem::replace(place, true) {
            return Err(format!(
                "two tokens of its tokenizer share the number {id}; the file is damaged, try another copy."
            ));
        }
        table.set(id, &text, TokenKind::Normal, alphabet);
        if let Some(other) = plan.vocab.insert(text, id) {
            return Err(format!("its tokenizer numbers one token both {other} and {id}; try another copy."));
        }
    }
    if renamed > 0 {
        warnings.push(format!("The tokenizer renames {renamed} tokens of its vocabulary; the later names are used."));
    }
    add_tokens(&mut plan, &mut table, file.added_tokens, d_vocab, alphabet, &mut warnings)?;
    if plan.vocab.is_empty() {
        return Err("its tokenizer has no tokens; try another copy.".into());
    }
    plan.merges = file.model.merges.into_iter().map(|Merge(left, right)| (left, right)).collect();
    plan.unk = file.model.unk_token;
    plan.byte_fallback = file.model.byte_fallback.unwrap_or(false);
    plan.fuse_unk = file.model.fuse_unk.unwrap_or(false);
    plan.ignore_merges = file.model.ignore_merges.unwrap_or(false);
    plan.normalizer = part(file.normalizer, "normaliser")?;
    plan.pre_tokenizer = part(file.pre_tokenizer, "pre-tokenizer")?;

    let id_of = |text: &str| plan.vocab.get(text).copied();
    let post_bos = file.post_processor.as_ref().and_then(first_special).and_then(id_of);
    let bos = bos_token.as_deref().and_then(id_of).or(bos.filter(|id| table.get(*id).is_some())).or(post_bos);
    let add_bos = add_bos.unwrap_or(post_bos.is_some() && post_bos == bos) && bos.is_some();
    let mut ends: Vec<u32> = eos.into_iter().filter(|id| table.get(*id).is_some()).collect();
    let eos = eos_token.as_deref().and_then(id_of).or(ends.first().copied());
    ends.extend(eos);
    let controls = plan.added.iter().filter(|added| added.control).map(|added| added.special.clone());
    let control: Vec<Special> = controls.collect();
    ends.extend(control.iter().filter(|s| end_names().contains(&s.text.as_str())).map(|s| s.id));
    ends.sort_unstable();
    ends.dedup();
    let unk = plan.unk.as_deref().and_then(id_of);
    table.shrink();
    let scheme = Scheme::Bpe(Box::new(plan.build()?));
    Ok(Parts { scheme, table, alphabet, control: Finder::new(control), bos, eos, unk, ends, add_bos, warnings })
}

fn check_model(model: &Model, warnings: &mut Vec<String>) -> Result<(), String> {
    match model.kind.as_deref() {
        None | Some("BPE") => {}
        Some(other) => {
            return Err(format!(
                "its tokenizer is of the kind {}, but only byte-pair encoding (\"BPE\") can be read; try another model.",
                quote(other)
            ));
        }
    }
    if model.vocab.as_ref().is_none_or(|vocab| vocab.0.is_none()) {
        return Err("its tokenizer has no map from tokens to numbers; try another copy.".into());
    }
    for marker in [&model.continuing_subword_prefix, &model.end_of_word_suffix].into_iter().flatten() {
        if !marker.is_empty() {
            let marker = quote(marker);
            return Err(format!(
                "its tokenizer marks parts of words with {marker}, which is not supported; try another model."
            ));
        }
    }
    if model.dropout.is_some_and(|dropout| dropout != 0.0) {
        warnings.push(
            "The tokenizer asks for random merges (dropout), which belong to training; they are left out.".into(),
        );
    }
    Ok(())
}

fn check_token(text: &str, id: u32, d_vocab: usize) -> Result<(), String> {
    if id as usize >= d_vocab {
        return Err(format!(
            "its tokenizer gives {} the number {id}, but the model's embedding table has only {d_vocab} rows; the tokenizer belongs to another model.",
            quote(text)
        ));
    }
    if text.len() > MAX_TOKEN_BYTES {
        return Err(format!("token {id} of its tokenizer is longer than {MAX_TOKEN_BYTES} bytes; try another copy."));
    }
    Ok(())
}

/// Puts the added tokens into the vocabulary, so that the crate gives them their own ids.
fn add_tokens(
    plan: &mut Plan,
    table: &mut TokenTable,
    entries: Vec<AddedEntry>,
    d_vocab: usize,
    alphabet: Alphabet,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    let mut homeless: Vec<String> = Vec::new();
    for AddedEntry { id, content: text, single_word, lstrip, rstrip, normalized, special: control } in entries {
        if text.is_empty() {
            continue;
        }
        if id as usize >= d_vocab {
            homeless.push(quote(&text));
            continue;
        }
        check_token(&text, id, d_vocab)?;
        let numbered = *plan.vocab.entry(text.clone()).or_insert(id);
        if numbered != id {
            let text = quote(&text);
            return Err(format!("its tokenizer numbers {text} both {numbered} and {id}; try another copy."));
        }
        let kind = if control { TokenKind::Control } else { TokenKind::UserDefined };
        let known = plan.added.iter().find(|added| added.special.id == id && added.special.text != text);
        if let Some(known) = known {
            let (text, other) = (quote(&text), quote(&known.special.text));
            return Err(format!("{text} and {other} of its tokenizer share the number {id}; try another copy."));
        }
        table.set(id, &text, kind, alphabet);
        let special = Special { id, text, lstrip, rstrip, single_word };
        plan.added.push(Added { special, control, normalized });
    }
    if let Some(first) = homeless.first() {
        warnings.push(format!(
            "The tokenizer names {} special tokens, {first} first, that the model has no embedding row for; they are left out.",
            homeless.len()
        ));
    }
    Ok(())
}

fn part<T: serde::de::DeserializeOwned>(value: Option<Value>, name: &str) -> Result<Option<T>, String> {
    let Some(value) = value else { return Ok(None) };
    let kind = value.get("type").and_then(Value::as_str).map(quote).unwrap_or_default();
    let parsed = std::panic::catch_unwind(|| serde_json::from_value(value));
    match parsed {
        Ok(Ok(part)) => Ok(Some(part)),
        _ => Err(format!("its tokenizer has a {name} {kind} that is not known here; try another model.")),
    }
}

fn alphabet(file: &File) -> Alphabet {
    let parts = || [&file.normalizer, &file.pre_tokenizer, &file.decoder].into_iter().flatten();
    let any = |name: &str| parts().any(|part| mentions(part, &|value| value.get("type").is_some_and(|t| t == name)));
    if any("ByteLevel") {
        Alphabet::Bytes
    } else if any("Metaspace")
        || any("ByteFallback")
        || file.model.byte_fallback == Some(true)
        || parts().any(|part| mentions(part, &|value| value.as_str().is_some_and(|text| text == "▁")))
    {
        Alphabet::Spaces
    } else {
        Alphabet::Plain
    }
}

/// Whether the test holds anywhere in a value. The reader of the JSON has limited its depth.
fn mentions(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    test(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| mentions(item, test)),
            Value::Object(map) => map.values().any(|item| mentions(item, test)),
            _ => false,
        }
}

fn check_expressions(part: &Value) -> Result<(), String> {
    let too_much = |value: &Value| {
        value.get("Regex").and_then(Value::as_str).is_some_and(|expression| {
            let depth = expression.bytes().filter(|b| matches!(b, b'(' | b'[')).count();
            expression.len() > MAX_EXPRESSION_BYTES || depth > 200
        })
    };
    match mentions(part, &too_much) {
        true => Err("its tokenizer has a regular expression too long to be trusted; try another copy.".into()),
        false => Ok(()),
    }
}

/// By how much a normaliser may multiply the length of a text.
fn growth(normalizer: &Value) -> usize {
    let text = |key: &str| normalizer.get(key).and_then(Value::as_str).map(str::len);
    match normalizer.get("type").and_then(Value::as_str) {
        Some("Sequence") => {
            let parts = normalizer.get("normalizers").and_then(Value::as_array);
            parts.into_iter().flatten().map(growth).fold(1, usize::saturating_mul)
        }
        Some("Replace") => {
            let pattern =
                normalizer.get("pattern").and_then(|p| p.get("String")).and_then(Value::as_str).map_or(0, str::len);
            let content = text("content").unwrap_or(0);
            if pattern == 0 { content + 1 } else { content.div_ceil(pattern).max(1) }
        }
        Some("Prepend") => text("prepend").unwrap_or(0).max(1),
        // Compatibility decomposition: one character becomes at most eighteen.
        Some("NFKC" | "NFKD") => 18,
        Some("NFC" | "NFD" | "ByteLevel") => 4,
        Some("Precompiled") => usize::MAX,
        _ => 1,
    }
}

/// The special token that a post-processor puts before a text.
fn first_special(post_processor: &Value) -> Option<&str> {
    match post_processor.get("type")?.as_str()? {
        "TemplateProcessing" => post_processor.get("single")?.get(0)?.get("SpecialToken")?.get("id")?.as_str(),
        "Sequence" => post_processor.get("processors")?.as_array()?.iter().find_map(first_special),
        _ => None,
    }
}
