//! What a phase must remember, because EC2 does not show it. It is what `resume` carries.
//!
//! Owns the initial states and their keys, what was asked of each server and what came back, and what the last look
//! left in doubt. Whatever can be seen is never remembered, so it stays small. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::failure::Kind;
use crate::model::instance::key;
use crate::model::{Action, Failure, InitialState, InitialStates, Instance, InstanceState};

use super::pace::{self, Buckets};
use super::plan::{Plan, Standing, Step};
use super::seen::Seen;

/// What an invocation hands to the next one of the same phase; `resume` says how it is taken over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Progress {
    /// Which list it is about.
    pub phase_number: u32,
    /// Start or stop.
    pub action: Action,
    /// When the phase began: the list's patience counts from here.
    pub began_at: Timestamp,
    /// What each server was before this run changed anything.
    pub initial_state: InitialStates,
    /// By instance id. Servers without an entry were not asked anything.
    pub servers: BTreeMap<String, Remembered>,
    /// Failures that looks have shown, by the server's key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub doubts: BTreeMap<String, Doubt>,
    /// Since when no look has shown a server that was not known before. One that is missing is a doubt of its own.
    pub members_since: Timestamp,
    /// How empty EC2's token buckets are.
    pub buckets: Buckets,
}

/// A failure that a look has shown. One look is not proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Doubt {
    /// The failure's code.
    pub code: String,
    /// When a look showed it first, in the present row of looks that did.
    pub since: Timestamp,
}

/// What was asked of one server, and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Remembered {
    /// When it was asked, if EC2 took the request or may have taken it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// EC2 took a request of this run, now or before.
    #[serde(skip_serializing_if = "is_false")]
    pub taken: bool,
    /// The request got no answer, and nothing has moved since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Failure>,
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
    /// The forced stop is over: EC2 took it, or refused it for good.
    #[serde(skip_serializing_if = "is_false")]
    pub forced: bool,
    /// How often it was refused, or fell back, for a reason that passes.
    #[serde(skip_serializing_if = "is_zero")]
    pub refusals: u32,
    /// Do not ask before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// The last refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Failure>,
    /// It was not ready in a look of this phase: its checks may flap.
    #[serde(skip_serializing_if = "is_false")]
    pub wavered: bool,
    /// Looks in a row in which it was as wanted.
    #[serde(skip_serializing_if = "is_zero")]
    pub passes: u32,
    /// When it was first seen as wanted, in the present row of passes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<Timestamp>,
}

/// What EC2 answered to a server's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took the request.
    Taken,
    /// Nobody knows whether it took it.
    None(Failure),
}

impl Progress {
    /// The progress of a phase that begins now.
    pub(crate) fn new(phase_number: u32, action: Action, environments: usize, began_at: Timestamp) -> Self {
        Self {
            phase_number,
            action,
            began_at,
            initial_state: InitialStates::default(),
            servers: BTreeMap::new(),
            doubts: BTreeMap::new(),
            members_since: began_at,
            buckets: Buckets::full(action, environments, began_at),
        }
    }

