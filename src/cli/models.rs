//! `glassbox models`: the models in the program.

use std::io::Write;

use clap::Args;
use serde::Serialize;

use crate::builtin::{BUILTIN, ModelFolders};
use crate::engine::loader::{bytes, grouped};
use crate::engine::{ModelSource, open_checkpoint};

/// Lists the built-in models: id, title, parameters, size, and where each is read from.
#[derive(Debug, Args)]
pub struct Models {
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A model of the list.
#[derive(Debug, Serialize)]
struct Row {
    id: &'static str,
    title: String,
    description: String,
    n_params: u64,
    bytes: u64,
    from: String,
}

impl Models {
    /// Prints the list; what is wrong with a folder that should stand in for a model goes to standard error.
    pub fn run(&self) -> Result<(), String> {
        let rows = rows(&ModelFolders::of_this_program())?;
        let text = if self.json {
            serde_json::to_string_pretty(&rows).map_err(|e| e.to_string())? + "\n"
        } else {
            table(&rows)
        };
        // A closed pipe only means that nobody reads on.
        let _ = std::io::stdout().write_all(text.as_bytes());
        Ok(())
    }
}

fn rows(folders: &ModelFolders) -> Result<Vec<Row>, String> {
    let row = |model: &'static crate::builtin::BuiltIn| {
        let report = open_checkpoint(&ModelSource::BuiltIn(model.id.into()), folders)?.report;
        if let Some(fallback) = &report.fallback {
            eprintln!("note: {fallback}");
        }
        Ok(Row {
            id: model.id,
            title: report.name.unwrap_or_else(|| model.id.into()),
            description: report.about.map(|about| about.description).unwrap_or_default(),
            n_params: report.n_params,
            bytes: report.bytes_on_disk,
            from: report.origin,
        })
    };
    BUILTIN.iter().map(row).collect()
}

fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<18} {:<26} {:>12} {:>9}  {}\n", "id", "title", "parameters", "size", "from");
    for row in rows {
        let (params, size) = (grouped(row.n_params), bytes(row.bytes));
        text += &format!("{:<18} {:<26} {params:>12} {size:>9}  {}\n", row.id, row.title, row.from);
    }
    text
}
