//! The answer of the invocation that sent the report: the execution's machine-readable output, within the state
//! machine's limits. Pure.

use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Value, json};

use super::calendar::Calendar;
use super::parts::{Report, Row, Status};
use super::totals::Totals;
use crate::model::{Action, HoursOff, Problem};
use crate::ports::Mail;

/// The most that the answer says of single servers: a state's payload has at most 262,144 bytes
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), problems and counts are in it too.
pub(super) const ANSWER_BYTES: usize = 150_000;
/// The most that it says of problems: with the servers and the cause it stays under the limit.
pub(crate) const PROBLEM_BYTES: usize = 60_000;
/// A Fail's cause has at most 32,768 characters (API: HistoryEvent, ExecutionFailedEventDetails). Counted in the bytes
/// that it takes in the answer, which are never fewer: the answer has to fit too.
pub(crate) const CAUSE_BYTES: usize = 30_000;

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
    /// `null`: nobody was to be told.
    mail: Option<Sent>,
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
        let length = |value: &Value| Value::String(value.to_string()).to_string().len() + 1;
        let mut cause = json!({ "status": self.status, "subject": self.subject, "counts": self.counts, "mail": self.mail });
        let mut left =
            CAUSE_BYTES.saturating_sub(length(&cause) + length(&json!({ "remarks": [], "problems": [] })));
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
    /// The answer of the invocation that sent it, with the mail as it was sent.
    pub(crate) fn answer(&self, sent: &Mail, mail: Option<Sent>) -> Answer {
        let mut servers: Vec<Row> = self.rows().cloned().collect();
        let calendar = self.calendar.as_ref().filter(|_| self.status == Status::Skipped);
        let mut remarks: Vec<String> = calendar.and_then(Calendar::remark).into_iter().collect();
        remarks.extend(self.remarks_in(&TimeZone::UTC));
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
    let fit = fitting_in(PROBLEM_BYTES, problems);
    if fit.len() < problems.len() {
        let more = problems.len() - fit.len();
        remarks.push(format!(
            "{more} more problems are in the mail only: the execution's output has no room for them."
        ));
    }
    fit
}

/// The first of these that fit into so many bytes of JSON, whole.
pub(crate) fn fitting_in<T: Serialize + Clone>(most_bytes: usize, all: &[T]) -> Vec<T> {
    let mut bytes = 0;
    let fit = all.iter().take_while(|one| {
        bytes += serde_json::to_string(one).map_or(0, |text| text.len());
        bytes <= most_bytes
    });
    fit.cloned().collect()
}
