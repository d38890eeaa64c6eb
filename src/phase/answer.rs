//! The answer of a phase, from its plan and what is remembered. Pure.
//!
//! Owns the counts, the problems and whether the next tier may go ahead.

use indexmap::IndexMap;

use crate::model::failure::Kind;
use crate::model::{
    Action, ActionRecord, ActionTaken, Counts, Failure, HoursOff, InstanceState, Outcome, PhaseAnswer,
    Problem,
};
use crate::servers::file::{Minimum, ServerList};

use super::plan::{Plan, Server, Standing};
use super::progress::Progress;

/// The answer of a phase in which nothing is under way any more.
pub(crate) fn answer(plan: &Plan, list: &ServerList, progress: &Progress) -> PhaseAnswer {
    let counts = counts(plan, progress);
    let outcome = outcome(plan, &counts, list, progress.action);
    PhaseAnswer {
        next_phase: next_phase(outcome),
        initial_state: progress.initial_state.clone(),
        outcome,
        servers: counts,
        problems: problems(plan, &counts, list, outcome),
        actions: actions(plan, progress),
        off: hours_off(plan, progress),
        resume: None,
        log_error: None,
        mute_error: None,
    }
}

/// The answer of a phase that goes on in the next invocation.
///
/// # Errors
/// Never in practice: the progress is plain data.
pub(crate) fn in_progress(
    plan: &Plan,
    list: &ServerList,
    progress: &Progress,
) -> Result<PhaseAnswer, serde_json::Error> {
    let resume = Some(serde_json::to_value(progress)?);
    let counts = counts(plan, progress);
    let problems = problems(plan, &counts, list, Outcome::InProgress);
    let answer = answer(plan, list, progress);
    Ok(PhaseAnswer { next_phase: false, outcome: Outcome::InProgress, problems, resume, ..answer })
}

/// How many servers stand how.
pub(crate) fn counts(plan: &Plan, progress: &Progress) -> Counts {
    let count = |wanted: fn(&Standing) -> bool| plan.servers.iter().filter(|s| wanted(&s.standing)).count();
    Counts {
        total: plan.servers.len(),
        ready: count(|standing| matches!(standing, Standing::Ready)),
        changed: progress.servers.values().filter(|memory| memory.taken).count(),
        failed: count(|standing| matches!(standing, Standing::Failed(_))),
        held: count(|standing| matches!(standing, Standing::Held(_))),
    }
}

/// The outcome of a phase in which nothing is under way any more.
pub(crate) fn outcome(plan: &Plan, counts: &Counts, list: &ServerList, action: Action) -> Outcome {
    if plan.nothing_selected.is_some() {
        return if action == Action::Stop { Outcome::Degraded } else { Outcome::Failed };
    }
    if counts.total == 0 {
        return Outcome::Empty;
    }
    // What does not exist cannot hang on a database: to a stop it is a problem, but it holds nothing up.
    let absent = |server: &&Server| matches!(&server.standing, Standing::Failed(f) if f.kind == Kind::Absent);
    let absent = match action {
        Action::Start => 0,
        Action::Stop => plan.servers.iter().filter(absent).count(),
    };
    match (counts.failed, minimum_met(counts, absent, list.minimum)) {
        (0, true) => Outcome::Ready,
        (_, true) => Outcome::Degraded,
        (_, false) => Outcome::Failed,
    }
}

/// Whether the list's rule holds. Held servers are not asked for, so "all" does not count them; a number counts
/// only servers that are ready.
fn minimum_met(counts: &Counts, absent: usize, minimum: Minimum) -> bool {
    match minimum {
        Minimum::All => counts.ready + counts.held + absent == counts.total,
        Minimum::AtLeast(number) => counts.ready + absent >= number,
    }
}

/// Whether the servers that are ready already meet a minimum that is a number.
pub(crate) fn is_enough(plan: &Plan, list: &ServerList, progress: &Progress) -> bool {
    matches!(list.minimum, Minimum::AtLeast(_)) && minimum_met(&counts(plan, progress), 0, list.minimum)
}

