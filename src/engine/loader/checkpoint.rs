//! A model on disk whose parameters can be read one at a time.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{LoadError, Result, remedy};
use super::families::{Family, Place};
use super::gguf::{self, Header, Value};
use super::keys::{Keys, Origin};
use super::report::LoadReport;
use super::source::Source;
use super::tensor::Entry;
use crate::engine::tokenizer::{GgufVocabulary, HubVocabulary};
use crate::model::{Encoding, ModelConfig, Param, Positions, RopeScaling, TensorId, TensorSpec, WeightData};

/// A model whose headers were read and checked.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where it was opened from.
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
    Json(PathBuf, Box<HubVocabulary>),
    /// In the GGUF's metadata.
    Gguf(Box<GgufVocabulary>),
    /// Nowhere.
    Missing {
        /// Where it was looked for.
        looked: String,
    },
}

/// How a parameter comes out of a tensor of the file.
#[derive(Debug, Clone, Copy)]
struct Fetch {
    entry: usize,
    /// Outputs `begin..end` of the tensor.
    rows: (usize, usize),
    /// The file holds `[in, out]`.
    transposed: bool,
    /// The rows of each of this many heads alternate between the halves.
    permuted: Option<usize>,
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
    pub ignored_keys: Vec<String>,
    /// The tensor of RoPE divisors that was used, so that it does not count as ignored.
    pub divisors: Option<String>,
}

/// Opens a GGUF file.
pub(super) fn open_gguf(source: Source) -> Result<Checkpoint> {
    let Header { mut metadata, tensors } = gguf::read(&source)?;
    let (path, text) = (source.path.clone(), |metadata: &HashMap<String, Value>, key: &str| match metadata.get(key) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    });
    let architecture = text(&metadata, "general.architecture").ok_or_else(|| {
        LoadError::new(
            &path,
            "does not say which family of models it holds (general.architecture)",
            remedy::UNSUPPORTED,
        )
    })?;
    let (family, mut config, ignored_keys) = {
        let keys = Keys::new(Origin::Gguf(&metadata, architecture.clone()), path.clone());
        let family = Family::find(&architecture, &keys)?;
        let config = (family.from_gguf)(&keys)?;
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
        None => TokenizerSource::Missing { looked: "its metadata (tokenizer.ggml.tokens)".into() },
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
        ignored_keys,
        divisors,
        path,
    })
}

