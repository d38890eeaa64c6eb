//! What Step Functions told of an execution, in our own types.

use jiff::Timestamp;
use serde_json::Value;

/// The status of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunStatus {
    /// It began, or began again.
    Running,
    /// It ended in a Succeed.
    Succeeded,
    /// It ended in a Fail, or by an error.
    Failed,
    /// It took longer than its machine allows.
    TimedOut,
    /// Somebody ended it.
    Aborted,
}

impl RunStatus {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Running, Self::Succeeded, Self::Failed, Self::TimedOut, Self::Aborted];

    /// As Step Functions writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }

    /// The detail-type of the event that tells of it.
    pub(crate) fn detail_type(self) -> &'static str {
        match self {
            Self::Running => "EC2 Start/Stop Run Began",
            _ => "EC2 Start/Stop Run Ended",
        }
    }
}

/// A change of an execution's status.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatusChange {
    /// The id of AWS's event: a second delivery has the same one.
    pub event_id: String,
    /// When the status changed.
    pub at: Timestamp,
    /// The execution's ARN.
    pub execution: String,
    /// The state machine's ARN.
    pub machine: String,
    /// The execution's name.
    pub run: String,
    /// What it is now.
    pub status: RunStatus,
    /// When the execution was started; a redrive does not change it.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How often it was redriven.
    pub redrives: u64,
    /// Its input, if it came and is JSON.
    pub input: Option<Value>,
    /// Its output, if it came and is JSON.
    pub output: Option<Value>,
    /// The error's name.
    pub error: Option<String>,
    /// The error's cause, whatever it is.
    pub cause: Option<String>,
}
