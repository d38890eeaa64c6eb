//! Renders the Step Functions state machine of a servers.toml: pure.
//!
//! Owns the machine's shape, its state names, retries and catches. The machine passes values on and computes nothing
//! that the function could: what a branch carries, counts, shortens or tells is made in `lambda/branch.rs` and
//! `report/`. It depends on environments, tiers and phase numbers; everything else of the file comes with the answers,
//! so editing it needs no rendering. Two rules keep the machine from going silent: what can fail stands in the
//! `Output` of a Task or a Parallel, where an error can be caught, and a Choice compares values that are there; a
//! branch that fails becomes a result, so the other environments go on.
//!
//! Runs never overlap: a run first waits until every earlier one of the same machine has ended, for an hour at most.
//! So a schedule that fires twice finds nothing left to do the second time, and a stop cannot fight a start. It is
//! the simplest mechanism that holds: it needs no store of its own and no lock that could be left behind, only
//! `states:ListExecutions`. Two runs that begin within Step Functions' own lag may miss each other; then the lists,
//! which are safe to run twice, are what remains. If the look itself fails, the run goes on.
//!
//! Variables: `$action`, `$dry_run`, `$wanted` (the environments to run), `$looks` (for earlier runs) and `$execution`
//! (this run, whose own work begins after the last look: what an earlier run changed is not its doing).
//! Between the states of a branch flows what the function answered as `branch`; its `record` becomes the result.
//!
//! Only one engine's behaviour is used: no `$base64encode`, no division, no transform operator, no `$number`
//! (they differ between JSONata's engines).

use serde_json::{Map, Value, json};

use crate::model::Action;
use crate::servers::file::{ServerList, ServerLists};

/// Lambda's 900 s (template.yaml), and time to start and answer.
const TASK_SECONDS: u64 = 930;
/// The pause between two looks for an earlier run, and how many there are at most.
const EARLIER_RUN_SECONDS: u64 = 60;
const EARLIER_RUN_LOOKS: u64 = 60;
/// What an environment's lists may take together (servers/file.rs), then the wait for an earlier run, and an hour for
/// retries and the mail.
const MACHINE_SECONDS: u64 = 24 * 3600 + EARLIER_RUN_SECONDS * EARLIER_RUN_LOOKS + 3600;

/// The longest line of the rendered text, unless a single value is longer.
const LINE: usize = 110;

/// Every error that AWS advises to retry for Lambda
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html>).
const LAMBDA_TRANSIENT: [&str; 4] = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
];
/// The account's concurrency is used up, and nothing ran: a phase may hold its place for 15 minutes.
const LAMBDA_BUSY: &str = "Lambda.TooManyRequestsException";
/// Ours that pass by themselves (handler.rs).
const OUR_TRANSIENT: [&str; 2] = ["Throttled", "AwsUnreachable"];
/// A function that died or was cut off. A list is safe to run twice; a mail would be sent twice.
const DIED: [&str; 4] = ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout"];
/// `States.ALL` does not match `States.DataLimitExceeded`
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>).
const EVERYTHING: [&[&str]; 2] = [&["States.DataLimitExceeded"], &["States.ALL"]];

/// The machine as the text of statemachine.asl.json.
pub(crate) fn render(lists: &ServerLists) -> String {
    let mut text = String::new();
    write(&mut text, &machine(lists), 0);
    text + "\n"
}

