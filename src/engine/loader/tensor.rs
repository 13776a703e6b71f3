//! The directory of tensors in a container, whatever the container is.

use crate::model::Encoding;

/// A tensor as a file lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the file.
    pub name: String,
    /// Its axes, slowest first.
    pub shape: Vec<usize>,
    /// How its numbers are stored. `Err` holds the name of a type that cannot be read.
    pub encoding: Result<Encoding, String>,
    /// Which of the container's files it is in.
    pub file: usize,
    /// Its bytes in that file.
    pub range: (u64, u64),
}

impl Entry {
    /// Bytes that it takes.
    pub fn n_bytes(&self) -> u64 {
        self.range.1 - self.range.0
    }
}
