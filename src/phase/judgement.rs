//! One look at a list's servers, judged: pure.
//!
//! Owns the step and the standing of every server of the list (each exactly once), and the answer that
//! follows. The loop around it is `phase`.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::model::{
    Action, ActionRecord, ActionTaken, Counts, HoursOff, Instance, Outcome, PhaseAnswer, Problem,
    StatusChecks, failure,
};
use crate::phase::memory::{Memory, Refusal};
use crate::phase::plan::{Request, Rules, Step};
use crate::phase::progress::Progress;
use crate::phase::verdict::Standing;
use crate::phase::{pace, plan, verdict};
use crate::servers::file::ServerList;

/// A server of the list.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its key in the initial states; for a listed name that no instance has, that name.
    pub key: String,
    /// What EC2 shows; nothing, if no live instance is there (any more).
    pub instance: Option<Instance>,
    /// Its id, also of an instance that is gone.
    pub id: Option<String>,
    /// What to do about it.
    pub step: Step,
    /// How it stands.
    pub standing: Standing,
}

/// All servers of the list, as one look showed them.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// When the look was.
    pub at: Timestamp,
    /// Each server once.
    pub servers: Vec<Server>,
}

/// Judges what was seen, and notes in `progress` what the next look must know. `chance` jitters the pauses.
pub fn judge(
    list: &ServerList,
    rules: &Rules,
    progress: &mut Progress,
    instances: Vec<Instance>,
    checks: &BTreeMap<String, StatusChecks>,
    chance: f64,
) -> Judgement {
    let missing = missing_names(list, &instances, progress);
    let mut seen: BTreeMap<String, Instance> = instances.into_iter().map(|i| (i.id.clone(), i)).collect();
    let listed: Vec<(String, String)> = progress
        .initial_state
        .0
        .iter()
        .map(|(key, initial)| (key.clone(), initial.instance_id.clone()))
        .collect();
    let mut servers: Vec<Server> = listed
        .into_iter()
        .map(|(key, id)| match seen.remove(&id) {
            Some(instance) => {
                let checks = checks.get(&id);
                judge_one(key, instance, list, rules, progress, checks, chance)
            }
            None => gone(key, Some(id), failure::TERMINATED),
        })
        .collect();
    servers.extend(missing.into_iter().map(|name| gone(name, None, failure::MISSING)));
    Judgement { at: rules.now, servers }
}

/// Listed names that no instance has, and none had before.
fn missing_names(list: &ServerList, instances: &[Instance], progress: &Progress) -> Vec<String> {
    let found: BTreeSet<&str> = instances.iter().filter_map(|instance| instance.name.as_deref()).collect();
    list.servers
        .iter()
        .filter(|name| !found.contains(name.as_str()) && !progress.initial_state.0.contains_key(*name))
        .cloned()
        .collect()
}

fn gone(key: String, id: Option<String>, code: &str) -> Server {
    Server {
        key,
        instance: None,
        id,
        step: Step::GiveUp(code.to_owned(), String::new()),
        standing: Standing::Failed(code.to_owned(), String::new()),
    }
}

fn judge_one(
    key: String,
    instance: Instance,
    list: &ServerList,
    rules: &Rules,
    progress: &mut Progress,
    checks: Option<&StatusChecks>,
    chance: f64,
) -> Server {
    let id = instance.id.clone();
    if let Some(reason) = plan::fell_back_for_capacity(&instance, &progress.memory_of(&id)) {
        let refusal = Refusal { code: reason.code.clone(), message: reason.message.clone() };
        progress.note_refused(&id, refusal, rules.now, |refusals| pace::capacity_pause(refusals, chance));
    }
    let mut memory = progress.memory_of(&id);
    let step = plan::step(&instance, &memory, rules);
    let not_ready = match (rules.action, &step) {
        (Action::Start, Step::AsWanted) => verdict::not_ready(list.ready, checks),
        _ => None,
    };
    let changed = memory.asked_at.is_some();
    memory.pass(step == Step::AsWanted && not_ready.is_none(), rules.now);
    let needed = match rules.action {
        Action::Start => verdict::passes_needed(list.ready, changed),
        Action::Stop => 1,
    };
    let standing = verdict::standing(&step, not_ready, memory.passes, needed);
    if changed {
        progress.memory.insert(id.clone(), memory);
    }
    Server { key, instance: Some(instance), id: Some(id), step, standing }
}

impl Judgement {
    /// The servers to ask for, by request.
    pub fn requests(&self) -> Vec<(Request, Vec<&Instance>)> {
        let mut requests: Vec<(Request, Vec<&Instance>)> = Vec::new();
        for server in &self.servers {
            let (Step::Ask(request, _), Some(instance)) = (&server.step, &server.instance) else {
                continue;
            };
            match requests.iter_mut().find(|(known, _)| known == request) {
                Some((_, instances)) => instances.push(instance),
                None => requests.push((*request, vec![instance])),
            }
        }
        requests
    }

