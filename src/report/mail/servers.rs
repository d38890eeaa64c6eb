//! Each server once: a row if there is news of it, by its name among its like otherwise.

use indexmap::IndexMap;
use jiff::tz::TimeZone;

use super::words::{NO_BREAK, duration, isolated};
use crate::model::ActionTaken;
use crate::report::parts::{EnvironmentReport, Report, Row};
use crate::report::place::Place;
use crate::report::totals::{Placed, Stands};

/// With more news than this the rows are folded too: Gmail cuts a mail off at 102 kB.
const MOST_ROWS: usize = 30;

/// The servers of one environment.
pub(super) struct Environment {
    pub(super) name: String,
    /// ` (account 210987654321, eu-central-1)`, of a run over several accounts or Regions; the foot tells one alone.
    pub(super) place: String,
    pub(super) rows: Vec<NewsRow>,
    pub(super) folds: Vec<Fold>,
}

/// A server that there is news of.
pub(super) struct NewsRow {
    pub(super) name: String,
    pub(super) id: String,
    /// Its tier, and its states: `db: stopped → running`.
    pub(super) states: String,
    pub(super) note: String,
    pub(super) bad: bool,
}

/// Servers of a tier that fared alike.
pub(super) struct Fold {
    /// For example `db, stopped → running`.
    pub(super) what: String,
    pub(super) names: Vec<String>,
}

/// Every server of every list.
pub(super) fn environments(report: &Report, zone: &TimeZone, place: &Place) -> Vec<Environment> {
    let is_spread = report.environments.iter().any(|environment| environment.elsewhere.is_some());
    let news = report.placed().filter(|placed| is_news(report, placed)).count();
    let told_in_rows = |placed: &Placed<'_>| news <= MOST_ROWS && is_news(report, placed);
    let of_one = |environment: &EnvironmentReport| {
        let place = place.of(environment.elsewhere.as_ref()).account_and_region();
        let place = if is_spread { format!(" ({place})") } else { String::new() };
        Environment { place, ..of_one(report, environment, zone, told_in_rows) }
    };
    report.environments.iter().map(of_one).collect()
}

fn of_one(
    report: &Report,
    environment: &EnvironmentReport,
    zone: &TimeZone,
    told_in_rows: impl Fn(&Placed<'_>) -> bool,
) -> Environment {
    let mut rows = Vec::new();
    let mut folds: IndexMap<String, Vec<String>> = IndexMap::new();
    for placed in report.placed().filter(|placed| std::ptr::eq(placed.environment, environment)) {
        if told_in_rows(&placed) {
            rows.push(news_row(&placed, zone));
        } else {
            folds.entry(alike(&placed, zone)).or_default().push(folded(&placed));
        }
    }
    let folds = folds.into_iter().map(|(what, names)| Fold { what, names }).collect();
    Environment { name: environment.name.clone(), place: String::new(), rows, folds }
}

fn is_news(report: &Report, placed: &Placed<'_>) -> bool {
    match placed.stands {
        Stands::Failed | Stands::Held => true,
        Stands::AsWanted => placed.row.note.is_some() && !report.dry_run,
        Stands::NotReached => placed.row.action.changes(),
        Stands::NotInRun => false,
    }
}

fn news_row(placed: &Placed<'_>, zone: &TimeZone) -> NewsRow {
    let row = placed.row;
    NewsRow {
        name: isolated(&row.name),
        id: row.id.clone().unwrap_or_default(),
        states: format!("{}: {}", placed.tier.tier, states(row)),
        note: note(row, zone),
        bad: placed.stands == Stands::Failed,
    }
}

fn states(row: &Row) -> String {
    let then = match row.action {
        _ if row.end_state.is_some() || !row.was_ready => None,
        ActionTaken::Started => Some("ready"),
        ActionTaken::Stopped => Some("stopped"),
        _ => None,
    };
    // What its phase saw stands, although nobody could look again.
    let then = then.map(|then| format!("{then}, unknown now"));
    let end = then.as_deref().or(row.end_state.as_deref()).unwrap_or("unknown");
    match row.initial_state.as_deref() {
        Some(initial) if initial != end => format!("{initial} → {end}"),
        _ => end.to_owned(),
    }
}

fn note(row: &Row, zone: &TimeZone) -> String {
    let did = match (row.action, row.seconds) {
        (ActionTaken::Nothing, _) => None,
        (ActionTaken::Started, Some(seconds)) => Some(format!("ready after {}", duration(seconds))),
        (ActionTaken::Stopped, Some(seconds)) => Some(format!("stopped after {}", duration(seconds))),
        (ActionTaken::Started, None) => Some("start requested".to_owned()),
        (ActionTaken::Stopped, None) => Some("stop requested".to_owned()),
        (did, _) => Some(did.words().to_owned()),
    };
    let problem = row.problem.as_deref().map(|code| match code {
        "NotInTime" => "not ready in time".to_owned(),
        code => code.to_owned(),
    });
    let in_doubt = (row.problem.is_none() && row.end_state.is_none() && !row.was_ready)
        .then(|| "nobody could see what came of it".to_owned());
    let mut said: Vec<String> = [did, row.note_in(zone), problem, in_doubt].into_iter().flatten().collect();
    // A dry run's note is the code of its problem.
    said.dedup();
    said.join("; ")
}

/// What the servers of a fold have in common.
fn alike(placed: &Placed<'_>, zone: &TimeZone) -> String {
    let (row, tier) = (placed.row, &placed.tier.tier);
    let states = states(row);
    match placed.stands {
        Stands::NotInRun => format!("{tier}, {states}"),
        Stands::NotReached => format!("{tier}, not reached, {states}"),
        Stands::AsWanted if row.action.changes() && row.end_state == row.initial_state => {
            format!("{tier}, {states}, {}", row.action.words())
        }
        Stands::AsWanted if row.initial_state == row.end_state => {
            format!("{tier}, {states} before and after")
        }
        Stands::AsWanted => format!("{tier}, {states}"),
        Stands::Failed | Stands::Held => {
            let why = row.problem.clone().or_else(|| row.note_in(zone)).unwrap_or_default();
            format!(
                "{tier}, {states}, {} {why}",
                if placed.stands == Stands::Held { "held:" } else { "failed:" }
            )
        }
    }
}

fn folded(placed: &Placed<'_>) -> String {
    let row = placed.row;
    let name = isolated(&row.name);
    match (placed.stands, &row.id, row.seconds) {
        (Stands::Failed, Some(id), _) => format!("{name}{NO_BREAK}({id})"),
        (_, _, Some(seconds)) => format!("{name}{NO_BREAK}({})", duration(seconds)),
        _ => name,
    }
}
