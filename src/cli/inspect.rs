//! `glassbox inspect MODEL`.

use std::io::Write;

use clap::Args;

use crate::builtin::ModelFolders;
use crate::engine::{ModelSource, loader, open_checkpoint, open_tokenizer};

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
    /// Reads headers and the tokenizer, no weights, so it is quick for any size. A model whose tokenizer is missing or
    /// broken can be looked at, but not run: the report says so.
    pub fn run(&self) -> Result<(), String> {
        let mut checkpoint = open_checkpoint(&self.file, &ModelFolders::of_this_program())?;
        let tokenizer = match open_tokenizer(&mut checkpoint) {
            Ok(tokenizer) => {
                checkpoint.report.warnings.extend(tokenizer.warnings().iter().cloned());
                format!("{} tokens", loader::grouped(tokenizer.len() as u64))
            }
            Err(sentence) => {
                checkpoint.report.warnings.push(sentence);
                "none that can be used".to_owned()
            }
        };
        let text = if self.json {
            serde_json::to_string_pretty(&checkpoint.report).map_err(|e| e.to_string())? + "\n"
        } else {
            let template = if checkpoint.chat_template.is_some() { "yes" } else { "no" };
            format!(
                "Text\n  {:<24} {tokenizer}\n  {:<24} {template}\n{}",
                "tokenizer", "chat template", checkpoint.report
            )
        };
        // A closed pipe only means that nobody reads on.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(())
    }
}
