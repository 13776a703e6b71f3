//! The models that Glassbox brings with it.
//!
//! A built-in model is an ordinary folder of the Hub, `models/<id>`, that any program can open: `config.json`,
//! `model.safetensors` and `tokenizer.json`, and beside them `model.toml`, which says what the model is for and how it
//! was made ([`About`]). The folder is compiled into the program, so that the first start needs no download and no file.
//!
//! **The folder wins.** A folder `<id>` in the directory that `GLASSBOX_MODELS` names, or in `models` beside the
//! program's own file, stands in for the copy in the program ([`ModelFolders`]): whoever trains a model again tries it by
//! putting it there.
//!
//! This room holds data only. How a folder is read is the loader's business, and it reads one on disk and one in the
//! program with the same code.

mod about;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

pub use about::{About, LARGEST_ABOUT};

/// The environment variable that names a directory of models.
pub const MODELS_VARIABLE: &str = "GLASSBOX_MODELS";

/// Names of the files of a built-in model.
pub const FILES: [&str; 4] = ["config.json", "model.safetensors", "tokenizer.json", "model.toml"];

/// A model in the program.
#[derive(Debug)]
pub struct BuiltIn {
    /// What chooses it: the name of its folder.
    pub id: &'static str,
    /// The bytes of [`FILES`], in their order.
    files: [&'static [u8]; 4],
    about: LazyLock<About>,
}

macro_rules! built_in {
    ($($id:literal),+ $(,)?) => {
        [$(BuiltIn {
            id: $id,
            files: [
                built_in!(@file $id, "config.json"),
                built_in!(@file $id, "model.safetensors"),
                built_in!(@file $id, "tokenizer.json"),
                built_in!(@file $id, "model.toml"),
            ],
            about: LazyLock::new(|| About::of_program($id, built_in!(@file $id, "model.toml"))),
        }),+]
    };
    (@file $id:literal, $name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/models/", $id, "/", $name))
    };
}

/// Every model in the program, the default one first; a test compares the list with the folder.
pub static BUILTIN: [BuiltIn; 3] = built_in!["story-dense", "story-moe", "story-base-small"];

/// The model that opens on the first start.
pub fn default_model() -> &'static BuiltIn {
    &BUILTIN[0]
}

/// The model with an id.
pub fn find(id: &str) -> Option<&'static BuiltIn> {
    BUILTIN.iter().find(|model| model.id == id)
}

/// Every id, for a sentence that says what there is.
pub fn ids() -> String {
    BUILTIN.iter().map(|model| model.id).collect::<Vec<_>>().join(", ")
}

impl BuiltIn {
    /// What its `model.toml` says.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// One of its files, by its name.
    pub fn file(&self, name: &str) -> Option<&'static [u8]> {
        let i = FILES.iter().position(|file| *file == name)?;
        Some(self.files[i])
    }

    /// Bytes of all its files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }
}

/// Directories whose folders stand in for built-in models of the same name, the first one first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelFolders(Vec<PathBuf>);

impl ModelFolders {
    /// No directory: the copies in the program are used.
    pub fn none() -> Self {
        Self::default()
    }

    /// The directory that [`MODELS_VARIABLE`] names, then `models` beside the program.
    pub fn of_this_program() -> Self {
        let program = std::env::current_exe().ok();
        Self::of(std::env::var_os(MODELS_VARIABLE), program.as_deref())
    }

    /// The same rule for any variable's value and any program.
    pub fn of(variable: Option<OsString>, program: Option<&Path>) -> Self {
        let named = variable.filter(|value| !value.is_empty()).map(PathBuf::from);
        let beside = program.and_then(Path::parent).map(|folder| folder.join("models"));
        Self(named.into_iter().chain(beside).collect())
    }

    /// The folder that stands in for a model. It may be damaged; that is for the loader to find out.
    pub fn find(&self, id: &str) -> Option<PathBuf> {
        self.0.iter().map(|directory| directory.join(id)).find(|folder| folder.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_the_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let mut on_disk: Vec<_> = entries.filter(|path| path.is_dir()).collect();
        on_disk.sort();
        let mut listed: Vec<_> = BUILTIN.iter().map(|model| folder.join(model.id)).collect();
        listed.sort();
        assert_eq!(on_disk, listed);
        for model in &BUILTIN {
            for name in FILES {
                let file = folder.join(model.id).join(name);
                assert_eq!(model.file(name).unwrap(), std::fs::read(&file).unwrap(), "{}", file.display());
            }
            assert_eq!(model.file("pytorch_model.bin"), None);
        }
    }

    #[test]
    fn every_model_says_what_it_is() {
        for model in &BUILTIN {
            let text = std::str::from_utf8(model.file("model.toml").unwrap()).unwrap();
            let about = About::parse(text).unwrap_or_else(|e| panic!("{} {e}", model.id));
            assert_eq!((about.id.as_str(), &about), (model.id, model.about()));
            assert!(!about.prompts.is_empty(), "{} suggests prompts", model.id);
        }
        let titles: std::collections::BTreeSet<_> = BUILTIN.iter().map(|model| &model.about().title).collect();
        assert_eq!(titles.len(), BUILTIN.len(), "each has a title of its own");
    }

    #[test]
    fn the_variable_comes_before_the_folder_beside_the_program() {
        let program = Path::new("/opt/glassbox/glassbox");
        let both = ModelFolders::of(Some("/trained".into()), Some(program));
        assert_eq!(both.0, [PathBuf::from("/trained"), PathBuf::from("/opt/glassbox/models")]);
        assert_eq!(ModelFolders::of(Some("".into()), None), ModelFolders::none());
    }
}
