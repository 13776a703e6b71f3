//! Where a model comes from.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::loader::file_name;
use crate::builtin;

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
