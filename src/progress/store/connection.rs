//! How the file is opened, and what is in it.
//!
//! The file is untrusted: it may be cut off, overwritten, another program's, or made to do harm. So it is looked at
//! before it is used, and opened with SQLite's own precautions (no functions of ours in its schema, no writing to its
//! innards).

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::schema::APPLICATION;

/// How long one process waits for another's transaction. A transaction takes milliseconds; this is for a slow disk.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a file; `create` makes it if it is not there.
pub(super) fn connect(path: &Path, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Every commit waits for the disk. On a Mac, only fullfsync makes the disk empty its own cache.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    Ok(connection)
}

/// Turns write-ahead logging on. On a file system that cannot have it SQLite keeps its older journal, which is as safe
/// and only slower, so what it answers does not matter.
pub(super) fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
}

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing, or a database without anything in it.
    Nothing,
    /// A record of this version.
    Good(i64),
    /// A record of a later version.
    Newer(i64),
    /// A database of another program.
    Foreign,
    /// A record that is damaged, and how.
    Damaged(String),
}

/// Looks into a file without changing what it says.
pub(super) fn examine(path: &Path, known: i64) -> rusqlite::Result<Found> {
    if !path.exists() {
        return Ok(Found::Nothing);
    }
    connect(path, false).and_then(|connection| look(&connection, known)).or_else(|error| {
        // A file that is cut off answers with a read that came back too short.
        let short = error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHORT_READ);
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Ok(Found::Damaged(error.to_string())),
            _ if short => Ok(Found::Damaged(error.to_string())),
            _ => Err(error),
        }
    })
}

/// The same, of an open file.
pub(super) fn look(connection: &Connection, known: i64) -> rusqlite::Result<Found> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let ours = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('store', 'profile', 'log')";
    let tables = count(ours)?;
    if application != i64::from(APPLICATION) {
        let empty = version == 0 && application == 0 && count("SELECT count(*) FROM sqlite_schema")? == 0;
        return Ok(match (empty, tables) {
            (true, _) => Found::Nothing,
            (false, 3) => Found::Damaged("its mark was overwritten".into()),
            (false, _) => Found::Foreign,
        });
    }
    if version > known {
        return Ok(Found::Newer(version));
    }
    if tables != 3 || version < 1 {
        return Ok(Found::Damaged("a table is missing".into()));
    }
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Ok(Found::Damaged(verdict.lines().last().unwrap_or_default().to_owned()));
    }
    if count("SELECT count(*) FROM store")? != 1 {
        return Ok(Found::Damaged("its own number is missing".into()));
    }
    Ok(Found::Good(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_commit_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let connection = connect(&folder.path().join("record.sqlite3"), true).unwrap();
        write_ahead(&connection).unwrap();
        let is = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
        // 2 is FULL: SQLite's documentation of `PRAGMA synchronous`.
        assert_eq!((is("synchronous"), is("fullfsync"), is("foreign_keys"), is("trusted_schema")), (2, 1, 1, 0));
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(journal, "wal");
    }
}
