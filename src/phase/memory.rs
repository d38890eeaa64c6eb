//! What a phase must know of a server that EC2 does not show: what it asked for, and what was refused.
//!
//! It travels in `resume` from one invocation to the next, so it is kept small. Whatever can be seen
//! is never remembered.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Action, Instance, InstanceState};

/// A refusal of EC2 for one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// AWS's code.
    pub code: String,
    /// AWS's sentence.
    pub message: String,
}

/// What was asked of one server, and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// When it was asked, if EC2 took the request or may have taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// The launch time that EC2 showed when it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_before: Option<Timestamp>,
    /// The state reason's code that EC2 showed when it was asked: it lingers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_before: Option<String>,
    /// When it had been stopped, before it was asked to start: EC2 forgets it with the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_before: Option<Timestamp>,
    /// It was seen in another state since it was asked.
    #[serde(skip_serializing_if = "is_false")]
    pub moved: bool,
    /// The forced stop was asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub forced: bool,
    /// How often EC2 refused it for a reason that passes, no capacity for example.
    #[serde(skip_serializing_if = "is_zero")]
    pub refusals: u32,
    /// Do not ask before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// The last refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
    /// Polls in a row in which it was as wanted.
    #[serde(skip_serializing_if = "is_zero")]
    pub passes: u32,
    /// When it was first seen as wanted, in the present row of passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
}

impl Memory {
    /// The memory of a server that this run asked before it was looked at for the first time: an invocation that
    /// crashed or timed out could not tell of it.
    pub fn asked_before_first_look(at: Timestamp) -> Self {
        Self { asked_at: Some(at), moved: true, ..Self::default() }
    }

    /// Notes a request that EC2 took, or may have taken.
    pub fn ask(&mut self, instance: &Instance, now: Timestamp) {
        *self = Self {
            asked_at: Some(now),
            launch_before: instance.launch_time,
            reason_before: instance.state_reason.as_ref().map(|reason| reason.code.clone()),
            // A start that bounced has stopped it anew: the first stop counts.
            stopped_before: self.stopped_before.or(instance.stopped_at),
            refusals: self.refusals,
            ..Self::default()
        };
    }

    /// Notes whether the server was seen to move since it was asked.
    pub fn look_at(&mut self, instance: &Instance, action: Action) {
        let effect = match action {
            Action::Start => matches!(instance.state, InstanceState::Pending | InstanceState::Running),
            Action::Stop => matches!(instance.state, InstanceState::Stopping | InstanceState::Stopped),
        };
        self.moved |= effect && self.asked_at.is_some();
    }

    /// Notes a look that found it as wanted, or one that did not.
    pub fn pass(&mut self, passed: bool, now: Timestamp) {
        if passed {
            self.passes += 1;
            self.ready_at.get_or_insert(now);
        } else {
            self.passes = 0;
            self.ready_at = None;
        }
    }

    /// Seconds from its last stop to the request to start it, as far as EC2's own times tell.
    pub fn seconds_off(&self) -> Option<u64> {
        let seconds = self.asked_at?.duration_since(self.stopped_before?).as_secs();
        u64::try_from(seconds).ok()
    }

    /// Seconds from the request to the first of the present passes.
    pub fn seconds_to_ready(&self) -> Option<u64> {
        let seconds = self.ready_at?.duration_since(self.asked_at?).as_secs();
        u64::try_from(seconds).ok()
    }
}

/// When this run changed the instance, as its own times tell: it was launched, or its stop was asked for,
/// after the run began.
pub fn changed_by_this_run(
    instance: &Instance,
    action: Action,
    run_began_at: Timestamp,
) -> Option<Timestamp> {
    let changed_at = match action {
        Action::Start => instance.launch_time,
        Action::Stop => instance.stopped_at,
    };
    // EC2's times have whole seconds, the execution's have milliseconds.
    changed_at.filter(|at| at.as_second() >= run_began_at.as_second())
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}
