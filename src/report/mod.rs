//! The report: one value from what every phase answered and what every server is now. Pure.
//!
//! Owns the invariant that every server of every list appears exactly once, and the verdict. The mail is made
//! of it in `mail`.

pub(crate) mod branches;
mod build;
mod mail;
mod place;
pub(crate) mod request;
mod rows;
mod subject;
mod totals;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{
    Action, ActionTaken, Elsewhere, Execution, Failure, HoursOff, Instance, Outcome, Problem,
};
use crate::ports::Mail;
use crate::servers::file::Rate;

pub(crate) use place::Place;
pub(crate) use totals::{Placed, Stands, Totals};

/// The most that the answer says of single servers: a state's payload has at most 262,144 bytes
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), problems and counts are in it too.
const ANSWER_BYTES: usize = 150_000;
/// The most that it says of problems: with the servers and the cause it stays under the limit.
const PROBLEM_BYTES: usize = 60_000;
/// A Fail's cause has at most 32,768 characters (API: HistoryEvent, ExecutionFailedEventDetails).
const CAUSE_CHARACTERS: usize = 30_000;

/// What a fresh describe saw of each phase's servers, by phase number.
pub(crate) type Seen = Vec<(u32, Result<Vec<Instance>, Failure>)>;

/// The run's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    /// Every server that was to change is as wanted.
    Success,
    /// Every tier was reached, but not every server is as wanted.
    Degraded,
    /// Some tier was not reached, or its minimum was not met.
    Aborted,
}

impl Status {
    /// As it stands in the subject.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Degraded => "DEGRADED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// One server's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Its Name tag, or the key in the initial states.
    pub name: String,
    /// The instance's id, if there is an instance.
    pub id: Option<String>,
    /// Its environment.
    pub environment: String,
    /// Its tier.
    pub tier: String,
    /// What it was before this run changed anything, as far as that is known.
    pub initial_state: Option<String>,
    /// What it is now, as far as that is known.
    pub end_state: Option<String>,
    /// What was done.
    pub action: ActionTaken,
    /// Seconds from the request to the wanted state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why nothing was done, or why it was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The code of its problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TierReport {
    /// For people.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// How it ended; `None`: the run did not get there.
    pub outcome: Option<Outcome>,
    /// Its servers, each once.
    pub rows: Vec<Row>,
    /// For how long its started servers had been off.
    pub off: HoursOff,
    /// What one of its servers costs an hour, if the user has said so.
    pub hourly_rate: Option<Rate>,
}

/// One environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnvironmentReport {
    /// For example `dev`.
    pub name: String,
    /// Where it is, if not in the stack's own account and Region.
    pub elsewhere: Option<Elsewhere>,
    /// The execution was limited to others.
    pub skipped: bool,
    /// Its tiers, in the order of this action.
    pub tiers: Vec<TierReport>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// Start or stop.
    pub action: Action,
    /// Nothing was changed.
    pub dry_run: bool,
    /// The verdict.
    pub status: Status,
    /// The execution.
    pub execution: Option<Execution>,
    /// When the report was made.
    pub at: Timestamp,
    /// Every environment.
    pub environments: Vec<EnvironmentReport>,
    /// Every problem, the servers' and the machine's.
    pub problems: Vec<Problem>,
    /// What a reader should know besides.
    pub remarks: Vec<String>,
}

/// To whom the report went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    /// SES's message id.
    pub message_id: String,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// Those who did not get it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedRecipient>,
}

/// A recipient whom SES refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RefusedRecipient {
    /// The address.
    pub to: String,
    /// What SES said.
    pub error: String,
}

/// The answer of the report: the execution's machine-readable output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Answer {
    status: Status,
    subject: String,
    action: Action,
    dry_run: bool,
    mail: Sent,
    counts: Totals,
    off: HoursOff,
    servers: Vec<Row>,
    problems: Vec<Problem>,
    remarks: Vec<String>,
    /// Of a run that is aborted: the above without the servers, as JSON that a Fail's cause can hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl Answer {
    /// What does not fit is left out; what is left is whole.
    fn cause(&self) -> String {
        let length = |value: &Value| value.to_string().chars().count() + 1;
        let mut cause = json!({ "status": self.status, "subject": self.subject, "counts": self.counts, "mail": self.mail });
        let mut left = CAUSE_CHARACTERS
            .saturating_sub(length(&cause) + length(&json!({ "remarks": [], "problems": [] })));
        let mut fitting = |values: Vec<Value>| -> Value {
            let fits = |value: &Value| left.checked_sub(length(value)).map(|rest| left = rest).is_some();
            values.into_iter().take_while(fits).collect()
        };
        let problems = fitting(self.problems.iter().map(|problem| json!(problem)).collect());
        let remarks = fitting(self.remarks.iter().map(|remark| json!(remark)).collect());
        cause["remarks"] = remarks;
        cause["problems"] = problems;
        cause.to_string()
    }
}

impl Report {
    /// The whole run is aborted, because servers.toml cannot be used.
    pub(crate) fn abort_for(&mut self, what: &str) {
        self.status = Status::Aborted;
        let code = "InvalidServersFile".to_owned();
        let problem =
            Problem { name: crate::servers::FILE.to_owned(), id: None, code, message: what.to_owned() };
        self.problems.insert(0, problem);
    }

    fn tiers(&self) -> impl Iterator<Item = &TierReport> {
        self.environments.iter().flat_map(|environment| &environment.tiers)
    }

    /// Every server of every list.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.tiers().flat_map(|tier| &tier.rows)
    }

    /// For how long all started servers had been off.
    pub(crate) fn off(&self) -> HoursOff {
        let mut off = HoursOff::default();
        self.tiers().for_each(|tier| off.add(tier.off));
        off
    }

    /// Seconds from the execution's start to now.
    pub(crate) fn seconds(&self) -> Option<u64> {
        let execution = self.execution.as_ref()?;
        u64::try_from(self.at.duration_since(execution.start_time).as_secs()).ok()
    }

    /// The answer of the invocation that sent it, with the mail as it was sent.
    pub(crate) fn answer(&self, sent: &Mail, mail: Sent) -> Answer {
        let mut servers: Vec<Row> = self.rows().cloned().collect();
        let mut remarks = self.remarks.clone();
        if serde_json::to_string(&servers).map_or(0, |text| text.len()) > ANSWER_BYTES {
            servers.clear();
            remarks.push("Too many servers for the execution's output: each one is in the mail.".to_owned());
        }
        let problems = fitting(&self.problems, &mut remarks);
        let mut answer = Answer {
            status: self.status,
            subject: sent.subject.clone(),
            action: self.action,
            dry_run: self.dry_run,
            mail,
            counts: self.totals(),
            off: self.off(),
            servers,
            problems,
            remarks,
            cause: None,
        };
        answer.cause = (self.status == Status::Aborted).then(|| answer.cause());
        answer
    }
}

/// The first problems that fit; the mail has them all.
fn fitting(problems: &[Problem], remarks: &mut Vec<String>) -> Vec<Problem> {
    let mut bytes = 0;
    let fit = problems.iter().take_while(|problem| {
        bytes += serde_json::to_string(problem).map_or(0, |text| text.len());
        bytes <= PROBLEM_BYTES
    });
    let fit: Vec<Problem> = fit.cloned().collect();
    if fit.len() < problems.len() {
        let more = problems.len() - fit.len();
        remarks.push(format!(
            "{more} more problems are in the mail only: the execution's output has no room for them."
        ));
    }
    fit
}

#[cfg(test)]
mod tests;
