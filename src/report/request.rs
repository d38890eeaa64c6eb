//! What a report is asked for.

use serde_json::Value;

use crate::model::{Action, Execution};

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
    /// The environments that the execution was limited to.
    pub environments: Option<Vec<String>>,
    /// The run waited for an earlier one to end.
    pub waited: bool,
    /// `$states.errorOutput`, if the machine itself failed.
    pub error: Option<Value>,
}
