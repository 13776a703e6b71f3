//! The file that the record is kept in.
//!
//! An SQLite database of two tables: profiles, which may be changed, and the log, which may only grow (triggers refuse
//! the rest). Write-ahead logging lets a second window read and write the same file; `synchronous = FULL` makes an
//! answer safe before [`Store::answer`] returns, so that a killed process or a lost power supply takes no acknowledged
//! answer with it. One answer is one transaction: it takes the write lock, catches up with what other processes have
//! logged, grades, appends one statement and commits.
//!
//! `opening` checks the file, brings it up to date and finds a way back from a damaged one, `backup` keeps copies,
//! `lock` sees to it that none of that happens while another process has the file open.

mod backup;
mod connection;
mod lock;
mod opening;
mod profile;
mod schema;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior, params};

pub use opening::Opened;
pub use profile::{Profile, ProfileId};
pub use schema::SCHEMA;

use super::statement::{Actor, uuid};
use super::{Act, Error, Graded, Moment, Record, Statement};
use lock::Lock;

/// Where the record is kept unless somebody says otherwise: the file that `GLASSBOX_PROGRESS` names, or one in the
/// system's folder for the data of programs, beside the window's settings.
pub fn default_path() -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os("GLASSBOX_PROGRESS").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let folders = directories::ProjectDirs::from("", "", "glassbox").ok_or(Error::NoFolder)?;
    Ok(folders.data_dir().join("progress.sqlite3"))
}

/// An open record.
pub struct Store {
    path: PathBuf,
    connection: Connection,
    /// The random number of this file.
    id: String,
    /// The records of the profiles, and the last row of the log that each has taken in.
    records: HashMap<ProfileId, (i64, Record)>,
    /// Held as long as the file is open, and let go after it is closed.
    _lock: Lock,
}

impl Store {
    /// Where it is kept.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Grades an act and logs it. When this returns, the answer is on disk.
    pub fn answer(&mut self, profile: ProfileId, act: &Act, now: Moment) -> Result<Graded, Error> {
        act.check()?;
        self.append(profile, |record, actor| {
            let graded = record.grade(act, now);
            (Statement::answered(uuid(), actor, act, &graded, now), graded)
        })
    }

    /// Logs that a place of a lesson was reached, the block counted from 0. It earns nothing.
    pub fn reach(&mut self, profile: ProfileId, lesson: &str, place: u32, now: Moment) -> Result<(), Error> {
        // The same rules hold for the lesson's id as in an act.
        Act::question(lesson, "place", &[], super::Credit::RIGHT).check()?;
        self.append(profile, |_, actor| (Statement::reached(uuid(), actor, lesson, place, now), ()))
    }

    /// What a profile did and knows, with everything that other processes have logged up to now.
    pub fn record(&mut self, profile: ProfileId) -> Result<&Record, Error> {
        self.account(profile)?;
        let (seen, record) = self.records.entry(profile).or_default();
        catch_up(&self.path, &self.connection, profile, seen, record)?;
        Ok(record)
    }

    /// Every profile with its record, oldest first.
    pub fn everyone(&mut self) -> Result<Vec<(Profile, Record)>, Error> {
        let profiles = self.profiles()?;
        profiles.into_iter().map(|profile| Ok((profile.clone(), self.record(profile.id)?.clone()))).collect()
    }

    /// The log, oldest first: of one profile, or of all.
    pub fn statements(&self, profile: Option<ProfileId>) -> Result<Vec<Statement>, Error> {
        let mut statements = Vec::new();
        let mut keep = |_, statement| {
            statements.push(statement);
            Ok(())
        };
        match profile {
            Some(id) => rows(&self.path, &self.connection, id, 0, &mut keep)?,
            None => self.profiles()?.iter().try_for_each(|p| rows(&self.path, &self.connection, p.id, 0, &mut keep))?,
        }
        // A stable sort keeps each profile's own order where moments are equal.
        statements.sort_by_key(|statement| statement.timestamp.ms());
        Ok(statements)
    }

    /// One transaction: take the write lock, catch up, decide, append, commit; only then does the record change.
    fn append<T>(
        &mut self,
        profile: ProfileId,
        decide: impl FnOnce(&Record, Actor) -> (Statement, T),
    ) -> Result<T, Error> {
        let actor = Actor::new(&self.id, &self.account(profile)?);
        let path = &self.path;
        let failed = |source| Error::Database { path: path.clone(), what: "written", source };
        let (seen, record) = self.records.entry(profile).or_default();
        // Immediate: a transaction that begins by reading could not become a writer once another process has written.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        catch_up(path, &transaction, profile, seen, record)?;
        let (statement, outcome) = decide(record, actor);
        let text = serde_json::to_string(&statement).map_err(|e| failed(unfit(e)))?;
        let insert = "INSERT INTO log (profile, statement) VALUES (?1, ?2)";
        transaction.execute(insert, params![profile.0, text]).map_err(failed)?;
        let row = transaction.last_insert_rowid();
        transaction.commit().map_err(failed)?;
        take(path, row, &statement, record)?;
        *seen = row;
        Ok(outcome)
    }

    fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> Error {
        let path = self.path.clone();
        move |source| Error::Database { path: path.clone(), what, source }
    }
}

fn unfit(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// Takes in what the log has that the record has not.
fn catch_up(
    path: &Path,
    connection: &Connection,
    profile: ProfileId,
    seen: &mut i64,
    record: &mut Record,
) -> Result<(), Error> {
    rows(path, connection, profile, *seen, &mut |row, statement| {
        take(path, row, &statement, record)?;
        *seen = row;
        Ok(())
    })
}

fn take(path: &Path, row: i64, statement: &Statement, record: &mut Record) -> Result<(), Error> {
    let logged = statement.read().map_err(|why| Error::Row { path: path.into(), row, why })?;
    record.take(&logged, statement.timestamp);
    Ok(())
}

/// Reads the statements of a profile after a row.
fn rows(
    path: &Path,
    connection: &Connection,
    profile: ProfileId,
    after: i64,
    each: &mut impl FnMut(i64, Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |source| Error::Database { path: path.into(), what: "read", source };
    let select = "SELECT seq, statement FROM log WHERE profile = ?1 AND seq > ?2 ORDER BY seq";
    let mut query = connection.prepare_cached(select).map_err(failed)?;
    let mut rows = query.query(params![profile.0, after]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let (seq, text): (i64, String) = row.try_into().map_err(failed)?;
        let statement =
            serde_json::from_str(&text).map_err(|e| Error::Row { path: path.into(), row: seq, why: e.to_string() })?;
        each(seq, statement)?;
    }
    Ok(())
}