    /// The ids of the servers that were ever seen.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.initial_state.0.values().map(|state| state.instance_id.as_str())
    }

    /// What is remembered of a server: nothing, if it was not asked anything.
    pub(crate) fn of(&self, id: &str) -> Remembered {
        self.servers.get(id).cloned().unwrap_or_default()
    }

    /// Takes in what was just seen. A server that is seen for the first time gets its key and its initial state;
    /// what an invocation before this one asked, and could not tell, is read from EC2's own times.
    pub(crate) fn take_in(&mut self, seen: &Seen, run_began_at: Timestamp) {
        let known: BTreeSet<String> = self.ids().map(str::to_owned).collect();
        for instance in &seen.instances {
            if !known.contains(&instance.id) {
                self.members_since = seen.at;
                self.meet(instance, run_began_at);
            }
        }
        for instance in seen.instances.iter().chain(&seen.elsewhere) {
            if let Some(memory) = self.servers.get_mut(&instance.id) {
                memory.look_at(instance, self.action);
            }
        }
    }

    fn meet(&mut self, instance: &Instance, run_began_at: Timestamp) {
        let states = &mut self.initial_state.0;
        let key = key(instance.name.as_deref(), &instance.id, |key| states.contains_key(key));
        let changed_at = instance.changed_since(run_began_at, self.action);
        states.insert(key, before_this_run(instance, self.action, changed_at.is_some()));
        if let Some(at) = changed_at {
            let memory = Remembered { asked_at: Some(at), taken: true, moved: true, ..Remembered::default() };
            self.servers.insert(instance.id.clone(), memory);
        }
    }

    /// Takes in what was decided: looks that passed or did not, doubts, and starts that fell back. `chance` jitters
    /// the pauses.
    pub(crate) fn apply(&mut self, plan: &Plan, chance: f64) {
        let mut doubts = BTreeMap::new();
        for server in &plan.servers {
            if let Some(doubt) = self.doubt(server.key.as_str(), &server.standing, plan.at) {
                doubts.insert(server.key.clone(), doubt);
            }
            let Some(id) = &server.id else { continue };
            match &server.standing {
                Standing::UnderWay(Step::AskLater(failure)) => {
                    self.note_refused(id, failure.clone(), plan.at, chance);
                }
                Standing::UnderWay(Step::Confirm) | Standing::Ready => {
                    if let Some(memory) = self.servers.get_mut(id) {
                        memory.passes = memory.passes.saturating_add(1);
                        memory.ready_at.get_or_insert(plan.at);
                    }
                }
                Standing::UnderWay(_) => {
                    let memory = self.servers.entry(id.clone()).or_default();
                    (memory.passes, memory.ready_at, memory.wavered) = (0, None, true);
                }
                Standing::Held(_) | Standing::Failed(_) => {
                    if let Some(memory) = self.servers.get_mut(id) {
                        (memory.passes, memory.ready_at) = (0, None);
                    }
                }
            }
        }
        self.doubts = doubts;
    }

    /// The doubt that a standing leaves: a new one, or the one that was there if it says the same.
    fn doubt(&self, key: &str, standing: &Standing, at: Timestamp) -> Option<Doubt> {
        let before = self.doubts.get(key);
        match standing {
            Standing::UnderWay(Step::Doubt(failure)) => Some(match before {
                Some(before) if before.code == failure.code => before.clone(),
                _ => Doubt { code: failure.code.clone(), since: at },
            }),
            Standing::Failed(failure) => before.filter(|before| before.code == failure.code).cloned(),
            Standing::Ready => before.cloned().filter(|_| self.action == Action::Stop),
            _ => None,
        }
    }

    /// Notes that a request was sent for the server, and what EC2 answered.
    pub(crate) fn note_asked(&mut self, instance: &Instance, answer: Answer, now: Timestamp) {
        let memory = self.servers.entry(instance.id.clone()).or_default();
        let unanswered = match answer {
            Answer::Taken => None,
            Answer::None(failure) => Some(failure),
        };
        *memory = Remembered {
            asked_at: Some(now),
            taken: memory.taken || unanswered.is_none(),
            unanswered,
            launch_before: instance.launch_time,
            reason_before: instance.state_reason.as_ref().map(|reason| reason.code.clone()),
            // A start that bounced has stopped it anew: the first stop counts.
            stopped_before: memory.stopped_before.or(instance.stopped_at),
            refusals: memory.refusals,
            ..Remembered::default()
        };
    }

    /// Notes that EC2 took the server's forced stop: it is not asked for again.
    pub(crate) fn note_forced(&mut self, id: &str) {
        let memory = self.servers.entry(id.to_owned()).or_default();
        (memory.forced, memory.refusal, memory.again_at) = (true, None, None);
    }

    /// Notes that the server's forced stop was refused or got no answer: it is asked for again if that may pass. The
    /// graceful stop before it stands.
    pub(crate) fn note_not_forced(&mut self, id: &str, failure: Failure, now: Timestamp, chance: f64) {
        let memory = self.servers.entry(id.to_owned()).or_default();
        memory.forced = !memory.put_off(failure.kind, now, chance);
        memory.refusal = Some(failure);
    }

    /// Notes that EC2 refused the server's request, or that its start fell back, for what may pass or not.
    pub(crate) fn note_refused(&mut self, id: &str, refusal: Failure, now: Timestamp, chance: f64) {
        let memory = self.servers.entry(id.to_owned()).or_default();
        memory.put_off(refusal.kind, now, chance);
        memory.asked_at = None;
        memory.unanswered = None;
        memory.refusal = Some(refusal);
    }

    /// Notes that the request was not sent, because AWS asked for fewer.
    pub(crate) fn note_throttled(&mut self, id: &str, throttle: Failure) {
        self.servers.entry(id.to_owned()).or_default().refusal = Some(throttle);
    }
}

impl Remembered {
    /// Sets when to ask again after a failure that may pass, and says whether it is one.
    fn put_off(&mut self, kind: Kind, now: Timestamp, chance: f64) -> bool {
        let pause = match kind {
            Kind::Capacity => pace::capacity_pause,
            Kind::Passing | Kind::Outage => pace::throttle_pause,
            _ => return false,
        };
        self.refusals = self.refusals.saturating_add(1);
        self.again_at = Some(now + pause(self.refusals, chance));
        true
    }

    /// Notes whether the server was seen to move since it was asked.
    fn look_at(&mut self, instance: &Instance, action: Action) {
        let effect = match action {
            Action::Start => matches!(instance.state, InstanceState::Pending | InstanceState::Running),
            Action::Stop => matches!(instance.state, InstanceState::Stopping | InstanceState::Stopped),
        };
        if effect && self.asked_at.is_some() {
            self.moved = true;
            self.taken = true;
            self.unanswered = None;
        }
    }

    /// Seconds from its last stop to the request to start it, as far as EC2's own times tell.
    pub(crate) fn seconds_off(&self) -> Option<u64> {
        let seconds = self.asked_at?.duration_since(self.stopped_before?).as_secs();
        u64::try_from(seconds).ok()
    }

    /// Seconds from the request to the first of the present passes.
    pub(crate) fn seconds_to_ready(&self) -> Option<u64> {
        let seconds = self.ready_at?.duration_since(self.asked_at?).as_secs();
        u64::try_from(seconds).ok()
    }
}

/// What the instance is now, unless this run has changed it already.
fn before_this_run(instance: &Instance, action: Action, changed: bool) -> InitialState {
    let state = match (changed, action) {
        (false, _) => instance.state_word(),
        (true, Action::Start) => InstanceState::Stopped.name(),
        (true, Action::Stop) => InstanceState::Running.name(),
    };
    InitialState {
        instance_id: instance.id.clone(),
        state: state.to_owned(),
        is_running: state == InstanceState::Running.name(),
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}
