//! What a report, a check or a schedule that was made says of its execution: one word. Pure.

use super::change::{RunStatus, StatusChange};

/// The end of a run that could tell nobody by mail (servers/machine.rs): its cause is all that is told of it.
const NOBODY_TOLD: &str = "NobodyTold";

/// The word, as it stands in the execution's output or cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The report's: all servers are as wanted.
    Success,
    /// The report's: every tier was reached, and not every server is as wanted.
    Degraded,
    /// The report's: some tier was not reached, or its minimum was not met.
    Aborted,
    /// The report's: nothing was done, for the calendar's sake.
    Skipped,
    /// The check's: all that can be proved was.
    Ready,
    /// The check's: something could not be asked.
    NotProved,
    /// The check's: something would fail.
    WouldFail,
    /// The state machine's: the run begins later, by a schedule.
    Scheduled,
}

impl Verdict {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Success,
        Self::Degraded,
        Self::Aborted,
        Self::Skipped,
        Self::Ready,
        Self::NotProved,
        Self::WouldFail,
        Self::Scheduled,
    ];

    /// The word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Degraded => "DEGRADED",
            Self::Aborted => "ABORTED",
            Self::Skipped => "SKIPPED",
            Self::Ready => "READY",
            Self::NotProved => "NOT PROVED",
            Self::WouldFail => "WOULD FAIL",
            Self::Scheduled => "SCHEDULED",
        }
    }

    /// Whether an evening check says it.
    pub(super) fn is_of_a_check(self) -> bool {
        matches!(self, Self::Ready | Self::NotProved | Self::WouldFail)
    }

    /// A good word that its execution belies is none; a run that did nothing fails where its mail did.
    pub(super) fn may_be_claimed(self, change: &StatusChange) -> bool {
        let is_untold = change.status == RunStatus::Failed && change.error.as_deref() == Some(NOBODY_TOLD);
        match self {
            Self::Success | Self::Ready | Self::Scheduled => change.status == RunStatus::Succeeded,
            Self::Skipped => change.status == RunStatus::Succeeded || is_untold,
            Self::Degraded | Self::Aborted | Self::NotProved | Self::WouldFail => true,
        }
    }
}
