//! A dry run: what the phase would do to each server and why, with EC2's own DryRun as the proof of permission.
//!
//! Uses the phase's own plan; changes nothing.

use jiff::Timestamp;

use crate::acting::{self, Reply};
use crate::judgement::{Judgement, Server};
use crate::payload::{Action, Counts, Deed, Did, PhaseAnswer};
use crate::phase::Task;
use crate::plan::Step;
use crate::ports::World;
use crate::progress::Progress;
use crate::verdict::{self, Standing};

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
    let outcome = verdict::outcome(&changes_succeeded, task.phase.minimum);
    let answer = judgement.answer(task.phase, task.action, &progress);
    PhaseAnswer {
        next_phase: verdict::next_phase(outcome),
        outcome,
        servers: Counts { changed: 0, ..counts },
        actions: judgement
            .servers
            .iter()
            .map(|server| (server.key.clone(), deed(server, task.action)))
            .collect(),
        ..answer
    }
}

fn deed(server: &Server, action: Action) -> Deed {
    let would = match action {
        Action::Start => Did::WouldStart,
        Action::Stop => Did::WouldStop,
    };
    let (action, why) = match (&server.standing, &server.step) {
        (Standing::Failed(code, _), _) => (Did::Nothing, code.clone()),
        (Standing::Held(why), _) => (Did::Held, why.clone()),
        (_, Step::Ask(_, why) | Step::Wait(why)) => (would, why.clone()),
        (Standing::UnderWay(why), _) => (Did::Nothing, why.clone()),
        (Standing::Ready, _) => (Did::Nothing, "it is as wanted".to_owned()),
    };
    Deed { action, seconds: None, why: Some(why) }
}
