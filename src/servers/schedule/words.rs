//! A schedule in words, with the times at which it fires next.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::expression::{Expression, Next};
use super::{Begins, Schedule};

/// So many times are told.
const TIMES: usize = 3;

impl Schedule {
    /// `weekday-mornings starts dev, test: cron(0 7 ? * MON-FRI *), Europe/Madrid; next Mon 2026-11-30 07:00 CET, …`
    pub(crate) fn understood(&self, now: Timestamp) -> String {
        let does = match self.action {
            Begins::Start => "starts",
            Begins::Stop => "stops",
            Begins::Check => "checks",
        };
        let what = match self.environments.len() {
            0 => "all environments".to_owned(),
            _ => self.environments.join(", "),
        };
        let calendar =
            self.calendar.as_ref().map(|calendar| format!(" if {calendar} is open")).unwrap_or_default();
        // What the stack's zone is, the file does not know; the template's default is UTC.
        let (named, zone) = match &self.time_zone {
            Some(name) => (name.as_str(), TimeZone::get(name).unwrap_or(TimeZone::UTC)),
            None => ("the stack's TimeZone (here as if UTC)", TimeZone::UTC),
        };
        let next = self.expression.in_words(now, &zone);
        let next = if self.enabled { next } else { format!("DISABLED, else {next}") };
        let changes = self.expression.clock_changes(now, &zone);
        let changes: String = changes.iter().map(|change| format!("; {change}")).collect();
        format!("{} {does} {what}{calendar}: {}, {named}; {next}{changes}", self.name, self.text)
    }
}

impl Expression {
    /// `next Mon 2026-11-30 07:00 CET, …`, `never again`, or how often.
    pub(crate) fn in_words(&self, now: Timestamp, zone: &TimeZone) -> String {
        match self.next(now, zone, TIMES) {
            Next::Every(rate) => format!("every {rate} since EventBridge Scheduler began with it"),
            Next::At(times) if times.is_empty() => "never again".to_owned(),
            Next::At(times) => format!("next {}", times.iter().map(told).collect::<Vec<_>>().join(", ")),
        }
    }
}

fn told(at: &Zoned) -> String {
    at.strftime("%a %Y-%m-%d %H:%M %Z").to_string()
}
