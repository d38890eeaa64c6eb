//! What both dry runs of one list say together: its problems, who is left alone, and how many may be changed. Pure.

use std::collections::BTreeSet;

use crate::model::failure::Kind;
use crate::model::{ActionTaken, Failure, PhaseAnswer, Problem};

use super::facts::Tried;
use super::findings::{EnvironmentTally, Finding, Tally};

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
    let mut problems: Vec<Problem> = start.iter().map(|problem| only("On start", problem, &stop)).collect();
    let rest = stop.iter().filter(|problem| !start.contains(problem));
    problems.extend(rest.map(|problem| only("On stop", problem, &start)));
    let judged = problems.into_iter().map(|problem| {
        let kind = Failure::of_state_reason(&problem.code, "").kind;
        let would_fail = would_fail(kind, &problem.code);
        (problem, would_fail)
    });
    judged.collect()
}

fn would_fail(kind: Kind, code: &str) -> bool {
    !matches!(kind, Kind::Throttled | Kind::Outage) && !NO_TIME.contains(&code)
}

/// How many servers would fail because their list could not be looked at at all.
fn unseen(tried: &Tried<'_>) -> usize {
    let mut failures = [&tried.start, &tried.stop].into_iter().filter_map(|answer| answer.as_ref().err());
    if failures.any(|failure| would_fail(failure.kind, &failure.code)) { tally(tried).servers } else { 0 }
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
        would_fail: 0,
    }
}

/// The sum.
pub(super) fn added(sum: Tally, one: Tally) -> Tally {
    Tally {
        servers: sum.servers + one.servers,
        start_allowed: sum.start_allowed + one.start_allowed,
        stop_allowed: sum.stop_allowed + one.stop_allowed,
        held: sum.held + one.held,
        would_fail: sum.would_fail + one.would_fail,
    }
}

/// A line an environment, in the file's order.
pub(super) fn environments(lists: &[Tried<'_>], findings: &[Finding]) -> Vec<EnvironmentTally> {
    let mut all: Vec<EnvironmentTally> = Vec::new();
    for tried in lists {
        let name = &tried.list.environment;
        let place = all.iter().position(|one| one.name == *name);
        let place = place.unwrap_or_else(|| {
            all.push(EnvironmentTally { name: name.clone(), tally: Tally::default(), others: 0 });
            all.len() - 1
        });
        all[place].tally = added(all[place].tally, tally(tried));
    }
    for one in &mut all {
        let of_it = || findings.iter().filter(|finding| finding.environment.as_ref() == Some(&one.name));
        let is_of_server = |finding: &&Finding| finding.of_server && finding.would_fail;
        let names = of_it().filter(is_of_server);
        let names: BTreeSet<_> = names.map(|finding| (&finding.tier, &finding.problem.name)).collect();
        one.others = of_it().filter(|finding| !is_of_server(finding)).count();
        let lists = lists.iter().filter(|tried| tried.list.environment == one.name);
        let unseen: usize = lists.map(unseen).sum();
        one.tally.would_fail = (names.len() + unseen).min(one.tally.servers);
    }
    all
}
