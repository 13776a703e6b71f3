//! What the student can ask of the learner's record, beside keeping an answer.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Chip, ModelSource, Run};
use crate::builtin::ModelFolders;
use crate::model::tweak::HeadRef;
use crate::progress::{Profile, ProfileId};

/// One request. What comes of it shows up in the snapshot's [`Standing`](super::Standing) or as a notice.
#[derive(Debug, Clone, PartialEq)]
pub enum LearnerCommand {
    /// Looks again: another window may have written, or a new day begun.
    Refresh,
    /// Adds a profile with this alias, and goes on as it.
    AddProfile(String),
    /// Goes on as another profile.
    SwitchProfile(ProfileId),
    /// Writes down a changed alias or choice.
    ChangeProfile(Profile),
    /// Removes a profile with everything that it answered.
    RemoveProfile(ProfileId),
    /// Writes something into a file.
    Export {
        /// What.
        what: Export,
        /// Where.
        to: PathBuf,
        /// The changes in force, in words.
        changes: Vec<String>,
    },
    /// After a damaged file: goes on with what was opened instead.
    KeepRestored,
    /// After a damaged file: begins a new record; what was opened instead is kept under another name.
    StartAfresh,
}

/// What can leave the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Export {
    /// Every statement of the profile, as xAPI.
    Xapi,
    /// The grade book of all profiles, as CSV.
    GradeBook,
    /// The lab report of the profile, as HTML.
    Report,
}

impl Export {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Report, Self::GradeBook, Self::Xapi];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xapi => "Statements (xAPI)",
            Self::GradeBook => "Grade book (CSV)",
            Self::Report => "Lab report (HTML)",
        }
    }

    /// The file name to begin with.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Xapi => "glassbox-statements.json",
            Self::GradeBook => "glassbox-grades.csv",
            Self::Report => "glassbox-lab-report.html",
        }
    }

    /// The ending of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Xapi => "json",
            Self::GradeBook => "csv",
            Self::Report => "html",
        }
    }
}

/// The model that was open when something was asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenModel {
    pub name: String,
    pub source: ModelSource,
    pub folders: ModelFolders,
    /// How many models were asked for before: a file that is opened again may be another one.
    pub opened: u64,
}

/// What stands on the lab's bench while something is asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Bench {
    pub model: Option<OpenModel>,
    pub prompt: String,
    pub chips: Arc<[Chip]>,
    pub run: Option<Arc<Run>>,
    pub head: Option<HeadRef>,
}
