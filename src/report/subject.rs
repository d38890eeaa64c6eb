//! The mail's subject: fixed words first, for filters; then the stack and what matters, for people.

use indexmap::IndexMap;

use super::parts::Report;
use super::place::Place;
use super::totals::{Stands, Totals};
use crate::model::Action;

/// Phones show 40 to 80 characters; SES folds what is longer than a header's line.
const LONGEST: usize = 120;
/// So many servers of a list are named, the others counted.
const MOST_NAMES: usize = 3;

impl Report {
    /// The fixed words: `START STATUS: ABORTED`, `SHUTDOWN STATUS: SUCCESS`, `DRY RUN: START STATUS: SUCCESS`; of a
    /// check that was not scheduled `CHECK STATUS: ABORTED`.
    pub(crate) fn status_words(&self) -> String {
        let action = match self.action {
            _ if self.asked.check => "CHECK",
            Action::Start => "START",
            Action::Stop => "SHUTDOWN",
        };
        let dry_run = if self.dry_run { "DRY RUN: " } else { "" };
        format!("{dry_run}{action} STATUS: {}", self.status.word())
    }

    /// The mail's subject: one line of at most 120 characters.
    pub(crate) fn subject(&self, place: &Place) -> String {
        line(&self.status_words(), &self.what_matters(), place)
    }

    /// The servers that are not as wanted, by list; then what went wrong of which no server is to blame.
    fn what_matters(&self) -> Vec<String> {
        let mut lists: IndexMap<String, Vec<&str>> = IndexMap::new();
        for placed in self.placed().filter(|placed| placed.stands == Stands::Failed) {
            let list = format!("{} {}", placed.environment.name, placed.tier.tier);
            lists.entry(list).or_default().push(&placed.row.name);
        }
        let mut matters: Vec<String> = lists.iter().map(|(list, names)| named(list, names)).collect();
        let of_no_server =
            self.problems.iter().filter(|problem| !self.rows().any(|row| row.name == problem.name));
        matters.extend(of_no_server.map(|problem| format!("{}: {}", problem.name, problem.code)));
        if matters.is_empty() {
            let Totals { servers, held, not_reached, .. } = self.totals();
            matters.extend((not_reached > 0).then(|| format!("{not_reached} not reached")));
            matters.extend(self.is_held_back().then(|| format!("{held} of {servers} held")));
        }
        matters
    }

    /// Whether a server that was held is not as the action wants it: the status calls that a success.
    fn is_held_back(&self) -> bool {
        self.placed().any(|placed| placed.stands == Stands::Held && !placed.is_there)
    }
}

/// The fixed words, the stack and what matters, in one line of at most 120 characters.
pub(super) fn line(status: &str, matters: &[String], place: &Place) -> String {
    let mut subject = format!("{status} · {}", place.stack);
    if !matters.is_empty() {
        subject = format!("{subject} · {}", matters.join("; "));
    }
    shortened(&one_line(&subject))
}

pub(super) fn named(list: &str, names: &[&str]) -> String {
    let first = names.iter().take(MOST_NAMES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MOST_NAMES) {
        0 => format!("{list}: {first}"),
        more => format!("{list}: {first} +{more}"),
    }
}

/// A subject of at most 120 characters.
pub(super) fn one_short_line(subject: &str) -> String {
    shortened(&one_line(subject))
}

/// A control character could begin a header of its own.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(LONGEST - 1).collect();
    format!("{}…", start.trim_end())
}
