//! The wire: what an invocation asks, and what a phase and the report answer.
//!
//! Owns the JSON shapes and their one parse into [`Request`]. Knows nothing of AWS or of the lists.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::check::CheckRequest;
use crate::lambda::asked::Opening;
use crate::lambda::branch::Record;
use crate::lambda::{reference, status_change};
use crate::model::{Action, Execution};
use crate::phase::progress::Progress;
use crate::report::StatusChange;
use crate::report::asked::Asked;
use crate::report::calendar::Calendar;
use crate::report::question::Asking;
use crate::report::request::ReportRequest;

/// What an invocation asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    /// `next_phase: false`: do nothing, call nothing; of which phase, if the payload says so.
    Skip(Option<PhaseRequest>),
    /// Run one phase.
    Phase(PhaseRequest),
    /// Read an execution's input.
    Input(Box<Opening>),
    /// Ask a person whether an environment may be started or stopped.
    Ask(Box<Asking>),
    /// Build and send the report.
    Report(Box<ReportRequest>),
    /// The evening check.
    Check(CheckRequest),
    /// Tell whoever listens that a run began or ended.
    StatusChange(Box<StatusChange>),
}

/// One phase.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PhaseRequest {
    /// Which list of servers.toml.
    pub phase_number: u32,
    /// Start or stop.
    pub action: Action,
    /// The heading in the phase log.
    pub heading: String,
    /// Change nothing; say what would be done.
    pub dry_run: bool,
    /// What the invocation before handed on.
    pub resume: Option<Progress>,
    /// The execution that this belongs to.
    pub execution: Option<Execution>,
    /// What the state machine's branch has come to; the answer then carries it on.
    pub branch: Option<Record>,
    /// What the phase log says of the payload.
    pub remark: Option<&'static str>,
}

/// Why a payload is refused: nothing was started or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PayloadError {
    /// The payload is no JSON, or says something twice.
    #[error("the payload must be one JSON object: {0}")]
    NotJson(String),
    /// The payload is no JSON object.
    #[error("the payload must be a JSON object, found {found}")]
    NotAnObject {
        /// What it is.
        found: String,
    },
    /// A field is missing, or is not what it must be.
    #[error("payload field `{field}`: expected {expected}, found {found}")]
    Field {
        /// The field's name.
        field: String,
        /// What it must be.
        expected: String,
        /// What it is, cut short.
        found: String,
    },
    /// An unknown field.
    #[error("payload field `{field}` is unknown; known are {KNOWN_FIELDS}")]
    Unknown {
        /// The field's name.
        field: String,
    },
}

const KNOWN_FIELDS: &str = "phase_number, next_phase, action, cw_log_phase, send_mail, dry_run, resume, execution, branch, \
     and for the report results, environments, waited, error, asked, calendar, skipped, closed_calendar_mail; \
     of a check: check, asked, calendars, calendar, environments, execution";

impl From<reference::Refusal> for PayloadError {
    fn from(refusal: reference::Refusal) -> Self {
        let found = shortened(&refusal.found);
        Self::Field { field: refusal.field, expected: refusal.expected.to_owned(), found }
    }
}

impl From<status_change::Refusal> for PayloadError {
    fn from(refusal: status_change::Refusal) -> Self {
        let found = shortened(&refusal.found);
        Self::Field { field: refusal.field, expected: refusal.expected, found }
    }
}

impl Request {
    /// Reads an invocation's payload.
    ///
    /// # Errors
    /// One that names the first field that is missing, wrong or unknown.
    pub(crate) fn parse(payload: Value) -> Result<Self, PayloadError> {
        let Value::Object(mut fields) = payload else {
            return Err(PayloadError::NotAnObject { found: shortened(&payload) });
        };
        if fields.contains_key("context") {
            return Ok(Self::Input(opening(fields)?));
        }
        if fields.contains_key("ask") {
            return Ok(Self::Ask(asking(fields)?));
        }
        if reference::is_skip(&fields) {
            return Ok(Self::Skip(None));
        }
        if status_change::is_one(&fields) {
            return Ok(Self::StatusChange(Box::new(status_change::read(&fields)?)));
        }
        let slip = reference::mend_next_phase(&mut fields);
        let mut fields = Fields(fields);
        if fields.optional("check", "true or false")?.unwrap_or(false) {
            return Ok(Self::Check(fields.check()?));
        }
        if fields.required("send_mail", "true or false")? {
            return Ok(Self::Report(Box::new(match reference::is_mail(&fields.0) {
                true => reference::mail(&fields.0)?,
                false => fields.report()?,
            })));
        }
        let goes_on = fields.required("next_phase", "true or false")?;
        let phase = fields.phase()?;
        let remark = slip.then_some(reference::SLIP_REMARK);
        Ok(if goes_on { Self::Phase(PhaseRequest { remark, ..phase }) } else { Self::Skip(Some(phase)) })
    }
}

/// What the state machine hands over to have its input read; nobody writes it by hand.
fn opening(fields: Map<String, Value>) -> Result<Box<Opening>, PayloadError> {
    let found = shortened(&Value::Object(fields.clone()));
    Opening::deserialize(Value::Object(fields)).map(Box::new).map_err(|error| PayloadError::Field {
        field: "context".to_owned(),
        expected: format!("what the state machine's first task sends ({error})"),
        found,
    })
}

