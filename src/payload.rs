//! The wire: what an invocation asks, and what a phase and the report answer.
//!
//! Owns the JSON shapes and their one parse into [`Request`]. Knows nothing of AWS or of the lists.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::progress::Progress;

/// What an invocation asks.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// `next_phase: false`: do nothing, call nothing.
    Skip,
    /// Run one phase.
    Phase(PhaseRequest),
    /// Build and send the report.
    Report(ReportRequest),
}

/// One phase.
#[derive(Debug, Clone, PartialEq)]
pub struct PhaseRequest {
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
}

/// The report.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportRequest {
    /// Start or stop.
    pub action: Action,
    /// The run changed nothing.
    pub dry_run: bool,
    /// The execution that this belongs to.
    pub execution: Option<Execution>,
    /// What the environments' branches gave; read leniently, so that a report always goes out.
    pub results: Vec<Value>,
    /// The environments that the execution was limited to.
    pub environments: Option<Vec<String>>,
    /// The run waited for an earlier one to end.
    pub waited: bool,
    /// `$states.errorOutput`, if the machine itself failed.
    pub error: Option<Value>,
}

/// Why a payload is refused: nothing was started or stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
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
    /// A field that there is not.
    #[error("payload field `{field}` is unknown; known are {KNOWN_FIELDS}")]
    Unknown {
        /// The field's name.
        field: String,
    },
}

const KNOWN_FIELDS: &str = "phase_number, next_phase, action, cw_log_phase, send_mail, dry_run, resume, execution, \
     and for the report results, environments, waited, error";

impl Request {
    /// Reads an invocation's payload.
    ///
    /// # Errors
    /// One that names the first field that is missing, wrong or unknown.
    pub fn parse(payload: Value) -> Result<Self, PayloadError> {
        let Value::Object(fields) = payload else {
            return Err(PayloadError::NotAnObject { found: shortened(&payload) });
        };
        let mut fields = Fields(fields);
        if fields.required("send_mail", "true or false")? {
            return fields.report().map(Self::Report);
        }
        let goes_on = fields.required("next_phase", "true or false")?;
        let phase = fields.phase()?;
        Ok(if goes_on { Self::Phase(phase) } else { Self::Skip })
    }
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
        };
        self.end()?;
        Ok(request)
    }

    fn report(mut self) -> Result<ReportRequest, PayloadError> {
        // A report may carry a phase's fields; they mean nothing to it.
        for field in ["phase_number", "next_phase", "cw_log_phase"] {
            self.0.remove(field);
        }
        let request = ReportRequest {
            action: self.required("action", "\"start\" or \"stop\"")?,
            dry_run: self.optional("dry_run", "true or false")?.unwrap_or(false),
            execution: self.execution()?,
            results: self.optional("results", "a list of the environments' results")?.unwrap_or_default(),
            environments: self.optional("environments", "a list of environments' names")?,
            waited: self.optional("waited", "true or false")?.unwrap_or(false),
            error: self.optional("error", "an error")?,
        };
        self.end()?;
        Ok(request)
    }

    fn execution(&mut self) -> Result<Option<Execution>, PayloadError> {
        self.optional("execution", "an object with id, name and start_time")
    }

    fn required<T: DeserializeOwned>(&mut self, field: &str, expected: &str) -> Result<T, PayloadError> {
        self.optional(field, expected)?.ok_or_else(|| PayloadError::Field {
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: "nothing".to_owned(),
        })
    }

    fn optional<T: DeserializeOwned>(
        &mut self,
        field: &str,
        expected: &str,
    ) -> Result<Option<T>, PayloadError> {
        let Some(value) = self.0.remove(field) else { return Ok(None) };
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

/// Start or stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Bring the servers up: databases first.
    Start,
    /// Bring the servers down: databases last.
    Stop,
}

/// The Step Functions execution that an invocation belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The execution's ARN.
    pub id: String,
    /// The execution's name; the phase log's stream is named after it.
    pub name: String,
    /// When the execution's own work began: what a server was before this is its initial state.
    pub start_time: Timestamp,
}

/// What a server was before this run changed anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitialState {
    /// The instance's id.
    #[serde(rename = "InstanceId")]
    pub instance_id: String,
    /// EC2's name of the instance state, `stopped` for example.
    #[serde(rename = "State")]
    pub state: String,
    /// Whether the state is `running`.
    pub is_running: bool,
}

