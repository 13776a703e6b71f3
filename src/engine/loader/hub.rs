//! Opening the layout of the Hugging Face Hub: a folder with `config.json`, weights in one or several safetensors files,
//! and the tokenizer beside them. The folder lies on disk or in the program.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::checkpoint::{Checkpoint, Parts, TokenizerSource};
use super::error::{LoadError, Result, file_name, printable, remedy};
use super::families::Family;
use super::keys::{Keys, Origin};
use super::safetensors;
use super::source::{Folder, Location, folder_of};
use super::switches;
use super::tensor::Entry;
use crate::builtin::{About, BuiltIn, LARGEST_ABOUT};
use crate::engine::tokenizer::{HubVocabulary, MAX_TOKENIZER_JSON_BYTES};

/// Largest `config.json` and its like.
const LARGEST_CONFIG: u64 = 16 << 20;

/// Opens a model in the program.
pub fn open_built_in(model: &'static BuiltIn) -> Result<Checkpoint> {
    let folder = Folder::Program(model);
    let mut checkpoint = open_with(folder, vec![folder.file("model.safetensors")], None)?;
    checkpoint.report.origin = format!("built in: {}", model.id);
    Ok(checkpoint)
}

/// Opens a folder on disk.
pub fn open_folder(folder: &Path) -> Result<Checkpoint> {
    if !is_there(&folder.join("config.json"))? {
        return open_gguf_of(folder)?
            .ok_or_else(|| LoadError::new(folder, "has no config.json and no .gguf file", remedy::NOT_A_MODEL));
    }
    let (whole, index) = (folder.join("model.safetensors"), folder.join("model.safetensors.index.json"));
    if is_there(&whole)? {
        return open_files(folder, vec![whole], None);
    }
    if is_there(&index)? {
        return open_index(folder, &index);
    }
    let weights = files_ending(folder, "safetensors")?;
    // Repositories of GGUF files often keep the original's config.json, which such a file does not need.
    if weights.is_empty()
        && let Some(opened) = open_gguf_of(folder)?
    {
        return Ok(opened);
    }
    match weights.as_slice() {
        [one] => open_files(folder, vec![one.clone()], None),
        [] if !files_ending(folder, "bin")?.is_empty() => Err(LoadError::new(
            folder,
            "holds its weights as pickle (.bin), which could run code when it is opened and is therefore never read",
            "export the model as .safetensors or .gguf",
        )),
        [] => Err(LoadError::new(folder, "has a config.json but no weights", "put model.safetensors beside it")),
        _ => Err(LoadError::new(folder, "holds several weight files and no index", "choose one of them")),
    }
}

/// Opens the only .gguf file of a folder, if there is any.
fn open_gguf_of(folder: &Path) -> Result<Option<Checkpoint>> {
    match files_ending(folder, "gguf")?.as_slice() {
        [] => Ok(None),
        [one] => super::open(one).map(Some),
        _ => Err(LoadError::new(folder, "holds several .gguf files", "choose one of them")),
    }
}

/// Opens one weight file, with the config in its folder. A shard opens the whole model.
pub fn open_file(path: &Path) -> Result<Checkpoint> {
    let folder = folder_of(path);
    if !is_there(&folder.join("config.json"))? {
        let problem = "needs the config.json of its model, and there is none in its folder";
        return Err(LoadError::new(path, problem, remedy::INCOMPLETE));
    }
    let index = folder.join("model.safetensors.index.json");
    let is_shard = path.file_name().is_some_and(|n| n.to_string_lossy().contains("-of-"));
    if is_shard && is_there(&index)? {
        return open_index(folder, &index);
    }
    open_files(folder, vec![path.to_owned()], None)
}

fn is_there(path: &Path) -> Result<bool> {
    Location::on_disk(path).is_there()
}

fn open_index(folder: &Path, index: &Path) -> Result<Checkpoint> {
    let (files, places) = safetensors::read_index(index)?;
    open_files(folder, files, Some((index, places)))
}

