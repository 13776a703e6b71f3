//! The leaderboard of this machine.
//!
//! A long list with oneself at its end lowers motivation (Hanus and Fox 2015). So this one is small on purpose: it
//! compares only profiles that asked for it, under aliases; it begins anew every Monday; and it shows one's own best
//! week and the two neighbours on each side, never the whole list.

use std::fmt;

use super::{Day, Profile, Record};

/// A week, from Monday, counted from that of the first of January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Season(pub i32);

/// How many neighbours are shown on each side.
const NEIGHBOURS: usize = 2;

impl Season {
    /// The week of a day.
    pub fn of(day: Day) -> Self {
        // The first of January 1970 was a Thursday, three days into its week.
        Self((i64::from(day.0) + 3).div_euclid(7) as i32)
    }

    /// Its Monday.
    pub fn monday(self) -> Day {
        Day(self.0.saturating_mul(7).saturating_sub(3))
    }
}

impl fmt::Display for Season {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "week of {}", self.monday())
    }
}

/// One line of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The place, from 1; equal XP share one.
    pub place: usize,
    /// The alias.
    pub alias: String,
    /// The XP of the season.
    pub xp: u64,
    /// Whether it is the profile that looks.
    pub own: bool,
}

/// What one profile sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaderboard {
    /// The running season.
    pub season: Season,
    /// How many take part.
    pub players: usize,
    /// The own line and its neighbours, in order of place.
    pub lines: Vec<Standing>,
    /// The own best season ever, and its XP.
    pub best: Option<(Season, u64)>,
}

/// The board as a profile sees it; none if that profile does not take part.
pub fn leaderboard(profiles: &[(Profile, Record)], own: &Profile, today: Day) -> Option<Leaderboard> {
    let season = Season::of(today);
    let mut players: Vec<_> = profiles.iter().filter(|(profile, _)| profile.on_leaderboard).collect();
    // Of equals the older profile comes first, so that the order does not change from look to look.
    players.sort_by_key(|(profile, record)| (std::cmp::Reverse(record.season_xp(season)), profile.id));
    let at = players.iter().position(|(profile, _)| profile.id == own.id)?;
    let range = at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS + 1).min(players.len());
    let line = |(profile, record): &&(Profile, Record)| {
        let xp = record.season_xp(season);
        let place = 1 + players.iter().filter(|(_, other)| other.season_xp(season) > xp).count();
        Standing { place, alias: profile.alias.clone(), xp, own: profile.id == own.id }
    };
    Some(Leaderboard {
        season,
        players: players.len(),
        lines: players[range].iter().map(line).collect(),
        best: players[at].1.best_season(),
    })
}