/// A phase's servers before the run, keyed by Name tag. An empty one is written `{"empty": true}`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "InitialStatesOnTheWire", into = "InitialStatesOnTheWire")]
pub struct InitialStates(pub IndexMap<String, InitialState>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum InitialStatesOnTheWire {
    Empty { empty: bool },
    Servers(IndexMap<String, InitialState>),
}

impl From<InitialStatesOnTheWire> for InitialStates {
    fn from(wire: InitialStatesOnTheWire) -> Self {
        match wire {
            InitialStatesOnTheWire::Empty { .. } => Self::default(),
            InitialStatesOnTheWire::Servers(servers) => Self(servers),
        }
    }
}

impl From<InitialStates> for InitialStatesOnTheWire {
    fn from(states: InitialStates) -> Self {
        if states.0.is_empty() { Self::Empty { empty: true } } else { Self::Servers(states.0) }
    }
}

/// How a phase ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Every server that was to change is as wanted.
    Ready,
    /// The invocation's time is up and the list's patience is not: invoke again with `resume`.
    InProgress,
    /// The list's `minimum` is met, but not every server is as wanted.
    Degraded,
    /// The list's `minimum` is not met.
    Failed,
    /// The list selects no server.
    Empty,
    /// The phase was asked to do nothing.
    Skipped,
}

/// A server that is not as wanted, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The server's key in the initial states, or its listed name if no instance has it.
    pub name: String,
    /// The instance's id; null for a listed server that no instance has.
    pub id: Option<String>,
    /// AWS's error code, or one of ours.
    pub code: String,
    /// A sentence that a person can act on.
    pub message: String,
}

/// How many servers of the list are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All servers of the list: `ready + failed + held`, and those still under way.
    pub total: usize,
    /// As wanted.
    pub ready: usize,
    /// Asked by this run to change.
    pub changed: usize,
    /// Not as wanted: each has an entry in `problems`.
    pub failed: usize,
    /// Left alone on purpose, and not as wanted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held: usize,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// For how long the started servers of a list had been off, as far as EC2's own times tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Off {
    /// Of so many servers it is known.
    pub servers: usize,
    /// All of them together, in seconds.
    pub seconds: u64,
}

impl Off {
    /// Adds another list's.
    pub fn add(&mut self, other: Self) {
        self.servers += other.servers;
        self.seconds += other.seconds;
    }

    fn is_unknown(&self) -> bool {
        self.servers == 0
    }
}

/// What was done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// It was as wanted before.
    Nothing,
    /// Asked to start; `seconds` says after how long it was ready, absent while it is not.
    Started,
    /// Asked to stop; `seconds` says after how long it was stopped, absent while it is not.
    Stopped,
    /// Left alone; `why` says why.
    Held,
    /// Dry run: it would be started.
    WouldStart,
    /// Dry run: it would be stopped.
    WouldStop,
}

impl Did {
    /// Whether the server was changed, or would be.
    pub fn changes(self) -> bool {
        matches!(self, Self::Started | Self::Stopped | Self::WouldStart | Self::WouldStop)
    }

    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing to do",
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::Held => "left alone",
            Self::WouldStart => "would be started",
            Self::WouldStop => "would be stopped",
        }
    }
}

/// What was done to one server, how long it took and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// What was done.
    pub action: Did,
    /// Seconds from the request to the wanted state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The plan's reason, where a reader needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl PhaseAnswer {
    /// The answer of a phase that was asked to do nothing.
    pub fn skipped() -> Self {
        Self {
            next_phase: false,
            initial_state: InitialStates::default(),
            outcome: Outcome::Skipped,
            servers: Counts::default(),
            problems: Vec::new(),
            actions: IndexMap::new(),
            off: Off::default(),
            resume: None,
            log_error: None,
            mute_error: None,
        }
    }
}

/// The answer of a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseAnswer {
    /// Whether the tier after this one may go ahead.
    pub next_phase: bool,
    /// What each server was before this run changed anything.
    pub initial_state: InitialStates,
    /// How the phase ended.
    pub outcome: Outcome,
    /// How many servers are how.
    pub servers: Counts,
    /// One entry a server that is not as wanted.
    pub problems: Vec<Problem>,
    /// What was done, by the keys of `initial_state`. Servers to which nothing was done are left
    /// out, but for a dry run, which lists all.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub actions: IndexMap<String, Deed>,
    /// For how long the servers that were started had been off.
    #[serde(default, skip_serializing_if = "Off::is_unknown")]
    pub off: Off,
    /// With `in_progress`: hand it back unchanged in the next invocation's payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<serde_json::Value>,
    /// Why the phase log could not be written, if it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_error: Option<String>,
    /// Why alarms could not be muted or unmuted, if they could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute_error: Option<String>,
}
