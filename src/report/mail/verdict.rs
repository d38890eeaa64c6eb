//! The verdict: a sentence as the title, and what it means. About the servers of this run only.

use indexmap::IndexMap;
use jiff::tz::TimeZone;

use super::tally::{Present, Tally, Verbs, before, broken_tier, is_first, verbs};
use super::words::{are, capitalised, duration, isolated, joined, servers, were};
use crate::model::{Action, Outcome};
use crate::report::calendar::Said;
use crate::report::parts::{EnvironmentReport, MACHINE, Report, Status, TierReport};

/// More environments than these are told by their lines, not in a sentence too.
const MOST_IN_A_SENTENCE: usize = 4;

/// How the verdict looks: by its colour, and always by a word too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Warning,
    Bad,
    /// A dry run: nothing has happened.
    Plan,
    /// Nothing to say.
    Quiet,
}

/// The mood of the whole mail.
pub(super) fn mood(report: &Report) -> Mood {
    match report.status {
        Status::Success if report.dry_run => Mood::Plan,
        Status::Success => Mood::Good,
        Status::Degraded => Mood::Warning,
        Status::Aborted => Mood::Bad,
        Status::Skipped => Mood::Quiet,
    }
}

/// The title: one sentence without its full stop.
pub(super) fn title(report: &Report) -> String {
    let Verbs { up, started, start } = verbs(report.action);
    let tally = Tally::of(report.placed());
    let Tally { all, up: there, done, failed, held, half_way, unknown, .. } = tally;
    let sure = failed - tally.in_doubt;
    let of_which = of_which(report);
    if report.was_for_later() {
        let what = match report.dry_run {
            _ if report.asked.check => "check",
            true => &format!("dry run of the {start}"),
            false => start,
        };
        return format!("The {what} for later was not scheduled");
    }
    if report.lacks_its_stop() {
        let after = report.asked.stop_after_hours.as_ref().map_or_else(String::new, |hours| {
            format!(" after {hours} {}", if hours.as_f64() == Some(1.0) { "hour" } else { "hours" })
        });
        return format!("Nothing was {started}: its stop{after} could not be scheduled");
    }
    if report.status == Status::Skipped {
        let why = if report.is_closed() { "is closed" } else { "could not be read" };
        return format!("Nothing was {started}: the calendar {why}");
    }
    if all == 0 {
        return format!("No server was to be {started}");
    }
    if report.dry_run {
        return match (failed, done) {
            (0, 0) => format!("Nothing would be {started}"),
            (0, done) => format!("{} would be {started}", servers(done)),
            (failed, _) => format!("{failed} of {} could not be {started}", servers(all)),
        };
    }
    match report.status {
        Status::Success if held > 0 && there < all => {
            format!("{there} of {} {} {up}", servers(all), are(there))
        }
        Status::Success if all == 1 => format!("The server{of_which} is {up}"),
        Status::Success if done == 0 => format!("All {}{of_which} were {up} already", servers(all)),
        Status::Success => format!("All {}{of_which} are {up}", servers(all)),
        Status::Aborted if sure > 0 && half_way > 0 && report.action == Action::Start => {
            format!("{sure} of {} did not get ready", servers(all))
        }
        Status::Aborted if sure > 0 => format!("{sure} of {} did not {start}", servers(all)),
        Status::Degraded | Status::Aborted | Status::Skipped => {
            capitalised(&how_many(&Present { all, there, unknown }, up))
        }
    }
}

/// `the server`, `the 20 servers`
fn the_servers(all: usize) -> String {
    if all == 1 { "the server".to_owned() } else { format!("the {}", servers(all)) }
}

/// ` of dev`, where the run was not about all environments.
fn of_which(report: &Report) -> String {
    let (skipped, run): (Vec<_>, Vec<_>) = report.environments.iter().partition(|other| other.skipped);
    let names: Vec<&str> = run.iter().map(|environment| environment.name.as_str()).collect();
    if skipped.is_empty() || names.len() > MOST_IN_A_SENTENCE {
        return String::new();
    }
    format!(" of {}", joined(&names))
}