/// Settles what only the tensors of a GGUF tell: the vocabulary's size, biases, a separate output table, RoPE divisors.
fn settle(config: &mut ModelConfig, family: &Family, tensors: &[Entry], source: &Source) -> Result<Option<String>> {
    let find = |name: &str| tensors.iter().find(|entry| entry.name == name);
    let first_layer = |param: Param| {
        let place = family.places.iter().find(|place| place.param == param);
        place.is_some_and(|place| find(&place.gguf.replace("{}", "0")).is_some())
    };
    if let Some(table) = find("token_embd.weight") {
        config.d_vocab = table.shape[0];
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
    rotary.scaling = RopeScaling::Divisors(divisors);
    Ok(Some(name.into()))
}

/// Takes the vocabulary out of the metadata, whose lists are large and not needed twice.
fn vocabulary(metadata: &mut HashMap<String, Value>, path: &std::path::Path) -> Result<Option<GgufVocabulary>> {
    let mut take = |key: &str| metadata.remove(&format!("tokenizer.ggml.{key}"));
    let tokens = match take("tokens") {
        Some(Value::Texts(tokens)) => tokens,
        None => return Ok(None),
        Some(_) => return Err(LoadError::new(path, "has a vocabulary that is not a list of texts", remedy::DAMAGED)),
    };
    let mut id = |key: &str| match take(key) {
        Some(Value::Int(id)) => u32::try_from(id).ok(),
        _ => None,
    };
    let (bos, eos, eot, unk, pad) =
        (id("bos_token_id"), id("eos_token_id"), id("eot_token_id"), id("unknown_token_id"), id("padding_token_id"));
    let mut flag = |key: &str| match take(key) {
        Some(Value::Bool(flag)) => Some(flag),
        _ => None,
    };
    let (add_bos, add_eos, add_space_prefix) = (flag("add_bos_token"), flag("add_eos_token"), flag("add_space_prefix"));
    let mut text = |key: &str| match take(key) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    };
    let (model, pre) = (text("model").unwrap_or_else(|| "gpt2".into()), text("pre"));
    let token_types = match take("token_type") {
        Some(Value::Ints(types)) => types.into_iter().map(|t| i32::try_from(t).unwrap_or(0)).collect(),
        _ => Vec::new(),
    };
    let scores = match take("scores") {
        Some(Value::Floats(scores)) => scores,
        _ => Vec::new(),
    };
    let merges = match take("merges") {
        Some(Value::Texts(merges)) => merges,
        _ => Vec::new(),
    };
    Ok(Some(GgufVocabulary {
        model,
        pre,
        tokens,
        token_types,
        scores,
        merges,
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

impl Checkpoint {
    /// Checks the directory against the config's table and plans how to fetch each parameter.
    pub(super) fn assemble(parts: Parts) -> Result<Self> {
        let Parts { path, family, config, sources, entries, is_gguf, .. } = parts;
        let names: HashMap<&str, usize> = entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
        let mut plan = HashMap::new();
        let mut used: BTreeSet<usize> = BTreeSet::new();
        for spec in config.tensors() {
            let fetch = find(&spec, family, &config, is_gguf, &entries, &names)
                .map_err(|(problem, remedy)| LoadError::new(&path, problem, remedy))?;
            used.insert(fetch.entry);
            plan.insert(spec.id, fetch);
        }
        let ignored: Vec<String> = entries
            .iter()
            .enumerate()
            .filter(|(i, e)| !used.contains(i) && Some(&e.name) != parts.divisors.as_ref())
            .filter(|(_, e)| !family.buffers.iter().any(|ending| e.name.ends_with(ending)))
            .map(|(_, e)| e.name.clone())
            .collect();
        let places: HashMap<TensorId, usize> = plan.iter().map(|(id, fetch)| (*id, fetch.entry)).collect();
        let report = LoadReport::new(
            &path,
            parts.container,
            &config,
            (parts.name, parts.license),
            &sources,
            &entries,
            &places,
            (ignored, parts.ignored_keys),
        );
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

    /// Reads one parameter.
    pub fn tensor(&self, spec: &TensorSpec) -> Result<WeightData> {
        let missing = || LoadError::new(&self.path, format!("lacks the tensor {}", spec.id), remedy::MISMATCH);
        let fetch = self.plan.get(&spec.id).ok_or_else(missing)?;
        let entry = &self.entries[fetch.entry];
        let Ok(encoding) = entry.encoding else { return Err(missing()) };
        let source = &self.sources[entry.file];
        let (begin, end) = fetch.rows;
        let bytes = if fetch.transposed {
            let all = source.read(entry.range.0, entry.range.1)?;
            transpose(&all, entry.shape[0], entry.shape[1], (begin, end), encoding.block_bytes())
        } else {
            // Outputs lie one after the other, each a whole number of blocks.
            let n_rows = entry.shape[0] as u64;
            let row = entry.n_bytes() / n_rows;
            let from = entry.range.0 + begin as u64 * row;
            let bytes = source.read(from, from + (end - begin) as u64 * row)?;
            match fetch.permuted {
                Some(heads) => unpermute(&bytes, heads, (end - begin) / heads, row as usize),
                None => bytes,
            }
        };
        Ok(WeightData { encoding, shape: spec.shape.clone(), bytes: Arc::from(bytes) })
    }
}

type Problem = (String, &'static str);

/// Finds the tensor of the file that holds a parameter.
fn find(
    spec: &TensorSpec,
    family: &Family,
    config: &ModelConfig,
    is_gguf: bool,
    entries: &[Entry],
    names: &HashMap<&str, usize>,
) -> std::result::Result<Fetch, Problem> {
    let TensorId { layer, param } = spec.id;
    let place = family.places.iter().find(|place| place.param == param);
    let Some(place) = place else {
        return Err((format!("asks for {}, which models of its family do not have", spec.id), remedy::UNSUPPORTED));
    };
    let name = if is_gguf { place.gguf } else { place.hub };
    let name = layer.map_or_else(|| name.to_owned(), |layer| name.replace("{}", &layer.to_string()));
    let entry = names.get(name.as_str()).or_else(|| {
        let bare = name.strip_prefix(family.hub_prefix).map(str::to_owned);
        names.get(bare.unwrap_or_else(|| format!("{}{name}", family.hub_prefix)).as_str()).filter(|_| !is_gguf)
    });
    let Some(&entry) = entry else {
        let (problem, remedy) = if entries.is_empty() {
            ("holds no tensors".to_owned(), remedy::DAMAGED)
        } else {
            (format!("lacks the tensor “{name}”, which its config asks for"), remedy::MISMATCH)
        };
        return Err((problem, remedy));
    };

    let found = &entries[entry];
    if let Err(kind) = &found.encoding {
        return Err((format!("stores “{name}” as {kind}, which cannot be read"), remedy::CONVERT));
    }
    // Only the matrices of the blocks are stored the other way round, not the embedding tables.
    let transposed = !is_gguf && family.hub_transposed && layer.is_some() && spec.shape.len() == 2;
    let rows = rows_of(place, config, spec);
    let n_rows = if place.fused_qkv { fused_rows(config) } else { spec.shape[0] };
    let mut wanted = spec.shape.clone();
    wanted[0] = n_rows;
    if transposed {
        wanted.reverse();
    }
    // GGUF tools write a vector as one row.
    let squeezed: Vec<usize> = found.shape.iter().copied().skip_while(|n| *n == 1).collect();
    let fits = found.shape == wanted || (spec.shape.len() == 1 && squeezed == wanted);
    if !fits {
        let problem = format!("holds “{name}” with shape {:?}, and its config asks for {wanted:?}", found.shape);
        return Err((problem, remedy::MISMATCH));
    }
    let permuted = (is_gguf && family.gguf_permuted)
        .then(|| match param {
            Param::Q | Param::QBias => Some(config.n_heads),
            Param::K | Param::KBias => Some(config.n_kv_heads),
            _ => None,
        })
        .flatten();
    Ok(Fetch { entry, rows, transposed, permuted })
}

fn fused_rows(config: &ModelConfig) -> usize {
    (config.n_heads + 2 * config.n_kv_heads) * config.d_head
}

/// The outputs of the file's tensor that belong to a parameter.
fn rows_of(place: &Place, config: &ModelConfig, spec: &TensorSpec) -> (usize, usize) {
    if !place.fused_qkv {
        return (0, spec.shape[0]);
    }
    let (q, kv) = (config.n_heads * config.d_head, config.n_kv_heads * config.d_head);
    match place.param {
        Param::Q | Param::QBias => (0, q),
        Param::K | Param::KBias => (q, q + kv),
        _ => (q + kv, q + 2 * kv),
    }
}

/// Columns `begin..end` of a matrix `[n_in, n_out]` as rows, for values of `size` bytes.
fn transpose(bytes: &[u8], n_in: usize, n_out: usize, (begin, end): (usize, usize), size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity((end - begin) * n_in * size);
    for column in begin..end {
        for row in 0..n_in {
            let at = (row * n_out + column) * size;
            out.extend_from_slice(&bytes[at..at + size]);
        }
    }
    out
}

/// Brings rows that alternate between the halves of a head back into halves: row 2i + j of a head becomes row
/// i + j·width/2. Whole rows move, so it works on encoded blocks.
fn unpermute(bytes: &[u8], heads: usize, width: usize, row: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for head in 0..heads {
        for half in 0..2 {
            for i in 0..width / 2 {
                let at = (head * width + 2 * i + half) * row;
                out.extend_from_slice(&bytes[at..at + row]);
            }
        }
    }
    out
}
