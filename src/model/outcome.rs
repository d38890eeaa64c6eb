//! What came of a phase: the nouns of its answer. They are the wire form too: field names are a contract.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Failure;

/// What a server was before this run changed anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InitialState {
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
pub(crate) struct InitialStates(pub IndexMap<String, InitialState>);

#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected each server's InstanceId, State and is_running by its name, or {\"empty\": true}"
)]
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
pub(crate) enum Outcome {
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
pub(crate) struct Problem {
    /// The server's key in the initial states, or its listed name if no instance has it.
    pub name: String,
    /// The instance's id; null for a listed server that no instance has.
    pub id: Option<String>,
    /// AWS's error code, or one of ours.
    pub code: String,
    /// A sentence that a person can act on.
    pub message: String,
}

impl Problem {
    /// What happened to a server or a list, and what a person can do.
    pub(crate) fn of(name: &str, id: Option<&str>, failure: &Failure) -> Self {
        Self {
            name: name.to_owned(),
            id: id.map(str::to_owned),
            code: failure.code.clone(),
            message: failure.sentence(),
        }
    }
}

/// How many servers of the list stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
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
pub(crate) struct HoursOff {
    /// The number of servers whose time off is known.
    pub servers: usize,
    /// All of them together, in seconds.
    pub seconds: u64,
}

impl HoursOff {
    /// Adds another list's.
    pub(crate) fn add(&mut self, other: Self) {
        self.servers += other.servers;
        self.seconds += other.seconds;
    }

    /// Whether it is known of no server.
    pub(crate) fn is_unknown(&self) -> bool {
        self.servers == 0
    }
}

/// What was done to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActionTaken {
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

impl ActionTaken {
    /// Whether the server was changed, or would be.
    pub(crate) fn changes(self) -> bool {
        matches!(self, Self::Started | Self::Stopped | Self::WouldStart | Self::WouldStop)
    }

    /// For people.
    pub(crate) fn words(self) -> &'static str {
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
pub(crate) struct ActionRecord {
    /// What was done.
    pub action: ActionTaken,
    /// Seconds from the request to the wanted state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The plan's reason, where a reader needs one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl PhaseAnswer {
    /// The answer of a phase that was asked to do nothing.
    pub(crate) fn skipped() -> Self {
        Self {
            next_phase: false,
            initial_state: InitialStates::default(),
            outcome: Outcome::Skipped,
            servers: Counts::default(),
            problems: Vec::new(),
            actions: IndexMap::new(),
            off: HoursOff::default(),
            resume: None,
            log_error: None,
            mute_error: None,
        }
    }
}

/// The answer of a phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PhaseAnswer {
    /// Whether the tier after this one may go ahead.
    pub next_phase: bool,
    /// What each server was before this run changed anything.
    pub initial_state: InitialStates,
    /// How the phase ended.
    pub outcome: Outcome,
    /// The number of servers by standing.
    pub servers: Counts,
    /// One entry a server that is not as wanted.
    pub problems: Vec<Problem>,
    /// What was done, by the keys of `initial_state`. Servers to which nothing was done are left
    /// out, but for a dry run, which lists all.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub actions: IndexMap<String, ActionRecord>,
    /// For how long the servers that were started had been off.
    #[serde(default, skip_serializing_if = "HoursOff::is_unknown")]
    pub off: HoursOff,
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
