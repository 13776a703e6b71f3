//! What can go wrong with the record, each as a sentence for the user.

use std::io;
use std::path::PathBuf;

/// Why something about the record did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(
        "{path}: the record of what was learnt could not be {what} ({source}): check the folder and its free space."
    )]
    File {
        /// Which.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite refused.
    #[error(
        "{path}: the record of what was learnt could not be {what} ({source}): what was recorded before is safe; check the free space and try again."
    )]
    Database {
        /// The file.
        path: PathBuf,
        /// What was tried, as a participle.
        what: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A newer version wrote the file.
    #[error(
        "{path}: a newer version of Glassbox wrote this record (format {found}, this version knows up to {known}): \
         open it with that version; it was left as it is."
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// The file is a database of another program.
    #[error("{path}: this is a database of another program: choose another file for the record (GLASSBOX_PROGRESS).")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file must be repaired or brought up to date, and another process has it open.
    #[error("{path}: the record has to be {what}, but another Glassbox has it open: close it and start again.")]
    InUse {
        /// The file.
        path: PathBuf,
        /// What has to be done, as a participle.
        what: &'static str,
    },
    /// A row of the log is not a statement of ours.
    #[error("{path}: row {row} of the log cannot be read ({why}): the backups beside the file hold earlier states.")]
    Row {
        /// The file.
        path: PathBuf,
        /// Which row.
        row: i64,
        /// What is wrong with it.
        why: String,
    },
    /// An act that cannot be written down.
    #[error("The answer to “{item}” was not recorded: {why}.")]
    Act {
        /// The item.
        item: String,
        /// What is wrong.
        why: String,
    },
    /// A name for a profile that cannot be used.
    #[error("The alias “{alias}” cannot be used: {why}.")]
    Alias {
        /// The alias.
        alias: String,
        /// What is wrong, and what to do.
        why: &'static str,
    },
    /// A profile that is not there.
    #[error("There is no such profile in {path}: choose one of those that are.")]
    NoProfile {
        /// The file.
        path: PathBuf,
    },
    /// A map of prerequisites that leads back to where it began.
    #[error("The prerequisites of the concept “{concept}” lead back to it: remove one of them.")]
    Circle {
        /// A concept on the circle.
        concept: String,
    },
    /// There is nowhere to keep the record.
    #[error("This system names no folder for the data of programs: set GLASSBOX_PROGRESS to a file for the record.")]
    NoFolder,
}