/// What the title means, with counts that add up, and how long it took.
pub(super) fn meaning(report: &Report, zone: &TimeZone) -> String {
    if let Some(at) = report.asked.at {
        let at = at.to_zoned(zone.clone()).strftime("%A %Y-%m-%d %H:%M %Z");
        return format!(
            "It was to begin on {at}, and its one-time schedule could not be made. Nothing was changed."
        );
    }
    if report.lacks_its_stop() {
        return "The schedule of the stop is made before the servers are started, so nothing was changed."
            .to_owned();
    }
    let tally = Tally::of(report.placed());
    let took = report.seconds().filter(|_| !report.dry_run).map(duration);
    let verbs = verbs(report.action);
    let said = match report.status {
        Status::Skipped => return skipped(report, &verbs, zone),
        _ if report.dry_run => plan(report, &tally, &verbs),
        Status::Success => return success(&tally, &verbs, took),
        Status::Degraded => degraded(report, &tally, &verbs),
        Status::Aborted => aborted(report, &tally, &verbs),
    };
    let took = took.map(|took| format!("It took {took}."));
    said.into_iter().chain(took).collect::<Vec<_>>().join(" ")
}

/// Which calendar, until when, and how the servers are that were left alone.
fn skipped(report: &Report, verbs: &Verbs, zone: &TimeZone) -> String {
    let said = report.calendar.as_ref().map_or_else(String::new, |calendar| {
        let name = isolated(calendar.short_name());
        match &calendar.said {
            Said::Closed(Some(until)) => {
                let until = until.to_zoned(zone.clone()).strftime("%A %Y-%m-%d %H:%M %Z");
                format!("The calendar {name} is closed until {until}. ")
            }
            Said::Closed(None) => format!("The calendar {name} is closed and says no end. "),
            Said::Unreadable(error) => format!("The calendar {name} could not be read: {error}. "),
            Said::Open => String::new(),
        }
    });
    let wanted = report.environments.iter().filter(|environment| !environment.skipped);
    let rows = wanted.flat_map(|environment| &environment.tiers).flat_map(|tier| &tier.rows);
    let present = Present::of(rows, report.action);
    let now = if present.unknown == 0 || present.unknown == present.all { " now" } else { "" };
    format!("{said}Nothing was changed: {}{now}.", how_many(&present, verbs.up))
}

/// How many are up, as far as that is known.
fn how_many(present: &Present, up: &str) -> String {
    let Present { all, there, unknown } = *present;
    match unknown {
        0 => format!("{there} of {} {} {up}", servers(all), are(there)),
        _ if unknown == all => format!("nobody could see whether {} {} {up}", the_servers(all), are(all)),
        _ => format!("{there} of {} {} {up}; for {unknown} it is not known", servers(all), are(there)),
    }
}

/// How many servers this run changed, and how many did not need it; nothing, if it changed none.
fn changed(tally: &Tally, verbs: &Verbs) -> Vec<String> {
    let Tally { done, already, .. } = *tally;
    if done == 0 {
        return Vec::new();
    }
    let already = (already > 0).then(|| format!("{already} {} {} already", were(already), verbs.up));
    [format!("{done} {}", verbs.started)].into_iter().chain(already).collect()
}

fn success(tally: &Tally, verbs: &Verbs, took: Option<String>) -> String {
    let mut parts = changed(tally, verbs);
    if parts.is_empty() {
        parts.push("nothing had to be done".to_owned());
    }
    parts.extend((tally.held > 0).then(|| format!("{} held", tally.held)));
    parts.extend(took.filter(|_| tally.done > 0));
    format!("{}.", capitalised(&parts.join(", ")))
}

fn plan(report: &Report, tally: &Tally, verbs: &Verbs) -> Vec<String> {
    let Verbs { up, started, .. } = verbs;
    let mut counts = Vec::new();
    if tally.failed > 0 && tally.done > 0 {
        counts.push(format!("{} would be {started}", tally.done));
    }
    let already = tally.already;
    counts.extend((already > 0).then(|| format!("{already} {} {up} already", are(already))));
    counts.extend((tally.held > 0).then(|| format!("{} {} held", tally.held, are(tally.held))));
    counts.extend((tally.left > 0).then(|| format!("{} would not be reached", tally.left)));
    let counts = (!counts.is_empty()).then(|| format!("{}.", capitalised(&counts.join(", "))));
    let supposed = is_followed(report, Outcome::Failed)
        .then(|| "Tiers after one that would fail are judged as if it had not failed.".to_owned());
    let errors = broke_off(report);
    let dry = Some("Dry run: nothing was changed.".to_owned());
    [dry, counts, supposed, errors].into_iter().flatten().collect()
}

