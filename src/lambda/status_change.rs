//! AWS's "Step Functions Execution Status Change" event, as the stack's rule hands it on.
//!
//! Owns its reading: strict about what makes it that event and this stack's, lenient about what an execution may hold. The
//! payload is `{"state_machine": <the stack's ARN>, "status_change": <AWS's event>}`: the function cannot know the machine
//! that is made of it, so the rule, which does, says it (template.yaml, RunEvents).

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::report::{RunStatus, StatusChange};

/// The field by which the payload is known.
const FIELD: &str = "status_change";
const MACHINE: &str = "state_machine";

/// A field that is not what it must be.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Its path.
    pub field: String,
    /// What it must be.
    pub expected: String,
    /// What it is.
    pub found: Value,
}

/// Whether the payload is such an event.
pub(super) fn is_one(fields: &Map<String, Value>) -> bool {
    fields.contains_key(FIELD)
}

/// Reads it.
///
/// # Errors
/// It is another event, or one of another state machine.
pub(super) fn read(fields: &Map<String, Value>) -> Result<StatusChange, Refusal> {
    if let Some(field) = fields.keys().find(|field| ![FIELD, MACHINE].contains(&field.as_str())) {
        let expected = format!("beside `{FIELD}` only `{MACHINE}`");
        return Err(Refusal { field: field.clone(), expected, found: fields[field].clone() });
    }
    let whole = Value::Object(fields.clone());
    let at = At { whole: &whole, path: "" };
    let machine = at.text(MACHINE, "the ARN of the stack's state machine")?;
    let event = At { whole: &whole[FIELD], path: "status_change." };
    event.is("source", "aws.states")?;
    event.is("detail-type", "Step Functions Execution Status Change")?;
    let detail = At { whole: &event.whole["detail"], path: "status_change.detail." };
    detail.is("stateMachineArn", &machine)?;
    let run = detail.text("name", "the execution's name")?;
    let execution = detail.text("executionArn", "the execution's ARN")?;
    if Some(&*execution) != arn_of(&machine, &run).as_deref() {
        return Err(detail.refused("executionArn", "the ARN of that name, of the stack's state machine"));
    }
    Ok(StatusChange {
        event_id: event.text("id", "the event's id")?,
        at: event.time("time", |value| value.as_str()?.parse().ok(), "the event's time")?,
        status: detail.status()?,
        began_at: detail.time("startDate", milliseconds, "milliseconds since 1970")?,
        ended_at: milliseconds(&detail.whole["stopDate"]),
        redrives: detail.whole["redriveCount"].as_u64().unwrap_or(0),
        input: detail.json("input"),
        output: detail.json("output"),
        error: detail.whole["error"].as_str().map(str::to_owned),
        cause: detail.whole["cause"].as_str().map(str::to_owned),
        execution,
        machine,
        run,
    })
}

/// `arn:…:stateMachine:NAME` → `arn:…:execution:NAME:RUN`
fn arn_of(machine: &str, run: &str) -> Option<String> {
    let (before, name) = machine.split_once(":stateMachine:")?;
    Some(format!("{before}:execution:{name}:{run}"))
}

fn milliseconds(value: &Value) -> Option<Timestamp> {
    Timestamp::from_millisecond(value.as_i64()?).ok()
}

/// An object of the payload, and the path to its fields.
struct At<'a> {
    whole: &'a Value,
    path: &'static str,
}

impl At<'_> {
    fn refused(&self, field: &str, expected: &str) -> Refusal {
        let found = self.whole[field].clone();
        Refusal { field: format!("{}{field}", self.path), expected: expected.to_owned(), found }
    }

    fn text(&self, field: &str, expected: &str) -> Result<String, Refusal> {
        let text = self.whole[field].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned).ok_or_else(|| self.refused(field, expected))
    }

    fn is(&self, field: &str, expected: &str) -> Result<(), Refusal> {
        match self.whole[field].as_str() {
            Some(found) if found == expected => Ok(()),
            _ => Err(self.refused(field, &format!("\"{expected}\""))),
        }
    }

    fn time(
        &self,
        field: &str,
        read: impl Fn(&Value) -> Option<Timestamp>,
        expected: &str,
    ) -> Result<Timestamp, Refusal> {
        read(&self.whole[field]).ok_or_else(|| self.refused(field, expected))
    }

    fn status(&self) -> Result<RunStatus, Refusal> {
        let word = self.whole["status"].as_str();
        let known = RunStatus::ALL.into_iter().find(|status| word == Some(status.word()));
        known.ok_or_else(|| self.refused("status", "RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED"))
    }

    /// The input or the output: JSON as a string. Step Functions leaves one out that is too large for the event.
    fn json(&self, field: &str) -> Option<Value> {
        serde_json::from_str(self.whole[field].as_str()?).ok()
    }
}
