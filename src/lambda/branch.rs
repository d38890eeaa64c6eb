//! What a branch of the state machine carries from phase to phase: its record, and where the branch goes next.
//!
//! Owns the record's growth and its size: the machine only passes it on, and a state's payload is bounded. What does
//! not fit is shortened here, phase by phase; no phase is ever left out. Pure.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Counts, InitialStates, Outcome, PhaseAnswer};
use crate::report::branches::PhaseResult;
use crate::servers::file::{ServerList, ServerLists};

/// What all environments' records may come to: a state's payload has at most 262,144 bytes
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), and an error may be added to each.
pub(crate) const RESULTS_BYTES: usize = 200_000;
/// What a record and a `resume` may come to together, which travel in one payload.
pub(crate) const STEP_BYTES: usize = 250_000;
/// What a phase that is shortened still tells. EC2's own text in a problem has at most 300 characters.
const MOST_PROBLEMS: usize = 50;
const PROBLEM_CHARACTERS: usize = 400;

/// What a branch has come to: its last one is the environment's result in the report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    #[serde(default)]
    environment: String,
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    phases: Vec<PhaseResult>,
    /// What a person decided before the first phase, as the state machine says it (report/approval.rs).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval: Option<Value>,
    /// Some phase did not fit whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shortened: bool,
    /// By their fields' names, `dev_db_initial_state` for example.
    #[serde(flatten)]
    initial_states: IndexMap<String, InitialStates>,
}

/// A phase's answer to the state machine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Answer {
    next_phase: bool,
    outcome: Outcome,
    servers: Counts,
    branch: Step,
}

/// Where the branch goes, and what it carries there.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Step {
    /// The same task again, with `resume`.
    in_progress: bool,
    /// A pause before the next tier.
    settle: bool,
    settle_seconds: u64,
    /// The next tier.
    go_on: bool,
    resume: Option<Value>,
    record: Record,
}

/// Puts a phase's answer into its branch's record.
pub(crate) fn answer(
    lists: &ServerLists,
    list: &ServerList,
    dry_run: bool,
    record: Record,
    mut answer: PhaseAnswer,
) -> Answer {
    let in_progress = answer.outcome == Outcome::InProgress;
    let (next_phase, outcome, servers) = (answer.next_phase, answer.outcome, answer.servers);
    let resume = answer.resume.take().filter(|_| in_progress);
    let carried = resume.as_ref().map_or(0, bytes);
    let most = (RESULTS_BYTES / lists.environments().len()).min(STEP_BYTES.saturating_sub(carried));
    let mut record = record.with(lists, list, answer);
    record.fit(most);
    let settle = next_phase && !dry_run && !list.settle.is_zero();
    let settle_seconds = list.settle.as_secs();
    let branch = Step {
        in_progress,
        settle,
        settle_seconds,
        go_on: next_phase || dry_run && !in_progress,
        resume,
        record,
    };
    Answer { next_phase, outcome, servers, branch }
}

impl Record {
    /// The record with a phase's answer in place of what it said of the phase before.
    fn with(mut self, lists: &ServerLists, list: &ServerList, mut answer: PhaseAnswer) -> Self {
        self.environment.clone_from(&list.environment);
        self.ok =
            matches!(answer.outcome, Outcome::Ready | Outcome::Degraded | Outcome::Empty | Outcome::Skipped);
        for tier in lists.in_start_order(&list.environment) {
            self.initial_states.entry(tier.initial_state_field()).or_default();
        }
        self.initial_states.insert(list.initial_state_field(), std::mem::take(&mut answer.initial_state));
        let phase = PhaseResult::of(list, answer);
        self.phases.retain(|other| other.phase_number != list.number);
        self.phases.push(phase);
        self
    }

    /// Shortens until it fits: what is said of a phase in progress first, which its next answer says again; then the
    /// longest one.
    fn fit(&mut self, most: usize) {
        self.shortened = self.phases.iter().any(|phase| phase.shortened);
        while bytes(self) > most {
            let in_progress =
                self.phases.iter().position(|phase| phase.outcome == Outcome::InProgress && !phase.shortened);
            let longest = || (0..self.phases.len()).max_by_key(|at| self.bytes_of(*at));
            let Some(at) = in_progress.or_else(longest) else { return };
            if !self.shorten(at) && !(0..self.phases.len()).any(|at| self.shorten(at)) {
                return;
            }
            // Here and not at the end: the mark itself takes room.
            self.shortened = true;
        }
    }

    fn bytes_of(&self, at: usize) -> usize {
        let phase = &self.phases[at];
        bytes(phase) + self.initial_states.get(&self.field_of(phase)).map_or(0, bytes)
    }

    fn field_of(&self, phase: &PhaseResult) -> String {
        format!("{}_{}_initial_state", self.environment, phase.tier)
    }

    /// Leaves out the next best thing of a phase: what each server did, then problems, then the watchers' errors.
    /// Returns whether there was anything left.
    fn shorten(&mut self, at: usize) -> bool {
        let field = self.field_of(&self.phases[at]);
        let phase = &mut self.phases[at];
        if !phase.shortened {
            phase.shortened = true;
            phase.actions.clear();
            self.initial_states.insert(field, InitialStates::default());
        } else if phase.problems.len() > MOST_PROBLEMS {
            phase.problems.truncate(MOST_PROBLEMS);
        } else if phase.problems.iter().any(|problem| is_long(&problem.message)) {
            phase.problems.iter_mut().for_each(|problem| cut(&mut problem.message));
        } else if !phase.problems.is_empty() {
            phase.problems.truncate(phase.problems.len() / 2);
        } else if phase.log_error.is_some() || phase.mute_error.is_some() {
            (phase.log_error, phase.mute_error) = (None, None);
        } else {
            return false;
        }
        true
    }
}

fn is_long(text: &str) -> bool {
    text.chars().nth(PROBLEM_CHARACTERS).is_some()
}

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(PROBLEM_CHARACTERS - 1).filter(|_| is_long(text)) {
        text.truncate(end);
        text.push('…');
    }
}

/// A value's length as JSON.
fn bytes<T: Serialize>(value: &T) -> usize {
    serde_json::to_string(value).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests;
