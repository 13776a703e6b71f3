//! Opening the record, whatever state it is in.
//!
//! In this order: take the lock; look into the file; move a damaged one aside and put the newest good copy in its place;
//! copy the file if it has grown or will be changed; bring its tables up to date. Everything up to there needs the lock
//! alone. Where another process has the file open, it was all done by that process, and it is enough to look.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::connection::{Found, connect, examine, look, write_ahead};
use super::{Lock, SCHEMA, Store, backup, schema};
use crate::progress::{Error, Moment, statement::uuid};

/// An opened record, and what has to be said about it.
pub struct Opened {
    /// The record.
    pub store: Store,
    /// What the student must know: that the file was damaged, what was opened instead, and where the damaged one is.
    pub notice: Option<String>,
}

impl Store {
    /// Opens the record in a file, and makes it if there is none. `now` dates the copies.
    pub fn open(path: &Path, now: Moment) -> Result<Opened, Error> {
        Self::open_with(path, now, SCHEMA)
    }

    /// The same with other steps to the newest version; a test of the steps needs more of them than there are.
    pub fn open_with(path: &Path, now: Moment, schema: &[&str]) -> Result<Opened, Error> {
        let lost = |source| Error::File { path: path.into(), what: "opened", source };
        fs::create_dir_all(backup::folder(path)).map_err(lost)?;
        let mut lock = Lock::take(path).map_err(lost)?;
        let alone = lock.is_alone();
        let notice = if alone { prepare(path, now, schema)? } else { None };
        lock.share().map_err(lost)?;

        let failed = |source| Error::Database { path: path.into(), what: "opened", source };
        let known = schema.len() as i64;
        if !alone {
            let needs = |what| Error::InUse { path: path.into(), what };
            match examine(path, known).map_err(failed)? {
                Found::Good(version) if version == known => {}
                Found::Good(_) => return Err(needs("brought up to date")),
                Found::Nothing | Found::Damaged(_) => return Err(needs("repaired")),
                other => refuse(path, &other, known)?,
            }
        }
        let connection = connect(path, false).map_err(failed)?;
        write_ahead(&connection).map_err(failed)?;
        let id = connection.query_row("SELECT id FROM store", [], |row| row.get(0)).map_err(failed)?;
        let store = Store { path: path.into(), connection, id, records: Default::default(), _lock: lock };
        Ok(Opened { store, notice })
    }
}

/// Sees to it that there is a whole file of the newest version. Returns what has to be said.
fn prepare(path: &Path, now: Moment, schema: &[&str]) -> Result<Option<String>, Error> {
    let failed = |source| Error::Database { path: path.into(), what: "opened", source };
    let known = schema.len() as i64;
    let found = examine(path, known).map_err(failed)?;
    refuse(path, &found, known)?;
    let notice = match found {
        Found::Damaged(why) => Some(way_back(path, now, known, &format!("was damaged ({why})"))?),
        // Copies without a record: it was lost, whoever removed it.
        Found::Nothing if !backup::all(path).is_empty() => Some(way_back(path, now, known, "was missing or empty")?),
        _ => None,
    };
    let mut connection = connect(path, true).map_err(failed)?;
    write_ahead(&connection).map_err(failed)?;
    if let Found::Good(version) = look(&connection, known).map_err(failed)?
        && (version < known || backup::is_needed(path, &connection).map_err(failed)?)
    {
        backup::make(path, &connection, version, now)?;
    }
    schema::migrate(&mut connection, schema, &uuid()).map_err(|source| Error::Database {
        path: path.into(),
        what: "brought up to date",
        source,
    })?;
    Ok(notice)
}

/// Files that are left as they are.
fn refuse(path: &Path, found: &Found, known: i64) -> Result<(), Error> {
    match found {
        Found::Newer(found) => Err(Error::Newer { path: path.into(), found: *found, known }),
        Found::Foreign => Err(Error::Foreign { path: path.into() }),
        _ => Ok(()),
    }
}

/// Moves what is there aside and puts the newest good copy in its place. Returns the sentence that says so.
fn way_back(path: &Path, now: Moment, known: i64, what_happened: &str) -> Result<String, Error> {
    let lost = |source| Error::File { path: path.into(), what: "restored", source };
    let mut sentence = format!("The record of what was learnt {what_happened}");
    if let Some(kept) = set_aside(path, now).map_err(lost)? {
        sentence += &format!("; it is kept as {}", kept.display());
    }
    for copy in backup::all(path) {
        if let Ok(Found::Good(_)) = examine(&copy, known) {
            backup::restore(&copy, path).map_err(lost)?;
            let name = copy.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let n = answers(path).unwrap_or(0);
            return Ok(sentence + &format!(". Instead the newest backup was opened: {name}, with {n} entries."));
        }
        // Out of the way of the next search, but not gone.
        fs::rename(&copy, beside(&copy, ".damaged")).map_err(lost)?;
    }
    Ok(sentence + ". There was no backup, so a new record begins.")
}

fn answers(path: &Path) -> rusqlite::Result<i64> {
    connect(path, false)?.query_row("SELECT count(*) FROM log", [], |row| row.get(0))
}

/// Gives the file another name, together with its journal. Returns the name; none if there is no file.
fn set_aside(path: &Path, now: Moment) -> std::io::Result<Option<PathBuf>> {
    if !path.exists() {
        return Ok(None);
    }
    let name = |n: u32| {
        let again = if n == 1 { String::new() } else { format!("-{n}") };
        backup::sibling(path, &format!("damaged-{}{again}", now.for_file_name()))
    };
    let kept = (1..).map(name).find(|kept| !kept.exists()).unwrap_or_else(|| name(0));
    // The file first: were it left without its journal, it might look whole and lack the last answers.
    fs::rename(path, &kept)?;
    for end in ["-wal", "-shm"] {
        let journal = beside(path, end);
        if journal.exists() {
            fs::rename(&journal, beside(&kept, end))?;
        }
    }
    Ok(Some(kept))
}

/// A path with something added to its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}