/// Whether the tier after this one may go ahead.
pub(crate) fn next_phase(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Ready | Outcome::Degraded | Outcome::Empty)
}

/// One entry a server that is not as wanted, and one for the list where no server is to blame.
pub(crate) fn problems(plan: &Plan, counts: &Counts, list: &ServerList, outcome: Outcome) -> Vec<Problem> {
    let failed = plan.servers.iter().filter_map(|server| match &server.standing {
        Standing::Failed(failure) => Some(Problem::of(&server.key, server.id.as_deref(), failure)),
        _ => None,
    });
    let mut problems: Vec<Problem> = failed.collect();
    problems.extend(plan.nothing_selected.iter().map(|failure| Problem::of(&list.label(), None, failure)));
    if let (Outcome::Failed, true, Minimum::AtLeast(needed)) = (outcome, problems.is_empty(), list.minimum) {
        let failure = Failure::minimum_not_met(needed, counts.ready, counts.held);
        problems.push(Problem::of(&list.label(), None, &failure));
    }
    problems
}

fn actions(plan: &Plan, progress: &Progress) -> IndexMap<String, ActionRecord> {
    let of = |server: &Server| Some((server.key.clone(), action(server, progress)?));
    plan.servers.iter().filter_map(of).collect()
}

fn action(server: &Server, progress: &Progress) -> Option<ActionRecord> {
    let memory = progress.of(server.id.as_deref()?);
    if let Standing::Held(why) = &server.standing {
        return Some(ActionRecord { action: ActionTaken::Held, seconds: None, why: Some(why.clone()) });
    }
    if memory.taken {
        let action = match progress.action {
            Action::Start => ActionTaken::Started,
            Action::Stop => ActionTaken::Stopped,
        };
        return Some(ActionRecord { action, seconds: memory.seconds_to_ready(), why: None });
    }
    let gone = server.instance.as_ref().is_none_or(|instance| instance.is_gone());
    (gone && server.standing == Standing::Ready).then(|| ActionRecord {
        action: ActionTaken::Nothing,
        seconds: None,
        why: Some("it was terminated: it counts as down".to_owned()),
    })
}

/// Of the servers that run now: one that fell back is off still.
fn hours_off(plan: &Plan, progress: &Progress) -> HoursOff {
    if progress.action == Action::Stop {
        return HoursOff::default();
    }
    let instances = plan.servers.iter().filter_map(|server| server.instance.as_ref());
    let running = instances.filter(|instance| instance.state == InstanceState::Running);
    let memories = running.map(|instance| progress.of(&instance.id));
    let taken = memories.filter(|memory| memory.taken);
    let known: Vec<u64> = taken.filter_map(|memory| memory.seconds_off()).collect();
    HoursOff { servers: known.len(), seconds: known.iter().sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(ready: usize, failed: usize, held: usize) -> Counts {
        Counts { total: ready + failed + held, ready, changed: 0, failed, held }
    }

    #[test]
    fn all_means_every_server_that_is_not_held() {
        assert!(minimum_met(&counts(3, 0, 0), 0, Minimum::All));
        assert!(minimum_met(&counts(2, 0, 1), 0, Minimum::All));
        assert!(!minimum_met(&counts(2, 1, 0), 0, Minimum::All));
    }

    #[test]
    fn a_number_counts_only_servers_that_are_ready() {
        assert!(minimum_met(&counts(2, 1, 0), 0, Minimum::AtLeast(2)));
        assert!(!minimum_met(&counts(1, 0, 2), 0, Minimum::AtLeast(2)));
    }

    #[test]
    fn only_ready_degraded_and_empty_let_the_next_tier_go_ahead() {
        let all = [
            (Outcome::Ready, true),
            (Outcome::Degraded, true),
            (Outcome::Empty, true),
            (Outcome::Failed, false),
            (Outcome::InProgress, false),
            (Outcome::Skipped, false),
        ];
        assert!(all.into_iter().all(|(outcome, goes_on)| next_phase(outcome) == goes_on));
    }
}
