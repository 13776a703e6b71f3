//! The learner's record: what was answered, and what follows from it.
//!
//! One thing is kept: an append-only log of xAPI [`Statement`]s, one for each graded [`Act`], in an SQLite file
//! ([`Store`]). Everything else is a pure function of that log and of a [`Moment`] that the caller passes in: XP and
//! [`Level`], [`Badge`]s, mastery of concepts, dates of review, [`Streak`], [`Leaderboard`] and [`Calibration`]. A
//! [`Record`] is the log folded into those figures, one statement at a time. So nothing can get out of step, a test can
//! compute it all again on paper, and a second window that writes to the same file is caught up with before an answer
//! is graded.
//!
//! The XP of an act are part of its statement: a later version with other rules takes nothing away.
//!
//! This room knows SQLite and files in `store`, and the clock in one function, [`Moment::now`], that only its callers
//! use. It knows no window, no engine and no lesson: lessons, items and concepts are ids in plain strings, and the shape
//! of a [`Course`] comes from the caller.

mod act;
mod badge;
mod calibration;
mod clock;
mod error;
pub mod export;
mod leaderboard;
mod mastery;
mod record;
mod review;
mod statement;
mod store;
mod streak;
mod today;
mod xp;

pub use act::{Act, ActKind, Credit, MAX_ID, MAX_TEXT, Prompt};
pub use badge::Badge;
pub use calibration::{Bin, Calibration, DayScore};
pub use clock::{Day, Moment};
pub use error::Error;
pub use leaderboard::{Leaderboard, Season, Standing, leaderboard};
pub use mastery::{ConceptStanding, ConceptState, Practice, Prerequisites};
pub use record::{Graded, ItemRecord, Record};
pub use review::{DESIRED_RETENTION, Memory};
pub use statement::{Logged, Statement};
pub use store::{Opened, Profile, ProfileId, SCHEMA, Store, default_path};
pub use streak::Streak;
pub use today::{Course, CourseLesson, LessonState, NextLesson, Today};
pub use xp::{HINTS, Level, award};
