//! A dry run: what the phase would do to each server and why, with EC2's own DryRun as the proof of permission.
//!
//! Uses the phase's own plan; changes nothing.

use jiff::Timestamp;

use crate::model::{Action, ActionRecord, ActionTaken, Counts, PhaseAnswer};
use crate::phase::ask::Reply;
use crate::phase::judgement::{Judgement, Server};
use crate::phase::plan::Step;
use crate::phase::progress::Progress;
use crate::phase::run::Task;
use crate::phase::verdict::Standing;
use crate::phase::{ask as acting, verdict};
use crate::ports::World;

/// The answer of a dry run: outcome and `next_phase` are what they would be if every change succeeded.
pub async fn answer<W: World>(
    world: &W,
    task: &Task<'_>,
    mut progress: Progress,
    mut judgement: Judgement,
    until: Timestamp,
) -> PhaseAnswer {
    let mut refused = Vec::new();
    for (request, instances) in judgement.requests() {
        let replies = acting::ask(world, request, &instances, &mut progress.buckets, until, true).await;
        refused.extend(replies);
    }
    for (id, reply) in refused {
        if let Reply::Refused(refusal) | Reply::Unknown(refusal) = reply {
            judgement.fail(&id, refusal.code, refusal.message);
        }
    }
    let counts = judgement.counts(&progress);
    let changes_succeeded = Counts { ready: counts.total - counts.failed - counts.held, ..counts };
    let outcome = verdict::outcome(&changes_succeeded, task.list.minimum);
    let answer = judgement.answer(task.list, task.action, &progress);
    PhaseAnswer {
        next_phase: verdict::next_phase(outcome),
        outcome,
        servers: Counts { changed: 0, ..counts },
        actions: judgement
            .servers
            .iter()
            .map(|server| (server.key.clone(), record(server, task.action)))
            .collect(),
        ..answer
    }
}

fn record(server: &Server, action: Action) -> ActionRecord {
    let would = match action {
        Action::Start => ActionTaken::WouldStart,
        Action::Stop => ActionTaken::WouldStop,
    };
    let (action, why) = match (&server.standing, &server.step) {
        (Standing::Failed(code, _), _) => (ActionTaken::Nothing, code.clone()),
        (Standing::Held(why), _) => (ActionTaken::Held, why.clone()),
        (_, Step::Ask(_, why) | Step::Wait(why)) => (would, why.clone()),
        (Standing::UnderWay(why), _) => (ActionTaken::Nothing, why.clone()),
        (Standing::Ready, _) => (ActionTaken::Nothing, "it is as wanted".to_owned()),
    };
    ActionRecord { action, seconds: None, why: Some(why) }
}
