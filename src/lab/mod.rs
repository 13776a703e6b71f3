//! The headless app.
//!
//! [`Lab`] is everything that the window does, without the window: the open model, the prompt, the student's changes and
//! the jobs that run them. The window (or a test, or the command line) sends [`Command`]s and reads the [`Snapshot`]; it
//! never computes, waits or holds a lock. Long work happens on one engine thread, fed through a mailbox that keeps at
//! most one job of each kind, so a dragged slider never queues more than one run.

mod command;
mod snapshot;
pub mod worker;

pub use crate::engine::DeviceChoice;
pub use command::Command;
pub use snapshot::{
    Activity, Chip, DeviceOption, Generation, Lens, LoadReportView, ModelCard, Notice, NoticeLevel, Run, Selection,
    Snapshot, TokenBar,
};
