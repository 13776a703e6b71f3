//! From a checkpoint to a running engine: choosing the device and moving the parameters there.

use std::collections::HashMap;
use std::path::Path;

use super::candle::CandleBackend;
use super::loader::{self, Checkpoint, LoadError, TokenizerSource, bytes, file_name, read_tokenizer, remedy};
use super::tokenizer::{HubVocabulary, Tokenizer};
use super::wgpu::{WgpuBackend, adapters};
use super::{DeviceChoice, Engine, ModelSource, Runner};
use crate::builtin::{self, ModelFolders};
use crate::model::{Backend, Cancel, DeviceKind, Weights};

/// A model whose parameters take no more bytes than this computes on the CPU unless a device is chosen: starting the
/// kernels would take longer than they run, and to look for a graphics processor takes longer than to open the model.
const SMALL: u64 = 32 << 20;

/// A place to compute, as a menu lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// What chooses it.
    pub choice: DeviceChoice,
    /// What kind it is.
    pub kind: DeviceKind,
    /// Its name.
    pub name: String,
    /// One line on what it is.
    pub detail: String,
}

/// An open engine, and what is to be said about how it was opened.
pub struct Opened {
    /// The engine.
    pub engine: Box<dyn Engine>,
    /// Set where another device computes than was asked for, with the reason.
    pub fallback: Option<String>,
    /// What was noticed in the weights.
    pub warnings: Vec<String>,
}

/// Every place to compute: the CPU, then each graphics adapter.
pub fn devices() -> Vec<Device> {
    let threads = rayon::current_num_threads();
    let cpu = Device {
        choice: DeviceChoice::Cpu,
        kind: DeviceKind::Cpu,
        name: "CPU".into(),
        detail: format!("{threads} threads, the reference"),
    };
    let adapter = |a: super::wgpu::AdapterInfo| Device {
        choice: DeviceChoice::Gpu(a.name.clone()),
        kind: a.kind,
        detail: match a.kind {
            DeviceKind::SoftwareGpu => format!("{}, emulated by the CPU: slow, for checking", a.api),
            _ => format!("{}, {}", a.api, a.driver),
        },
        name: a.name,
    };
    // An adapter that several interfaces reach is listed once, under the best of them.
    let mut list = vec![cpu];
    for device in adapters().into_iter().map(adapter) {
        if !list.iter().any(|known| known.name == device.name) {
            list.push(device);
        }
    }
    list
}

/// Reads a model's headers. A folder that stands in for a built-in model and is damaged is passed over for the copy in
/// the program; the report's `fallback` then says why.
pub fn open_checkpoint(source: &ModelSource, folders: &ModelFolders) -> Result<Checkpoint, String> {
    open_with(source, folders, Ok)
}

/// Reads a model's headers and its tokenizer, by the same rule.
pub fn open_source(source: &ModelSource, folders: &ModelFolders) -> Result<(Checkpoint, Tokenizer), String> {
    open_with(source, folders, |mut checkpoint| {
        let tokenizer = open_tokenizer(&mut checkpoint)?;
        Ok((checkpoint, tokenizer))
    })
}

fn open_with<T>(
    source: &ModelSource,
    folders: &ModelFolders,
    rest: impl Fn(Checkpoint) -> Result<T, String>,
) -> Result<T, String> {
    let on_disk = |path: &Path| loader::open(path).map_err(|e| e.to_string());
    let id = match source {
        ModelSource::File(path) if is_bare_name(path) && !path.exists() => {
            let (name, ids) = (path.display(), builtin::ids());
            return Err(format!("There is no file “{name}” here, and no such built-in model: those are {ids}."));
        }
        ModelSource::File(path) => return on_disk(path).and_then(rest),
        ModelSource::BuiltIn(id) => id,
    };
    let known = || format!("There is no built-in model “{id}”: choose one of {}.", builtin::ids());
    let model = builtin::find(id).ok_or_else(known)?;
    let mut fallback = None;
    if let Some(folder) = folders.find(id) {
        match on_disk(&folder).and_then(&rest) {
            Ok(opened) => return Ok(opened),
            Err(problem) => {
                fallback = Some(format!(
                    "The folder {} cannot stand in for the built-in model, so the copy in the program is open. {problem}",
                    folder.display()
                ));
            }
        }
    }
    let mut checkpoint = loader::open_built_in(model).map_err(|e| e.to_string())?;
    checkpoint.report.fallback = fallback;
    rest(checkpoint)
}

/// Whether a path looks like the id of a model that is not there.
fn is_bare_name(path: &Path) -> bool {
    path.extension().is_none() && path.components().count() == 1
}

