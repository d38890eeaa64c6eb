//! An instance as EC2 shows it, in our own words.

use jiff::Timestamp;

/// An EC2 instance state, `InstanceState.Name` in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InstanceState {
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
}

impl InstanceState {
    /// EC2's name of the state.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// Why the most recent state transition happened, `StateReason` in the API. It lingers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateReason {
    /// For example `Client.InternalError`.
    pub code: String,
    /// EC2's sentence.
    pub message: String,
}

/// An instance as DescribeInstances shows it, cut down to what a plan needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
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
    /// Why the most recent transition happened.
    pub state_reason: Option<StateReason>,
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

/// One status check of an instance, `SummaryStatus` in the API.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Check {
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
pub struct StatusChecks {
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
pub enum StopKind {
    /// The operating system shuts down.
    Graceful,
    /// EC2 pulls the plug when the operating system does not shut down.
    Force,
}
