//! What a run does, and which run it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Start or stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// Bring the servers up: databases first.
    Start,
    /// Bring the servers down: databases last.
    Stop,
}

impl Action {
    /// As it is written in inputs and files.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// The Step Functions execution that an invocation belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Execution {
    /// The execution's ARN.
    pub id: String,
    /// The execution's name; the phase log's stream is named after it.
    pub name: String,
    /// When the execution's own work began: what a server was before this is its initial state.
    pub start_time: Timestamp,
}