/// The tokenizer that belongs to a checkpoint. Takes the vocabulary out of it, so that it is held once.
pub fn open_tokenizer(checkpoint: &mut Checkpoint) -> Result<Tokenizer, String> {
    let file = file_name(&checkpoint.path);
    let d_vocab = checkpoint.config.d_vocab;
    match std::mem::replace(&mut checkpoint.tokenizer, TokenizerSource::Missing) {
        TokenizerSource::Gguf(vocabulary) => {
            Tokenizer::from_gguf(*vocabulary, d_vocab, &file).map_err(|e| e.to_string())
        }
        TokenizerSource::Json(location, vocabulary) => {
            let json = read_tokenizer(&location).map_err(|e| e.to_string())?;
            let vocabulary = HubVocabulary { json, ..*vocabulary };
            Tokenizer::from_hub(vocabulary, d_vocab, &file_name(&location.path)).map_err(|e| e.to_string())
        }
        TokenizerSource::Missing if checkpoint.report.container == "GGUF" => Err(format!(
            "“{file}” has no tokenizer in its metadata: convert the model again, together with its tokenizer."
        )),
        TokenizerSource::Missing => {
            Err(format!("“{file}” has no tokenizer.json: put that of the model beside its weights."))
        }
    }
}

/// Moves a checkpoint's parameters to a device. `progress` hears how far that is, from 0 to 1.
pub fn open_engine(
    checkpoint: &Checkpoint,
    choice: &DeviceChoice,
    exact: bool,
    cancel: &Cancel,
    progress: &dyn Fn(f32),
) -> Result<Opened, String> {
    let gpu = match choice {
        DeviceChoice::Cpu => None,
        DeviceChoice::Auto if checkpoint.report.bytes_in_memory <= SMALL => None,
        // A software adapter would only be slower than the CPU itself: it has to be asked for.
        DeviceChoice::Auto if !adapters().iter().any(|a| a.kind == DeviceKind::Gpu) => {
            let fallback = "There is no graphics processor here: computing on the CPU.".to_owned();
            return on_cpu(checkpoint, exact, cancel, progress, Some(fallback));
        }
        choice => Some(WgpuBackend::open(choice, cancel.clone())),
    };
    match gpu {
        None => on_cpu(checkpoint, exact, cancel, progress, None),
        Some(Ok(backend)) => match upload(checkpoint, backend, cancel, progress) {
            Err(Problem::Device(reason)) if !cancel.is_cancelled() => {
                let fallback =
                    format!("The graphics processor cannot hold this model ({reason}): computing on the CPU.");
                on_cpu(checkpoint, exact, cancel, progress, Some(fallback))
            }
            other => other.map_err(|problem| problem.to_string()),
        },
        Some(Err(reason)) => {
            let fallback = format!("No graphics processor could be opened ({reason}): computing on the CPU.");
            on_cpu(checkpoint, exact, cancel, progress, Some(fallback))
        }
    }
}

fn on_cpu(
    checkpoint: &Checkpoint,
    exact: bool,
    cancel: &Cancel,
    progress: &dyn Fn(f32),
    fallback: Option<String>,
) -> Result<Opened, String> {
    let opened = upload(checkpoint, CandleBackend::new(exact), cancel, progress).map_err(|p| p.to_string())?;
    Ok(Opened { fallback, ..opened })
}

/// Why an upload stopped.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    File(#[from] LoadError),
    #[error("{0}")]
    Device(crate::model::Error),
}

fn upload<B: Backend + 'static>(
    checkpoint: &Checkpoint,
    backend: B,
    cancel: &Cancel,
    progress: &dyn Fn(f32),
) -> Result<Opened, Problem> {
    let table = checkpoint.config.tensors();
    let total = table.iter().map(|spec| spec.len()).sum::<u64>().max(1);
    check_memory(checkpoint, backend.device().kind)?;
    let (mut weights, mut done, mut bad) = (HashMap::new(), 0, Vec::new());
    for spec in &table {
        cancel.check().map_err(Problem::Device)?;
        let data = checkpoint.tensor(spec)?;
        if let Some(at) = data.first_non_finite() {
            bad.push(format!("{} (at {at})", spec.id));
        }
        weights.insert(spec.id, backend.upload(&data).map_err(Problem::Device)?);
        done += spec.len();
        progress(done as f32 / total as f32);
    }
    let runner = Runner::new(backend, checkpoint.config.clone(), Weights::new(weights)).map_err(Problem::Device)?;
    Ok(Opened { engine: Box::new(runner), fallback: None, warnings: warning(&bad).into_iter().collect() })
}

/// What to say of parameters that hold NaN or infinity.
fn warning(bad: &[String]) -> Option<String> {
    const FEW: usize = 3;
    let named = bad.iter().take(FEW).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if bad.len() > FEW { format!(" and {} more", bad.len() - FEW) } else { String::new() };
    (!bad.is_empty()).then(|| format!("Weights that are not numbers stand in {named}{more}: runs may stop there."))
}

/// Refuses a model that is larger than the memory that is free, before any of it is read.
fn check_memory(checkpoint: &Checkpoint, kind: DeviceKind) -> Result<(), LoadError> {
    let report = &checkpoint.report;
    // A graphics processor has memory of its own; only the largest parameter passes through ours.
    let needed = match kind {
        DeviceKind::Gpu => report.tensors.iter().map(|tensor| tensor.bytes).max().unwrap_or(0),
        _ => report.bytes_in_memory,
    };
    match free_memory() {
        Some(free) if needed > free => {
            let problem = format!("needs {} of memory, and {} are free", bytes(needed), bytes(free));
            Err(LoadError::new(&checkpoint.path, problem, remedy::MEMORY))
        }
        _ => Ok(()),
    }
}

/// Bytes of memory that a program may still take; `None` where the system has no such file (`proc(5)`).
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}