type Index<'a> = (&'a Path, BTreeMap<String, usize>);

/// Opens these files of a folder on disk.
fn open_files(folder: &Path, files: Vec<PathBuf>, index: Option<Index<'_>>) -> Result<Checkpoint> {
    open_with(Folder::Disk(folder), files.into_iter().map(Location::on_disk).collect(), index)
}

fn open_with(folder: Folder<'_>, files: Vec<Location>, index: Option<Index<'_>>) -> Result<Checkpoint> {
    let config_file = folder.file("config.json");
    let config = read_object(&config_file)?;
    let keys = Keys::new(Origin::Json(&config), config_file.path);
    let name = keys.text("model_type")?.ok_or_else(|| {
        keys.bad("does not say which family of models it is for (model_type)".into(), remedy::MISMATCH)
    })?;
    let family = Family::of_hub(&name, &keys)?;
    if keys.get("quantization_config").is_some() {
        let problem =
            "describes weights that were quantised after training (quantization_config), which is not supported";
        return Err(keys.bad(problem.into(), "open the original weights, or a GGUF of them"));
    }
    switches::refuse(&keys, switches::HUB, family.reads)?;
    let architecture = (family.from_hub)(&keys)?;

    let (mut sources, mut entries) = (Vec::new(), Vec::new());
    for (i, file) in files.iter().enumerate() {
        let source = file.open()?;
        entries.extend(safetensors::read(&source, i)?);
        sources.push(source);
    }
    if let Some((index, places)) = index {
        check_places(index, &places, &files, &entries)?;
    }

    let mut notes = Vec::new();
    let (tokenizer_config, generation, about) = (
        beside(&folder.file("tokenizer_config.json"), read_object, &mut notes).unwrap_or_default(),
        beside(&folder.file("generation_config.json"), read_object, &mut notes).unwrap_or_default(),
        beside(&folder.file("model.toml"), read_about, &mut notes),
    );
    let ids = |key: &str| token_ids(generation.get(key)).or_else(|| token_ids(config.get(key))).unwrap_or_default();
    let tokenizer_file = folder.file("tokenizer.json");
    let tokenizer = if tokenizer_file.is_there().unwrap_or(false) {
        let vocabulary = HubVocabulary {
            json: Vec::new(),
            bos: ids("bos_token_id").first().copied(),
            eos: ids("eos_token_id"),
            bos_token: token_text(tokenizer_config.get("bos_token")),
            eos_token: token_text(tokenizer_config.get("eos_token")),
            add_bos: tokenizer_config.get("add_bos_token").and_then(Json::as_bool),
        };
        TokenizerSource::Json(tokenizer_file, Box::new(vocabulary))
    } else {
        TokenizerSource::Missing
    };
    let ignored_keys = {
        let asked = keys.asked();
        config.keys().filter(|key| !asked.contains(*key) && !is_harmless(key)).cloned().collect()
    };
    Checkpoint::assemble(Parts {
        path: folder.path().to_owned(),
        container: "safetensors",
        family,
        config: architecture,
        sources,
        entries,
        is_gguf: false,
        tokenizer,
        chat_template: chat_template(&folder, &tokenizer_config),
        name: about.as_ref().map(|about| about.title.clone()),
        license: about.as_ref().map(|about| about.licence.clone()),
        about,
        ignored_keys,
        divisors: None,
        notes,
    })
}

/// Checks that each tensor is in the shard that the index says, and in no other.
fn check_places(index: &Path, places: &BTreeMap<String, usize>, files: &[Location], entries: &[Entry]) -> Result<()> {
    let bad = |problem: String| Err(LoadError::new(index, problem, remedy::DAMAGED));
    let mut found: HashMap<&str, usize> = HashMap::new();
    for entry in entries {
        if found.insert(&entry.name, entry.file).is_some() {
            return bad(format!("belongs to shards that hold “{}” twice", printable(&entry.name)));
        }
    }
    match places.iter().find(|(tensor, file)| found.get(tensor.as_str()) != Some(file)) {
        Some((tensor, file)) => {
            let (tensor, file) = (printable(tensor), file_name(&files[*file].path));
            bad(format!("says that “{tensor}” is in {file}, and it is not"))
        }
        None => Ok(()),
    }
}

