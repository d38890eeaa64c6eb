//! Lists and tasks against the small EC2, and phases that run to their answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::server::seven;
use super::world::World;
use crate::lambda::watchers::Watchers;
use crate::model::{Action, PhaseAnswer};
use crate::muting::Muting;
use crate::muting::watcher::{self, Muter};
use crate::phase;
use crate::phase::progress::Progress;
use crate::phase::run::{PhaseError, Task};
use crate::phase_log::{self, Narrator};
use crate::ports::Clock;
use crate::servers::file::{Minimum, Readiness, ServerList};

/// The list of these names, as servers.toml would give it.
pub(crate) fn list(names: &[&str]) -> ServerList {
    ServerList {
        number: 3,
        environment: "dev".to_owned(),
        tier: "db".to_owned(),
        name: "development db servers".to_owned(),
        servers: names.iter().map(|name| (*name).to_owned()).collect(),
        tags: BTreeMap::new(),
        ready: Readiness::StatusChecks,
        timeout: Duration::from_secs(15 * 60),
        settle: Duration::ZERO,
        minimum: Minimum::All,
        minimum_after: None,
        force_stop_after: None,
        hourly_rate: None,
    }
}

/// A task for one invocation of 15 minutes that begins now.
pub(crate) fn task<'a>(world: &World, list: &'a ServerList, action: Action) -> Task<'a> {
    Task {
        list,
        action,
        dry_run: false,
        run_began_at: seven(),
        deadline: world.now() + SignedDuration::from_mins(15) + SignedDuration::from_secs(30),
        zone: TimeZone::UTC,
        environments: 1,
        goes_on: true,
    }
}

/// Runs one invocation, with the phase log watching.
pub(crate) fn invoke(
    world: &World,
    task: &Task<'_>,
    resume: Option<Progress>,
) -> Result<PhaseAnswer, PhaseError> {
    invoke_muting(world, task, None, resume)
}

/// Runs one invocation, with or without muting.
pub(crate) fn invoke_muting(
    world: &World,
    task: &Task<'_>,
    muting: Option<&Muting>,
    resume: Option<Progress>,
) -> Result<PhaseAnswer, PhaseError> {
    let about = phase_log::About {
        heading: "starting development db servers",
        stream: "run-1",
        list: &task.list.label(),
        action: task.action,
        dry_run: task.dry_run,
        resumed: resume.is_some(),
        deadline: task.deadline,
    };
    let muter = muting.map(|muting| {
        let (deadline, zone) = (task.deadline, task.zone.clone());
        Muter::new(world, muting, watcher::About { list: task.list, action: task.action, deadline, zone })
    });
    let mut watchers = Watchers { muter, log: Narrator::new(world, about) };
    at_once(phase::run(world, task, resume, &mut watchers))
}

/// The fakes never wait for anything, so a future is ready at once.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the fakes never wait"),
    }
}

/// Runs a whole phase in one invocation.
pub(crate) fn run(world: &World, list: &ServerList, action: Action) -> PhaseAnswer {
    invoke(world, &task(world, list, action), None).unwrap()
}

/// Runs a phase in invocations of `seconds`, handing `resume` on as the state machine does, through JSON.
pub(crate) fn run_in_slices(
    world: &World,
    list: &ServerList,
    action: Action,
    seconds: i64,
) -> (PhaseAnswer, u32) {
    mute_in_slices(world, list, action, seconds, None)
}

/// The same, with or without muting.
pub(crate) fn mute_in_slices(
    world: &World,
    list: &ServerList,
    action: Action,
    seconds: i64,
    muting: Option<&Muting>,
) -> (PhaseAnswer, u32) {
    let mut resume = None;
    for invocations in 1..1000 {
        let deadline = world.now() + SignedDuration::from_secs(seconds);
        let task = Task { deadline, ..task(world, list, action) };
        let answer = invoke_muting(world, &task, muting, resume).unwrap();
        let Some(handed_on) = &answer.resume else { return (answer, invocations) };
        let wire = serde_json::to_string(handed_on).unwrap();
        resume = Some(serde_json::from_str(&wire).unwrap());
    }
    panic!("the phase does not end")
}

/// The codes of an answer's problems, by name.
pub(crate) fn codes(answer: &PhaseAnswer) -> BTreeMap<String, String> {
    answer.problems.iter().map(|problem| (problem.name.clone(), problem.code.clone())).collect()
}
