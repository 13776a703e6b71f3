//! Files that are broken, lie, or mean harm. Each must give one calm sentence that names a file, without a panic and
//! without taking memory for numbers that only stand in the file; or, where a file is merely odd, it must work.

mod disagree;
mod experts;
#[path = "../support/forge.rs"]
mod forge;
mod fuzz;
mod gguf;
mod hub;
mod memory;
mod odd;
mod program;
mod safetensors;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use glassbox::engine::tokenizer::{Specials, Tokenizer};
use glassbox::engine::{DeviceChoice, Opened, Request, loader, open_engine, open_tokenizer};
use glassbox::model::{Cancel, Capture, Interventions, LogitsWanted};

/// More than any of the tiny files may make the program take at once.
const MOST_MEMORY: usize = 64 << 20;

/// A model that opened.
struct Model {
    tokenizer: Tokenizer,
    opened: Opened,
}

/// Opens everything of a model, as the program does.
fn open(path: &Path) -> Result<Model, String> {
    let mut checkpoint = loader::open(path).map_err(|e| e.to_string())?;
    let tokenizer = open_tokenizer(&mut checkpoint)?;
    let opened = open_engine(&checkpoint, &DeviceChoice::Cpu, false, &Cancel::new(), &|_| {})?;
    Ok(Model { tokenizer, opened })
}

/// Opens and runs a few tokens; the error of either.
fn open_and_run(path: &Path) -> Result<Vec<f32>, String> {
    let mut model = open(path)?;
    let ids = model.tokenizer.encode("ab c", Specials::AsText).map_err(|e| e.to_string())?;
    run(&mut model, if ids.is_empty() { &[0] } else { &ids[..ids.len().min(3)] })
}

/// Runs tokens from an empty cache and returns the last logits.
fn run(model: &mut Model, tokens: &[u32]) -> Result<Vec<f32>, String> {
    let capture = Capture::all(model.opened.engine.config());
    let interventions = Interventions::none();
    let engine = model.opened.engine.as_mut();
    engine.truncate(0);
    let request = Request { tokens, capture: &capture, interventions: &interventions, logits: LogitsWanted::Last };
    engine.run(request).map(|output| output.logits).map_err(|e| e.to_string())
}

/// Runs `work`, which must neither panic nor take much memory.
fn calmly<R>(what: &str, work: impl FnOnce() -> R) -> R {
    let (result, peak) = memory::peak_of(|| catch_unwind(AssertUnwindSafe(work)));
    assert!(peak < MOST_MEMORY, "{what}: took {peak} bytes");
    result.unwrap_or_else(|_| panic!("{what}: panicked"))
}

/// Asserts that a model is refused with a good sentence that holds each of `says`.
fn refused(what: &str, path: &Path, says: &[&str]) {
    match calmly(what, || open_and_run(path)) {
        Ok(_) => panic!("{what}: opened and ran"),
        Err(sentence) => check_sentence(what, &sentence, says),
    }
}

/// Asserts that a model opens and runs.
fn works(what: &str, path: &Path) -> Vec<f32> {
    calmly(what, || open_and_run(path)).unwrap_or_else(|e| panic!("{what}: {e}"))
}

/// One sentence, short, on one line, that names what it must.
fn check_sentence(what: &str, sentence: &str, says: &[&str]) {
    assert!(sentence.ends_with('.'), "{what}: no full stop: {sentence}");
    assert!(!sentence.chars().any(char::is_control), "{what}: control characters: {sentence:?}");
    assert!(sentence.chars().count() < 420, "{what}: too long: {sentence}");
    for part in says {
        assert!(sentence.contains(part), "{what}: does not say “{part}”: {sentence}");
    }
}
