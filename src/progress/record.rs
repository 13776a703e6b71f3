//! The log of one profile, folded.
//!
//! A record begins empty and takes in one statement after the other; nothing in it comes from anywhere else.
//! [`Record::grade`] says what an act would earn, and changes nothing; [`Record::take`] takes in what was logged. The
//! store calls the first inside a transaction, writes the statement, and calls the second when that is on disk.

use std::collections::{BTreeMap, BTreeSet};

use super::badge::{Tally, regained};
use super::{
    Act, ActKind, Badge, Calibration, Credit, Day, Level, Logged, Memory, Moment, Practice, Season, Streak, award,
};

/// What somebody did and knows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    xp: u64,
    items: BTreeMap<(String, String), ItemRecord>,
    concepts: BTreeMap<String, Practice>,
    calibration: Calibration,
    active: BTreeSet<Day>,
    seasons: BTreeMap<Season, u64>,
    badges: BTreeMap<Badge, Day>,
    places: BTreeMap<String, u32>,
    latest_lesson: Option<String>,
    tally: Tally,
}

/// What was done about one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemRecord {
    /// What kind it is.
    pub kind: ActKind,
    /// How often it was tried.
    pub tries: u32,
    /// How often since a due review began the count anew; what decides about XP.
    pub tries_that_count: u32,
    /// The best that was ever right of it.
    pub best: Credit,
    /// Whether the first try was right.
    pub first_right: bool,
    /// What it has earned.
    pub xp: u64,
    /// When it was last tried.
    pub last: Moment,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graded {
    /// Which try it was, from 1.
    pub attempt: u32,
    /// What it earned.
    pub xp: u32,
    /// Whether a concept of it was due for review.
    pub was_due: bool,
    /// The concepts that it made mastered.
    pub mastered: Vec<String>,
    /// The badges that it brought.
    pub badges: Vec<Badge>,
    /// The level before it.
    pub level_before: u32,
    /// The level after it.
    pub level: u32,
}

impl Record {
    /// What an act would earn and bring about, were it logged now.
    pub fn grade(&self, act: &Act, now: Moment) -> Graded {
        let (attempt, xp, was_due) = self.price(act, now);
        let mut after = self.clone();
        after.take(&Logged::Answered { act: act.clone(), attempt, xp }, now);
        let is_mastered = |record: &Self, c: &str| record.practice(c).is_some_and(Practice::is_mastered);
        let new = |c: &&String| is_mastered(&after, c) && !is_mastered(self, c);
        Graded {
            attempt,
            xp,
            was_due,
            mastered: act.concepts.iter().filter(new).cloned().collect(),
            badges: after.badges.keys().filter(|b| !self.badges.contains_key(b)).copied().collect(),
            level_before: self.level().number,
            level: after.level().number,
        }
    }

    /// The number of the try, its XP, and whether it is a due review.
    fn price(&self, act: &Act, now: Moment) -> (u32, u32, bool) {
        let item = self.item(&act.lesson, &act.item);
        let was_due = self.is_review(act, now.day());
        let counted = if was_due { 0 } else { item.map_or(0, |item| item.tries_that_count) };
        (item.map_or(0, |item| item.tries) + 1, award(act, counted), was_due)
    }

    fn is_review(&self, act: &Act, day: Day) -> bool {
        let due = |c: &String| self.practice(c).and_then(|p| p.memory).is_some_and(|memory| memory.is_due(day));
        act.is_practice() && act.concepts.iter().any(due)
    }

    /// Takes in what was logged. The XP are those of the log, not those of today's rules.
    pub fn take(&mut self, logged: &Logged, at: Moment) {
        match logged {
            Logged::Reached { lesson, place } => {
                self.places.insert(lesson.clone(), *place);
                self.latest_lesson = Some(lesson.clone());
            }
            Logged::Answered { act, xp, .. } => self.answer(act, *xp, at),
        }
    }

    fn answer(&mut self, act: &Act, xp: u32, at: Moment) {
        let day = at.day();
        let was_due = self.is_review(act, day);
        self.xp = self.xp.saturating_add(u64::from(xp));
        *self.seasons.entry(Season::of(day)).or_default() += u64::from(xp);
        self.active.insert(day);
        self.latest_lesson = Some(act.lesson.clone());
        self.calibration.answer(act, day);
        let before = self.item(&act.lesson, &act.item).copied();
        self.count(act, before, was_due);
        self.items.insert((act.lesson.clone(), act.item.clone()), ItemRecord::after(before, act, xp, was_due, at));
        if act.is_practice() {
            for concept in act.concepts.iter().collect::<BTreeSet<_>>() {
                let practice = self.concepts.entry(concept.clone()).or_default();
                let earlier = practice.clone();
                practice.answer(act, day);
                self.tally.regained += u32::from(regained(&earlier, practice));
            }
        }
        for badge in Badge::ALL {
            if !self.badges.contains_key(&badge) && badge.is_earned(self) {
                self.badges.insert(badge, day);
            }
        }
    }

