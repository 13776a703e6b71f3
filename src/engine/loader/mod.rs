//! From files to a model.
//!
//! [`open`] reads headers and configs only, decides which family the files hold, and checks every tensor that the
//! config asks for against the file's directory. What comes back is a [`Checkpoint`]: it hands out one parameter at a
//! time, in the file's own encoding, so that a model never stands in memory twice.
//!
//! Files are untrusted. Nothing is allocated by a number that was not checked against the file's length, and each
//! problem is one sentence ([`LoadError`]).

mod architecture;
mod checkpoint;
mod digest;
mod error;
mod families;
pub mod gguf;
mod gguf_config;
mod hub;
mod hub_config;
mod keys;
mod llamacpp;
mod places;
mod plan;
mod report;
mod rope;
mod safetensors;
mod source;
mod switches;
mod tensor;
mod write;

use std::path::Path;

pub use checkpoint::{Checkpoint, TokenizerSource};
pub use error::LoadError;
use error::Result;
pub use error::file_name;
pub(super) use error::remedy;
pub use families::{FAMILIES, Family};
pub use hub::{open_built_in, read_tokenizer};
pub use report::{Fit, LoadReport, PartCount, TensorRow};
pub use report::{bytes, grouped};
pub use source::Location;
use source::Source;
pub use write::{Saved, save_hub};

/// Opens a weight file or a folder. Content decides what a file is, not its name's ending.
pub fn open(path: &Path) -> Result<Checkpoint> {
    let metadata = std::fs::metadata(path).map_err(|e| LoadError::io(path, &e))?;
    if metadata.is_dir() {
        return hub::open_folder(path);
    }
    let source = Location::on_disk(path).open()?;
    refuse_pickle(&source)?;
    let head = source.head(16)?;
    let bad = |problem: &str, remedy| Err(LoadError::new(path, problem, remedy));
    let named = |ending: &str| path.extension().is_some_and(|e| e == ending);
    match head.as_slice() {
        [] => bad("is empty", remedy::DAMAGED),
        [b'G', b'G', b'U', b'F', ..] | [b'F', b'U', b'G', b'G', ..] => llamacpp::open_file(source),
        [b'{', ..] if named("json") => hub::open_folder(source::folder_of(path)),
        head if safetensors::looks_like(head, source.len, named("safetensors")) => hub::open_file(path),
        _ => bad("is neither GGUF nor safetensors", remedy::NOT_A_MODEL),
    }
}

/// Refuses what PyTorch saves, by its content: a pickle, or a zip of one.
fn refuse_pickle(source: &Source) -> Result<()> {
    match source.head(4)?.as_slice() {
        [0x80, 2..=5, ..] | [b'P', b'K', 3, 4] => Err(LoadError::new(
            &source.path,
            "is a pickle or zip file, which could run code when it is opened and is therefore never read",
            "export the model as .safetensors or .gguf",
        )),
        _ => Ok(()),
    }
}
