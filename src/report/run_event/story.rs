//! What was asked of an execution, and what came of it, read leniently from its input and from its output or its cause.
//! Pure.
//!
//! Whatever cannot be read is left out; a success is never claimed of an execution that was none.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::{RunStatus, StatusChange};
use super::one_line::shortened;
use super::trouble::Trouble;
use super::verdict::Verdict;
use crate::model::{Action, Problem};

/// So many problems are in an event. With the lengths below an event stays far below the 256 KB of an entry
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>).
const MOST_PROBLEMS: usize = 10;
/// Characters of a problem's sentence.
const SENTENCE: usize = 500;
/// So many remarks are in an event.
const MOST_REMARKS: usize = 5;
/// Characters of a remark.
const REMARK: usize = 300;
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

/// How many servers would do what; the check's own counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckCounts {
    pub servers: u64,
    pub start_allowed: u64,
    pub stop_allowed: u64,
    pub held: u64,
    pub would_fail: u64,
}

/// When a run begins that was asked for at a time, and the schedule that begins it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scheduled {
    pub at: Timestamp,
    pub schedule: String,
}

/// A problem of a report, or a finding of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    #[serde(flatten)]
    pub problem: Problem,
    /// Of a finding: whether it would fail; if not, nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_fail: Option<bool>,
}

/// What became of the mail.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Mailed {
    /// There was to be none, or nothing is said of it.
    #[default]
    Not,
    /// It has everything.
    Sent,
    /// It could not be sent, as far as is known.
    Failed(Trouble),
}

/// What was asked of an execution, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Story {
    pub action: Option<Action>,
    pub dry_run: Option<bool>,
    pub check: Option<bool>,
    pub environments: Option<Vec<String>>,
    /// It was asked for at a later time.
    pub is_later: bool,
    pub verdict: Option<Verdict>,
    pub subject: Option<String>,
    pub counts: Option<Counts>,
    pub check_counts: Option<CheckCounts>,
    pub scheduled: Option<Scheduled>,
    pub problems: Vec<Told>,
    pub more_problems: u64,
    pub remarks: Vec<String>,
    pub mail: Mailed,
}

impl Story {
    /// Of one execution.
    pub(crate) fn of(change: &StatusChange) -> Self {
        let input = change.input.as_ref();
        // An input that came and says nothing of it is no dry run and no check.
        let flag = |name| input.map(|input| field(input, name).unwrap_or(false));
        let mut story = Self {
            action: input.and_then(|input| field(input, "action")),
            dry_run: flag("dry_run"),
            check: flag("check"),
            environments: input.and_then(environments),
            is_later: input.and_then(|input| input.get("at")).is_some_and(Value::is_string),
            ..Self::default()
        };
        if let Some(answer) = answer(change) {
            story.add(&answer, change);
        }
        story
    }

    fn add(&mut self, answer: &Value, change: &StatusChange) {
        let said: Option<String> = field(answer, "status");
        let verdict = Verdict::ALL.into_iter().find(|verdict| said.as_deref() == Some(verdict.word()));
        let Some(verdict) = verdict.filter(|verdict| verdict.may_be_claimed(change)) else { return };
        if verdict == Verdict::Scheduled {
            let Ok(Scheduled { at, schedule }) = Scheduled::deserialize(answer) else { return };
            self.scheduled = Some(Scheduled { at, schedule: shortened(&schedule, NAME) });
            self.verdict = Some(verdict);
            return;
        }
        self.verdict = Some(verdict);
        let subject: Option<String> = field(answer, "subject");
        self.subject = subject.filter(|subject| subject.contains(verdict.word()));
        self.mail = mail(answer);
        if verdict.is_of_a_check() {
            self.check = Some(true);
            self.check_counts = field(answer, "counts");
            self.problems(answer, "findings", field(answer, "findings_in_all").unwrap_or(0));
            self.remarks = texts(answer, "not_proved").map(|what| format!("Not proved: {what}")).collect();
        } else {
            // A check that could not be scheduled has a report, and no action.
            self.action =
                self.action.or_else(|| field(answer, "action").filter(|_| self.check != Some(true)));
            self.dry_run = field(answer, "dry_run").or(self.dry_run);
            self.counts = field(answer, "counts");
            // The report of a run that failed has only the problems that fit; its counts have all servers of them.
            self.problems(answer, "problems", self.counts.map_or(0, |counts| counts.problems));
            self.remarks = texts(answer, "remarks").collect();
        }
        self.remarks =
            self.remarks.iter().take(MOST_REMARKS).map(|remark| shortened(remark, REMARK)).collect();
    }

    /// Of which there are so many at least, also where fewer came.
    fn problems(&mut self, answer: &Value, name: &str, at_least: u64) {
        let all = answer.get(name).and_then(Value::as_array).into_iter().flatten();
        let all: Vec<Told> = all.filter_map(|told| Told::deserialize(told).ok()).collect();
        let number = at_least.max(all.len() as u64);
        self.problems = all.into_iter().take(MOST_PROBLEMS).map(bounded).collect();
        self.more_problems = number.saturating_sub(self.problems.len() as u64);
    }
}

/// The output of a run that succeeded, the cause of one that failed.
fn answer(change: &StatusChange) -> Option<Value> {
    match change.status {
        RunStatus::Succeeded => change.output.clone(),
        RunStatus::Failed => serde_json::from_str(change.cause.as_deref()?).ok(),
        RunStatus::Running | RunStatus::TimedOut | RunStatus::Aborted => None,
    }
}

fn mail(answer: &Value) -> Mailed {
    match answer.get("mail_error").and_then(Trouble::of_mail) {
        Some(trouble) => Mailed::Failed(trouble),
        None if answer.get("mail").is_some_and(Value::is_object) => Mailed::Sent,
        None => Mailed::Not,
    }
}

fn field<T: for<'de> Deserialize<'de>>(value: &Value, name: &str) -> Option<T> {
    T::deserialize(value.get(name)?).ok()
}

fn texts<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let all = value.get(name).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned)
}

fn environments(input: &Value) -> Option<Vec<String>> {
    let names: Vec<String> = field(input, "environments")?;
    Some(names.iter().take(MOST_ENVIRONMENTS).map(|name| shortened(name, ENVIRONMENT)).collect())
}

fn bounded(told: Told) -> Told {
    let Problem { name, id, code, message } = told.problem;
    let problem = Problem {
        name: shortened(&name, NAME),
        id: id.map(|id| shortened(&id, NAME)),
        code: shortened(&code, NAME),
        message: shortened(&message, SENTENCE),
    };
    Told { problem, ..told }
}