fn degraded(report: &Report, tally: &Tally, verbs: &Verbs) -> Vec<String> {
    let mut counts = changed(tally, verbs);
    counts.extend((tally.failed > 0).then(|| format!("{} failed", tally.failed)));
    counts.extend((tally.held > 0).then(|| format!("{} held", tally.held)));
    let counts = (!counts.is_empty()).then(|| format!("{}.", counts.join(", ")));
    let met = tiers(report).any(|tier| tier.outcome == Some(Outcome::Degraded));
    let went_on = match is_followed(report, Outcome::Degraded) {
        true => format!("The minimum was met, so later tiers were {}.", verbs.started),
        false => "The minimum was met.".to_owned(),
    };
    [counts, met.then_some(went_on)].into_iter().flatten().collect()
}

fn aborted(report: &Report, tally: &Tally, verbs: &Verbs) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(environments(report, verbs));
    said.extend(broke_off(report));
    let left = (tally.left > 0).then(|| {
        let more = if tally.failed > tally.in_doubt { " more" } else { "" };
        format!("{}{more} {} not {}", tally.left, were(tally.left), verbs.started)
    });
    let held = (tally.held > 0).then(|| format!("{} {} held", tally.held, are(tally.held)));
    let done = (tally.done > 0).then(|| format!("{} {} {}", tally.done, were(tally.done), verbs.started));
    let counts: Vec<String> = [left, held, done].into_iter().flatten().collect();
    if !counts.is_empty() {
        said.push(format!("{}.", counts.join(", ")));
    }
    // Where nothing failed the title says it.
    if tally.failed > tally.in_doubt {
        let unknown = (tally.unknown > 0).then(|| format!("; for {} it is not known", tally.unknown));
        let unknown = unknown.unwrap_or_default();
        said.push(format!("{} of {} {} {}{unknown}.", tally.up, tally.all, are(tally.up), verbs.up));
    }
    said
}

/// The state machine itself broke off.
fn broke_off(report: &Report) -> Option<String> {
    let machine = report.problems.iter().any(|problem| problem.name == MACHINE);
    machine.then(|| "The run broke off.".to_owned())
}

/// `dev and test failed in db; preprod is up.`
fn environments(report: &Report, verbs: &Verbs) -> Option<String> {
    let is_run = |other: &&EnvironmentReport| !other.skipped && other.left_alone.is_none();
    let run: Vec<&EnvironmentReport> = report.environments.iter().filter(is_run).collect();
    if run.len() > MOST_IN_A_SENTENCE {
        return None;
    }
    let mut said: IndexMap<String, Vec<&str>> = IndexMap::new();
    for environment in run {
        let fate = match broken_tier(environment) {
            Some(tier) if tier.outcome.is_some() => format!("failed in {}", tier.tier),
            Some(tier) if is_first(environment, tier) => "not reached".to_owned(),
            Some(tier) => format!("not reached beyond {}", before(environment, tier)),
            None => verbs.up.to_owned(),
        };
        said.entry(fate).or_default().push(&environment.name);
    }
    let clauses: Vec<String> = said
        .iter()
        .map(|(fate, names)| match fate.strip_prefix("failed") {
            Some(_) => format!("{} {fate}", joined(names)),
            None if fate.starts_with("not") => format!("{} {} {fate}", joined(names), were(names.len())),
            None => format!("{} {} {fate}", joined(names), are(names.len())),
        })
        .collect();
    (!clauses.is_empty()).then(|| format!("{}.", clauses.join("; ")))
}

/// Whether servers stand in a tier after one that ended so, and the run came to it.
fn is_followed(report: &Report, outcome: Outcome) -> bool {
    report.environments.iter().any(|environment| {
        let mut from = environment.tiers.iter().skip_while(|tier| tier.outcome != Some(outcome)).skip(1);
        from.any(|tier| tier.outcome.is_some() && !tier.rows.is_empty())
    })
}

fn tiers(report: &Report) -> impl Iterator<Item = &TierReport> {
    report.environments.iter().flat_map(|environment| &environment.tiers)
}
