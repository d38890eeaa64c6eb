//! What a run's report told of it, read leniently from the execution's output or from its cause. Pure.
//!
//! Whatever cannot be read is left out; a success is never claimed of an execution that was none.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{RunStatus, StatusChange};
use super::one_line::shortened;
use crate::model::{Action, Problem};

/// The report's verdicts, as they stand in its answer.
const VERDICTS: [&str; 4] = ["SUCCESS", "DEGRADED", "ABORTED", "SKIPPED"];
/// So many problems are in an event. With the lengths below an event stays far below the 256 KB of an entry
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>).
const MOST_PROBLEMS: usize = 10;
/// Characters of a problem's sentence.
const SENTENCE: usize = 500;
/// Characters of a name, an id or a code.
const NAME: usize = 256;
/// So many environments of an input are in an event.
const MOST_ENVIRONMENTS: usize = 100;
/// Characters of an environment's name.
const ENVIRONMENT: usize = 64;

/// How many servers stood how; the report's own counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub servers: u64,
    pub as_wanted: u64,
    pub changed: u64,
    pub held: u64,
    pub problems: u64,
    pub not_reached: u64,
    pub not_in_run: u64,
}

/// What was asked of a run, and what its report told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Story {
    pub action: Option<Action>,
    pub dry_run: Option<bool>,
    pub environments: Option<Vec<String>>,
    pub is_check: bool,
    pub verdict: Option<&'static str>,
    pub subject: Option<String>,
    pub counts: Option<Counts>,
    pub problems: Vec<Problem>,
    pub more_problems: u64,
}

impl Story {
    /// Of one execution.
    pub(crate) fn of(change: &StatusChange) -> Self {
        let input = change.input.as_ref();
        let mut story = Self {
            action: input.and_then(|input| field(input, "action")),
            // An input that came and says nothing of it is no dry run.
            dry_run: input.map(|input| field(input, "dry_run").unwrap_or(false)),
            environments: input.and_then(environments),
            is_check: input.and_then(|input| field(input, "check")).unwrap_or(false),
            ..Self::default()
        };
        if let Some(report) = report(change) {
            story.add(&report, change.status);
        }
        story
    }

    fn add(&mut self, report: &Value, status: RunStatus) {
        let said: Option<String> = field(report, "status");
        let verdict = VERDICTS.into_iter().find(|verdict| said.as_deref() == Some(*verdict));
        self.verdict = verdict.filter(|verdict| may_claim(verdict, status));
        let Some(verdict) = self.verdict else { return };
        let subject: Option<String> = field(report, "subject");
        self.subject = subject.filter(|subject| subject.contains(verdict));
        self.action = self.action.or_else(|| field(report, "action"));
        self.dry_run = field(report, "dry_run").or(self.dry_run);
        self.counts = field(report, "counts");
        let problems = report.get("problems").and_then(Value::as_array);
        let problems: Vec<Problem> =
            problems.into_iter().flatten().filter_map(|problem| Problem::deserialize(problem).ok()).collect();
        // The report of a run that failed has only the problems that fit; its counts have all servers of them.
        let all = self.counts.map_or(0, |counts| counts.problems).max(problems.len() as u64);
        self.problems = problems.into_iter().take(MOST_PROBLEMS).map(bounded).collect();
        self.more_problems = all.saturating_sub(self.problems.len() as u64);
    }
}

/// The report's answer: the output of a run that succeeded, the cause of one that failed.
fn report(change: &StatusChange) -> Option<Value> {
    match change.status {
        RunStatus::Succeeded => change.output.clone(),
        RunStatus::Failed => serde_json::from_str(change.cause.as_deref()?).ok(),
        RunStatus::Running | RunStatus::TimedOut | RunStatus::Aborted => None,
    }
}

/// A verdict that its execution belies is none.
fn may_claim(verdict: &str, status: RunStatus) -> bool {
    status == RunStatus::Succeeded || !matches!(verdict, "SUCCESS" | "SKIPPED")
}

fn field<T: for<'de> Deserialize<'de>>(value: &Value, name: &str) -> Option<T> {
    T::deserialize(value.get(name)?).ok()
}

fn environments(input: &Value) -> Option<Vec<String>> {
    let names: Vec<String> = field(input, "environments")?;
    Some(names.iter().take(MOST_ENVIRONMENTS).map(|name| shortened(name, ENVIRONMENT)).collect())
}

fn bounded(problem: Problem) -> Problem {
    Problem {
        name: shortened(&problem.name, NAME),
        id: problem.id.map(|id| shortened(&id, NAME)),
        code: shortened(&problem.code, NAME),
        message: shortened(&problem.message, SENTENCE),
    }
}
