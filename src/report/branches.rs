//! What the state machine collected from its branches, read leniently: pure.
//!
//! A report must go out whatever arrives. What cannot be read becomes a remark, never a refusal.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::approval::Decision;
use crate::model::{
    ActionRecord, Counts, Failure, HoursOff, InitialState, InitialStates, Outcome, PhaseAnswer, Problem,
};
use crate::servers::file::ServerList;

/// What one environment's branch gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct EnvironmentResult {
    /// For example `dev`.
    pub environment: String,
    /// The phases that answered, in their order.
    pub phases: Vec<PhaseResult>,
    /// Initial states by tier.
    pub initial_states: IndexMap<String, IndexMap<String, InitialState>>,
    /// Why the branch ended early, if it failed by an error.
    pub error: Option<Failure>,
    /// What a person decided, if one was asked.
    pub approval: Option<Decision>,
    /// The answers were too large to hand on whole: only counts and problems came.
    pub shortened: bool,
}

impl EnvironmentResult {
    /// What a list's phase answered. Of two answers the worse one counts: the state machine gives one.
    pub(crate) fn phase(&self, number: u32) -> Option<&PhaseResult> {
        let of_it = self.phases.iter().rev().filter(|phase| phase.phase_number == number);
        of_it.max_by_key(|phase| match phase.outcome {
            Outcome::Skipped => 0,
            Outcome::Empty => 1,
            Outcome::Ready => 2,
            Outcome::Degraded => 3,
            Outcome::InProgress => 4,
            Outcome::Failed => 5,
        })
    }

    /// The instances that a list's phase told of, by their ids.
    pub(crate) fn ids(&self, list: &ServerList) -> BTreeSet<String> {
        let initial = self.initial_states.get(&list.tier).into_iter().flatten();
        let phases = self.phases.iter().filter(|phase| phase.phase_number == list.number);
        let of_problems = phases.flat_map(|phase| &phase.problems).filter_map(|problem| problem.id.clone());
        initial.map(|(_, state)| state.instance_id.clone()).chain(of_problems).collect()
    }

    /// Whether a list's phase came to its end.
    pub(crate) fn is_decided(&self, number: u32) -> bool {
        self.phases.iter().any(|phase| phase.phase_number == number && phase.outcome != Outcome::InProgress)
    }
}

/// What one phase answered, without its initial states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseResult {
    /// Which list.
    pub phase_number: u32,
    /// Its tier.
    #[serde(default)]
    pub tier: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How many servers were how.
    #[serde(default)]
    pub servers: Counts,
    /// What went wrong.
    #[serde(default)]
    pub problems: Vec<Problem>,
    /// What was done.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub actions: IndexMap<String, ActionRecord>,
    /// For how long the servers that were started had been off.
    #[serde(default, skip_serializing_if = "HoursOff::is_unknown")]
    pub off: HoursOff,
    /// Why the phase log could not be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_error: Option<String>,
    /// Why alarms could not be muted or unmuted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute_error: Option<String>,
    /// Only counts and the first problems fitted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shortened: bool,
}

impl PhaseResult {
    /// What a list's phase answered.
    pub(crate) fn of(list: &ServerList, answer: PhaseAnswer) -> Self {
        Self {
            phase_number: list.number,
            tier: list.tier.clone(),
            outcome: answer.outcome,
            servers: answer.servers,
            problems: answer.problems,
            actions: answer.actions,
            off: answer.off,
            log_error: answer.log_error,
            mute_error: answer.mute_error,
            shortened: false,
        }
    }
}

/// `$states.errorOutput`, an error of the state machine, of whatever shape it is. The cause of a Lambda's is a JSON
/// object as a string: its `errorMessage` is the sentence.
pub(crate) fn error(value: &Value) -> Failure {
    let field = |name: &str| value.get(name).and_then(Value::as_str);
    let (Some(name), cause) = (field("Error"), field("Cause").unwrap_or_default()) else {
        return Failure::of_state_machine("Unknown", &value.to_string());
    };
    let parsed: Option<Value> = serde_json::from_str(cause).ok();
    let message = parsed.as_ref().and_then(|cause| cause.get("errorMessage")).and_then(Value::as_str);
    Failure::of_state_machine(name, message.unwrap_or(cause))
}

/// Reads the branches' results; the second value says what could not be read.
pub(crate) fn read(results: &[Value]) -> (Vec<EnvironmentResult>, Vec<String>) {
    let mut remarks = Vec::new();
    let read = results.iter().filter_map(|result| environment(result, &mut remarks)).collect();
    (read, remarks)
}

fn environment(value: &Value, remarks: &mut Vec<String>) -> Option<EnvironmentResult> {
    let Some(name) = value.get("environment").and_then(Value::as_str) else {
        remarks.push("A branch's result names no environment and could not be read.".to_owned());
        return None;
    };
    let mut result = EnvironmentResult { environment: name.to_owned(), ..EnvironmentResult::default() };
    result.error = value.get("error").filter(|error| !error.is_null()).map(error);
    result.approval = Decision::read(value);
    result.shortened = value.get("shortened").and_then(Value::as_bool).unwrap_or(false);
    for phase in value.get("phases").and_then(Value::as_array).into_iter().flatten() {
        match PhaseResult::deserialize(phase) {
            Ok(phase) => result.phases.push(phase),
            Err(error) => remarks.push(format!("A phase's answer of {name} could not be read: {error}.")),
        }
    }
    let prefix = format!("{name}_");
    for (key, states) in value.as_object().into_iter().flatten() {
        let Some(tier) = key.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix("_initial_state"))
        else {
            continue;
        };
        match InitialStates::deserialize(states) {
            Ok(states) => {
                result.initial_states.insert(tier.to_owned(), states.0);
            }
            Err(error) => remarks.push(format!("{key} could not be read: {error}.")),
        }
    }
    Some(result)
}