/// What the state machine hands over to have a person asked.
fn asking(fields: Map<String, Value>) -> Result<Box<Asking>, PayloadError> {
    let found = shortened(&fields["ask"]);
    Asking::deserialize(Value::Object(fields)).map(Box::new).map_err(|error| PayloadError::Field {
        field: "ask".to_owned(),
        expected: format!("what the state machine's question sends ({error})"),
        found,
    })
}

/// The fields that were not read yet.
struct Fields(Map<String, Value>);

impl Fields {
    fn phase(mut self) -> Result<PhaseRequest, PayloadError> {
        let request = PhaseRequest {
            phase_number: self.required("phase_number", "the number of a list in servers.toml")?,
            action: self.required("action", "\"start\" or \"stop\"")?,
            heading: self.required("cw_log_phase", "a string")?,
            dry_run: self.optional("dry_run", "true or false")?.unwrap_or(false),
            resume: self.optional("resume", "the resume of the answer before, unchanged")?,
            execution: self.execution()?,
            branch: self.optional("branch", "the record of the answer before, unchanged")?,
            remark: None,
        };
        self.end()?;
        Ok(request)
    }

    fn report(mut self) -> Result<ReportRequest, PayloadError> {
        // A report may carry a phase's fields; they mean nothing to it.
        for field in ["phase_number", "next_phase", "cw_log_phase"] {
            self.0.remove(field);
        }
        let environments = self.environments()?;
        let calendar = Calendar::read(self.0.remove("calendar").as_ref(), self.0.get("asked"));
        let request = ReportRequest {
            action: self.required("action", "\"start\" or \"stop\"")?,
            dry_run: self.optional("dry_run", "true or false")?.unwrap_or(false),
            execution: self.execution()?,
            results: self.optional("results", "a list of the environments' results")?.unwrap_or_default(),
            asked: Asked::read(self.0.remove("asked").as_ref(), environments),
            waited: self.optional("waited", "true or false")?.unwrap_or(false),
            look_error: self.optional("look_error", "an error")?,
            error: self.optional("error", "an error")?,
            claim: None,
            skipped: self.optional("skipped", "true or false")?.unwrap_or(false),
            calendar,
            silent: self.silent()?,
        };
        self.end()?;
        Ok(request)
    }

    fn check(mut self) -> Result<CheckRequest, PayloadError> {
        let asked = self.0.remove("asked");
        let calendars = asked.as_ref().and_then(|asked| asked.get("calendars")).cloned();
        self.0.entry("calendars").or_insert(calendars.unwrap_or_default());
        let request = CheckRequest {
            asked: Asked::read(asked.as_ref(), self.environments()?),
            calendars: self.optional("calendars", "a list of calendars' names")?.unwrap_or_default(),
            calendar: self.0.remove("calendar").unwrap_or_default(),
            execution: self.execution()?,
        };
        self.end()?;
        Ok(request)
    }

    /// What the parameter ClosedCalendarMail says.
    fn silent(&mut self) -> Result<bool, PayloadError> {
        let (field, expected) = ("closed_calendar_mail", "\"mail\" or \"silence\"");
        match self.optional::<String>(field, expected)?.as_deref() {
            None | Some("mail") => Ok(false),
            Some("silence") => Ok(true),
            Some(other) => Err(PayloadError::Field {
                field: field.to_owned(),
                expected: expected.to_owned(),
                found: shortened(&other.into()),
            }),
        }
    }

    /// A run of none is refused by the state machine too: its report would be a success of nothing.
    fn environments(&mut self) -> Result<Option<Vec<String>>, PayloadError> {
        let (field, expected) = ("environments", "a list of environments' names, at least one");
        let names: Option<Vec<String>> = self.optional(field, expected)?;
        if names.as_ref().is_some_and(Vec::is_empty) {
            let (field, expected) = (field.to_owned(), expected.to_owned());
            return Err(PayloadError::Field { field, expected, found: "[]".to_owned() });
        }
        Ok(names)
    }

    fn execution(&mut self) -> Result<Option<Execution>, PayloadError> {
        self.optional("execution", "an object with id, name and start_time")
    }

    fn required<T: DeserializeOwned>(&mut self, field: &str, expected: &str) -> Result<T, PayloadError> {
        let found = self.0.get(field).map_or_else(|| "nothing".to_owned(), shortened);
        let missing =
            || PayloadError::Field { field: field.to_owned(), expected: expected.to_owned(), found };
        self.optional(field, expected)?.ok_or_else(missing)
    }

    /// A field that is null is absent: the state machine's payloads have all their fields always.
    fn optional<T: DeserializeOwned>(
        &mut self,
        field: &str,
        expected: &str,
    ) -> Result<Option<T>, PayloadError> {
        let value = self.0.remove(field).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(None) };
        match T::deserialize(&value) {
            Ok(read) => Ok(Some(read)),
            Err(_) => Err(PayloadError::Field {
                field: field.to_owned(),
                expected: expected.to_owned(),
                found: shortened(&value),
            }),
        }
    }

    fn end(self) -> Result<(), PayloadError> {
        match self.0.into_iter().next() {
            Some((field, _)) => Err(PayloadError::Unknown { field }),
            None => Ok(()),
        }
    }
}

/// A value as it is shown in an error: 60 characters at most.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
