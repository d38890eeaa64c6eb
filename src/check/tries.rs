//! What both dry runs of one list say together: its problems, who is left alone, and how many may be changed. Pure.

use std::collections::BTreeSet;

use crate::model::failure::Kind;
use crate::model::{ActionTaken, Failure, PhaseAnswer, Problem};

use super::facts::Tried;
use super::findings::Tally;

/// Of ours, where there was no time.
const NO_TIME: [&str; 2] = ["NotAsked", "NotInTime"];

/// What is wrong with a list, and whether that would fail. What both dry runs say is said once.
pub(super) fn problems(tried: &Tried<'_>) -> Vec<(Problem, bool)> {
    let told = |answer: &Result<PhaseAnswer, Failure>| match answer {
        Ok(answer) => answer.problems.clone(),
        Err(failure) if failure.is_of_the_place() => {
            vec![Problem::of(&tried.list.environment, None, failure)]
        }
        Err(failure) => vec![Problem::of(&tried.list.label(), None, failure)],
    };
    let (start, stop) = (told(&tried.start), told(&tried.stop));
    let only = |when: &str, problem: &Problem, others: &[Problem]| {
        let both = others.contains(problem);
        let message = if both { problem.message.clone() } else { format!("{when}: {}", problem.message) };
        Problem { message, ..problem.clone() }
    };
    let mut problems: Vec<Problem> = start.iter().map(|problem| only("Its start", problem, &stop)).collect();
    let rest = stop.iter().filter(|problem| !start.contains(problem));
    problems.extend(rest.map(|problem| only("Its stop", problem, &start)));
    let judged = problems.into_iter().map(|problem| {
        let kind = Failure::of_state_reason(&problem.code, "").kind;
        let is_unknown =
            matches!(kind, Kind::Throttled | Kind::Outage) || NO_TIME.contains(&problem.code.as_str());
        (problem, !is_unknown)
    });
    judged.collect()
}

/// Who is left alone, and why.
pub(super) fn held(tried: &Tried<'_>) -> BTreeSet<String> {
    let answers = [&tried.start, &tried.stop].into_iter().filter_map(|answer| answer.as_ref().ok());
    let records = answers.flat_map(|answer| answer.actions.iter());
    let held = records.filter(|(_, record)| record.action == ActionTaken::Held);
    held.map(|(key, record)| format!("{key} ({})", record.why.as_deref().unwrap_or_default())).collect()
}

/// How many servers of it stand how.
pub(super) fn tally(tried: &Tried<'_>) -> Tally {
    let allowed = |answer: &Result<PhaseAnswer, Failure>| {
        let records = answer.iter().flat_map(|answer| answer.actions.values());
        records.filter(|record| record.action.changes()).count()
    };
    let total =
        |answer: &Result<PhaseAnswer, Failure>| answer.as_ref().map_or(0, |answer| answer.servers.total);
    let held =
        |answer: &Result<PhaseAnswer, Failure>| answer.as_ref().map_or(0, |answer| answer.servers.held);
    Tally {
        servers: total(&tried.start).max(total(&tried.stop)).max(tried.list.servers.len()),
        start_allowed: allowed(&tried.start),
        stop_allowed: allowed(&tried.stop),
        held: held(&tried.start).max(held(&tried.stop)),
        with_findings: 0,
    }
}

/// The sum.
pub(super) fn added(sum: Tally, one: Tally) -> Tally {
    Tally {
        servers: sum.servers + one.servers,
        start_allowed: sum.start_allowed + one.start_allowed,
        stop_allowed: sum.stop_allowed + one.stop_allowed,
        held: sum.held + one.held,
        with_findings: sum.with_findings + one.with_findings,
    }
}
