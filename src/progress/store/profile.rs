//! Profiles: who learns on this machine.
//!
//! A profile has an alias, which may be changed, and an account, a random number that stands for it in the log. The log
//! cannot be changed, so the alias, which may be a name, is never written there.

use rusqlite::{ErrorCode, OptionalExtension, Row, params};

use super::{Error, Store, uuid};

/// Names a profile within its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(pub i64);

/// Somebody who learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its number in the file.
    pub id: ProfileId,
    /// The random number that stands for it in the log.
    pub account: String,
    /// What it calls itself.
    pub alias: String,
    /// Whether the streak is shown.
    pub with_streak: bool,
    /// Whether it takes part in the leaderboard.
    pub on_leaderboard: bool,
}

/// How long an alias may be, in characters.
const MAX_ALIAS: usize = 40;

const SELECT: &str = "SELECT id, account, alias, streak, leaderboard FROM profile";

impl Profile {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: ProfileId(row.get(0)?),
            account: row.get(1)?,
            alias: row.get(2)?,
            with_streak: row.get(3)?,
            on_leaderboard: row.get(4)?,
        })
    }
}

impl Store {
    /// Every profile, oldest first.
    pub fn profiles(&self) -> Result<Vec<Profile>, Error> {
        let failed = self.failed("read");
        let mut query = self.connection.prepare_cached(&format!("{SELECT} ORDER BY id")).map_err(&failed)?;
        let profiles = query.query_map([], Profile::of).and_then(Iterator::collect);
        profiles.map_err(failed)
    }

    /// Adds a profile. Streak and leaderboard are off until somebody asks for them.
    pub fn add_profile(&mut self, alias: &str) -> Result<Profile, Error> {
        let alias = checked(alias)?;
        let insert = "INSERT INTO profile (account, alias) VALUES (?1, ?2)";
        self.connection.execute(insert, params![uuid(), alias]).map_err(|e| self.taken(e, alias))?;
        let id = self.connection.last_insert_rowid();
        self.connection.query_row(&format!("{SELECT} WHERE id = ?1"), [id], Profile::of).map_err(self.failed("read"))
    }

    /// Writes down a changed alias or choice. The account stays what it is.
    pub fn change_profile(&mut self, profile: &Profile) -> Result<(), Error> {
        let alias = checked(&profile.alias)?;
        let update = "UPDATE profile SET alias = ?2, streak = ?3, leaderboard = ?4 WHERE id = ?1";
        let values = params![profile.id.0, alias, profile.with_streak, profile.on_leaderboard];
        match self.connection.execute(update, values).map_err(|e| self.taken(e, alias))? {
            0 => Err(Error::NoProfile { path: self.path.clone() }),
            _ => Ok(()),
        }
    }

    /// The account of a profile.
    pub(super) fn account(&self, profile: ProfileId) -> Result<String, Error> {
        let select = "SELECT account FROM profile WHERE id = ?1";
        let account = self.connection.query_row(select, [profile.0], |row| row.get(0)).optional();
        account.map_err(self.failed("read"))?.ok_or_else(|| Error::NoProfile { path: self.path.clone() })
    }

    fn taken(&self, error: rusqlite::Error, alias: &str) -> Error {
        if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) {
            return Error::Alias { alias: alias.into(), why: "another profile has it; choose another one" };
        }
        self.failed("written")(error)
    }
}

/// The alias without spaces around it.
fn checked(alias: &str) -> Result<&str, Error> {
    let trimmed = alias.trim();
    let say = |why| Err(Error::Alias { alias: trimmed.chars().take(MAX_ALIAS).collect(), why });
    match trimmed.chars().count() {
        0 => say("it is empty; type at least one letter"),
        n if n > MAX_ALIAS => say("it is longer than 40 characters; shorten it"),
        _ if trimmed.chars().any(char::is_control) => say("it holds control characters; type plain text"),
        _ => Ok(trimmed),
    }
}
