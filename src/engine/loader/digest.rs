//! What names a model's weights: the SHA-256 of its files.
//!
//! For a model of one file it is what `sha256sum` prints and what the Hub shows beside the file, so that a teacher can
//! check a lab report with tools at hand. For a model in several files it is the SHA-256 of the files' own hashes, as 64
//! hexadecimal digits each, one a line, in the order of the model's index.

use sha2::{Digest, Sha256};

use super::checkpoint::Checkpoint;
use super::error::Result;
use super::source::Source;

/// How much of a file is read at a time, in bytes.
const CHUNK: u64 = 1 << 20;

impl Checkpoint {
    /// The hash of the weights, as 64 hexadecimal digits. Reads the files whole: not for a thread that must answer.
    pub fn digest(&self) -> Result<String> {
        let each = self.sources().iter().map(of_file).collect::<Result<Vec<String>>>()?;
        Ok(match each.as_slice() {
            [only] => only.clone(),
            several => hex(&Sha256::digest(several.iter().map(|one| format!("{one}\n")).collect::<String>())),
        })
    }
}

fn of_file(source: &Source) -> Result<String> {
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < source.len {
        let end = (at + CHUNK).min(source.len);
        hash.update(source.read(at, end)?);
        at = end;
    }
    Ok(hex(&hash.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use crate::builtin;
    use crate::engine::loader::{open, open_built_in};

    #[test]
    fn it_is_the_hash_that_everybody_can_compute() {
        // From FIPS 180-4's examples: the SHA-256 of "abc".
        let abc = super::hex(&<super::Sha256 as super::Digest>::digest("abc"));
        assert_eq!(abc, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        // A model in the program and its folder on disk are the same file, which is read in several pieces.
        let model = builtin::default_model();
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model.id);
        let (inside, on_disk) =
            (open_built_in(model).unwrap().digest().unwrap(), open(&folder).unwrap().digest().unwrap());
        let bytes = model.file("model.safetensors").unwrap();
        assert_eq!(inside, super::hex(&<super::Sha256 as super::Digest>::digest(bytes)));
        assert!(bytes.len() as u64 > super::CHUNK);
        assert_eq!(inside, on_disk);
    }
}
