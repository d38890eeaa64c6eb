//! Patience is over: what is still under way has failed, and why. Pure.

use crate::model::failure::Taken;
use crate::model::{Action, Failure};

use super::plan::{Plan, Standing, Step};
use super::progress::Progress;

/// Turns all that is under way into failures, for the reason that AWS gave last.
pub(crate) fn run_out(plan: &mut Plan, progress: &Progress) {
    plan.membership_unsure = false;
    for server in &mut plan.servers {
        if let Standing::UnderWay(step) = &server.standing {
            let failure = last_failure(step, server.id.as_deref(), progress.action, progress);
            server.standing = Standing::Failed(failure);
        }
    }
}

/// Why a server is still under way: "it was asked" is only said of one whose request EC2 took.
fn last_failure(step: &Step, id: Option<&str>, action: Action, progress: &Progress) -> Failure {
    let memory = id.and_then(|id| progress.servers.get(id));
    if let Some(refusal) = memory.and_then(|memory| memory.refusal.clone()) {
        return refusal;
    }
    if let Some(unanswered) = memory.and_then(|memory| memory.unanswered.clone()) {
        return unanswered;
    }
    let taken = match memory {
        Some(memory) if memory.forced => Taken::ForcedStop,
        Some(memory) if memory.asked_at.is_some() => Taken::Request,
        _ => Taken::Nothing,
    };
    match step {
        Step::Doubt(failure) | Step::AskLater(failure) => failure.clone(),
        Step::Ask(..) if taken == Taken::Nothing => Failure::not_asked(),
        // It was asked before, or just now, after the look that this was decided on.
        Step::Ask(_, why) => Failure::not_in_time(action, taken, why),
        Step::Wait(_) | Step::Boot(_) | Step::Confirm => Failure::not_in_time(action, taken, &step.words()),
    }
}