    /// Whether nothing is under way any more.
    pub fn is_decided(&self) -> bool {
        !self.servers.iter().any(|server| matches!(server.standing, Standing::UnderWay(_)))
    }

    /// Whether all that is under way only waits for its second pass.
    pub fn only_confirms(&self, progress: &Progress) -> bool {
        self.servers
            .iter()
            .filter(|server| matches!(server.standing, Standing::UnderWay(_)))
            .all(|server| server.id.as_deref().is_some_and(|id| progress.memory_of(id).passes > 0))
    }

    /// EC2 said no to this server's dry run.
    pub fn fail(&mut self, id: &str, code: String, what: String) {
        if let Some(server) = self.servers.iter_mut().find(|server| server.id.as_deref() == Some(id)) {
            server.standing = Standing::Failed(code, what);
        }
    }

    /// Patience is over: what is under way has failed, for the reason that EC2 gave last.
    pub fn run_out(&mut self, progress: &Progress) {
        for server in &mut self.servers {
            if let Standing::UnderWay(why) = &server.standing {
                let refusal = server.id.as_deref().and_then(|id| progress.memory_of(id).refusal);
                server.standing = match refusal {
                    Some(refusal) => Standing::Failed(refusal.code, refusal.message),
                    None => Standing::Failed(failure::NOT_IN_TIME.to_owned(), why.clone()),
                };
            }
        }
    }

    /// The answer of a phase in which nothing is under way any more.
    pub fn answer(&self, list: &ServerList, action: Action, progress: &Progress) -> PhaseAnswer {
        let counts = self.counts(progress);
        let outcome = verdict::outcome(&counts, list.minimum);
        PhaseAnswer {
            next_phase: verdict::next_phase(outcome),
            initial_state: progress.initial_state.clone(),
            outcome,
            servers: counts,
            problems: self.problems(action),
            actions: self.actions(action, progress),
            off: off(action, progress),
            resume: None,
            log_error: None,
            mute_error: None,
        }
    }

    /// The answer of a phase that goes on in the next invocation.
    ///
    /// # Errors
    /// Never in practice: the progress is plain data.
    pub fn in_progress(
        &self,
        list: &ServerList,
        action: Action,
        progress: &Progress,
    ) -> Result<PhaseAnswer, serde_json::Error> {
        let resume = serde_json::to_value(progress)?;
        let answer = self.answer(list, action, progress);
        Ok(PhaseAnswer { next_phase: false, outcome: Outcome::InProgress, resume: Some(resume), ..answer })
    }

    /// How many servers are how.
    pub fn counts(&self, progress: &Progress) -> Counts {
        let count =
            |wanted: fn(&Standing) -> bool| self.servers.iter().filter(|s| wanted(&s.standing)).count();
        Counts {
            total: self.servers.len(),
            ready: count(|standing| matches!(standing, Standing::Ready)),
            changed: progress.memory.values().filter(|memory| memory.asked_at.is_some()).count(),
            failed: count(|standing| matches!(standing, Standing::Failed(..))),
            held: count(|standing| matches!(standing, Standing::Held(_))),
        }
    }

    /// One entry a server that is not as wanted.
    pub fn problems(&self, action: Action) -> Vec<Problem> {
        self.servers
            .iter()
            .filter_map(|server| match &server.standing {
                Standing::Failed(code, what) => {
                    Some(verdict::problem(&server.key, server.id.as_deref(), code, what, action))
                }
                _ => None,
            })
            .collect()
    }

    fn actions(&self, action: Action, progress: &Progress) -> IndexMap<String, ActionRecord> {
        let record = |server: &Server| {
            let memory = progress.memory_of(server.id.as_deref()?);
            let done = match action {
                Action::Start => ActionTaken::Started,
                Action::Stop => ActionTaken::Stopped,
            };
            match &server.standing {
                Standing::Held(why) => {
                    Some(ActionRecord { action: ActionTaken::Held, seconds: None, why: Some(why.clone()) })
                }
                _ if memory.asked_at.is_some() => {
                    Some(ActionRecord { action: done, seconds: memory.seconds_to_ready(), why: None })
                }
                _ => None,
            }
        };
        self.servers.iter().filter_map(|server| Some((server.key.clone(), record(server)?))).collect()
    }
}

fn off(action: Action, progress: &Progress) -> HoursOff {
    if action == Action::Stop {
        return HoursOff::default();
    }
    let known: Vec<u64> = progress.memory.values().filter_map(Memory::seconds_off).collect();
    HoursOff { servers: known.len(), seconds: known.iter().sum() }
}
