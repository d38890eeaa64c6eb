//! A phase's progress: what it began with, and what it must remember. It is what `resume` carries.
//!
//! Owns the keys of the initial states, and what a server was "before this run changed anything". Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::failure::Cause;
use crate::model::{Action, InitialState, InitialStates, Instance, InstanceState, failure};
use crate::phase::memory::{Memory, Refusal, changed_by_this_run};
use crate::phase::pace::Buckets;

/// What an invocation hands to the next one of the same phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// When the phase began: the list's patience counts from here.
    pub began_at: Timestamp,
    /// What each server was before this run changed anything.
    pub initial_state: InitialStates,
    /// What was asked, by instance id. Servers without an entry were not asked anything.
    pub memory: BTreeMap<String, Memory>,
    /// How empty EC2's token buckets are.
    pub buckets: Buckets,
}

impl Progress {
    /// The progress of a phase that begins now.
    pub fn new(began_at: Timestamp, action: Action, environments: usize) -> Self {
        Self {
            began_at,
            initial_state: InitialStates::default(),
            memory: BTreeMap::new(),
            buckets: Buckets::full(action, environments, began_at),
        }
    }

    /// The progress as the invocation before handed it on, with what does not travel filled in.
    pub fn resumed(self, action: Action, environments: usize) -> Self {
        Self { buckets: self.buckets.resumed(action, environments), ..self }
    }

    /// Takes in what was just seen. A server that is seen for the first time gets its key and its initial state;
    /// what an invocation before this one asked, and could not tell, is read from EC2's own times.
    pub fn take_in(&mut self, instances: &[Instance], action: Action, run_began_at: Timestamp) {
        for instance in instances {
            if !self.knows(&instance.id) {
                let key = self.new_key(instance);
                let state = before_this_run(instance, action, run_began_at);
                self.initial_state.0.insert(key, state);
                if let Some(at) = changed_by_this_run(instance, action, run_began_at) {
                    self.memory.insert(instance.id.clone(), Memory::asked_before_first_look(at));
                }
            }
            if let Some(memory) = self.memory.get_mut(&instance.id) {
                memory.look_at(instance, action);
            }
        }
    }

    /// What is remembered of a server: nothing, if it was not asked anything.
    pub fn memory_of(&self, id: &str) -> Memory {
        self.memory.get(id).cloned().unwrap_or_default()
    }

    /// Notes that EC2 took a request for the server, or may have taken it.
    pub fn note_asked(&mut self, instance: &Instance, forced: bool, now: Timestamp) {
        let memory = self.memory.entry(instance.id.clone()).or_default();
        if forced { memory.forced = true } else { memory.ask(instance, now) }
    }

    /// Notes that EC2 refused the server's request; `pause` gives the time until the next one for so many refusals.
    pub fn note_refused(
        &mut self,
        id: &str,
        refusal: Refusal,
        now: Timestamp,
        pause: impl Fn(u32) -> Duration,
    ) {
        let memory = self.memory.entry(id.to_owned()).or_default();
        let passes = matches!(failure::cause(&refusal.code), Cause::Capacity | Cause::Passing);
        if passes {
            memory.refusals += 1;
            memory.again_at = Some(now + pause(memory.refusals));
        }
        memory.asked_at = None;
        memory.refusal = Some(refusal);
    }

    fn knows(&self, id: &str) -> bool {
        self.initial_state.0.values().any(|state| state.instance_id == id)
    }

    /// The Name tag, or the id where there is none; a second server of one name carries its id too.
    fn new_key(&self, instance: &Instance) -> String {
        match &instance.name {
            None => instance.id.clone(),
            Some(name) if self.initial_state.0.contains_key(name) => {
                format!("{name} ({})", instance.id)
            }
            Some(name) => name.clone(),
        }
    }
}

/// What the instance is now, unless its own times say that this run has changed it already.
fn before_this_run(instance: &Instance, action: Action, run_began_at: Timestamp) -> InitialState {
    let state = match (changed_by_this_run(instance, action, run_began_at), action) {
        (None, _) => instance.state,
        (Some(_), Action::Start) => InstanceState::Stopped,
        (Some(_), Action::Stop) => InstanceState::Running,
    };
    InitialState {
        instance_id: instance.id.clone(),
        state: state.name().to_owned(),
        is_running: state == InstanceState::Running,
    }
}
