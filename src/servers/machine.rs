//! Renders the Step Functions state machine of a servers.toml: pure.
//!
//! Owns the machine's shape, its state names, retries, catches and JSONata. Three rules keep it from going silent:
//! what can fail is computed in the `Output` of a Task or a Parallel, where an error can be caught; a Choice
//! compares booleans that are there; a branch that fails becomes a result, so the other environments go on.
//!
//! Runs never overlap: a run first waits until every earlier one of the same machine has ended, for an hour at most.
//! So a schedule that fires twice finds nothing left to do the second time, and a stop cannot fight a start. It is
//! the simplest mechanism that holds: it needs no store of its own and no lock that could be left behind, only
//! `states:ListExecutions`. Two runs that begin within EC2's and Step Functions' own lag may miss each other; then
//! the lists, which are safe to run twice, are what remains. If the look itself fails, the run goes on.
//!
//! Variables: `$action`, `$dry_run`, `$wanted` (the environments to run), `$limited` (whether the input named them)
//! `$looks` (for earlier runs) and `$began` (the last of them: what an earlier run changed is not this run's doing),
//! set by the first Choice. Between the states of a branch flows
//! `{record, in_progress, go_on, resume}`; `record` becomes the branch's result.
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
/// What the machine may take beyond the lists' patience: retries, and the mail.
const SPARE_SECONDS: u64 = 3600;
/// What all branches' results may come to: a state's payload has at most 262,144 bytes
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), and the mail's holds more than the results.
const RESULTS_CHARACTERS: usize = 200_000;
/// A problem as the lists tell it; EC2's refusals with an encoded message are longer, and rare.
const PROBLEM_CHARACTERS: usize = 400;
const MOST_PROBLEMS: usize = 50;
/// An error's cause, of which each branch may have one.
const ERROR_CHARACTERS: usize = 4_000;
/// A Fail's cause has at most 32,768 characters (API: HistoryEvent, ExecutionFailedEventDetails).
const CAUSE_CHARACTERS: u64 = 30_000;

/// Every error that AWS advises to retry for Lambda, and the throttle
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html>).
const LAMBDA_TRANSIENT: [&str; 5] = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
];
/// Ours that pass by themselves (handler.rs).
const OUR_TRANSIENT: [&str; 2] = ["Throttled", "AwsUnreachable"];
/// A function that died or was cut off. A list is safe to run twice; a mail would be sent twice.
const DIED: [&str; 4] = ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout"];
/// `States.ALL` does not match `States.DataLimitExceeded`
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>).
const EVERYTHING: [&[&str]; 2] = [&["States.DataLimitExceeded"], &["States.ALL"]];

/// The machine as the text of statemachine.asl.json.
pub fn render(lists: &ServerLists) -> String {
    format!("{:#}\n", machine(lists))
}

fn machine(lists: &ServerLists) -> Value {
    json!({
        "Comment": "Rendered from servers.toml by `make statemachine`: edit that file, not this one.",
        "QueryLanguage": "JSONata",
        "StartAt": "Start or stop?",
        "TimeoutSeconds": patience(lists) + SPARE_SECONDS + EARLIER_RUN_SECONDS * EARLIER_RUN_LOOKS,
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
            "Start environments": environments(lists, Action::Start),
            "Did all servers start?": did_all(),
            "Stop environments": environments(lists, Action::Stop),
            "Did all servers stop?": did_all(),
            "Send success mail": send_mail(
                "$states.result.Payload",
                "{'status': 'degraded' in $states.input.results.phases.outcome ? 'DEGRADED' : 'SUCCESS', \
                 'mail_error': $states.errorOutput, 'results': $states.input.results}",
                "All servers are as wanted",
            ),
            "All servers are as wanted": { "Type": "Succeed" },
            "Send failure mail": send_mail(
                &cause("$merge([$sift($states.result.Payload, function($v, $k) { $k in \
                        ['status', 'subject', 'counts', 'mail', 'remarks'] }), \
                        {'problems': [$states.result.Payload.problems[[0..49]]]}])"),
                &cause("{'status': 'ABORTED', 'mail_error': $states.errorOutput, \
                        'problems': [$states.input.results.phases.problems[[0..49]]]}"),
                "Servers are not as wanted",
            ),
            "Servers are not as wanted": {
                "Type": "Fail",
                "Error": "ServersNotAsWanted",
                "Cause": "{% $states.input.cause %}"
            }
        }
    })
}

