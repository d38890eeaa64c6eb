//! How many servers stand how. Each server of the run counts once, so that the counts add up.

use serde::Serialize;

use super::parts::{EnvironmentReport, Report, Row, TierReport};
use crate::model::{ActionTaken, Outcome};

/// How a server stands at the end of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stands {
    /// As wanted; in a dry run: as it would be.
    AsWanted,
    /// Not as wanted.
    Failed,
    /// Left alone on purpose.
    Held,
    /// The run did not get to its tier.
    NotReached,
    /// The run was not about its environment.
    NotInRun,
}

/// A server's row, where it belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed<'a> {
    /// Its environment.
    pub environment: &'a EnvironmentReport,
    /// Its list.
    pub tier: &'a TierReport,
    /// The server.
    pub row: &'a Row,
    /// How it stands.
    pub stands: Stands,
    /// Whether it is up now (down, on a stop), whoever saw to it.
    pub is_there: bool,
    /// Whether nobody can say what it is now.
    pub is_unknown: bool,
}

/// The number of servers by standing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    /// All servers of this run: `as_wanted + held + problems + not_reached`.
    pub servers: usize,
    /// As wanted; in a dry run, as they would be.
    pub as_wanted: usize,
    /// Changed by this run, whatever came of it; in a dry run, those that it would change.
    pub changed: usize,
    /// Left alone on purpose.
    pub held: usize,
    /// Not as wanted.
    pub problems: usize,
    /// In tiers that this run did not get to.
    pub not_reached: usize,
    /// In environments that this run was not about: none of the others counts them.
    pub not_in_run: usize,
}

impl Report {
    /// Every server, with how it stands.
    pub(crate) fn placed(&self) -> impl Iterator<Item = Placed<'_>> {
        self.environments.iter().flat_map(move |environment| {
            environment
                .tiers
                .iter()
                .flat_map(move |tier| tier.rows.iter().map(move |row| self.place_row(environment, tier, row)))
        })
    }

    /// The number of servers by standing.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for Placed { row, stands, .. } in self.placed() {
            let count = match stands {
                Stands::NotInRun => {
                    totals.not_in_run += 1;
                    continue;
                }
                Stands::AsWanted => &mut totals.as_wanted,
                Stands::Failed => &mut totals.problems,
                Stands::Held => &mut totals.held,
                Stands::NotReached => &mut totals.not_reached,
            };
            *count += 1;
            totals.servers += 1;
            totals.changed += usize::from(row.action.changes());
        }
        totals
    }

    fn place_row<'a>(
        &self,
        environment: &'a EnvironmentReport,
        tier: &'a TierReport,
        row: &'a Row,
    ) -> Placed<'a> {
        let is_wanted = row.is_as_wanted(self.action);
        let was_ready = row.end_state.is_none() && row.was_ready;
        let stands = if row.problem.is_some() {
            Stands::Failed
        } else if environment.left_alone.is_none()
            && (environment.skipped || tier.outcome == Some(Outcome::Skipped))
        {
            Stands::NotInRun
        } else if row.action == ActionTaken::Held {
            Stands::Held
        } else if tier.outcome.is_none() {
            Stands::NotReached
        } else if self.dry_run || is_wanted || was_ready {
            Stands::AsWanted
        } else {
            Stands::Failed
        };
        let is_there = match stands {
            Stands::Failed => false,
            Stands::AsWanted => !self.dry_run || !row.action.changes(),
            Stands::Held | Stands::NotReached | Stands::NotInRun => is_wanted,
        };
        let is_unknown =
            row.end_state.is_none() && row.problem.is_none() && !is_there && stands != Stands::Held;
        Placed { environment, tier, row, stands, is_there, is_unknown }
    }
}
