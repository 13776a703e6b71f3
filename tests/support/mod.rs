//! What several test files share: where test data lies.

#![allow(dead_code)] // Each test file uses its own part.

use std::path::{Path, PathBuf};

/// A file or folder under `tests/data`.
pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

/// The real test model, SmolLM2-135M-Instruct as Q4_1: named by `GLASSBOX_SMOLLM2`, or fetched into `target/smollm2` by
/// the gate. `None`, with a line printed, where it is not there.
pub fn smollm2() -> Option<PathBuf> {
    let named = std::env::var_os("GLASSBOX_SMOLLM2").map(PathBuf::from);
    if let Some(path) = &named {
        assert!(path.is_file(), "GLASSBOX_SMOLLM2 names {}, which is not a file", path.display());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/smollm2");
    let fetched = || {
        let files = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        files.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "gguf"))
    };
    let found = named.or_else(fetched);
    if found.is_none() {
        println!("skipped: no SmolLM2 (set GLASSBOX_SMOLLM2 to its GGUF file)");
    }
    found
}