/// The longest environment's patience in seconds.
fn patience(lists: &ServerLists) -> u64 {
    let of = |name: &&str| -> u64 {
        lists.in_start_order(name).iter().map(|list| (list.timeout + list.settle).as_secs()).sum()
    };
    lists.environments().iter().map(of).max().unwrap_or_default()
}

fn jsonata(expression: &str) -> Value {
    Value::String(format!("{{% {expression} %}}"))
}

/// A JSONata array of strings.
fn strings(values: &[&str]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    format!("[{}]", quoted.join(", "))
}

/// Whether the input is what is expected; never an error, whatever the input is.
fn input_is_good(lists: &ServerLists) -> String {
    let environments = strings(&lists.environments());
    format!(
        "$type($states.input) = 'object' ? (\
         $states.input.action in ['start', 'stop'] \
         and $count($keys($states.input)[$not($ in ['action', 'environments', 'dry_run'])]) = 0 \
         and ($exists($states.input.dry_run) ? $type($states.input.dry_run) = 'boolean' : true) \
         and ($exists($states.input.environments) ? ($type($states.input.environments) = 'array' \
         and $count($states.input.environments) > 0 \
         and $count($states.input.environments[$not($ in {environments})]) = 0) : true)) : false"
    )
}

fn start_or_stop(lists: &ServerLists) -> Value {
    let all = strings(&lists.environments());
    json!({
        "Type": "Choice",
        "Choices": [{
            "Condition": jsonata(&input_is_good(lists)),
            "Assign": {
                "action": jsonata("$states.input.action"),
                "dry_run": jsonata("$states.input.dry_run = true"),
                "wanted": jsonata(&format!(
                    "$exists($states.input.environments) ? $states.input.environments : {all}"
                )),
                "limited": jsonata("$exists($states.input.environments)"),
                "began": jsonata("$states.context.Execution.StartTime"),
                "looks": 0
            },
            "Next": "Look for an earlier run"
        }],
        "Default": "Input not understood"
    })
}

/// `ListExecutions` gives the newest first
/// (<https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html>): those behind this run
/// began before it, and so did all if the list, which lags, does not have this run yet. Nobody waits for a younger
/// run, so no two wait for each other.
fn look_for_an_earlier_run() -> Value {
    let output = format!(
        "($earlier := $trim($substringAfter($join([$states.result.Executions.ExecutionArn], ' ') & ' ', \
         $states.context.Execution.Id & ' ')); \
         $going := $earlier != ''; $last := $looks + 1 >= {EARLIER_RUN_LOOKS}; \
         {{'wait': $going and $not($last), 'give_up': $going and $last, 'start': $action = 'start', \
         'ok': false, 'results': [], 'error': $going and $last ? {{'Error': 'EarlierRunStillGoing', \
         'Cause': 'Nothing was done: the earlier execution ' & $substringBefore($earlier, ' ') \
         & ' did not end within an hour.'}}}})"
    );
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:listExecutions",
        "Arguments": {
            "StateMachineArn": jsonata("$states.context.StateMachine.Id"),
            "StatusFilter": "RUNNING",
            "MaxResults": 100
        },
        "TimeoutSeconds": 60,
        "Retry": [retrier(&["States.TaskFailed", "States.Timeout"], 2, 3)],
        "Assign": { "looks": jsonata("$looks + 1"), "began": jsonata("$states.context.State.EnteredTime") },
        "Output": jsonata(&output),
        "Catch": caught("{'wait': false, 'give_up': false, 'start': $action = 'start'}", "May this run begin?"),
        "Next": "May this run begin?"
    })
}

fn may_this_run_begin() -> Value {
    json!({
        "Type": "Choice",
        "Choices": [
            { "Condition": jsonata("$states.input.wait"), "Next": "Wait for the earlier run" },
            { "Condition": jsonata("$states.input.give_up"), "Next": "Send failure mail" },
            { "Condition": jsonata("$states.input.start"), "Next": "Start environments" }
        ],
        "Default": "Stop environments"
    })
}

