//! What the state machine hands over when a run begins: its context with the input, and what a schedule needs.
//!
//! Owns the shape; what the input may be, `asked` says.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// What the state machine's first task hands over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Opening {
    /// Step Functions' context object.
    pub context: Context,
    /// All environments of the machine.
    pub environments: Vec<String>,
    /// The stack's calendar; empty if it has none.
    pub calendar: String,
    /// What a one-time schedule needs.
    pub schedules: Schedules,
    /// When the run begins to start its environments: from there the hours until a stop are counted. `None`: it is
    /// not yet so far.
    #[serde(default)]
    pub begins: Option<Timestamp>,
}

/// The parts of Step Functions' context object that are used here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Context {
    pub(super) execution: ContextExecution,
    pub(super) state_machine: ContextMachine,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContextExecution {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) start_time: Timestamp,
    /// The execution's input, whatever it is.
    #[serde(default)]
    pub(super) input: Value,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContextMachine {
    pub(super) id: String,
}

/// What the template gives a one-time schedule.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedules {
    pub(super) group: String,
    pub(super) role: String,
    pub(super) dead_letters: String,
}