/// Reads a file that need not be there; one that cannot be read is noted.
fn beside<T>(file: &Location, read: impl Fn(&Location) -> Result<T>, notes: &mut Vec<String>) -> Option<T> {
    if !file.is_there().unwrap_or(false) {
        return None;
    }
    read(file).map_err(|problem| notes.push(format!("{problem} It was left out."))).ok()
}

/// Reads a JSON object from a small file.
fn read_object(file: &Location) -> Result<serde_json::Map<String, Json>> {
    let bytes = file.read_small(LARGEST_CONFIG)?;
    let bad = |problem: String| LoadError::new(&file.path, problem, remedy::MISMATCH);
    match serde_json::from_slice(&bytes) {
        Ok(Json::Object(map)) => Ok(map),
        Ok(_) => Err(bad("is not a JSON object".into())),
        Err(e) => Err(bad(format!("is not valid JSON ({})", printable(&e.to_string())))),
    }
}

/// Reads what a model says about itself.
fn read_about(file: &Location) -> Result<About> {
    let bad = |problem: String| LoadError::new(&file.path, problem, "write it as models/README.md says");
    let text = String::from_utf8(file.read_small(LARGEST_ABOUT)?).map_err(|_| bad("is not UTF-8 text".into()))?;
    About::parse(&text).map_err(bad)
}

/// The chat template, from any of the places where it may be.
fn chat_template(folder: &Folder<'_>, tokenizer_config: &serde_json::Map<String, Json>) -> Option<String> {
    let beside = folder.file("chat_template.jinja").read_small(LARGEST_CONFIG).ok();
    if let Some(text) = beside.and_then(|bytes| String::from_utf8(bytes).ok()) {
        return Some(text);
    }
    match tokenizer_config.get("chat_template")? {
        Json::String(text) => Some(text.clone()),
        Json::Array(list) => {
            let named = |name: &str| list.iter().find(|t| t.get("name").is_some_and(|n| n == name));
            let one = named("default").or_else(|| list.first())?;
            one.get("template")?.as_str().map(str::to_owned)
        }
        _ => None,
    }
}

/// One id or a list of them.
fn token_ids(value: Option<&Json>) -> Option<Vec<u32>> {
    let id = |v: &Json| v.as_u64().and_then(|id| u32::try_from(id).ok());
    match value? {
        Json::Array(list) => Some(list.iter().filter_map(id).collect()),
        one => id(one).map(|id| vec![id]),
    }
}

/// A special token's text: plain, or the content of an added token.
fn token_text(value: Option<&Json>) -> Option<String> {
    let value = value?;
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// Reads a `tokenizer.json`, refusing one that is larger than any in use.
pub fn read_tokenizer(file: &Location) -> Result<Vec<u8>> {
    file.read_small(MAX_TOKENIZER_JSON_BYTES as u64)
}

/// Keys that do not change what a model computes at inference.
fn is_harmless(key: &str) -> bool {
    const NAMES: &[&str] = &[
        "architectures",
        "dtype",
        "torch_dtype",
        "transformers_version",
        "use_cache",
        "bos_token_id",
        "eos_token_id",
        "pad_token_id",
        "initializer_range",
        "pretraining_tp",
        "_name_or_path",
        "n_ctx",
        "max_window_layers",
        "sliding_window",
        "output_router_logits",
        "router_aux_loss_coef",
        "router_jitter_noise",
        "is_llama_config",
        "transformers.js_config",
    ];
    let endings = ["_pdrop", "_dropout", "dropout"];
    NAMES.contains(&key) || endings.iter().any(|e| key.ends_with(e)) || key.starts_with("summary_")
}

fn files_ending(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(|e| LoadError::io(folder, &e))?;
    let mut files: Vec<_> =
        entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    Ok(files)
}
