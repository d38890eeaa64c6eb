//! What is missing, per server, with a reason: pure.
//!
//! Owns the decision "ask, wait, leave alone, give up, or nothing to do". Whether a server that is in the
//! wanted state is *ready* is the verdict's question; how to ask is `acting`'s.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::failure::Cause;
use crate::model::{Action, Instance, InstanceState, StateReason, StopKind, failure};
use crate::phase::memory::Memory;
use crate::servers::hold;
use crate::servers::hold::Hold;

/// For how long a describe may still show the state from before an accepted request: EC2 advises to
/// expect up to five minutes and mostly takes seconds
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>). After this the request is sent again.
pub const LAG: SignedDuration = SignedDuration::from_mins(2);

/// What to do about one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Its instance state is as wanted.
    AsWanted,
    /// Ask EC2.
    Ask(Request, String),
    /// Look again later.
    Wait(String),
    /// It is left alone on purpose.
    LeaveAlone(String),
    /// No use in waiting: it is a problem. A code and what happened.
    GiveUp(String, String),
}

/// What to ask EC2 for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// StartInstances.
    Start,
    /// StopInstances.
    Stop(StopKind),
}

/// What holds for all servers of a plan.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Start or stop.
    pub action: Action,
    /// When this is decided.
    pub now: Timestamp,
    /// The zone of a hold tag's date.
    pub zone: TimeZone,
    /// After how long a graceful stop becomes a forced one.
    pub force_stop_after: Option<Duration>,
}

/// Decides for one server.
pub fn step(instance: &Instance, memory: &Memory, rules: &Rules) -> Step {
    use InstanceState::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
    match (rules.action, instance.state) {
        (_, ShuttingDown | Terminated) => {
            Step::GiveUp(failure::TERMINATED.to_owned(), format!("it is {}", instance.state.name()))
        }
        (Action::Start, Running) | (Action::Stop, Stopped) => Step::AsWanted,
        (Action::Start, Pending) => Step::Wait("it is starting".to_owned()),
        (Action::Stop, Stopping) => stopping(memory, rules),
        (Action::Start, Stopping) => unless_held(instance, rules, || {
            Step::Wait("it is stopping; it is started as soon as it has stopped".to_owned())
        }),
        (Action::Stop, Pending) => unless_held(instance, rules, || {
            Step::Wait("it is starting; it is stopped as soon as it runs".to_owned())
        }),
        (Action::Start, Stopped) | (Action::Stop, Running) => {
            unless_held(instance, rules, || change(instance, memory, rules))
        }
    }
}

fn stopping(memory: &Memory, rules: &Rules) -> Step {
    let due = rules.force_stop_after.zip(memory.asked_at).is_some_and(|(after, asked_at)| {
        rules.now.duration_since(asked_at) >= SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX)
    });
    if due && !memory.forced {
        let why = "it did not shut down within force_stop_after_minutes".to_owned();
        return Step::Ask(Request::Stop(StopKind::Force), why);
    }
    Step::Wait("it is stopping".to_owned())
}

fn unless_held(instance: &Instance, rules: &Rules, otherwise: impl FnOnce() -> Step) -> Step {
    if let Some(value) = &instance.hold {
        match hold::read(value, rules.now, &rules.zone) {
            Hold::Over => {}
            Hold::Held(why) => return Step::LeaveAlone(why),
            Hold::Unreadable => {
                return Step::GiveUp(failure::BAD_HOLD.to_owned(), format!("its hold tag says \"{value}\""));
            }
        }
    }
    if let Some(group) = &instance.auto_scaling_group {
        return Step::LeaveAlone(format!(
            "it belongs to the Auto Scaling group {group}, which would replace it"
        ));
    }
    if let Some(operator) = &instance.operator {
        return Step::LeaveAlone(format!("it is managed by {operator}"));
    }
    if rules.action == Action::Stop && instance.one_time_spot {
        return Step::LeaveAlone("a one-time Spot instance cannot be stopped".to_owned());
    }
    if rules.action == Action::Stop && instance.instance_store_root {
        return Step::LeaveAlone("an instance whose root is an instance store cannot be stopped".to_owned());
    }
    otherwise()
}

/// The server is in the opposite of the wanted state and may be changed.
fn change(instance: &Instance, memory: &Memory, rules: &Rules) -> Step {
    if let Some(asked_at) = memory.asked_at {
        if came_back(instance, memory) {
            return fallen_back(instance, memory, rules.action);
        }
        if rules.now.duration_since(asked_at) < LAG {
            return Step::Wait("it was asked; EC2 does not show it yet".to_owned());
        }
    }
    if let Some(refusal) = &memory.refusal {
        match failure::cause(&refusal.code) {
            Cause::Capacity | Cause::Passing => {}
            Cause::Protected => return Step::LeaveAlone("stop protection is on".to_owned()),
            Cause::Person => return Step::GiveUp(refusal.code.clone(), refusal.message.clone()),
        }
    }
    if memory.again_at.is_some_and(|at| rules.now < at) {
        let code = memory.refusal.as_ref().map_or("EC2 refused", |refusal| refusal.code.as_str());
        return Step::Wait(format!("{code}; it is asked again later"));
    }
    let request = match rules.action {
        Action::Start => Request::Start,
        Action::Stop => Request::Stop(StopKind::Graceful),
    };
    Step::Ask(request, format!("it is {}", instance.state.name()))
}

/// Whether the server moved since it was asked and is now back where it was. A describe that lags shows none of this.
fn came_back(instance: &Instance, memory: &Memory) -> bool {
    let launched_again = memory.launch_before.is_some() && instance.launch_time > memory.launch_before;
    memory.moved || launched_again || new_reason(instance, memory).is_some()
}

/// The state reason, unless it is the one from before the request, which lingers.
fn new_reason<'a>(instance: &'a Instance, memory: &Memory) -> Option<&'a StateReason> {
    let stopped_since =
        instance.stopped_at.zip(memory.asked_at).is_some_and(|(stopped, asked)| stopped > asked);
    instance.state_reason.as_ref().filter(|reason| {
        stopped_since
            || memory.reason_before.as_deref() != Some(reason.code.as_str())
            || memory.moved && failure::explains_failed_start(&reason.code)
    })
}

/// The reason of a start that fell back because EC2 had no capacity: the phase notes it like a refusal.
pub fn fell_back_for_capacity<'a>(instance: &'a Instance, memory: &Memory) -> Option<&'a StateReason> {
    if instance.state != InstanceState::Stopped || memory.asked_at.is_none() {
        return None;
    }
    new_reason(instance, memory).filter(|reason| failure::cause(&reason.code) == Cause::Capacity)
}

fn fallen_back(instance: &Instance, memory: &Memory, action: Action) -> Step {
    if action == Action::Stop {
        return Step::GiveUp(failure::WENT_BACK.to_owned(), "it was asked to stop and runs again".to_owned());
    }
    match new_reason(instance, memory) {
        Some(reason) => {
            Step::GiveUp(reason.code.clone(), format!("it fell back to stopped: {}", reason.message))
        }
        None => Step::GiveUp(failure::BOUNCED.to_owned(), "it fell back to stopped".to_owned()),
    }
}
