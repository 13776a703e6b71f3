//! Opening the layout of llama.cpp: one GGUF file whose metadata hold the config, the tokenizer and the chat template.

use std::collections::HashMap;
use std::path::Path;

use super::checkpoint::{Checkpoint, Parts, TokenizerSource};
use super::error::{LoadError, Result, remedy};
use super::families::Family;
use super::gguf::{self, Header, Value};
use super::keys::{Keys, Origin};
use super::source::Source;
use super::switches;
use super::tensor::Entry;
use crate::engine::tokenizer::GgufVocabulary;
use crate::model::{Encoding, ModelConfig, Param, Positions, RopeScaling, TensorId};

/// Opens a GGUF file.
pub fn open_file(source: Source) -> Result<Checkpoint> {
    let Header { mut metadata, tensors } = gguf::read(&source)?;
    let (path, text) = (source.path.clone(), |metadata: &HashMap<String, Value>, key: &str| match metadata.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    });
    if let Some(Value::Int(n)) = metadata.get("split.count").filter(|n| **n != Value::Int(1)) {
        let problem = format!("is one of {n} parts of a model, which cannot be opened in parts");
        return Err(LoadError::new(&path, problem, "join them with llama-gguf-split --merge"));
    }
    let architecture = text(&metadata, "general.architecture").ok_or_else(|| {
        LoadError::new(
            &path,
            "does not say which family of models it holds (general.architecture)",
            remedy::UNSUPPORTED,
        )
    })?;
    let (family, mut config, ignored_keys) = {
        let keys = Keys::new(Origin::Gguf(&metadata, architecture.clone()), path.clone());
        let family = Family::of_gguf(&architecture, &keys)?;
        switches::refuse(&keys, switches::GGUF, family.reads)?;
        let config = (family.from_gguf)(&keys)?;
        // Families may share a name in GGUF; the config knows which it is.
        let family = Family::of(&config).unwrap_or(family);
        let asked = keys.asked();
        let prefix = format!("{architecture}.");
        let own = metadata.keys().filter_map(|key| key.strip_prefix(&prefix));
        let mut ignored: Vec<String> = own.filter(|key| !asked.contains(*key)).map(str::to_owned).collect();
        ignored.sort();
        (family, config, ignored)
    };
    let divisors = settle(&mut config, family, &tensors, &source)?;
    let vocabulary = vocabulary(&mut metadata, &path)?;
    let tokenizer = match vocabulary {
        Some(vocabulary) => TokenizerSource::Gguf(Box::new(vocabulary)),
        None => TokenizerSource::Missing,
    };
    Checkpoint::assemble(Parts {
        container: "GGUF",
        family,
        config,
        sources: vec![source],
        entries: tensors,
        is_gguf: true,
        tokenizer,
        chat_template: text(&metadata, "tokenizer.chat_template"),
        name: text(&metadata, "general.name"),
        license: text(&metadata, "general.license"),
        about: None,
        ignored_keys,
        divisors,
        notes: Vec::new(),
        path,
    })
}

/// Settles what only the tensors of a GGUF tell: the vocabulary's size, biases, a separate output table, RoPE divisors.
fn settle(config: &mut ModelConfig, family: &Family, tensors: &[Entry], source: &Source) -> Result<Option<String>> {
    let find = |name: &str| tensors.iter().find(|entry| entry.name == name);
    let first_layer = |param: Param| {
        let place = family.place(TensorId::layer(0, param));
        place.is_some_and(|place| find(&place.gguf.replace("{}", "0")).is_some())
    };
    if let Some(table) = find("token_embd.weight") {
        let rows = table.shape.first().copied().unwrap_or(1);
        // A config that does not say leaves 1, as it does for families whose files never say.
        if config.d_vocab > 1 && config.d_vocab != rows {
            let what = format!("sets “vocab_size” to {}, and its embedding table has {rows} rows", config.d_vocab);
            return Err(LoadError::new(&source.path, what, remedy::DAMAGED));
        }
        config.d_vocab = rows;
    }
    config.tied_embeddings = find("output.weight").is_none();
    config.qkv_bias = first_layer(Param::QBias);
    config.attn_out_bias = first_layer(Param::OBias);
    config.mlp_bias = first_layer(Param::UpBias);

    let Positions::Rotary(rotary) = &mut config.positions else { return Ok(None) };
    let name = "rope_freqs.weight";
    let Some(entry) = find(name) else { return Ok(None) };
    let bad = |problem: &str| LoadError::new(&source.path, problem, remedy::DAMAGED);
    if entry.encoding != Ok(Encoding::F32) || entry.shape != [rotary.d_rotary / 2] {
        return Err(bad("has RoPE divisors that do not fit its heads"));
    }
    let bytes = source.read(entry.range.0, entry.range.1)?;
    let divisors: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    if !divisors.iter().all(|d| d.is_finite() && *d > 0.0) {
        return Err(bad("has RoPE divisors that are not above zero"));
    }
    rotary.scaling = match rotary.scaling {
        RopeScaling::None => RopeScaling::Divisors(divisors),
        RopeScaling::Linear { factor } => {
            RopeScaling::Divisors(divisors.into_iter().map(|d| (f64::from(d) * factor) as f32).collect())
        }
        _ => return Err(bad("scales its positions in two ways at once")),
    };
    Ok(Some(name.into()))
}