fn input_not_understood(lists: &ServerLists) -> Value {
    let environments = lists.environments().join("\", \"");
    let expected = format!(
        "Nothing was started or stopped. Expected {{\"action\": \"start\"}} or {{\"action\": \"stop\"}}; optional are \
         \"environments\": a list of some of [\"{environments}\"], and \"dry_run\": true or false. Found: "
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
    json!({
        "Type": "Parallel",
        "Arguments": {},
        "Branches": branches,
        "Output": jsonata("{'ok': $not(false in [$states.result.ok]), 'results': [$states.result]}"),
        "Catch": caught("{'ok': false, 'results': [], 'error': $states.errorOutput}", "Send failure mail"),
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

/// What a branch's record may come to. One that grows over it keeps counts and the first problems, and says so.
struct Budget {
    characters: usize,
    /// Of each list, in a record that is shortened.
    problems: usize,
}

impl Budget {
    fn of(lists: &ServerLists, tiers: usize) -> Self {
        let characters = RESULTS_CHARACTERS / lists.environments().len();
        let problems = (characters / tiers / PROBLEM_CHARACTERS).clamp(1, MOST_PROBLEMS);
        Self { characters, problems }
    }

    /// The record that an expression gives, if it fits; else the shortened one.
    fn fitting(&self, record: &str) -> String {
        let Self { characters, problems } = self;
        let last = problems - 1;
        format!(
            "($whole := {record}; $exists($whole) and $length($string($whole)) > {characters} ? \
             {{'environment': $whole.environment, 'ok': $whole.ok, 'error': $whole.error, 'shortened': true, \
             'phases': [$map($whole.phases, function($phase) {{ $merge([$sift($phase, function($v, $k) {{ $k in \
             ['phase_number', 'tier', 'outcome', 'servers', 'off', 'log_error', 'mute_error'] }}), \
             {{'problems': [$phase.problems[[0..{last}]]]}}]) }})]}} : $whole)"
        )
    }
}

/// One environment: its tiers one after the other, then its result.
fn branch(all: &ServerLists, environment: &str, action: Action) -> Value {
    let mut lists = all.in_start_order(environment);
    if action == Action::Stop {
        lists.reverse();
    }
    let result = format!("Result of {environment} {}", verb(action));
    let budget = Budget::of(all, lists.len());
    let mut states = Map::new();
    for (place, list) in lists.iter().enumerate() {
        let settle = list.settle.as_secs();
        let next = lists.get(place + 1).map(|next| task_name(next, action));
        let wait = next
            .as_ref()
            .filter(|_| settle > 0)
            .map(|_| format!("Let {environment} {} settle after {}", tier(list), verb(action)));
        states.insert(task_name(list, action), task(list, action, &budget, &result));
        let go_on = wait.clone().or_else(|| next.clone()).unwrap_or_else(|| result.clone());
        states.insert(question(list, action), did(list, action, &go_on, &result));
        if let (Some(wait), Some(next)) = (wait, next) {
            states.insert(wait, json!({ "Type": "Wait", "Seconds": settle, "Next": next }));
        }
    }
    states.insert(result, result_of(&lists));
    json!({ "StartAt": task_name(lists[0], action), "States": states })
}

/// The branch's result: its record, with empty initial states for the tiers that were not reached.
fn result_of(lists: &[&ServerList]) -> Value {
    let unreached: Vec<String> =
        lists.iter().map(|list| format!("'{}': {{'empty': true}}", initial_state_field(list))).collect();
    let output = format!("$merge([{{{}}}, $states.input.record])", unreached.join(", "));
    json!({ "Type": "Pass", "Output": jsonata(&output), "End": true })
}

/// One list: what it answered, or the error that kept it from answering, goes into the branch's record.
fn task(list: &ServerList, action: Action, budget: &Budget, result: &str) -> Value {
    let field = initial_state_field(list);
    let record = format!("'environment': '{}'", list.environment);
    let output = format!(
        "($answer := $states.result.Payload; $record := $states.input.record; \
         $in_progress := $answer.outcome = 'in_progress'; \
         $good := $answer.outcome in ['ready', 'degraded', 'empty', 'skipped']; \
         $grown := $in_progress ? $record : $merge([$record, {{{record}, 'ok': $good, \
         '{field}': $answer.initial_state, \
         'phases': [$record.phases, $merge([{{'phase_number': {number}, 'tier': '{tier}'}}, \
         $sift($answer, function($v, $k) {{ $k in ['outcome', 'servers', 'problems', 'actions', 'off', 'log_error', 'mute_error'] }})])]\
         }}]); \
         {{'in_progress': $in_progress, 'go_on': $answer.next_phase = true, \
         'resume': $in_progress ? $answer.resume, \
         'record': {fitting}}})",
        number = list.number,
        tier = list.tier,
        fitting = budget.fitting("$grown"),
    );
    let grown = format!(
        "$merge([$states.input.record, {{{record}, 'ok': false, \
         '{field}': $exists($states.input.resume) ? $states.input.resume.initial_state : {{'empty': true}}, \
         'error': {{'Error': $states.errorOutput.Error, \
         'Cause': $substring($states.errorOutput.Cause, 0, {ERROR_CHARACTERS})}}}}])"
    );
    let failed = format!("{{'record': {}}}", budget.fitting(&grown));
    let payload = format!(
        "$merge([{{'phase_number': {number}, 'next_phase': '{environment}' in $wanted, 'action': '{action}', \
         'cw_log_phase': '{heading}', 'send_mail': false, 'dry_run': $dry_run, {execution}}}, \
         $exists($states.input.resume) ? {{'resume': $states.input.resume}} : {{}}])",
        number = list.number,
        environment = list.environment,
        action = verb(action),
        heading = heading(list, action),
        execution = EXECUTION,
    );
    let retry =
        json!([retrier(&LAMBDA_TRANSIENT, 2, 6), retrier(&OUR_TRANSIENT, 10, 5), retrier(&DIED, 2, 2),]);
    lambda(&payload, &retry, &output, &failed, &question(list, action), result)
}

const EXECUTION: &str = "'execution': {'id': $states.context.Execution.Id, 'name': $states.context.Execution.Name, \
     'start_time': $began}";

/// Goes on, goes on looking, or ends the branch.
fn did(list: &ServerList, action: Action, go_on: &str, result: &str) -> Value {
    let mut choices = vec![json!({
        "Condition": jsonata("$states.input.in_progress"),
        "Next": task_name(list, action)
    })];
    if go_on != result {
        choices.push(json!({ "Condition": jsonata("$states.input.go_on"), "Next": go_on }));
    }
    json!({ "Type": "Choice", "Choices": choices, "Default": result })
}

fn send_mail(output: &str, not_sent: &str, next: &str) -> Value {
    let payload = format!(
        "$merge([{{'send_mail': true, 'action': $action, 'dry_run': $dry_run, {EXECUTION}, \
         'results': $states.input.results}}, $limited ? {{'environments': $wanted}} : {{}}, \
         $looks > 1 ? {{'waited': true}} : {{}}, \
         $exists($states.input.error) ? {{'error': $states.input.error}} : {{}}])"
    );
    let retry = json!([retrier(&LAMBDA_TRANSIENT, 2, 6), retrier(&OUR_TRANSIENT, 10, 5)]);
    lambda(&payload, &retry, output, not_sent, next, next)
}

fn lambda(payload: &str, retry: &Value, output: &str, failed: &str, next: &str, caught_by: &str) -> Value {
    json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": { "FunctionName": "${FunctionArn}", "Payload": jsonata(payload) },
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": retry,
        "Output": jsonata(output),
        "Catch": caught(failed, caught_by),
        "Next": next
    })
}

fn retrier(errors: &[&str], interval_seconds: u64, attempts: u64) -> Value {
    json!({
        "ErrorEquals": errors,
        "IntervalSeconds": interval_seconds,
        "MaxAttempts": attempts,
        "BackoffRate": 2.0,
        "MaxDelaySeconds": 120,
        "JitterStrategy": "FULL"
    })
}

fn caught(output: &str, next: &str) -> Value {
    let catcher =
        |errors: &&[&str]| json!({ "ErrorEquals": errors, "Output": jsonata(output), "Next": next });
    EVERYTHING.iter().map(catcher).collect()
}

/// A Fail's cause: an object as JSON, cut to what a cause may hold.
fn cause(object: &str) -> String {
    format!("{{'cause': $substring($string({object}), 0, {CAUSE_CHARACTERS})}}")
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

fn heading(list: &ServerList, action: Action) -> String {
    let doing = match action {
        Action::Start => "starting",
        Action::Stop => "stopping",
    };
    // The heading stands in a JSONata string, and ${…} would be a placeholder for the template.
    let text = format!("{doing} {}", list.name);
    text.replace('\\', "\\\\").replace('\'', "\\'").replace("${", "$\\u007b")
}

fn initial_state_field(list: &ServerList) -> String {
    format!("{}_{}_initial_state", list.environment, list.tier)
}