/// JSON as a person lays it out: what is flat and fits stands on one line.
fn write(text: &mut String, value: &Value, depth: usize) {
    let (open, close, parts) = match value {
        Value::Object(fields) => ('{', '}', fields.iter().map(|(name, part)| (Some(name), part)).collect()),
        Value::Array(items) => ('[', ']', items.iter().map(|part| (None, part)).collect::<Vec<_>>()),
        _ => return text.push_str(&value.to_string()),
    };
    if let Some(line) = on_one_line(value).filter(|line| parts.is_empty() || line.len() + 2 * depth <= LINE) {
        return text.push_str(&line);
    }
    text.push(open);
    for (place, (name, part)) in parts.iter().enumerate() {
        text.push_str(if place == 0 { "\n" } else { ",\n" });
        text.push_str(&"  ".repeat(depth + 1));
        if let Some(name) = name {
            text.push_str(&format!("\"{name}\": "));
        }
        write(text, part, depth + 1);
    }
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn is_full_object(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

/// A value that holds no object, or an object of such values.
fn on_one_line(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) if fields.is_empty() => Some("{}".to_owned()),
        Value::Object(fields) if fields.values().any(is_full_object) => None,
        Value::Object(fields) => {
            let parts: Option<Vec<String>> = fields
                .iter()
                .map(|(name, part)| Some(format!("\"{name}\": {}", on_one_line(part)?)))
                .collect();
            Some(format!("{{ {} }}", parts?.join(", ")))
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => None,
        Value::Array(items) => {
            Some(format!("[{}]", items.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")))
        }
        _ => Some(value.to_string()),
    }
}

fn machine(lists: &ServerLists) -> Value {
    json!({
        "Comment": "Rendered from servers.toml by `make statemachine`: edit that file, not this one.",
        "QueryLanguage": "JSONata",
        "StartAt": "Start or stop?",
        "TimeoutSeconds": MACHINE_SECONDS,
        "States": {
            "Start or stop?": start_or_stop(lists),
            "Input not understood": input_not_understood(lists),
            "Look for an earlier run": look_for_an_earlier_run(),
            "May this run begin?": may_this_run_begin(),
            "Wait for the earlier run": {
                "Type": "Wait",
                "Seconds": EARLIER_RUN_SECONDS,
                "Next": "Look for an earlier run"
            },
            "The earlier run did not end": the_earlier_run_did_not_end(),
            "Start environments": environments(lists, Action::Start),
            "Did all servers start?": did_all(),
            "Stop environments": environments(lists, Action::Stop),
            "Did all servers stop?": did_all(),
            "Send success mail": send_success_mail(),
            "Does the report agree?": {
                "Type": "Choice",
                "Choices": [{
                    "Condition": jsonata("$states.input.status in ['SUCCESS', 'DEGRADED']"),
                    "Next": "All servers are as wanted"
                }],
                "Default": "Servers are not as wanted"
            },
            "All servers are as wanted": { "Type": "Succeed" },
            "Send failure mail": send_failure_mail(),
            "Servers are not as wanted": {
                "Type": "Fail",
                "Error": "ServersNotAsWanted",
                "Cause": jsonata("$states.input.cause")
            }
        }
    })
}

fn jsonata(expression: &str) -> Value {
    Value::String(format!("{{% {expression} %}}"))
}

/// A JSONata array of strings.
fn strings(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    format!("[{}]", quoted.join(", "))
}

/// One rule a line of what is refused; none of them is an error, whatever the input is.
fn start_or_stop(lists: &ServerLists) -> Value {
    let all = strings(&lists.environments());
    let refused = [
        "$type($states.input) != 'object'".to_owned(),
        "$count($keys($states.input)[$not($ in ['action', 'environments', 'dry_run'])]) > 0".to_owned(),
        "$exists($states.input.dry_run) and $type($states.input.dry_run) != 'boolean'".to_owned(),
        "$exists($states.input.environments) and $type($states.input.environments) != 'array'".to_owned(),
        "$states.input.environments = []".to_owned(),
        format!("$count($states.input.environments[$not($ in {all})]) > 0"),
    ];
    let refuse = |rule: &String| json!({ "Condition": jsonata(rule), "Next": "Input not understood" });
    let mut choices: Vec<Value> = refused.iter().map(refuse).collect();
    choices.push(json!({
        "Condition": jsonata("$states.input.action in ['start', 'stop']"),
        "Assign": {
            "action": jsonata("$states.input.action"),
            "dry_run": jsonata("$states.input.dry_run = true"),
            "wanted": jsonata(&format!(
                "$exists($states.input.environments) ? $states.input.environments : {all}"
            )),
            "execution": {
                "id": jsonata("$states.context.Execution.Id"),
                "name": jsonata("$states.context.Execution.Name"),
                "start_time": jsonata("$states.context.Execution.StartTime")
            },
            "looks": 0
        },
        "Next": "Look for an earlier run"
    }));
    json!({ "Type": "Choice", "Choices": choices, "Default": "Input not understood" })
}

/// Earlier is what began before this run; of two that began in the same millisecond, the one whose ARN comes first. So
/// any two runs agree on who waits, in whatever order the list has them and whether or not it has this run yet.
/// `StartDate` is text with a varying number of digits: compared as a time.
fn look_for_an_earlier_run() -> Value {
    let earlier = "($mine := $toMillis($states.context.Execution.StartTime); \
        [$states.result.Executions[ExecutionArn != $execution.id and ($toMillis(StartDate) < $mine \
        or ($toMillis(StartDate) = $mine and ExecutionArn < $execution.id))].ExecutionArn])";
    json!({
        "Type": "Task",
        "Resource": "arn:${Partition}:states:::aws-sdk:sfn:listExecutions",
        "Arguments": {
            "StateMachineArn": jsonata("$states.context.StateMachine.Id"),
            "StatusFilter": "RUNNING",
            "MaxResults": 100
        },
        "TimeoutSeconds": 60,
        "Retry": [retrier(&["States.TaskFailed", "States.Timeout"], 2, 3)],
        "Assign": {
            "looks": jsonata("$looks + 1"),
            "execution": jsonata("$merge([$execution, {'start_time': $states.context.State.EnteredTime}])")
        },
        "Output": { "earlier": jsonata(earlier) },
        "Catch": caught(&json!({ "earlier": [] }), "May this run begin?"),
        "Next": "May this run begin?"
    })
}

fn may_this_run_begin() -> Value {
    let somebody = "$count($states.input.earlier) > 0";
    let looks_again = format!("{somebody} and $looks < {EARLIER_RUN_LOOKS}");
    json!({
        "Type": "Choice",
        "Choices": [
            { "Condition": jsonata(&looks_again), "Next": "Wait for the earlier run" },
            { "Condition": jsonata(somebody), "Next": "The earlier run did not end" },
            { "Condition": jsonata("$action = 'start'"), "Next": "Start environments" }
        ],
        "Default": "Stop environments"
    })
}

fn the_earlier_run_did_not_end() -> Value {
    json!({
        "Type": "Pass",
        "Output": {
            "results": [],
            "error": {
                "Error": "EarlierRunStillGoing",
                "Cause": jsonata(
                    "'Nothing was done: the earlier execution ' & $states.input.earlier[0] \
                     & ' did not end within an hour.'"
                )
            }
        },
        "Next": "Send failure mail"
    })
}

fn input_not_understood(lists: &ServerLists) -> Value {
    let environments = lists.environments().join("\", \"");
    let expected = format!(
        "Nothing was started or stopped. Expected {{\"action\": \"start\"}} or \"stop\"; optional are \
         \"environments\": some of [\"{environments}\"], and \"dry_run\": true or false. Found: "
    );
    json!({
        "Type": "Fail",
        "Error": "InvalidInput",
        "Cause": jsonata(&format!("'{expected}' & $substring($string($states.input), 0, 1000)"))
    })
}

fn environments(lists: &ServerLists, action: Action) -> Value {
    let branches: Vec<Value> =
        lists.environments().into_iter().map(|name| branch(lists, name, action)).collect();
    let failed = json!({ "results": [], "error": jsonata("$states.errorOutput") });
    json!({
        "Type": "Parallel",
        "Arguments": { "record": {}, "resume": null },
        "Branches": branches,
        "Output": {
            "ok": jsonata("$not(false in $states.result.ok)"),
            "results": jsonata("$states.result"),
            "error": null
        },
        "Catch": caught(&failed, "Send failure mail"),
        "Next": format!("Did all servers {}?", verb(action))
    })
}

fn did_all() -> Value {
    json!({
        "Type": "Choice",
        "Choices": [{ "Condition": jsonata("$states.input.ok"), "Next": "Send success mail" }],
        "Default": "Send failure mail"
    })
}

/// One environment: its tiers one after the other, then its result.
fn branch(all: &ServerLists, environment: &str, action: Action) -> Value {
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
    states.insert(result, result_of(environment, &lists));
    json!({ "StartAt": task_name(lists[0], action), "States": states })
}

/// The branch's record, with what it lacks if its first task failed.
fn result_of(environment: &str, lists: &[&ServerList]) -> Value {
    let unreached: Vec<String> =
        lists.iter().map(|list| format!("'{}': {{'empty': true}}", list.initial_state_field())).collect();
    let output = format!(
        "$merge([{{'environment': '{environment}', {}}}, $states.input.record])",
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
        "record": jsonata("$merge([$states.input.record, {'ok': false, 'error': $states.errorOutput}])")
    });
    let retry = json!([
        busy(),
        retrier(&LAMBDA_TRANSIENT, 2, 6),
        retrier(&OUR_TRANSIENT, 10, 5),
        retrier(&DIED, 2, 2)
    ]);
    let output = jsonata("$states.result.Payload.branch");
    let mut task = lambda(&payload, &retry, &output, &caught(&failed, result));
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

/// The execution's output is the report. Without one, the branches say how it ended.
fn send_success_mail() -> Value {
    let not_sent = json!({
        "status": jsonata("'degraded' in $states.input.results.phases.outcome ? 'DEGRADED' : 'SUCCESS'"),
        "mail_error": jsonata("$states.errorOutput"),
        "results": jsonata("$states.input.results")
    });
    mail(&jsonata("$states.result.Payload"), &not_sent, "Does the report agree?")
}

fn send_failure_mail() -> Value {
    let cause = "$string({'status': 'ABORTED', 'mail_error': $states.errorOutput, \
                 'problems': [$states.input.results.phases.problems[[0..19]]]})";
    let sent = json!({ "cause": jsonata("$states.result.Payload.cause") });
    mail(&sent, &json!({ "cause": jsonata(cause) }), "Servers are not as wanted")
}

fn mail(sent: &Value, not_sent: &Value, next: &str) -> Value {
    let payload = json!({
        "send_mail": true,
        "action": jsonata("$action"),
        "dry_run": jsonata("$dry_run"),
        "execution": jsonata("$execution"),
        "results": jsonata("$states.input.results"),
        "environments": jsonata("$wanted"),
        "waited": jsonata("$looks > 1"),
        "error": jsonata("$states.input.error")
    });
    let retry = json!([busy(), retrier(&LAMBDA_TRANSIENT, 2, 6), retrier(&OUR_TRANSIENT, 10, 5)]);
    let mut task = lambda(&payload, &retry, sent, &caught(not_sent, next));
    task["Next"] = next.into();
    task
}

fn lambda(payload: &Value, retry: &Value, output: &Value, catch: &Value) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:${Partition}:states:::lambda:invoke",
        "Arguments": { "FunctionName": "${FunctionArn}", "Payload": payload },
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": retry,
        "Output": output,
        "Catch": catch
    })
}

/// Half an hour on average: with full jitter a pause is half of what it may be.
fn busy() -> Value {
    let mut retrier = retrier(&[LAMBDA_BUSY], 30, 60);
    retrier["BackoffRate"] = json!(1.5);
    retrier["MaxDelaySeconds"] = json!(60);
    retrier
}

fn retrier(errors: &[&str], interval_seconds: u64, attempts: u64) -> Value {
    json!({
        "ErrorEquals": errors,
        "IntervalSeconds": interval_seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2.0,
        "JitterStrategy": "FULL"
    })
}

fn caught(output: &Value, next: &str) -> Value {
    let catcher = |errors: &&[&str]| json!({ "ErrorEquals": errors, "Output": output, "Next": next });
    EVERYTHING.iter().map(catcher).collect()
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Stop => "stop",
    }
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
