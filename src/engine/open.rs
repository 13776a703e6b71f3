//! From a checkpoint to a running engine: choosing the device and moving the parameters there.

use std::collections::HashMap;
use std::fmt;

use super::candle::CandleBackend;
use super::loader::{Checkpoint, LoadError, TokenizerSource, bytes, file_name, read_tokenizer, remedy};
use super::tokenizer::{HubVocabulary, Tokenizer};
use super::wgpu::{WgpuBackend, adapters};
use super::{DeviceChoice, Engine, Runner, memory};
use crate::model::{Backend, Cancel, DeviceKind, HookPoint, Weights};

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
    /// Weights that are not numbers, if there are any.
    pub not_numbers: Option<NotNumbers>,
}

/// Tensors of a file that hold NaN or infinity. Prints as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNumbers {
    file: String,
    tensors: Vec<String>,
}

impl NotNumbers {
    /// Says why a run that met them failed.
    pub fn blame(&self, point: HookPoint) -> String {
        format!("{self:#}, which spoil the run from {point} on: {}.", remedy::DAMAGED)
    }
}

impl fmt::Display for NotNumbers {
    /// With `#` the sentence is left open.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, rest) = (self.tensors.first().map_or("", String::as_str), self.tensors.len().saturating_sub(1));
        write!(f, "“{}” holds values that are not numbers in “{first}”", self.file)?;
        match rest {
            0 => {}
            1 => f.write_str(" and one more tensor")?,
            n => write!(f, " and {n} more tensors")?,
        }
        if f.alternate() { Ok(()) } else { write!(f, ": {}.", remedy::DAMAGED) }
    }
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
    let (mut weights, mut done, mut bad) = (HashMap::new(), 0, None::<NotNumbers>);
    for spec in &table {
        cancel.check().map_err(Problem::Device)?;
        let data = checkpoint.tensor(spec)?;
        if data.first_non_finite().is_some() {
            let (file, tensor) = checkpoint.place_of(spec.id);
            bad.get_or_insert_with(|| NotNumbers { file, tensors: Vec::new() }).tensors.push(tensor);
        }
        weights.insert(spec.id, backend.upload(&data).map_err(Problem::Device)?);
        done += spec.len();
        progress(done as f32 / total as f32);
    }
    let runner = Runner::new(backend, checkpoint.config.clone(), Weights::new(weights)).map_err(Problem::Device)?;
    Ok(Opened { engine: Box::new(runner), fallback: None, not_numbers: bad })
}

/// Refuses a model that is larger than the memory that is free, before any of it is read.
fn check_memory(checkpoint: &Checkpoint, kind: DeviceKind) -> Result<(), LoadError> {
    let report = &checkpoint.report;
    // A graphics processor has memory of its own; only the largest parameter passes through ours.
    let needed = match kind {
        DeviceKind::Gpu => report.tensors.iter().map(|tensor| tensor.bytes).max().unwrap_or(0),
        _ => report.bytes_in_memory,
    };
    match memory::free() {
        Some(free) if needed > free => {
            let problem = format!("needs {} of memory, and {} are free", bytes(needed), bytes(free));
            Err(LoadError::new(&checkpoint.path, problem, remedy::MEMORY))
        }
        _ => Ok(()),
    }
}
