//! One instance of the small EC2: how long it takes, and what it does when it is asked.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Check, Failure, Instance, InstanceState, StatusChecks, StopKind};

/// When every test begins.
pub(crate) fn seven() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

/// What an instance does when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Habit {
    /// Starts and stops in time.
    Good,
    /// Falls back to stopped after a start, with this state reason.
    Bounces(&'static str),
    /// Falls back so often, then starts.
    BouncesTimes(&'static str, u32),
    /// Stays pending, or stopping, until it is forced.
    Hangs,
    /// Each request that names it is refused with this code.
    Refuses(&'static str),
    /// Requests are refused so often, then taken.
    RefusesTimes(&'static str, u32),
    /// Runs, with this one check never ok.
    Impaired(&'static str),
    /// Its checks pass once, fail once, then pass.
    Flaps,
    /// EC2 gives no status checks for it.
    NoChecks,
    /// Is terminated as soon as it is asked.
    Dies,
}

/// An instance of the small EC2.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub instance: Instance,
    pub habit: Habit,
    pub boot: SignedDuration,
    pub checks_after: SignedDuration,
    pub stop: SignedDuration,
    /// For how long a describe shows the state from before a change.
    pub lag: SignedDuration,
    due: Option<(Timestamp, InstanceState)>,
    up_since: Option<Timestamp>,
    shown: Option<(Timestamp, Instance)>,
    looked: u32,
    bounced: u32,
}

/// `name` in this state, with an id of its own.
pub(crate) fn server(name: &str, state: InstanceState) -> Server {
    let number = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Server {
        instance: Instance {
            id: format!("i-{number:017x}"),
            name: Some(name.to_owned()),
            state,
            launch_time: Some(seven() - SignedDuration::from_hours(60)),
            stopped_at: (state == InstanceState::Stopped).then(|| seven() - SignedDuration::from_hours(12)),
            unknown_state: None,
            state_reason: (state == InstanceState::Stopped).then(|| reason("Client.UserInitiatedShutdown")),
            hold: None,
            auto_scaling_group: None,
            operator: None,
            one_time_spot: false,
            instance_store_root: false,
            instance_type: "m7g.large".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
        },
        habit: Habit::Good,
        boot: SignedDuration::from_secs(20),
        checks_after: SignedDuration::from_secs(90),
        stop: SignedDuration::from_secs(40),
        lag: SignedDuration::ZERO,
        due: None,
        up_since: (state == InstanceState::Running).then(|| seven() - SignedDuration::from_hours(60)),
        shown: None,
        looked: 0,
        bounced: 0,
    }
}

pub(crate) fn stopped(name: &str) -> Server {
    server(name, InstanceState::Stopped)
}

pub(crate) fn running(name: &str) -> Server {
    server(name, InstanceState::Running)
}

fn reason(code: &str) -> Failure {
    // EC2's own sentences (StateReason in the API reference, and as they are reported).
    let message = match code {
        "Client.InternalError" => "Client error on launch",
        "Server.InternalError" => "Internal error on launch",
        _ => "said EC2",
    };
    Failure::of_state_reason(code, &format!("{code}: {message}"))
}

impl Server {
    pub(crate) fn with(mut self, habit: Habit) -> Self {
        self.habit = habit;
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn settle(&mut self, now: Timestamp) {
        let Some((due, state)) = self.due else { return };
        if now < due {
            return;
        }
        self.due = None;
        self.instance.state = state;
        self.up_since = (state == InstanceState::Running).then_some(due);
        if let Habit::Bounces(code) | Habit::BouncesTimes(code, _) = self.habit
            && state == InstanceState::Stopped
        {
            self.instance.state_reason = (!code.is_empty()).then(|| reason(code));
        }
    }

    pub(super) fn shown(&self, now: Timestamp) -> Instance {
        match &self.shown {
            Some((until, before)) if now < *until => before.clone(),
            _ => self.instance.clone(),
        }
    }

    fn before_change(&mut self, now: Timestamp) {
        self.shown = Some((now + self.lag, self.instance.clone()));
    }

    pub(super) fn start(&mut self, now: Timestamp) {
        if self.instance.state != InstanceState::Stopped {
            return;
        }
        self.before_change(now);
        self.instance.state = InstanceState::Pending;
        self.instance.launch_time = Some(now);
        self.instance.stopped_at = None;
        self.bounced += 1;
        let ends = match self.habit {
            Habit::Bounces(_) => InstanceState::Stopped,
            Habit::BouncesTimes(_, times) if self.bounced <= times => InstanceState::Stopped,
            Habit::Dies => InstanceState::Terminated,
            _ => InstanceState::Running,
        };
        self.due = (!matches!(self.habit, Habit::Hangs)).then_some((now + self.boot, ends));
    }

    pub(super) fn stop(&mut self, now: Timestamp, kind: StopKind) {
        let hangs = matches!(self.habit, Habit::Hangs) && kind == StopKind::Graceful;
        if self.instance.state == InstanceState::Running {
            self.before_change(now);
            self.instance.state = InstanceState::Stopping;
            self.instance.stopped_at = Some(now);
            self.instance.state_reason = Some(reason("Client.UserInitiatedShutdown"));
        }
        if self.instance.state == InstanceState::Stopping && !hangs && self.due.is_none() {
            self.due = Some((now + self.stop, InstanceState::Stopped));
        }
    }

    pub(super) fn checks(&mut self, now: Timestamp) -> Option<StatusChecks> {
        if matches!(self.habit, Habit::NoChecks) {
            return None;
        }
        let is_running = self.instance.state == InstanceState::Running;
        let all = |check: Check| StatusChecks {
            is_running,
            instance: check.clone(),
            system: check.clone(),
            attached_ebs: check.clone(),
            application: check,
        };
        let initializing = Check::Not("initializing".to_owned());
        if self.up_since.is_none_or(|since| now < since + self.checks_after) {
            return Some(all(initializing));
        }
        self.looked += 1;
        let impaired = Check::Not("impaired".to_owned());
        Some(match self.habit {
            Habit::Impaired("instance") => StatusChecks { instance: impaired, ..all(Check::Ok) },
            Habit::Impaired("system") => StatusChecks { system: impaired, ..all(Check::Ok) },
            Habit::Impaired("attached_ebs") => StatusChecks { attached_ebs: impaired, ..all(Check::Ok) },
            Habit::Impaired("application") => StatusChecks { application: impaired, ..all(Check::Ok) },
            Habit::Flaps if self.looked == 2 => all(impaired),
            _ => all(Check::Ok),
        })
    }
}
