//! A report whose caller kept no phase's answer: what each phase came to is judged by a look.

use futures::future::join_all;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lambda::settings::Settings;
use crate::model::{Action, Counts, Failure, InitialStates, Outcome, PhaseAnswer, Problem};
use crate::phase::afterwards;
use crate::phase::run::Task;
use crate::ports::{Reach, World};
use crate::report::branches::PhaseResult;
use crate::report::request::ReportRequest;
use crate::servers::file::ServerList;

/// The request's results, with an answer of every phase that was reached. Nothing goes on after the `deadline`.
pub(crate) async fn judged<W: World + Reach>(
    world: &W,
    settings: &Settings,
    run: &str,
    deadline: Timestamp,
    request: &ReportRequest,
) -> Vec<Value> {
    let mut results = request.results.clone();
    let Ok(lists) = &settings.lists else { return results };
    let looks = lists.lists.iter().map(|list| async move {
        let task = Task {
            list,
            action: request.action,
            dry_run: false,
            run_began_at: world.now(),
            deadline,
            zone: settings.zone.clone(),
            environments: lists.sharers(&list.environment, settings.place.home()),
            goes_on: false,
        };
        let states = result_of(&request.results, list)?.get(list.initial_state_field())?;
        let initial: InitialStates = serde_json::from_value(states.clone()).unwrap_or_default();
        let order = lists.in_start_order(&list.environment);
        let first = if request.action == Action::Start { order.first() } else { order.last() };
        let first = first.is_some_and(|first| first.number == list.number);
        let there = world.reach(lists.elsewhere.get(&list.environment), run).await;
        let judged = afterwards::judge(&*there, &task, initial, first).await;
        Some((list, judged.unwrap_or_else(|failure| Some(unread(list, &failure)))?))
    });
    for (list, answer) in join_all(looks).await.into_iter().flatten() {
        let result = results.iter_mut().find(|result| result["environment"] == list.environment);
        if let (Some(result), Ok(phase)) = (result, serde_json::to_value(PhaseResult::of(list, answer))) {
            match &mut result["phases"] {
                Value::Array(phases) => phases.push(phase),
                phases => *phases = json!([phase]),
            }
        }
    }
    results
}

fn result_of<'a>(results: &'a [Value], list: &ServerList) -> Option<&'a Value> {
    results.iter().find(|result| result["environment"] == list.environment)
}

/// A list that EC2 could not be asked about: nobody can say that it is as wanted.
fn unread(list: &ServerList, failure: &Failure) -> PhaseAnswer {
    let problems = vec![Problem::of(&list.label(), None, failure)];
    PhaseAnswer { outcome: Outcome::Failed, servers: Counts::default(), problems, ..PhaseAnswer::skipped() }
}
