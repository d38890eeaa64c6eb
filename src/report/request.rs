//! What a report is asked for.

use serde_json::Value;

use crate::model::{Action, Execution};

use super::asked::Asked;
use super::calendar::Calendar;
use super::parts::Status;

/// The report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ReportRequest {
    /// Start or stop.
    pub action: Action,
    /// The run changed nothing.
    pub dry_run: bool,
    /// The execution that this belongs to.
    pub execution: Option<Execution>,
    /// What the environments' branches gave; read leniently, so that a report always goes out.
    pub results: Vec<Value>,
    /// The run waited for an earlier one to end.
    pub waited: bool,
    /// Why the machine could not see whether an earlier run was still going on.
    pub look_error: Option<Value>,
    /// `$states.errorOutput`, if the machine itself failed.
    pub error: Option<Value>,
    /// The run did nothing, for its calendar's sake.
    pub skipped: bool,
    /// What the calendar said, if it was asked.
    pub calendar: Option<Calendar>,
    /// What was asked besides.
    pub asked: Asked,
    /// Nobody is told by mail that the calendar is closed.
    pub silent: bool,
    /// The caller's own verdict, if it kept no phase's answer: `results` then hold initial states only.
    pub claim: Option<Claim>,
}

/// What a caller says of a run: the report is never better than that, nor than what a look shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Its verdict.
    pub status: Status,
    /// Its words.
    pub subject: String,
}
