//! A file that is read with plain, checked reads: one on disk, or one that was compiled into the program.
//!
//! Files are not mapped into memory: a mapped file that shrinks while it is read kills the process. Every read names its
//! range, which is checked against the length before anything is allocated.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::error::{LoadError, Result, remedy};
use crate::builtin::BuiltIn;

/// A folder of files: on disk, or in the program.
#[derive(Debug, Clone, Copy)]
pub enum Folder<'a> {
    /// A folder on disk.
    Disk(&'a Path),
    /// A model in the program.
    Program(&'static BuiltIn),
}

impl Folder<'_> {
    /// What it is called in messages: its path, or the model's id.
    pub fn path(&self) -> &Path {
        match self {
            Self::Disk(path) => path,
            Self::Program(model) => Path::new(model.id),
        }
    }

    /// One of its files, which need not be there.
    pub fn file(&self, name: &str) -> Location {
        let place = match self {
            Self::Disk(_) => Place::Disk,
            Self::Program(model) => model.file(name).map_or(Place::Nowhere, Place::Program),
        };
        Location { path: self.path().join(name), place }
    }
}

/// The folder that a file is in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a file is. Nothing of it was read yet.
#[derive(Debug, Clone)]
pub struct Location {
    /// Its path; for a file in the program, what it is called in messages.
    pub path: PathBuf,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    Disk,
    Program(&'static [u8]),
    Nowhere,
}

impl Location {
    /// A file on disk.
    pub fn on_disk(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), place: Place::Disk }
    }

    /// Whether something is there. Not to be allowed to look is an error, not an absence, and the folder's, not the
    /// file's.
    pub fn is_there(&self) -> Result<bool> {
        match self.place {
            Place::Disk => self.path.try_exists().map_err(|e| {
                let closed = e.kind() == std::io::ErrorKind::PermissionDenied;
                LoadError::io(if closed { folder_of(&self.path) } else { &self.path }, &e)
            }),
            Place::Program(_) => Ok(true),
            Place::Nowhere => Ok(false),
        }
    }

    /// Opens it for reading; on disk it must be a regular file.
    pub fn open(&self) -> Result<Source> {
        let io = |e: std::io::Error| LoadError::io(&self.path, &e);
        let (len, content) = match self.place {
            Place::Disk => {
                // Looked at before it is opened: to open a named pipe would wait for its writer.
                if !std::fs::metadata(&self.path).map_err(io)?.is_file() {
                    return Err(LoadError::new(&self.path, "is not a regular file", remedy::NOT_A_MODEL));
                }
                let file = File::open(&self.path).map_err(io)?;
                (file.metadata().map_err(io)?.len(), Content::File(Mutex::new(file)))
            }
            Place::Program(bytes) => (bytes.len() as u64, Content::Bytes(bytes)),
            Place::Nowhere => return Err(io(std::io::ErrorKind::NotFound.into())),
        };
        Ok(Source { path: self.path.clone(), len, content })
    }

    /// Reads a whole small file, refusing one over `cap` bytes.
    pub fn read_small(&self, cap: u64) -> Result<Vec<u8>> {
        let source = self.open()?;
        if source.len > cap {
            let problem = format!("is {} MB long, and at most {} MB are read", source.len >> 20, cap >> 20);
            return Err(LoadError::new(&self.path, problem, "use the original file"));
        }
        source.read(0, source.len)
    }
}

/// An open file of known length.
#[derive(Debug)]
pub struct Source {
    /// Where it is; for a file in the program, what it is called in messages.
    pub path: PathBuf,
    /// Its length in bytes when it was opened.
    pub len: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    File(Mutex<File>),
    Bytes(&'static [u8]),
}

impl Source {
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
        match &self.content {
            Content::Bytes(all) => bytes.extend_from_slice(&all[begin as usize..end as usize]),
            Content::File(file) => {
                let io = |e: std::io::Error| LoadError::io(&self.path, &e);
                let mut file = file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                file.seek(SeekFrom::Start(begin)).map_err(io)?;
                let read = file.by_ref().take(len as u64).read_to_end(&mut bytes).map_err(io)?;
                if read < len {
                    return Err(LoadError::new(&self.path, "became shorter while it was read", remedy::DAMAGED));
                }
            }
        }
        Ok(bytes)
    }

    /// The first bytes, at most `n`.
    pub fn head(&self, n: u64) -> Result<Vec<u8>> {
        self.read(0, n.min(self.len))
    }
}
