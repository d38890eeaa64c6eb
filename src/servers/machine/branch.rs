//! A branch of the machine: one environment, its tiers one after the other.
//!
//! Owns the order of a branch's states and their names, which are unique in the whole machine.

use serde_json::{Map, Value, json};

use super::approval::{self, Way};
use super::task::{caught, jsonata, lambda, phase_retries, verb};
use crate::model::Action;
use crate::servers::file::{ServerList, ServerLists};

/// One environment: its tiers one after the other, then its result.
pub(super) fn branch(all: &ServerLists, environment: &str, action: Action) -> Value {
    let mut lists = all.in_start_order(environment);
    if action == Action::Stop {
        lists.reverse();
    }
    let result = format!("Result of {environment} {}", verb(action));
    let mut states = Map::new();
    for (place, list) in lists.iter().enumerate() {
        let next = lists.get(place + 1).map(|next| task_name(next, action));
        let settles = format!("Let {environment} {} settle after {}", tier(list), verb(action));
        states.insert(task_name(list, action), phase(list, action, &result));
        states
            .insert(question(list, action), did(list, action, next.as_deref().zip(Some(&settles)), &result));
        if let Some(next) = next {
            let seconds = jsonata("$states.input.settle_seconds");
            states.insert(settles, json!({ "Type": "Wait", "Seconds": seconds, "Next": next }));
        }
    }
    let first = task_name(lists[0], action);
    let way = Way { environment, action, first: &first, result: &result };
    let start = approval::begin(all, &way, &mut states);
    states.insert(result, result_of(environment, &lists));
    json!({ "StartAt": start, "States": states })
}

/// The branch's record, with what it lacks if its first task failed.
fn result_of(environment: &str, lists: &[&ServerList]) -> Value {
    let unreached: Vec<String> =
        lists.iter().map(|list| format!("'{}': {{'empty': true}}", list.initial_state_field())).collect();
    let output = format!(
        "$merge([{{'environment': '{environment}', {}}}, $states.input.record, $states.input.failed])",
        unreached.join(", ")
    );
    json!({ "Type": "Pass", "Output": jsonata(&output), "End": true })
}

/// One list: the function answers what the branch carries on.
fn phase(list: &ServerList, action: Action, result: &str) -> Value {
    let doing = match action {
        Action::Start => "starting",
        Action::Stop => "stopping",
    };
    let payload = json!({
        "phase_number": list.number,
        "next_phase": jsonata(&format!("'{}' in $wanted", list.environment)),
        "action": verb(action),
        "cw_log_phase": format!("{doing} {} {} servers", list.environment, list.tier),
        "send_mail": false,
        "dry_run": jsonata("$dry_run"),
        "execution": jsonata("$execution"),
        "branch": jsonata("$states.input.record"),
        "resume": jsonata("$states.input.resume")
    });
    let failed = json!({
        "record": jsonata("$states.input.record"),
        "failed": { "ok": false, "error": jsonata("$states.errorOutput") }
    });
    let output = jsonata("$states.result.Payload.branch");
    let mut task = lambda(&payload, &phase_retries(), &output, &caught(&failed, result));
    task["Next"] = question(list, action).into();
    task
}

/// Goes on looking, goes on, or ends the branch.
fn did(list: &ServerList, action: Action, next: Option<(&str, &String)>, result: &str) -> Value {
    let way = |flag: &str, next: &str| json!({ "Condition": jsonata(&format!("$states.input.{flag}")), "Next": next });
    let mut choices = vec![way("in_progress", &task_name(list, action))];
    if let Some((next, settles)) = next {
        choices.extend([way("settle", settles), way("go_on", next)]);
    }
    json!({ "Type": "Choice", "Choices": choices, "Default": result })
}

fn task_name(list: &ServerList, action: Action) -> String {
    let verb = match action {
        Action::Start => "Start",
        Action::Stop => "Stop",
    };
    format!("{verb} {} {} servers", list.environment, tier(list))
}

fn question(list: &ServerList, action: Action) -> String {
    format!("Did {} {} {}?", list.environment, tier(list), verb(action))
}

/// The tier as it stands in state names: DB, App, Web.
fn tier(list: &ServerList) -> String {
    if list.tier.len() <= 2 {
        return list.tier.to_uppercase();
    }
    let (first, rest) = list.tier.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}
