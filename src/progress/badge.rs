//! Badges: for what is worth doing, not for time spent.
//!
//! Each is one line of the table below: a word, a sentence that says how to get it, and a condition on the record. A
//! badge stays, whatever comes after. None is for speed, for beating others, or for coming every day.

use super::{Practice, Record};

/// Something worth a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Badge {
    /// A right answer.
    FirstAnswer,
    /// Five first tries in a row.
    CleanRun,
    /// A right answer after a wrong one.
    SecondThoughts,
    /// A concept mastered.
    FirstConcept,
    /// Ten concepts mastered.
    TenConcepts,
    /// Ten due reviews answered right.
    Keeper,
    /// A mastered concept lost and mastered again.
    BackAgain,
    /// Five tasks solved on the live model.
    Experimenter,
    /// Confidence that fits.
    Calibrated,
}

/// How many answers with a confidence it takes to speak of calibration.
const CALIBRATED_AFTER: usize = 20;
/// The Brier score that is worth a badge: clearly better than always saying 50 %, which scores 0.25.
const CALIBRATED_BELOW: f64 = 0.18;

impl Badge {
    /// Every badge.
    pub const ALL: [Self; 9] = [
        Self::FirstAnswer,
        Self::CleanRun,
        Self::SecondThoughts,
        Self::FirstConcept,
        Self::TenConcepts,
        Self::Keeper,
        Self::BackAgain,
        Self::Experimenter,
        Self::Calibrated,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstAnswer => "First answer",
            Self::CleanRun => "Clean run",
            Self::SecondThoughts => "Second thoughts",
            Self::FirstConcept => "One concept",
            Self::TenConcepts => "Ten concepts",
            Self::Keeper => "Keeper",
            Self::BackAgain => "Back again",
            Self::Experimenter => "Experimenter",
            Self::Calibrated => "Calibrated",
        }
    }

    /// How to get it, in a sentence.
    pub fn how(self) -> &'static str {
        match self {
            Self::FirstAnswer => "Answer a question right.",
            Self::CleanRun => "Answer five questions or tasks in a row right at the first try.",
            Self::SecondThoughts => "Answer a question right after a wrong try.",
            Self::FirstConcept => "Master a concept.",
            Self::TenConcepts => "Have ten concepts mastered at the same time.",
            Self::Keeper => "Answer ten reviews right when they are due.",
            Self::BackAgain => "Master a concept again that had slipped.",
            Self::Experimenter => "Solve five tasks on the live model.",
            Self::Calibrated => "Say how sure you are twenty times, with a Brier score below 0.18.",
        }
    }

    /// Whether a record is worth it at this moment.
    pub(super) fn is_earned(self, record: &Record) -> bool {
        let tally = record.tally();
        let mastered = || record.concepts().filter(|(_, practice)| practice.is_mastered()).count();
        match self {
            Self::FirstAnswer => tally.right > 0,
            Self::CleanRun => tally.clean_run >= 5,
            Self::SecondThoughts => tally.right_after_wrong > 0,
            Self::FirstConcept => mastered() >= 1,
            Self::TenConcepts => mastered() >= 10,
            Self::Keeper => tally.reviews_kept >= 10,
            Self::BackAgain => tally.regained > 0,
            Self::Experimenter => tally.tasks_solved >= 5,
            Self::Calibrated => {
                let calibration = record.calibration();
                calibration.len() >= CALIBRATED_AFTER && calibration.brier().is_some_and(|b| b < CALIBRATED_BELOW)
            }
        }
    }
}

/// What the badges count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Right answers to questions and tasks.
    pub right: u32,
    /// First tries that were right, in a row up to now.
    pub clean_run: u32,
    /// Right answers after a wrong try of the same item.
    pub right_after_wrong: u32,
    /// Right answers that named a due concept.
    pub reviews_kept: u32,
    /// Different tasks solved.
    pub tasks_solved: u32,
    /// Times that a concept was mastered again.
    pub regained: u32,
}

/// Whether an answer made a concept mastered again that had slipped.
pub(super) fn regained(before: &Practice, after: &Practice) -> bool {
    before.first_mastered.is_some() && !before.is_mastered() && after.is_mastered()
}
