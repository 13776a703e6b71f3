//! A model, on disk or in the program, whose parameters can be read one at a time.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{LoadError, Result, file_name, printable, remedy};
use super::families::Family;
use super::plan::{Directory, Fetch};
use super::report::LoadReport;
use super::source::{Location, Source};
use super::tensor::Entry;
use crate::builtin::About;
use crate::engine::tokenizer::{GgufVocabulary, HubVocabulary};
use crate::model::{ModelConfig, TensorId, TensorSpec, WeightData};

/// A model whose headers were read and checked.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where it was opened from; for a model in the program, its id.
    pub path: PathBuf,
    /// Its architecture.
    pub config: ModelConfig,
    /// Where its tokenizer is.
    pub tokenizer: TokenizerSource,
    /// Its chat template, as source.
    pub chat_template: Option<String>,
    /// What was found.
    pub report: LoadReport,
    sources: Vec<Source>,
    entries: Vec<Entry>,
    plan: HashMap<TensorId, Fetch>,
}

/// Where a model's tokenizer is.
#[derive(Debug)]
pub enum TokenizerSource {
    /// A `tokenizer.json`, not read yet, and what the files beside it say.
    Json(Location, Box<HubVocabulary>),
    /// In the GGUF's metadata.
    Gguf(Box<GgufVocabulary>),
    /// Nowhere.
    Missing,
}

/// What a container's reader has found.
pub(super) struct Parts {
    pub path: PathBuf,
    pub container: &'static str,
    pub family: &'static Family,
    pub config: ModelConfig,
    pub sources: Vec<Source>,
    pub entries: Vec<Entry>,
    pub is_gguf: bool,
    pub tokenizer: TokenizerSource,
    pub chat_template: Option<String>,
    pub name: Option<String>,
    pub license: Option<String>,
    /// What the model says about itself.
    pub about: Option<About>,
    pub ignored_keys: Vec<String>,
    /// The tensor of RoPE divisors that was used, so that it does not count as ignored.
    pub divisors: Option<String>,
    /// What was noticed on the way, a sentence each.
    pub notes: Vec<String>,
}

impl Checkpoint {
    /// Checks the directory against the config's table and plans how to fetch each parameter.
    pub(super) fn assemble(parts: Parts) -> Result<Self> {
        let Parts { path, family, config, sources, entries, is_gguf, .. } = parts;
        let directory = Directory::new(family, &config, is_gguf, &entries);
        let mut plan = HashMap::new();
        for spec in config.tensors() {
            let fetch = directory.find(&spec).map_err(|problem| {
                let file = match (problem.entry, sources.as_slice()) {
                    (Some(entry), _) => &sources[entries[entry].file].path,
                    (None, [only]) => &only.path,
                    (None, _) => &path,
                };
                LoadError::new(file, problem.what, problem.remedy)
            })?;
            plan.insert(spec.id, fetch);
        }
        let used: BTreeSet<usize> = plan.values().map(|fetch| fetch.entry).collect();
        let unused: Vec<&Entry> = entries
            .iter()
            .enumerate()
            .filter(|(i, e)| !used.contains(i) && Some(&e.name) != parts.divisors.as_ref())
            .filter(|(_, e)| !family.buffers.iter().any(|ending| e.name.ends_with(ending)))
            .map(|(_, e)| e)
            .collect();
        for entry in &unused {
            if let Some(problem) = directory.contradiction(entry) {
                return Err(LoadError::new(&sources[entry.file].path, problem.what, problem.remedy));
            }
        }
        let ignored: Vec<String> = unused.iter().map(|e| e.name.clone()).collect();
        let places: HashMap<TensorId, usize> = plan.iter().map(|(id, fetch)| (*id, fetch.entry)).collect();
        let mut report = LoadReport::new(
            parts.container,
            &config,
            (parts.name, parts.license),
            &sources,
            &entries,
            &places,
            (ignored, parts.ignored_keys),
            parts.notes,
        );
        report.origin = path.display().to_string();
        report.about = parts.about;
        Ok(Self {
            path,
            config,
            tokenizer: parts.tokenizer,
            chat_template: parts.chat_template,
            report,
            sources,
            entries,
            plan,
        })
    }

    /// The names of the file and of the tensor that hold a parameter, fit for a sentence.
    pub fn place_of(&self, id: TensorId) -> (String, String) {
        match self.plan.get(&id).map(|fetch| &self.entries[fetch.entry]) {
            Some(entry) => (file_name(&self.sources[entry.file].path), printable(&entry.name)),
            None => (file_name(&self.path), id.to_string()),
        }
    }

    /// The files that the weights are in.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Reads one parameter.
    pub fn tensor(&self, spec: &TensorSpec) -> Result<WeightData> {
        let missing = || LoadError::new(&self.path, format!("lacks the tensor {}", spec.id), remedy::MISMATCH);
        let fetch = self.plan.get(&spec.id).ok_or_else(missing)?;
        let entry = &self.entries[fetch.entry];
        let Ok(encoding) = entry.encoding else { return Err(missing()) };
        let (begin, end) = fetch.bytes(entry);
        let bytes = self.sources[entry.file].read(begin, end)?;
        let bytes = fetch.reorder(bytes, entry, encoding);
        Ok(WeightData { encoding, shape: spec.shape.clone(), bytes: Arc::new(bytes) })
    }
}
