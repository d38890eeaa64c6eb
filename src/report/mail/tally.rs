//! Counts the servers of a run, or of one environment, by standing; and the words that a start and a stop differ in.

use crate::model::{Action, Outcome};
use crate::report::parts::{EnvironmentReport, Row, TierReport};
use crate::report::totals::{Placed, Stands};

/// The words that a start and a stop differ in.
pub(super) struct Verbs {
    pub(super) up: &'static str,
    pub(super) started: &'static str,
    pub(super) start: &'static str,
}

pub(super) fn verbs(action: Action) -> Verbs {
    match action {
        Action::Start => Verbs { up: "up", started: "started", start: "start" },
        Action::Stop => Verbs { up: "down", started: "stopped", start: "stop" },
    }
}

/// The number of servers by standing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) all: usize,
    /// Up now (down, on a stop).
    pub(super) up: usize,
    /// As wanted because this run changed them; in a dry run: would be changed.
    pub(super) done: usize,
    /// Up without this run, and not held: those that are held are counted as held alone.
    pub(super) already: usize,
    pub(super) failed: usize,
    pub(super) held: usize,
    /// Not reached, and not up.
    pub(super) left: usize,
    /// Of the failed ones: those that run and are not ready.
    pub(super) half_way: usize,
    /// Nobody can say what they are now: not up as far as is known.
    pub(super) unknown: usize,
    /// Of the failed ones: those of which nobody can say that they failed.
    pub(super) in_doubt: usize,
}

impl Tally {
    pub(super) fn of<'a>(placed: impl Iterator<Item = Placed<'a>>) -> Self {
        let mut tally = Self::default();
        for Placed { row, stands, is_there, is_unknown, .. } in
            placed.filter(|placed| placed.stands != Stands::NotInRun)
        {
            tally.all += 1;
            tally.up += usize::from(is_there);
            tally.already += usize::from(is_there && !row.action.changes() && stands != Stands::Held);
            tally.unknown += usize::from(is_unknown);
            match stands {
                Stands::AsWanted => tally.done += usize::from(row.action.changes()),
                Stands::Failed => {
                    tally.failed += 1;
                    tally.in_doubt += usize::from(is_unknown);
                    tally.half_way += usize::from(row.end_state.as_deref() == Some("running"));
                }
                Stands::Held => tally.held += 1,
                Stands::NotReached => tally.left += usize::from(!is_there),
                Stands::NotInRun => {}
            }
        }
        tally
    }
}

/// What the last look showed of servers, whatever the run did: of those that it left alone.
pub(super) struct Present {
    pub(super) all: usize,
    /// Up (down, on a stop).
    pub(super) there: usize,
    pub(super) unknown: usize,
}

impl Present {
    pub(super) fn of<'a>(rows: impl Iterator<Item = &'a Row>, action: Action) -> Self {
        let mut present = Self { all: 0, there: 0, unknown: 0 };
        for row in rows {
            present.all += 1;
            present.there += usize::from(row.is_as_wanted(action));
            present.unknown += usize::from(row.end_state.is_none());
        }
        present
    }
}

/// The first tier that failed, or that the run did not get to.
pub(super) fn broken_tier(environment: &EnvironmentReport) -> Option<&TierReport> {
    let broken = |tier: &&TierReport| {
        matches!(tier.outcome, None | Some(Outcome::Failed | Outcome::InProgress)) && !environment.skipped
    };
    environment.tiers.iter().find(broken)
}

pub(super) fn is_first(environment: &EnvironmentReport, tier: &TierReport) -> bool {
    environment.tiers.first().is_some_and(|first| std::ptr::eq(first, tier))
}

/// The name of the tier before this one.
pub(super) fn before<'a>(environment: &'a EnvironmentReport, tier: &TierReport) -> &'a str {
    let before = environment.tiers.iter().take_while(|other| !std::ptr::eq(*other, tier));
    before.last().map_or("", |tier| tier.tier.as_str())
}
