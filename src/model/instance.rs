//! An instance as EC2 shows it, in our own words.

use jiff::Timestamp;

use super::Action;
use super::failure::{Failure, Kind};

/// An EC2 instance state, `InstanceState.Name` in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum InstanceState {
    /// Starting.
    Pending,
    /// Up, as far as the hypervisor knows.
    Running,
    /// Being terminated.
    ShuttingDown,
    /// Gone for good.
    Terminated,
    /// Being stopped.
    Stopping,
    /// Down.
    Stopped,
    /// A state that this version does not know; [`Instance::unknown_state`] has EC2's word.
    Unknown,
}

impl InstanceState {
    /// EC2's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

/// An instance as DescribeInstances shows it, cut down to what a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Instance {
    /// For example `i-0bad14933fffa49b9`.
    pub id: String,
    /// The Name tag, wherever it stands among the tags.
    pub name: Option<String>,
    /// Where it is in its life.
    pub state: InstanceState,
    /// When it was last launched: it moves with each start.
    pub launch_time: Option<Timestamp>,
    /// When the last stop was asked for, read out of `StateTransitionReason`.
    pub stopped_at: Option<Timestamp>,
    /// Why the most recent change of state happened. It lingers.
    pub state_reason: Option<Failure>,
    /// EC2's word for a state that this version does not know.
    pub unknown_state: Option<String>,
    /// The value of the tag `ec2-start-stop:hold`.
    pub hold: Option<String>,
    /// The Auto Scaling group it belongs to.
    pub auto_scaling_group: Option<String>,
    /// The AWS service that manages it (`Operator.Managed`).
    pub operator: Option<String>,
    /// It belongs to a one-time Spot request: EC2 cannot stop it.
    pub one_time_spot: bool,
    /// Its root device is an instance store: EC2 cannot stop it.
    pub instance_store_root: bool,
    /// For example `m7g.large`: capacity fails by type and zone.
    pub instance_type: String,
    /// For example `eu-west-1a`.
    pub availability_zone: String,
}

impl Instance {
    /// EC2's word for its state.
    pub(crate) fn state_word(&self) -> &str {
        self.unknown_state.as_deref().unwrap_or(self.state.name())
    }

    /// When the run that began then changed it, as its own times tell: it was launched, or its stop was asked for,
    /// since, and it has not been turned back by somebody else.
    pub(crate) fn changed_since(&self, run_began_at: Timestamp, action: Action) -> Option<Timestamp> {
        let down = matches!(self.state, InstanceState::Stopping | InstanceState::Stopped);
        let shut_down = self.state_reason.as_ref().is_some_and(|reason| reason.kind == Kind::ShutDown);
        let (changed_at, turned_back) = match action {
            Action::Start => (self.launch_time, down && shut_down),
            Action::Stop => (self.stopped_at, !down),
        };
        // EC2's times have whole seconds, the execution's have milliseconds.
        changed_at.filter(|at| !turned_back && at.as_second() >= run_began_at.as_second())
    }

    /// Whether it is gone for good, or about to be.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.state, InstanceState::ShuttingDown | InstanceState::Terminated)
    }
}

/// The key of a server in an answer and in the report: its Name tag, or its id where it has none. A key that is
/// taken is never given again: the second server of one name carries its id too.
pub(crate) fn key(name: Option<&str>, id: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut key = name.unwrap_or(id).to_owned();
    while is_taken(&key) {
        key = with_id(&key, id);
    }
    key
}

/// A server as people are told of it: its key, and its id.
pub(crate) fn label(key: &str, id: Option<&str>) -> String {
    match id {
        Some(id) if !key.contains(id) => with_id(key, id),
        _ => key.to_owned(),
    }
}

fn with_id(key: &str, id: &str) -> String {
    format!("{key} ({id})")
}

/// One status check of an instance, `SummaryStatus` in the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Check {
    /// `ok`.
    Ok,
    /// EC2 says that this check does not apply to the instance.
    NotApplicable,
    /// EC2 did not say anything: not ready.
    #[default]
    Missing,
    /// Any other word of EC2: `initializing`, `impaired`, `insufficient-data` …
    Not(String),
}

/// The status checks of one instance, from DescribeInstanceStatus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct StatusChecks {
    /// EC2 says, beside the checks, that the instance is `running`.
    pub is_running: bool,
    /// The instance's own reachability.
    pub instance: Check,
    /// The host beneath it.
    pub system: Check,
    /// Its EBS volumes.
    pub attached_ebs: Check,
    /// Its application, where EC2 checks one.
    pub application: Check,
}

/// How a stop is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StopKind {
    /// The operating system shuts down.
    Graceful,
    /// EC2 pulls the plug when the operating system does not shut down.
    Force,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_given_twice_even_if_a_name_looks_like_one() {
        let taken = ["web", "web (i-2)"];
        let is_taken = |key: &str| taken.contains(&key);
        assert_eq!(key(Some("db"), "i-2", is_taken), "db");
        assert_eq!(key(None, "i-2", is_taken), "i-2");
        assert_eq!(key(Some("web"), "i-3", is_taken), "web (i-3)");
        assert_eq!(key(Some("web"), "i-2", is_taken), "web (i-2) (i-2)");
    }

    #[test]
    fn a_label_names_the_id_once() {
        assert_eq!(label("web", Some("i-1")), "web (i-1)");
        assert_eq!(label("web (i-1)", Some("i-1")), "web (i-1)");
        assert_eq!(label("web", None), "web");
    }
}
