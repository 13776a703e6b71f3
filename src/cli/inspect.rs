//! `glassbox inspect FILE`.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::engine::loader;

/// Prints what a weight file holds.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The file or folder.
    file: PathBuf,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Reads headers only, so it is quick for any size.
    pub fn run(&self) -> Result<(), String> {
        let report = loader::open(&self.file).map_err(|e| e.to_string())?.report;
        let text = if self.json {
            serde_json::to_string_pretty(&report).map_err(|e| e.to_string())? + "\n"
        } else {
            report.to_string()
        };
        // A closed pipe only means that nobody reads on.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(())
    }
}
