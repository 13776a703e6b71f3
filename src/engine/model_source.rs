//! Where a model comes from: a file, or the program; and how it is found there.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::loader::{self, Checkpoint, file_name};
use super::open_tokenizer;
use super::tokenizer::Tokenizer;
use crate::builtin::{self, ModelFolders};

/// A model to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A weight file or a folder.
    File(PathBuf),
    /// A model in the program, by its id.
    BuiltIn(String),
}

impl ModelSource {
    /// The model that opens on the first start.
    pub fn default_model() -> Self {
        Self::BuiltIn(builtin::default_model().id.to_owned())
    }

    /// A short name for one line on screen: the file's, or the model's title.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => file_name(path),
            Self::BuiltIn(id) => builtin::find(id).map_or_else(|| id.clone(), |model| model.about().title.clone()),
        }
    }

    /// The id of a built-in model.
    pub fn built_in(&self) -> Option<&str> {
        match self {
            Self::File(_) => None,
            Self::BuiltIn(id) => Some(id),
        }
    }
}

/// An argument of the command line: the id of a built-in model, else a file. A folder that is called like a model is
/// named with a path: `./story-dense`.
impl From<OsString> for ModelSource {
    fn from(argument: OsString) -> Self {
        match argument.to_str().and_then(builtin::find) {
            Some(model) => Self::BuiltIn(model.id.to_owned()),
            None => Self::File(argument.into()),
        }
    }
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::BuiltIn(id) => f.write_str(id),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_an_id_or_a_file() {
        let of = |argument: &str| ModelSource::from(OsString::from(argument));
        let id = builtin::default_model().id;
        assert_eq!(of(id), ModelSource::default_model());
        for file in [&format!("./{id}"), "model.gguf", "", "Story-dense"] {
            assert_eq!(of(file), ModelSource::File(file.into()));
        }
    }
}
