//! Copies of the record, beside it.
//!
//! A copy is made when the record is opened and has grown since the last one, and before its tables are changed. SQLite's
//! own backup makes it, so that it is one consistent state whatever other processes write meanwhile. It gets its name
//! only when it is whole and on disk. The name holds the last row of the log, which says which copy is the newest even
//! where a clock was set back: `progress.backup-0000000123-2026-11-24-154514-v1.sqlite3`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ffi};

use super::connection::connect;
use super::opening::beside;
use crate::progress::{Error, Moment};

/// How many copies are kept.
const KEPT: usize = 8;

/// Copies a record; `version` is that of its tables. Returns the copy.
pub(super) fn make(path: &Path, from: &Connection, version: i64, now: Moment) -> Result<PathBuf, Error> {
    let failed = |source| Error::Database { path: path.into(), what: "backed up", source };
    let lost = |source| Error::File { path: path.into(), what: "backed up", source };
    let part = beside(path, "-backup-part");
    remove(&part).map_err(lost)?;
    let mut to = connect(&part, true).map_err(failed)?;
    let step = Backup::new(from, &mut to).and_then(|backup| backup.step(-1)).map_err(failed)?;
    if step != StepResult::Done {
        // SQLite has waited for the other process already.
        return Err(failed(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)));
    }
    // One file without a journal beside it, which can be copied and mailed.
    to.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(failed)?;
    to.close().map_err(|(_, source)| failed(source))?;
    File::options().write(true).open(&part).and_then(|file| file.sync_all()).map_err(lost)?;
    let row = last_row(from).map_err(failed)?;
    let copy = sibling(path, &format!("backup-{row:010}-{}-v{version}", now.for_file_name()));
    fs::rename(&part, &copy).map_err(lost)?;
    sync_folder(path).map_err(lost)?;
    // The newest stay. One that cannot be removed is in nobody's way.
    all(path).iter().skip(KEPT).for_each(|old| drop(fs::remove_file(old)));
    Ok(copy)
}

/// Whether the log has grown since the newest copy.
pub(super) fn is_needed(path: &Path, connection: &Connection) -> rusqlite::Result<bool> {
    let newest = all(path).first().and_then(|copy| row_of(path, copy)).unwrap_or(0);
    Ok(last_row(connection)? > newest)
}

/// The copies, newest first.
pub(super) fn all(path: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(folder(path)).into_iter().flatten().flatten();
    let mut copies: Vec<PathBuf> = folder.map(|entry| entry.path()).filter(|p| row_of(path, p).is_some()).collect();
    copies.sort_by_cached_key(|copy| std::cmp::Reverse((row_of(path, copy), copy.clone())));
    copies
}

/// Puts a copy in the record's place; the copy stays.
pub(super) fn restore(copy: &Path, path: &Path) -> io::Result<()> {
    let part = beside(path, "-restore-part");
    fs::copy(copy, &part)?;
    File::options().write(true).open(&part)?.sync_all()?;
    fs::rename(&part, path)?;
    sync_folder(path)
}

/// The last row of the log that the name of a copy tells; none if it is not the name of one.
fn row_of(path: &Path, copy: &Path) -> Option<i64> {
    let (stem, extension) = parts(path);
    let name = copy.file_name()?.to_str()?;
    let middle = name.strip_prefix(&format!("{stem}.backup-"))?.strip_suffix(&extension)?;
    middle.split('-').next()?.parse().ok()
}

/// A file beside the record: `progress.WHAT.sqlite3`.
pub(super) fn sibling(path: &Path, what: &str) -> PathBuf {
    let (stem, extension) = parts(path);
    path.with_file_name(format!("{stem}.{what}{extension}"))
}

/// The record's name without its extension, and the extension with its dot.
fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|p| p.to_string_lossy().into_owned());
    let extension = text(path.extension()).map(|e| format!(".{e}")).unwrap_or_default();
    (text(path.file_stem()).unwrap_or_default(), extension)
}

fn last_row(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM log", [], |row| row.get(0))
}

/// The folder that the record is in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Makes names that were given or changed in the folder outlive a loss of power. Windows does that by itself.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}
