//! What a report is made of: the verdict, environments, lists and servers. Pure.
//!
//! `build` puts it together, `totals` counts it, `mail` words it, `answer` hands it to the state machine.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::asked::Asked;
use super::calendar::{Calendar, Said};
use super::times::changed_words;
use crate::model::{
    Action, ActionTaken, Elsewhere, Execution, Failure, HoursOff, Instance, Outcome, Problem,
};
use crate::servers::file::Rate;

/// Whom the state machine's own failure is said to be of.
pub(super) const MACHINE: &str = "the state machine";
/// The machine's error of a run that gave up waiting, before its stop was to be scheduled (`servers/machine`).
const EARLIER_RUN: &str = "EarlierRunStillGoing";

/// What a fresh describe saw of each phase's servers, by phase number.
pub(crate) type Seen = Vec<(u32, Result<Vec<Instance>, Failure>)>;

/// The run's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    /// Every server that was to change is as wanted.
    Success,
    /// Every tier was reached, but not every server is as wanted.
    Degraded,
    /// Some tier was not reached, or its minimum was not met.
    Aborted,
    /// Nothing was done, for the calendar's sake. Nothing worsens to it.
    Skipped,
}

impl Status {
    /// As it stands in the subject.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Degraded => "DEGRADED",
            Self::Aborted => "ABORTED",
            Self::Skipped => "SKIPPED",
        }
    }
}

/// One server's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Its Name tag, or the key in the initial states.
    pub name: String,
    /// The instance's id, if there is an instance.
    pub id: Option<String>,
    /// Its environment.
    pub environment: String,
    /// Its tier.
    pub tier: String,
    /// What it was before this run changed anything, as far as that is known.
    pub initial_state: Option<String>,
    /// What it is now, as far as that is known.
    pub end_state: Option<String>,
    /// What was done.
    pub action: ActionTaken,
    /// Seconds from the request to the wanted state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why nothing was done, or why it was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was changed according to EC2, if its phase broke off: the note says it in UTC.
    #[serde(skip)]
    pub changed_at: Option<Timestamp>,
    /// The code of its problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Its phase saw it as wanted: what stands if nobody could look at it since.
    #[serde(skip)]
    pub was_ready: bool,
}

impl Row {
    /// The note, with its time by the clocks of `zone`.
    pub(super) fn note_in(&self, zone: &TimeZone) -> Option<String> {
        let changed = self.changed_at.map(|at| changed_words(self.action, at, zone));
        changed.or_else(|| self.note.clone())
    }

    /// Whether a look showed it as the action wants it. What was there and is gone is down; of a name that no instance
    /// has nobody knows.
    pub(crate) fn is_as_wanted(&self, action: Action) -> bool {
        match action {
            Action::Start => self.end_state.as_deref() == Some("running"),
            Action::Stop => match self.end_state.as_deref() {
                Some("missing") => self.id.is_some(),
                end => end == Some("stopped"),
            },
        }
    }
}

/// One list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TierReport {
    /// For people.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// How it ended; `None`: the run did not get there.
    pub outcome: Option<Outcome>,
    /// Its servers, each once.
    pub rows: Vec<Row>,
    /// For how long its started servers had been off.
    pub off: HoursOff,
    /// What one of its servers costs an hour, if the user has said so.
    pub hourly_rate: Option<Rate>,
}

/// One environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnvironmentReport {
    /// For example `dev`.
    pub name: String,
    /// Where it is, if not in the stack's own account and Region.
    pub elsewhere: Option<Elsewhere>,
    /// The execution was limited to others.
    pub skipped: bool,
    /// A person was asked, and this is why it was left alone.
    pub left_alone: Option<String>,
    /// Its tiers, in the order of this action.
    pub tiers: Vec<TierReport>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// Start or stop.
    pub action: Action,
    /// Nothing was changed.
    pub dry_run: bool,
    /// The verdict.
    pub status: Status,
    /// The execution.
    pub execution: Option<Execution>,
    /// When the report was made.
    pub at: Timestamp,
    /// Every environment.
    pub environments: Vec<EnvironmentReport>,
    /// Every problem, the servers' and the machine's.
    pub problems: Vec<Problem>,
    /// What a reader should know besides.
    pub remarks: Vec<String>,
    /// What the calendar said, if it was asked.
    pub calendar: Option<Calendar>,
    /// What was asked besides the action.
    pub asked: Asked,
}

impl Report {
    /// Whether nothing was done because the calendar is closed.
    pub(crate) fn is_closed(&self) -> bool {
        let closed = self.calendar.as_ref().is_some_and(|calendar| matches!(calendar.said, Said::Closed(_)));
        self.status == Status::Skipped && closed
    }

    /// Whether the run was to begin later only: its report is made where its schedule could not be.
    pub(crate) fn was_for_later(&self) -> bool {
        self.asked.at.is_some()
    }

    /// Whether nothing was started because the schedule of the stop that was to follow could not be made.
    pub(crate) fn lacks_its_stop(&self) -> bool {
        let mut of_machine = self.problems.iter().filter(|problem| problem.name == MACHINE);
        self.asked.lacks_its_stop && of_machine.any(|problem| problem.code != EARLIER_RUN)
    }

    /// Whether servers were to be started or stopped by this very run.
    pub(crate) fn did_something(&self) -> bool {
        self.status != Status::Skipped && !self.was_for_later() && !self.lacks_its_stop()
    }

    /// What a reader should know besides, with times by the clocks of `zone`.
    pub(super) fn remarks_in(&self, zone: &TimeZone) -> Vec<String> {
        let stop = self.asked.stop_later.as_ref().map(|stop| stop.remark(self.at, zone));
        stop.into_iter().chain(self.remarks.iter().cloned()).collect()
    }

    /// The whole run is aborted, because servers.toml cannot be used.
    pub(crate) fn abort_for(&mut self, what: &str) {
        self.status = Status::Aborted;
        let code = "InvalidServersFile".to_owned();
        let problem =
            Problem { name: crate::servers::FILE.to_owned(), id: None, code, message: what.to_owned() };
        self.problems.insert(0, problem);
    }

    fn tiers(&self) -> impl Iterator<Item = &TierReport> {
        self.environments.iter().flat_map(|environment| &environment.tiers)
    }

    /// Every server of every list.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.tiers().flat_map(|tier| &tier.rows)
    }

    /// For how long all started servers had been off.
    pub(crate) fn off(&self) -> HoursOff {
        let mut off = HoursOff::default();
        self.tiers().for_each(|tier| off.add(tier.off));
        off
    }

    /// Seconds from the execution's start to now.
    pub(crate) fn seconds(&self) -> Option<u64> {
        let execution = self.execution.as_ref()?;
        u64::try_from(self.at.duration_since(execution.start_time).as_secs()).ok()
    }
}
