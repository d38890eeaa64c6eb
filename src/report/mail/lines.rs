//! A line an environment: a mark and words.

use super::tally::{Present, Tally, Verbs, before, broken_tier, is_first, verbs};
use super::verdict::Mood;
use super::words::duration;
use crate::report::parts::{EnvironmentReport, Report, TierReport};
use crate::report::totals::Placed;

/// An environment in one line.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) mark: &'static str,
    pub(super) words: String,
    pub(super) mood: Mood,
}

/// A line an environment.
pub(super) fn of(report: &Report) -> Vec<Line> {
    report.environments.iter().map(|environment| line(report, environment)).collect()
}

fn line(report: &Report, environment: &EnvironmentReport) -> Line {
    let of_it = |placed: &Placed<'_>| std::ptr::eq(placed.environment, environment);
    let tally = Tally::of(report.placed().filter(of_it));
    let verbs = verbs(report.action);
    let (mark, mood, words) = if environment.skipped {
        ("–", Mood::Quiet, "not part of this run".to_owned())
    } else if !report.did_something() || environment.left_alone.is_some() {
        ("–", Mood::Quiet, left_alone(report, environment, verbs.up))
    } else if let Some(tier) = broken_tier(environment) {
        ("✗", Mood::Bad, broken(report, environment, tier, &tally))
    } else if tally.all == 0 {
        ("–", Mood::Quiet, "no servers".to_owned())
    } else if report.dry_run {
        planned(&tally, &verbs)
    } else {
        done(environment, &tally, &verbs)
    };
    Line { name: environment.name.clone(), mark, words, mood }
}

fn left_alone(report: &Report, environment: &EnvironmentReport, up: &str) -> String {
    let rows = environment.tiers.iter().flat_map(|tier| &tier.rows);
    let Present { all, there, unknown } = Present::of(rows, report.action);
    let mut parts = vec!["left as it is".to_owned()];
    parts.extend((unknown == 0 || unknown < all).then(|| format!("{there}\u{a0}of\u{a0}{all}\u{a0}{up}")));
    parts.extend((unknown > 0).then(|| format!("{unknown}\u{a0}unknown")));
    parts.join(", ")
}

fn broken(report: &Report, environment: &EnvironmentReport, tier: &TierReport, tally: &Tally) -> String {
    let Verbs { up, started, .. } = verbs(report.action);
    let would = report.dry_run;
    let mut parts = vec![match tier.outcome {
        Some(_) if would => format!("would fail in {}", tier.tier),
        Some(_) => format!("failed in {}", tier.tier),
        None if is_first(environment, tier) => "not reached".to_owned(),
        None => format!("not reached beyond {}", before(environment, tier)),
    }];
    let left = if would { "would not be" } else { "not" };
    // Of those that nobody could see it is said further on.
    let seen_left = if would { tally.left } else { tally.left + tally.in_doubt - tally.unknown };
    parts.extend((seen_left > 0).then(|| format!("{seen_left} {left} {started}")));
    if would {
        parts.push(format!("{}\u{a0}of\u{a0}{} would be {started}", tally.done, tally.all));
    } else {
        if tally.unknown < tally.all {
            parts.push(format!("{}\u{a0}of\u{a0}{}\u{a0}{up}", tally.up, tally.all));
        }
        parts.extend((tally.unknown > 0).then(|| format!("{}\u{a0}unknown", tally.unknown)));
    }
    parts.join(", ")
}

fn planned(tally: &Tally, verbs: &Verbs) -> (&'static str, Mood, String) {
    let mut parts = Vec::new();
    match tally.done {
        0 if tally.up == tally.all => parts.push(format!("{} already", verbs.up)),
        0 => parts.push(format!("nothing would be {}", verbs.started)),
        done => parts.push(format!("{done}\u{a0}of\u{a0}{} would be {}", tally.all, verbs.started)),
    }
    parts.extend((tally.failed > 0).then(|| format!("{} could not", tally.failed)));
    parts.extend((tally.held > 0).then(|| format!("{}\u{a0}held", tally.held)));
    let (mark, mood) = if tally.failed > 0 { ("!", Mood::Warning) } else { ("→", Mood::Plan) };
    (mark, mood, parts.join(", "))
}

fn done(environment: &EnvironmentReport, tally: &Tally, verbs: &Verbs) -> (&'static str, Mood, String) {
    let mut parts = Vec::new();
    if tally.up == tally.all {
        parts.push(format!("{}, {}\u{a0}of\u{a0}{}", verbs.up, tally.up, tally.all));
    } else {
        parts.push(format!("{}\u{a0}of\u{a0}{}\u{a0}{}", tally.up, tally.all, verbs.up));
    }
    parts.extend((tally.failed > 0).then(|| format!("{}\u{a0}failed", tally.failed)));
    parts.extend((tally.held > 0).then(|| format!("{}\u{a0}held", tally.held)));
    // Where a server failed, its list waited for longer than the slowest good one took.
    parts.extend(seconds(environment).filter(|_| tally.failed == 0).map(duration));
    let (mark, mood) = if tally.failed > 0 { ("!", Mood::Warning) } else { ("✓", Mood::Good) };
    (mark, mood, parts.join(", "))
}

/// The slowest server of each tier, one tier after another.
fn seconds(environment: &EnvironmentReport) -> Option<u64> {
    let slowest = |tier: &TierReport| tier.rows.iter().filter_map(|row| row.seconds).max();
    let tiers: Vec<u64> = environment.tiers.iter().filter_map(slowest).collect();
    (!tiers.is_empty()).then(|| tiers.iter().sum())
}
