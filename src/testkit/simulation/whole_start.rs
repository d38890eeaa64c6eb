//! A whole start: all environments at the same time, tier after tier, as the state machine does it.

use std::pin::Pin;

use crate::model::{Action, InstanceState, Outcome, PhaseAnswer};
use crate::phase::run as phase;
use crate::phase::run::Task;
use crate::phase::watch::Watcher;
use crate::ports::Clock;
use crate::servers::file::{ServerList, ServerLists};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::account::Account;
use super::baseline;
use crate::testkit::small_ec2::{Server, World, seven};

/// The function's time-out.
const INVOCATION: SignedDuration = SignedDuration::from_secs(900);

/// Who starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Starter {
    Ours,
    Baseline,
}

/// A start that is over.
pub(crate) struct WholeStart {
    pub(crate) account: Account,
    pub(crate) seconds: f64,
    /// Ours only.
    pub(crate) answers: Vec<PhaseAnswer>,
}

/// Starts a fleet.
pub(crate) fn start(lists: &ServerLists, servers: &[Server], starter: Starter) -> WholeStart {
    let account = Account::new(World::new(servers.iter().cloned()));
    let environments = lists.environments();
    let answers = account.run_together(
        environments
            .iter()
            .map(|name| -> Pin<Box<dyn Future<Output = Vec<PhaseAnswer>>>> {
                let lists = lists.in_start_order(name);
                match starter {
                    Starter::Ours => Box::pin(our_environment(&account, lists, environments.len())),
                    Starter::Baseline => Box::pin(baseline_environment(&account, lists)),
                }
            })
            .collect(),
    );
    let seconds = seconds_since_seven(account.now());
    WholeStart { account, seconds, answers: answers.into_iter().flatten().collect() }
}

async fn our_environment(
    account: &Account,
    lists: Vec<&ServerList>,
    environments: usize,
) -> Vec<PhaseAnswer> {
    let mut answers = Vec::new();
    for list in lists {
        let answer = our_phase(account, list, environments).await;
        let goes_on = answer.next_phase;
        answers.push(answer);
        if !goes_on {
            break;
        }
        account.sleep(list.settle).await;
    }
    answers
}

/// One invocation after the other, until the phase is decided.
async fn our_phase(account: &Account, list: &ServerList, environments: usize) -> PhaseAnswer {
    let mut resume = None;
    loop {
        let task = Task {
            list,
            action: Action::Start,
            dry_run: false,
            run_began_at: seven(),
            deadline: account.now() + INVOCATION,
            zone: TimeZone::UTC,
            environments,
            goes_on: true,
        };
        let answer =
            phase::run(account, &task, resume, &mut Nobody).await.expect("the small EC2 can always be read");
        if answer.outcome != Outcome::InProgress {
            return answer;
        }
        resume = answer.resume.map(|resume| serde_json::from_value(resume).expect("what was written"));
    }
}

async fn baseline_environment(account: &Account, lists: Vec<&ServerList>) -> Vec<PhaseAnswer> {
    for (place, list) in lists.into_iter().enumerate() {
        if place > 0 {
            account.sleep(baseline::BETWEEN_TIERS).await;
        }
        if !baseline::start(account, list).await {
            break;
        }
    }
    Vec::new()
}

/// From a tier's last server being ready to the next tier's first request; `None` where that tier was not reached.
pub(crate) fn dead_seconds(start: &WholeStart, before: &ServerList, after: &ServerList) -> Option<f64> {
    let world = &start.account.world;
    let ready = before.servers.iter().filter_map(|name| ready_at(world, name)).max()?;
    let first = after.servers.iter().filter_map(|name| asked_at(world, name)).min()?;
    Some(first.duration_since(ready).as_secs_f64())
}

/// The least that a start can take: in each environment the slowest server of each tier, one tier after the other.
pub(crate) fn critical_path(lists: &ServerLists, servers: &[Server]) -> f64 {
    let slowest = |list: &ServerList| {
        let listed = servers
            .iter()
            .filter(|server| server.instance.name.as_ref().is_some_and(|name| list.servers.contains(name)));
        listed.map(|server| (server.boot + server.checks_after).as_secs_f64()).fold(0.0, f64::max)
    };
    let of = |environment: &&str| -> f64 {
        let lists = lists.in_start_order(environment);
        lists.iter().map(|list| slowest(list) + list.settle.as_secs_f64()).sum()
    };
    lists.environments().iter().map(of).fold(0.0, f64::max)
}

/// How many servers run at the end.
pub(crate) fn running(start: &WholeStart) -> usize {
    let servers = start.account.world.servers.borrow();
    servers.values().filter(|server| server.instance.state == InstanceState::Running).count()
}

/// Fleets here are good ones: the first request that names a server is the one that starts it.
fn asked_at(world: &World, name: &str) -> Option<Timestamp> {
    let id = world.id(name);
    let calls = world.calls.borrow();
    calls.iter().find(|call| call.operation == "StartInstances" && call.ids.contains(&id)).map(|call| call.at)
}

fn ready_at(world: &World, name: &str) -> Option<Timestamp> {
    let asked = asked_at(world, name)?;
    let id = world.id(name);
    let servers = world.servers.borrow();
    let server = &servers[&id];
    Some(asked + server.boot + server.checks_after)
}

fn seconds_since_seven(at: Timestamp) -> f64 {
    at.duration_since(seven()).as_secs_f64()
}

/// Nobody watches.
struct Nobody;

impl Watcher for Nobody {}
