//! What the check has come to: findings, counts, what was proved and what was not.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Elsewhere, Execution, Problem};
use crate::report::asked::Asked;

/// The verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum Status {
    /// All that can be proved was.
    #[serde(rename = "READY")]
    Ready,
    /// Something could not be asked: nobody knows.
    #[serde(rename = "NOT PROVED")]
    NotProved,
    /// Something would fail.
    #[serde(rename = "WOULD FAIL")]
    WouldFail,
}

impl Status {
    /// As it stands in the subject.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ready => "READY",
            Self::NotProved => "NOT PROVED",
            Self::WouldFail => "WOULD FAIL",
        }
    }
}

/// Something that would fail, or that nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Whose it is, AWS's code or ours, what happened and what to do.
    #[serde(flatten)]
    pub problem: Problem,
    /// The environment, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The tier of the server's list, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// Whether it would fail; if not, nobody knows.
    pub would_fail: bool,
    /// Whether it is about one server.
    #[serde(skip)]
    pub of_server: bool,
    /// Where the server is, if not at home.
    #[serde(skip)]
    pub elsewhere: Option<Elsewhere>,
}

/// How many of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    /// Servers that the lists name, or that their tags select.
    pub servers: usize,
    /// Of those, how many EC2's DryRun would let be started.
    pub start_allowed: usize,
    /// The same for a stop.
    pub stop_allowed: usize,
    /// Left alone by the next run too, so not asked for.
    pub held: usize,
    /// Servers that would fail.
    pub would_fail: usize,
}

/// An environment's line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EnvironmentTally {
    pub name: String,
    pub tally: Tally,
    /// Other findings: of no single server, or of what nobody knows.
    pub others: usize,
}

/// The whole check.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    /// The execution that asked for it.
    pub execution: Option<Execution>,
    /// What was asked, of which environments if it was limited to some.
    pub asked: Asked,
    /// When.
    pub at: Timestamp,
    /// What would fail first, then what nobody knows.
    pub findings: Vec<Finding>,
    /// Each environment.
    pub environments: Vec<EnvironmentTally>,
    /// What was proved, in sentences.
    pub proved: Vec<String>,
    /// What was not, and why.
    pub not_proved: Vec<String>,
}

impl Checked {
    /// The verdict.
    pub(crate) fn status(&self) -> Status {
        if self.findings.iter().any(|finding| finding.would_fail) {
            Status::WouldFail
        } else if self.findings.is_empty() {
            Status::Ready
        } else {
            Status::NotProved
        }
    }

    /// All environments together.
    pub(crate) fn tally(&self) -> Tally {
        self.environments.iter().fold(Tally::default(), |sum, environment| {
            let one = environment.tally;
            Tally {
                servers: sum.servers + one.servers,
                start_allowed: sum.start_allowed + one.start_allowed,
                stop_allowed: sum.stop_allowed + one.stop_allowed,
                held: sum.held + one.held,
                would_fail: sum.would_fail + one.would_fail,
            }
        })
    }

    /// A finding of the whole stack that the facts do not show: its settings, its servers.toml.
    pub(crate) fn add(&mut self, problem: Problem) {
        let (environment, tier, elsewhere) = (None, None, None);
        self.findings
            .insert(0, Finding { problem, environment, tier, would_fail: true, of_server: false, elsewhere });
    }
}

/// What one part of the judgement says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    /// Problems of no list, and whether each would fail.
    pub(super) problems: Vec<(Problem, bool)>,
    pub(super) proved: Vec<String>,
    pub(super) not_proved: Vec<String>,
}
