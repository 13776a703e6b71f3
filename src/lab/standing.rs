//! Where the student stands: everything that the learner's pages show.
//!
//! All of it is computed on the thread that owns the record, from the log and the day, each time something was written.
//! The window only draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::deck::{ReviewCard, deck};
use crate::lesson::Library;
use crate::progress::export::last_days;
use crate::progress::{
    Act, ActKind, Badge, Bin, ConceptStanding, Course, Day, DayFigures, DayScore, Graded, Leaderboard, LessonState,
    Level, Moment, Prerequisites, Profile, Record, Streak, Today, leaderboard,
};

/// Where the student stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Who learns.
    pub profile: Profile,
    /// What the profile calls itself.
    pub alias: String,
    /// What was earned in all.
    pub xp: u64,
    /// The level that this makes.
    pub level: Level,
    /// Concepts whose review is due.
    pub due: usize,
    /// What is done, as (lesson, item): questions answered right and predictions made.
    pub done: BTreeSet<(String, String)>,
    /// What came of the newest answer of this sitting.
    pub newest: Option<Newest>,
    /// Everybody who learns on this machine, oldest first.
    pub everyone: Vec<Learner>,
    /// The day that all of this is about.
    pub day: Day,
    /// Reviews and where to go on.
    pub today: Today,
    /// How much of each lesson is done, by its id.
    pub lessons: BTreeMap<String, LessonState>,
    /// The cards of a review session.
    pub deck: Vec<ReviewCard>,
    /// Days in a row.
    pub streak: Streak,
    /// Every concept of the course, each after those that it builds on.
    pub concepts: Vec<ConceptStanding>,
    /// When each concept that was practised should be asked again.
    pub due_dates: BTreeMap<String, Day>,
    /// What each concept builds on directly.
    pub needs: BTreeMap<String, Vec<String>>,
    /// The badges and the days that brought them.
    pub badges: BTreeMap<Badge, Day>,
    /// The last days, oldest first.
    pub days: Vec<(Day, DayFigures)>,
    /// All days together.
    pub total: DayFigures,
    /// How confidences turned out.
    pub calibration: CalibrationView,
    /// The leaderboard; none for who does not take part.
    pub board: Option<Leaderboard>,
    /// The newest answer to each item, by lesson and id, with the number of tries.
    pub answers: BTreeMap<(String, String), (Act, u32)>,
    /// The file of the record.
    pub path: PathBuf,
    /// What was done about a damaged file at this start, until the student has decided how to go on.
    pub recovery: Option<String>,
}

/// What came of an answer. The number tells two answers apart that earned the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// From 1, in this sitting.
    pub number: u64,
    /// How it was graded.
    pub graded: Graded,
}

/// Somebody who learns on this machine, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learner {
    /// Who.
    pub profile: Profile,
    /// What was earned in all.
    pub xp: u64,
    /// The level that this makes.
    pub level: u32,
    /// The day of the last answer.
    pub last: Option<Day>,
}

/// How confidences turned out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CalibrationView {
    /// Answers with a confidence.
    pub n: usize,
    /// The Brier score over all of them.
    pub brier: Option<f64>,
    /// By confidence.
    pub bins: Vec<Bin>,
    /// By day.
    pub by_day: Vec<DayScore>,
}

/// What the course is, for the figures that need it.
pub(super) struct Plan {
    pub library: Library,
    pub course: Course,
    pub prerequisites: Prerequisites,
}

/// What is known beside the log.
pub(super) struct Sitting {
    pub newest: Option<Newest>,
    pub path: PathBuf,
    pub recovery: Option<String>,
}

impl Standing {
    /// Where a profile stands among everyone.
    pub(super) fn of(
        own: &Profile,
        everyone: &[(Profile, Record)],
        plan: &Plan,
        sitting: Sitting,
        now: Moment,
    ) -> Option<Self> {
        let (profile, record) = everyone.iter().find(|(profile, _)| profile.id == own.id)?;
        let day = now.day();
        let done = record.items().filter(|(_, _, item)| item.kind == ActKind::Prediction || item.best.is_right());
        let today = Today::of(&plan.course, record, day);
        let calibration = record.calibration();
        let needs = plan.prerequisites.concepts().map(|concept| {
            let needs = plan.prerequisites.of(concept).map(String::from).collect();
            (concept.to_owned(), needs)
        });
        let answers = record.newest().iter().map(|(key, act)| {
            let tries = record.item(&key.0, &key.1).map_or(1, |item| item.tries);
            (key.clone(), (act.clone(), tries))
        });
        Some(Self {
            profile: profile.clone(),
            alias: profile.alias.clone(),
            xp: record.xp(),
            level: record.level(),
            due: today.reviews.len(),
            done: done.map(|(lesson, item, _)| (lesson.to_owned(), item.to_owned())).collect(),
            newest: sitting.newest,
            everyone: everyone.iter().map(Learner::of).collect(),
            day,
            deck: deck(&plan.library, record, &today.reviews),
            today,
            lessons: plan.course.lessons.iter().map(|l| (l.id.clone(), l.state(record))).collect(),
            streak: record.streak(day),
            concepts: plan.prerequisites.map(record, day),
            due_dates: record.concepts().filter_map(|(c, p)| Some((c.to_owned(), p.memory?.due))).collect(),
            needs: needs.collect(),
            badges: record.badges().clone(),
            days: last_days(record, day),
            total: record.days().values().fold(DayFigures::default(), DayFigures::and),
            calibration: CalibrationView {
                n: calibration.len(),
                brier: calibration.brier(),
                bins: calibration.bins(),
                by_day: calibration.by_day(),
            },
            board: leaderboard(everyone, profile, day),
            answers: answers.collect(),
            path: sitting.path,
            recovery: sitting.recovery,
        })
    }

    /// What was earned today.
    pub fn xp_today(&self) -> u64 {
        self.days.last().map_or(0, |(_, figures)| figures.xp)
    }

    /// Whether anything was ever answered.
    pub fn has_begun(&self) -> bool {
        !self.answers.is_empty()
    }
}

impl Learner {
    fn of((profile, record): &(Profile, Record)) -> Self {
        let last = record.last().map(Moment::day);
        Self { profile: profile.clone(), xp: record.xp(), level: record.level().number, last }
    }
}
