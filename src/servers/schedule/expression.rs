//! EventBridge Scheduler's schedule expressions: `cron(…)`, `rate(…)` and `at(…)`.
//!
//! Owns the three kinds, and when each fires next. A rate counts from when EventBridge Scheduler began with it, and what
//! an update does to that is not documented: it has no times here, only words.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::clock_changes::ClockChange;
use super::cron::{Cron, first_of};

/// A schedule expression, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Cron(Cron),
    Rate(String),
    At(DateTime),
}

/// When an expression fires next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// At these times, the nearest first; none means never again.
    At(Vec<Zoned>),
    /// Every so often, `2 hours` for example, from when EventBridge Scheduler began with it.
    Every(String),
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// With a sentence that says what is wrong in it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        // It stands in template.yaml as one line.
        if text.contains(char::is_control) {
            return Err("write it in one line, with a blank and no tab between the fields".to_owned());
        }
        let inside = |kind: &str| text.strip_prefix(kind)?.strip_prefix('(')?.strip_suffix(')');
        let kind = if let Some(fields) = inside("cron") {
            Kind::Cron(Cron::read(fields)?)
        } else if let Some(rate) = inside("rate") {
            Kind::Rate(read_rate(rate)?)
        } else if let Some(at) = inside("at") {
            Kind::At(read_at(at)?)
        } else {
            return Err("write cron(…), rate(…) or at(…)".to_owned());
        };
        Ok(Self(kind))
    }

    /// The next so many times after `now`, by the clocks of `zone`.
    pub(crate) fn next(&self, now: Timestamp, zone: &TimeZone, count: usize) -> Next {
        match &self.0 {
            Kind::Cron(cron) => Next::At(cron.next(now, zone, count)),
            Kind::Rate(every) => Next::Every(every.clone()),
            Kind::At(at) => {
                Next::At(first_of(*at, zone).into_iter().filter(|at| at.timestamp() > now).collect())
            }
        }
    }

    /// What the zone's next changes of the clocks do to it, after `now`.
    pub(super) fn clock_changes(&self, now: Timestamp, zone: &TimeZone) -> Vec<ClockChange> {
        match &self.0 {
            Kind::Cron(cron) => cron.clock_changes(now, zone),
            Kind::Rate(_) | Kind::At(_) => Vec::new(),
        }
    }

    /// Whether it names a time that the clocks of this zone leave out.
    pub(super) fn is_left_out_by(&self, zone: &TimeZone) -> bool {
        matches!(self.0, Kind::At(at) if first_of(at, zone).is_none())
    }
}

/// The rate in words. The unit may be written either way: EventBridge Scheduler's API reference has `minute | minutes |
/// hour | hours | day | days`, its guide the plurals alone, and neither says that the number decides
/// (<https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>).
fn read_rate(text: &str) -> Result<String, String> {
    let wrong = || "write a whole number from 1 and minutes, hours or days, as in rate(12 hours)".to_owned();
    let (value, unit) = text.split_once(' ').ok_or_else(wrong)?;
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
    let is_unit = ["minute", "hour", "day"].contains(&unit.strip_suffix('s').unwrap_or(unit));
    match value.parse::<u32>() {
        Ok(1) if is_number && is_unit => Ok(format!("1 {}", unit.trim_end_matches('s'))),
        Ok(_) if is_number && is_unit => Ok(format!("{value} {}s", unit.trim_end_matches('s'))),
        _ => Err(wrong()),
    }
}

/// `2026-12-24T18:00:00`: no offset, no fraction.
fn read_at(text: &str) -> Result<DateTime, String> {
    let wrong = || "write a day and a time that there are, as in at(2026-12-24T18:00:00)".to_owned();
    let at: DateTime = text.parse().map_err(|_| wrong())?;
    // jiff reads more forms than EventBridge Scheduler.
    if at.strftime("%Y-%m-%dT%H:%M:%S").to_string() == text { Ok(at) } else { Err(wrong()) }
}
