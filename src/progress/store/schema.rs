//! The tables, as steps from an empty file to the newest version.
//!
//! A version is a number of steps taken (`user_version`). A step that was ever shipped is never changed; what is new is
//! a new step at the end. Before a step is taken on a file that holds something, the file is backed up.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a database as ours (`application_id`): the letters “Glas”.
pub(super) const APPLICATION: i32 = 0x476c_6173;

/// The steps, oldest first.
pub const SCHEMA: &[&str] = &["
    CREATE TABLE store (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL
    ) STRICT;
    CREATE TABLE profile (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL UNIQUE,
        alias TEXT NOT NULL UNIQUE COLLATE NOCASE,
        streak INTEGER NOT NULL DEFAULT 0 CHECK (streak IN (0, 1)),
        leaderboard INTEGER NOT NULL DEFAULT 0 CHECK (leaderboard IN (0, 1))
    ) STRICT;
    CREATE TABLE log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        profile INTEGER NOT NULL REFERENCES profile (id),
        statement TEXT NOT NULL CHECK (json_valid(statement))
    ) STRICT;
    CREATE INDEX log_of_profile ON log (profile, seq);
    CREATE TRIGGER log_is_not_changed BEFORE UPDATE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    CREATE TRIGGER log_is_not_cut BEFORE DELETE ON log
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
    -- INSERT OR REPLACE would take a row away without asking the trigger above.
    CREATE TRIGGER log_is_not_replaced BEFORE INSERT ON log
        WHEN EXISTS (SELECT 1 FROM log WHERE seq = NEW.seq)
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
"];

/// Takes the steps that are missing, all in one transaction: a process that is killed in between leaves the old version.
pub(super) fn migrate(connection: &mut Connection, schema: &[&str], new_id: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let taken = usize::try_from(version).unwrap_or(0).min(schema.len());
    for step in &schema[taken..] {
        transaction.execute_batch(step)?;
    }
    if taken == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.execute("INSERT INTO store (one, id) VALUES (1, ?1)", [new_id])?;
    }
    transaction.pragma_update(None, "user_version", schema.len() as i64)?;
    transaction.commit()
}
