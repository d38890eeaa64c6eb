//! What the mail says, in its order: the verdict, what went wrong, each server, and where all this was.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::lines::{self, Line};
use super::next::{self, Next};
use super::problems::{self, Entry};
use super::servers::{self, Environment};
use super::verdict::{self, Mood};
use super::words::{NO_BREAK, servers as count_of, were};
use crate::model::{Execution, HoursOff};
use crate::report::parts::Report;
use crate::report::place::Place;

/// With more servers than these every byte of a name counts.
const FEW_SERVERS: usize = 200;
/// So many characters fit a phone's line.
const WHOLE_NAME: usize = 40;

/// The report in words.
pub(super) struct View {
    /// `START STATUS: ABORTED`
    pub(super) status: String,
    pub(super) mood: Mood,
    pub(super) title: String,
    pub(super) meaning: String,
    pub(super) lines: Vec<Line>,
    /// Links into the console, with their words.
    pub(super) links: Vec<Link>,
    /// Above the problems.
    pub(super) heading: &'static str,
    pub(super) problems: Vec<Entry>,
    pub(super) remarks: Vec<String>,
    pub(super) environments: Vec<Environment>,
    pub(super) off: Option<String>,
    /// What to do next.
    pub(super) next: Option<Next>,
    /// Which run it was, and when this was told.
    pub(super) run: String,
    /// Stack, account, Region and version.
    pub(super) place: Vec<String>,
    /// Few enough servers to spend bytes on names that do not break at their hyphens: Gmail cuts a mail off at 102 kB.
    pub(super) few: bool,
}

impl View {
    /// Whether a name stands on one line: a long one would be wider than a phone.
    pub(super) fn keeps_whole(&self, name: &str) -> bool {
        self.few && name.contains('-') && name.chars().count() <= WHOLE_NAME
    }
}

/// A link into the console.
pub(super) struct Link {
    pub(super) words: &'static str,
    pub(super) to: String,
}

/// The view of a report.
pub(super) fn of(report: &Report, zone: &TimeZone, place: &Place) -> View {
    View {
        status: report.status_words(),
        mood: verdict::mood(report),
        title: verdict::title(report),
        meaning: verdict::meaning(report, zone),
        lines: lines::of(report),
        links: links(report.execution.as_ref(), report.did_something(), place),
        heading: "What went wrong",
        problems: problems::entries(&report.problems, report, place),
        remarks: report.remarks_in(zone),
        environments: servers::environments(report, zone, place),
        off: off(report),
        next: next::of(report, place),
        run: run(report.execution.as_ref(), report.at, zone),
        place: place.words(),
        few: report.rows().count() <= FEW_SERVERS,
    }
}

/// A run that did nothing wrote no phase log.
pub(super) fn links(execution: Option<&Execution>, wrote_log: bool, place: &Place) -> Vec<Link> {
    let Some(execution) = execution else { return Vec::new() };
    let run = place.execution(&execution.id).map(|to| Link { words: "Open the run", to });
    let log =
        place.log_stream(&execution.name).filter(|_| wrote_log).map(|to| Link { words: "Phase log", to });
    run.into_iter().chain(log).collect()
}

pub(super) fn run(execution: Option<&Execution>, at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_zoned(zone.clone()).strftime("%A %Y-%m-%d %H:%M %Z").to_string();
    match execution {
        Some(execution) => format!("Run {}, {at}", execution.name),
        None => at,
    }
}

/// All hours off, and what they would have cost, by currency.
fn off(report: &Report) -> Option<String> {
    let mut off = HoursOff::default();
    let mut money: BTreeMap<&str, f64> = BTreeMap::new();
    let mut unpriced = false;
    let tiers = report.environments.iter().flat_map(|environment| &environment.tiers);
    for tier in tiers.filter(|tier| tier.off.servers > 0) {
        off.add(tier.off);
        match &tier.hourly_rate {
            Some(rate) => *money.entry(&rate.currency).or_default() += rate.amount * hours(tier.off),
            None => unpriced = true,
        }
    }
    if off.servers == 0 {
        return None;
    }
    let amounts: Vec<String> =
        money.iter().map(|(currency, amount)| format!("{amount:.2}{NO_BREAK}{currency}")).collect();
    let where_known = if unpriced { " where the rate is known" } else { "" };
    let worth = if amounts.is_empty() {
        String::new()
    } else {
        format!(", which would have cost about {}{where_known}", amounts.join(" and "))
    };
    Some(format!(
        "{} {} off for {:.0}{NO_BREAK}server-hours since the last stop{worth}.",
        count_of(off.servers),
        were(off.servers),
        hours(off)
    ))
}

fn hours(off: HoursOff) -> f64 {
    Duration::from_secs(off.seconds).as_secs_f64() / 3600.0
}