/// Takes the vocabulary out of the metadata, whose lists are large and not needed twice. A value of a wrong type is an
/// error: left out without a word, it would change how text is split.
fn vocabulary(metadata: &mut HashMap<String, Value>, path: &Path) -> Result<Option<GgufVocabulary>> {
    let mut taker = Taker { metadata, path };
    let Some(tokens) = taker.list("tokens", "texts", texts)? else { return Ok(None) };
    let mut id = |key: &str| {
        let is_int = |value| if let Value::Int(id) = value { Some(u32::try_from(id).ok()) } else { None };
        Ok::<_, LoadError>(taker.value(key, "a whole number", is_int)?.flatten())
    };
    let (bos, eos, eot) = (id("bos_token_id")?, id("eos_token_id")?, id("eot_token_id")?);
    let (unk, pad) = (id("unknown_token_id")?, id("padding_token_id")?);
    let mut flag = |key: &str| {
        let is_bool = |value| if let Value::Bool(flag) = value { Some(flag) } else { None };
        taker.value(key, "true or false", is_bool)
    };
    let (add_bos, add_eos) = (flag("add_bos_token")?, flag("add_eos_token")?);
    let add_space_prefix = flag("add_space_prefix")?;
    let mut text = |key: &str| {
        let is_text = |value| if let Value::Text(text) = value { Some(text) } else { None };
        taker.value(key, "a text", is_text)
    };
    let (model, pre) = (text("model")?.unwrap_or_else(|| "gpt2".into()), text("pre")?);
    let types = |value| match value {
        Value::Ints(types) => Some(types.into_iter().map(|t| i32::try_from(t).unwrap_or(0)).collect()),
        _ => None,
    };
    let floats = |value| if let Value::Floats(scores) = value { Some(scores) } else { None };
    Ok(Some(GgufVocabulary {
        model,
        pre,
        tokens,
        token_types: taker.list("token_type", "whole numbers", types)?.unwrap_or_default(),
        scores: taker.list("scores", "numbers", floats)?.unwrap_or_default(),
        merges: taker.list("merges", "texts", texts)?.unwrap_or_default(),
        bos,
        eos,
        eot,
        unk,
        pad,
        add_bos,
        add_eos,
        add_space_prefix,
    }))
}

fn texts(value: Value) -> Option<Vec<String>> {
    if let Value::Texts(texts) = value { Some(texts) } else { None }
}

/// Takes values of the tokenizer out of the metadata, by type.
struct Taker<'a> {
    metadata: &'a mut HashMap<String, Value>,
    path: &'a Path,
}

impl Taker<'_> {
    /// A value; `what` says in a sentence what it must be.
    fn value<T>(&mut self, key: &str, what: &str, read: impl FnOnce(Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.metadata.remove(&format!("tokenizer.ggml.{key}")) else { return Ok(None) };
        let problem = || format!("gives its vocabulary's “{key}” a value that is not {what}");
        read(value).map(Some).ok_or_else(|| LoadError::new(self.path, problem(), remedy::DAMAGED))
    }

    /// A list of a kind. An empty list may have any type.
    fn list<T: Default>(&mut self, key: &str, of: &str, read: impl FnOnce(Value) -> Option<T>) -> Result<Option<T>> {
        let read = |value| match value {
            Value::Ints(list) if list.is_empty() => Some(T::default()),
            Value::Floats(list) if list.is_empty() => Some(T::default()),
            Value::Texts(list) if list.is_empty() => Some(T::default()),
            value => read(value),
        };
        self.value(key, &format!("a list of {of}"), read)
    }
}
