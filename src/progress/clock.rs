//! Time, as a value.
//!
//! A moment is passed in by the caller and written into the log; nothing in this room asks what time it is. Days are the
//! student's own (the offset to UTC is part of the moment), because a streak or a review that turns over at midnight in
//! Greenwich would puzzle everybody else.

use std::fmt;
use std::str::FromStr;

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// A moment, to the millisecond, with the offset of the student's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the start of 1970 in UTC.
    ms: i64,
    /// Seconds that the local clock is ahead of UTC.
    offset: i32,
}

/// A day of the student's calendar, counted from the first of January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

const MS_PER_DAY: i64 = 24 * 60 * 60 * 1000;
/// The first and the last millisecond that can be written: the years 1 to 9998.
const RANGE: std::ops::RangeInclusive<i64> = -62_135_510_400_000..=253_339_228_800_000;
/// The largest offset that [`Moment::new`] takes, in seconds.
const MAX_OFFSET: i32 = 18 * 60 * 60;

impl Moment {
    /// A moment from milliseconds since 1970 in UTC and the seconds that the local clock is ahead; both are brought into
    /// the range that can be written (the years 1 to 9998, 18 hours).
    pub fn new(ms: i64, offset: i32) -> Self {
        Self { ms: ms.clamp(*RANGE.start(), *RANGE.end()), offset: offset.clamp(-MAX_OFFSET, MAX_OFFSET) }
    }

    /// What the clock of this machine says. For callers of this room; the room itself never asks.
    pub fn now() -> Self {
        let now = Zoned::now();
        Self::new(now.timestamp().as_millisecond(), now.offset().seconds())
    }

    /// Milliseconds since the start of 1970 in UTC.
    pub fn ms(self) -> i64 {
        self.ms
    }

    /// The day that the student's calendar shows.
    pub fn day(self) -> Day {
        Day((self.ms + i64::from(self.offset) * 1000).div_euclid(MS_PER_DAY) as i32)
    }

    /// As part of a file name, in local time: `2026-11-24-154514`.
    pub fn for_file_name(self) -> String {
        self.to_string().chars().filter(|c| *c != ':').take(17).map(|c| if c == 'T' { '-' } else { c }).collect()
    }
}

impl fmt::Display for Moment {
    /// As RFC 3339 has it: `2026-11-24T15:45:14.123+01:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Both were brought into range by `new`.
        let time = Timestamp::from_millisecond(self.ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset = Offset::from_seconds(self.offset).unwrap_or(Offset::UTC);
        write!(f, "{time:.3}", time = time.display_with_offset(offset))
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let not_a_time = || format!("“{text}” is not a time such as 2026-11-24T15:45:14.123+01:00");
        let time: Timestamp = text.parse().map_err(|_| not_a_time())?;
        let pieces = Pieces::parse(text).map_err(|_| not_a_time())?;
        let offset = pieces.to_numeric_offset().unwrap_or(Offset::UTC);
        let moment = Self::new(time.as_millisecond(), offset.seconds());
        if moment.ms != time.as_millisecond() || moment.offset != offset.seconds() {
            return Err(not_a_time());
        }
        Ok(moment)
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Day {
    /// The day that is so many days later.
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// How many days lie between an earlier day and this one; 0 where it is not earlier.
    pub fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0).max(0) as u32
    }
}

impl fmt::Display for Day {
    /// The date: `2026-11-24`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Moment::new(i64::from(self.0) * MS_PER_DAY, 0).to_string();
        f.write_str(text.split('T').next().unwrap_or(&text))
    }
}
