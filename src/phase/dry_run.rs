//! A dry run: what the phase would do to each server and why, with EC2's own DryRun as the proof of permission.
//!
//! Uses the phase's own plan; changes nothing. A server whose DryRun was not answered is a problem.

use crate::model::{Action, ActionRecord, ActionTaken, Counts, Failure, PhaseAnswer};
use crate::ports::World;
use crate::servers::file::ServerList;

use super::answer;
use super::ask::{Asking, Reply, ask};
use super::plan::{Plan, Server, Standing, Step};
use super::progress::Progress;

/// Asks EC2 whether it would let the phase do what it plans, and notes in the plan what it would not.
pub(crate) async fn try_changes<W: World>(world: &W, plan: &mut Plan, asking: Asking<'_>) {
    let Asking { buckets, until, cut_off, mode } = asking;
    let mut failures = Vec::new();
    for (request, instances) in plan.requests() {
        let mut replies = ask(world, request, &instances, Asking { buckets, until, cut_off, mode }).await;
        for instance in instances {
            match replies.remove(&instance.id) {
                Some(Reply::Accepted) => {}
                Some(Reply::Refused(failure) | Reply::Unknown(failure) | Reply::Throttled(failure)) => {
                    failures.push((instance.id.clone(), failure));
                }
                None => failures.push((instance.id.clone(), Failure::not_asked())),
            }
        }
    }
    for (id, failure) in failures {
        plan.fail(&id, failure);
    }
}

/// The answer of a dry run: outcome and `next_phase` are what they would be if every change succeeded.
pub(crate) fn answer(plan: &Plan, list: &ServerList, progress: &Progress) -> PhaseAnswer {
    let counts = answer::counts(plan, progress);
    let changes_succeeded = Counts { ready: counts.total - counts.failed - counts.held, ..counts };
    let outcome = answer::outcome(plan, &changes_succeeded, list, progress.action);
    let actions = plan.servers.iter().map(|server| (server.key.clone(), would(server, progress.action)));
    PhaseAnswer {
        next_phase: answer::next_phase(outcome),
        outcome,
        servers: Counts { changed: 0, ..counts },
        problems: answer::problems(plan, &changes_succeeded, list, outcome),
        actions: actions.collect(),
        ..answer::answer(plan, list, progress)
    }
}

fn would(server: &Server, action: Action) -> ActionRecord {
    let change = match action {
        Action::Start => ActionTaken::WouldStart,
        Action::Stop => ActionTaken::WouldStop,
    };
    let (action, why) = match &server.standing {
        Standing::Failed(failure) => (ActionTaken::Nothing, failure.code.clone()),
        Standing::Held(why) => (ActionTaken::Held, why.clone()),
        Standing::UnderWay(step @ (Step::Ask(..) | Step::AskLater(_))) => (change, step.words()),
        // A server that starts or stops by itself now is asked as soon as it can be.
        Standing::UnderWay(step) if !is_running(server) => (change, step.words()),
        Standing::UnderWay(step) => (ActionTaken::Nothing, step.words()),
        Standing::Ready => (ActionTaken::Nothing, "it is as wanted".to_owned()),
    };
    ActionRecord { action, seconds: None, why: Some(why) }
}

fn is_running(server: &Server) -> bool {
    server.instance.as_ref().is_some_and(|instance| instance.state == crate::model::InstanceState::Running)
}
