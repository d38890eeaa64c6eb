//! Patience is over: what is still under way has failed, and why. Pure.

use crate::model::failure::Taken;
use crate::model::{Action, Failure, StopKind};

use super::plan::{Plan, Request, Standing, Step};
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
    match step {
        Step::Doubt(failure) | Step::AskLater(failure) => failure.clone(),
        // The graceful stop before it was taken: it is not true that EC2 was not asked.
        Step::Ask(Request::Stop(StopKind::Force), why)
            if memory.is_some_and(|memory| memory.asked_at.is_some()) =>
        {
            Failure::not_in_time(action, Taken::Request, why)
        }
        Step::Ask(..) => Failure::not_asked(),
        Step::Wait(_) | Step::Boot(_) | Step::Confirm => {
            let taken = match memory {
                Some(memory) if memory.forced => Taken::ForcedStop,
                Some(memory) if memory.asked_at.is_some() => Taken::Request,
                _ => Taken::Nothing,
            };
            Failure::not_in_time(action, taken, &step.words())
        }
    }
}
