//! `glassbox inspect MODEL`.

use std::io::Write;

use clap::Args;

use crate::builtin::ModelFolders;
use crate::engine::{ModelSource, open_checkpoint};

/// Prints what a weight file holds.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The weight file or folder, or the id of a built-in model.
    #[arg(value_name = "MODEL")]
    file: ModelSource,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Reads headers only, so it is quick for any size.
    pub fn run(&self) -> Result<(), String> {
        let report = open_checkpoint(&self.file, &ModelFolders::of_this_program())?.report;
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