    fn count(&mut self, act: &Act, before: Option<ItemRecord>, was_due: bool) {
        if !act.is_practice() {
            return;
        }
        let tally = &mut self.tally;
        let right = act.credit.is_right();
        tally.clean_run = match (right, before) {
            (true, None) => tally.clean_run + 1,
            // Practising what one knows neither adds to the run nor breaks it.
            (true, Some(_)) => tally.clean_run,
            (false, _) => 0,
        };
        if right {
            let solved_before = before.is_some_and(|item| item.best.is_right());
            tally.right += 1;
            tally.right_after_wrong += u32::from(before.is_some() && !solved_before);
            tally.reviews_kept += u32::from(was_due);
            tally.tasks_solved += u32::from(act.kind == ActKind::Task && !solved_before);
        }
    }

    /// All XP.
    pub fn xp(&self) -> u64 {
        self.xp
    }

    /// The level that they make.
    pub fn level(&self) -> Level {
        Level::of(self.xp)
    }

    /// What was done about an item of a lesson.
    pub fn item(&self, lesson: &str, item: &str) -> Option<&ItemRecord> {
        self.items.get(&(lesson.to_owned(), item.to_owned()))
    }

    /// Every item that was tried, as lesson, id and record.
    pub fn items(&self) -> impl Iterator<Item = (&str, &str, &ItemRecord)> {
        self.items.iter().map(|((lesson, item), record)| (lesson.as_str(), item.as_str(), record))
    }

    /// What was done about a concept.
    pub fn practice(&self, concept: &str) -> Option<&Practice> {
        self.concepts.get(concept)
    }

    /// Every concept that was practised.
    pub fn concepts(&self) -> impl Iterator<Item = (&str, &Practice)> {
        self.concepts.iter().map(|(concept, practice)| (concept.as_str(), practice))
    }

    /// The concepts that are due on a day with their memory, the least well remembered first.
    pub fn due(&self, today: Day) -> Vec<(&str, Memory)> {
        let memories = self.concepts.iter().filter_map(|(concept, p)| Some((concept.as_str(), p.memory?)));
        let mut due: Vec<(&str, Memory)> = memories.filter(|(_, memory)| memory.is_due(today)).collect();
        due.sort_by(|a, b| a.1.recall(today).total_cmp(&b.1.recall(today)).then_with(|| a.0.cmp(b.0)));
        due
    }

    /// The confidences and how they turned out.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The days in a row with an answer.
    pub fn streak(&self, today: Day) -> Streak {
        Streak::of(&self.active, today)
    }

    /// The days with an answer.
    pub fn active_days(&self) -> &BTreeSet<Day> {
        &self.active
    }

    /// The XP of a season.
    pub fn season_xp(&self, season: Season) -> u64 {
        self.seasons.get(&season).copied().unwrap_or(0)
    }

    /// The most XP that any one season brought.
    pub fn best_season(&self) -> Option<(Season, u64)> {
        self.seasons.iter().map(|(season, xp)| (*season, *xp)).max_by_key(|(season, xp)| (*xp, *season))
    }

    /// The badges and the days that brought them.
    pub fn badges(&self) -> &BTreeMap<Badge, Day> {
        &self.badges
    }

    /// The block of a lesson that was reached last, from 0.
    pub fn place(&self, lesson: &str) -> Option<u32> {
        self.places.get(lesson).copied()
    }

    /// The lesson in which something was done last.
    pub fn latest_lesson(&self) -> Option<&str> {
        self.latest_lesson.as_deref()
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl ItemRecord {
    fn after(before: Option<Self>, act: &Act, xp: u32, was_due: bool, at: Moment) -> Self {
        let right = act.credit.is_right();
        let fresh = Self {
            kind: act.kind,
            tries: 0,
            tries_that_count: 0,
            best: act.credit,
            first_right: right,
            xp: 0,
            last: at,
        };
        let old = before.unwrap_or(fresh);
        let better = act.credit.share() > old.best.share();
        Self {
            kind: act.kind,
            tries: old.tries.saturating_add(1),
            tries_that_count: if was_due { 1 } else { old.tries_that_count.saturating_add(1) },
            best: if better { act.credit } else { old.best },
            xp: old.xp.saturating_add(u64::from(xp)),
            last: at,
            ..old
        }
    }
}
