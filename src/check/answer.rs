//! What the state machine is told: the verdict, the findings, what was proved, and where the mail went; bounded as the
//! report's answer is.

use serde::Serialize;
use serde_json::{Value, json};

use crate::report::{CAUSE_BYTES, PROBLEM_BYTES, Sent, fitting_in};

use super::findings::{Checked, Finding, Status, Tally};

/// What became of the mail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Delivery {
    /// Nothing is wrong: there is none.
    NoMail,
    /// It was sent.
    Sent(Sent),
    /// It could not be.
    Failed(String),
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    ok: bool,
    status: Status,
    subject: String,
    counts: Tally,
    findings: Vec<Finding>,
    /// How many there are, also those that had no room here.
    findings_in_all: usize,
    proved: Vec<String>,
    not_proved: Vec<String>,
    mail: Option<Sent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_error: Option<String>,
    /// Of a check that is not READY: the above as JSON that a Fail's cause can hold; else null.
    cause: Option<String>,
}

/// The most that the sentences take, of each kind.
const SENTENCE_BYTES: usize = 20_000;
/// What the cause has for its findings, beside its other fields.
const CAUSE_FINDING_BYTES: usize = 10_000;
const CAUSE_SENTENCE_BYTES: usize = 4_000;

impl Checked {
    /// The answer, as JSON.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn answer(&self, subject: &str, delivery: &Delivery) -> Result<Value, serde_json::Error> {
        let status = self.status();
        let (mail, mail_error) = match delivery {
            Delivery::NoMail => (None, None),
            Delivery::Sent(sent) => (Some(sent.clone()), None),
            Delivery::Failed(error) => (None, Some(error.clone())),
        };
        let mut answer = Answer {
            ok: status == Status::Ready,
            status,
            subject: subject.to_owned(),
            counts: self.tally(),
            findings: fitting_in(PROBLEM_BYTES, &self.findings),
            findings_in_all: self.findings.len(),
            proved: fitting_in(SENTENCE_BYTES, &self.proved),
            not_proved: fitting_in(SENTENCE_BYTES, &self.not_proved),
            mail,
            mail_error,
            cause: None,
        };
        if status != Status::Ready {
            answer.cause = Some(answer.cause());
        }
        serde_json::to_value(answer)
    }
}

impl Answer {
    fn cause(&self) -> String {
        let cause = json!({
            "status": self.status, "subject": self.subject, "counts": self.counts, "mail": self.mail,
            "mail_error": self.mail_error, "findings_in_all": self.findings_in_all,
            "findings": fitting_in(CAUSE_FINDING_BYTES, &self.findings),
            "proved": fitting_in(CAUSE_SENTENCE_BYTES, &self.proved),
            "not_proved": fitting_in(CAUSE_SENTENCE_BYTES, &self.not_proved),
        });
        // The bounds above keep it whole; JSON that is cut off is better than a Fail without any cause.
        cause.to_string().chars().take(CAUSE_BYTES).collect()
    }
}
