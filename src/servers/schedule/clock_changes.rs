//! What the next changes of the clocks do to a cron expression: pure.
//!
//! Owns which changes are told. Who fires every hour loses nothing that a person would miss.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use super::cron::Cron;
use super::field::HOURS;

/// So many changes are looked at: a spring's and an autumn's.
const CHANGES: usize = 2;

/// A time of the expression that a change of the clocks leaves out or repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClockChange {
    /// The clocks go forward over it.
    LeavesOut(DateTime),
    /// The clocks go back over it.
    Repeats(DateTime),
}

impl Cron {
    /// Of each of the zone's next changes after `now`, the first time that it leaves out or repeats.
    pub(super) fn clock_changes(&self, now: Timestamp, zone: &TimeZone) -> Vec<ClockChange> {
        if self.hours_a_day() == HOURS.range.count() {
            return Vec::new();
        }
        let times = self.times();
        let changes = zone.following(now).take(CHANGES).map(|change| change.timestamp());
        let of_one = |at: Timestamp| {
            // A change at midnight leaves out, or repeats, times of the day before too.
            let before = (at - jiff::SignedDuration::from_secs(1)).to_zoned(zone.clone()).date();
            let after = at.to_zoned(zone.clone()).date();
            let days = [before, after].into_iter().take(if before == after { 1 } else { 2 });
            let days = days.filter(|day| self.is_day(*day));
            let mut all = days.flat_map(|day| times.iter().map(move |time| day.to_datetime(*time)));
            all.find_map(|at| match zone.to_ambiguous_zoned(at).offset() {
                AmbiguousOffset::Gap { .. } => Some(ClockChange::LeavesOut(at)),
                AmbiguousOffset::Fold { .. } => Some(ClockChange::Repeats(at)),
                AmbiguousOffset::Unambiguous { .. } => None,
            })
        };
        changes.filter_map(of_one).collect()
    }
}

impl fmt::Display for ClockChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = |at: &DateTime| at.strftime("%a %Y-%m-%d, %H:%M").to_string();
        match self {
            Self::LeavesOut(at) => write!(f, "on {} is left out by the clocks: it does not fire", when(at)),
            Self::Repeats(at) => write!(f, "on {} comes twice: it fires once", when(at)),
        }
    }
}
