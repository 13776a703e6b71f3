//! Who has the file open.
//!
//! SQLite guards its own transactions. What it cannot guard is the file itself: moving a damaged one aside, or changing
//! its tables, while another process has it open, would let that process write where nobody reads. So every process
//! holds a shared lock on a small file beside the record for as long as it has the record open, and only one that holds
//! the lock alone may do such things. The system lets go of the locks of a process that is killed.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::opening::beside;

/// A lock on a record.
pub(super) struct Lock {
    /// None on a file system that knows no locks; there the record goes without.
    file: Option<File>,
    alone: bool,
}

impl Lock {
    /// Takes the lock alone if nobody else has the record open, and else together with them.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).truncate(false).write(true).read(true).open(beside(path, "-lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file: Some(file), alone: true }),
            Err(TryLockError::WouldBlock) => {
                // Somebody reads, or is just opening it and done in a moment.
                file.lock_shared()?;
                Ok(Self { file: Some(file), alone: false })
            }
            Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                Ok(Self { file: None, alone: true })
            }
            Err(TryLockError::Error(e)) => Err(e),
        }
    }

    /// Whether nobody else has the record open.
    pub(super) fn is_alone(&self) -> bool {
        self.alone
    }

    /// Lets others in.
    pub(super) fn share(&mut self) -> io::Result<()> {
        if let (Some(file), true) = (&self.file, self.alone) {
            file.unlock()?;
            file.lock_shared()?;
        }
        self.alone = false;
        Ok(())
    }
}

impl Drop for Lock {
    /// Lets go by word and not only by closing the file: a process that is being started from this one shares its open
    /// files for a moment, and would hold the lock on.
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = file.unlock();
        }
    }
}
