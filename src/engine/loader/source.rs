//! A file on disk that is read with plain, checked reads.
//!
//! Files are not mapped into memory: a mapped file that shrinks while it is read kills the process. Every read names its
//! range, which is checked against the length before anything is allocated.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::error::{LoadError, Result, remedy};

/// An open file of known length.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// Its length in bytes when it was opened.
    pub len: u64,
    file: Mutex<File>,
}

impl Source {
    /// Opens a regular file.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |e: std::io::Error| LoadError::io(path, &e);
        // Looked at before it is opened: to open a named pipe would wait for its writer.
        if !std::fs::metadata(path).map_err(io)?.is_file() {
            return Err(LoadError::new(path, "is not a regular file", remedy::NOT_A_MODEL));
        }
        let file = File::open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        Ok(Self { path: path.to_owned(), len: metadata.len(), file: Mutex::new(file) })
    }

    /// The bytes `begin..end`.
    pub fn read(&self, begin: u64, end: u64) -> Result<Vec<u8>> {
        let damaged = || LoadError::new(&self.path, "ends before its data do", remedy::DAMAGED);
        if begin > end || end > self.len {
            return Err(damaged());
        }
        let len = usize::try_from(end - begin).map_err(|_| damaged())?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| {
            LoadError::new(&self.path, format!("needs {len} bytes at once, which are not free"), remedy::MEMORY)
        })?;
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        file.seek(SeekFrom::Start(begin)).map_err(|e| LoadError::io(&self.path, &e))?;
        let read = file.by_ref().take(len as u64).read_to_end(&mut bytes).map_err(|e| LoadError::io(&self.path, &e))?;
        if read < len {
            return Err(LoadError::new(&self.path, "became shorter while it was read", remedy::DAMAGED));
        }
        Ok(bytes)
    }

    /// The first bytes, at most `n`.
    pub fn head(&self, n: u64) -> Result<Vec<u8>> {
        self.read(0, n.min(self.len))
    }
}

/// Reads a whole small file, refusing one over `cap` bytes.
pub fn read_small(path: &Path, cap: u64) -> Result<Vec<u8>> {
    let source = Source::open(path)?;
    if source.len > cap {
        let problem = format!("is {} MB long, and at most {} MB are read", source.len >> 20, cap >> 20);
        return Err(LoadError::new(path, problem, "use the original file"));
    }
    source.read(0, source.len)
}
