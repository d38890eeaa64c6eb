//! Renders the Step Functions state machine of a servers.toml: pure.
//!
//! Owns the machine's shape; its opening, a branch, the question whether it may begin, the tasks and the layout have
//! files of their own. The machine passes values on and computes nothing that the function could: what a branch
//! carries, counts, shortens or tells is made in `lambda/branch.rs` and `report/`. It depends on environments, tiers and phase numbers; everything else of the file
//! comes with the answers, so editing it needs no rendering. Two rules keep the machine from going silent: what can
//! fail stands in the `Output` of a Task or a Parallel, where an error can be caught, and a Choice compares values that
//! are there; a branch that fails becomes a result, so the other environments go on.
//!
//! Runs never overlap: a run first waits until every earlier one of the same machine has ended, for an hour at most.
//! So a schedule that fires twice finds nothing left to do the second time, and a stop cannot fight a start. It is
//! the simplest mechanism that holds: it needs no store of its own and no lock that could be left behind, only
//! `states:ListExecutions`. Two runs that begin within Step Functions' own lag may miss each other; then the lists,
//! which are safe to run twice, are what remains. If the look itself fails, the run goes on.
//!
//! Variables: `$action`, `$dry_run`, `$wanted` (the environments to run), `$looks` (for earlier runs) and `$execution`
//! (this run, whose own work begins after the last look: what an earlier run changed is not its doing), `$asked` (what
//! the function made of an input that is not plain, else null) and `$calendar` (what the calendar said, if it was asked).
//! Between the states of a branch flows what the function answered as `branch`; its `record` becomes the result.
//!
//! Only one engine's behaviour is used: no `$base64encode`, no division, no transform operator, no `$number`
//! (they differ between JSONata's engines).

mod approval;
mod branch;
mod layout;
mod mail;
mod opening;
mod task;

use serde_json::{Map, Value, json};

use self::branch::branch;
use self::mail::{AGREES, FAILURE_MAIL, LOOK, mail};
use self::task::{aws, caught, choice, jsonata, verb};
use crate::model::Action;
use crate::servers::file::ServerLists;

/// The pause between two looks for an earlier run, and how many there are at most.
const EARLIER_RUN_SECONDS: u64 = 60;
const EARLIER_RUN_LOOKS: u64 = 60;
/// What an environment's lists may take together (checks.rs), then the wait for an earlier run, and an hour for
/// retries and the mail.
const MACHINE_SECONDS: u64 = 24 * 3600 + EARLIER_RUN_SECONDS * EARLIER_RUN_LOOKS + 3600;

/// The machine as the text of statemachine.asl.json.
pub(crate) fn render(lists: &ServerLists) -> String {
    let mut text = String::new();
    layout::write(&mut text, &machine(lists), 0);
    text + "\n"
}

fn machine(lists: &ServerLists) -> Value {
    let mut states = opening::states(lists);
    states.extend(run_states(lists));
    json!({
        "Comment": "Rendered from servers.toml by `make statemachine`: edit that file, not this one.",
        "QueryLanguage": "JSONata",
        "StartAt": opening::START,
        "TimeoutSeconds": MACHINE_SECONDS + approval::longest_seconds(lists),
        "States": states
    })
}

/// The states of a run that does something.
fn run_states(lists: &ServerLists) -> Map<String, Value> {
    let states = json!({
        LOOK: look_for_an_earlier_run(),
        "May this run begin?": may_this_run_begin(),
        "Wait for the earlier run": {
            "Type": "Wait",
            "Seconds": EARLIER_RUN_SECONDS,
            "Next": LOOK
        },
        "The earlier run did not end": the_earlier_run_did_not_end(),
        "Start environments": environments(lists, Action::Start),
        "Did all servers start?": did_all(),
        "Stop environments": environments(lists, Action::Stop),
        "Did all servers stop?": did_all(),
        "Send success mail": send_success_mail(lists),
        AGREES: choice(
            &[
                ("$states.input.status in ['SUCCESS', 'DEGRADED']", "All servers are as wanted"),
                ("$states.input.status = 'SKIPPED'", opening::NOTHING_DONE),
            ],
            "Servers are not as wanted",
        ),
        "All servers are as wanted": { "Type": "Succeed" },
        FAILURE_MAIL: send_failure_mail(),
        "Servers are not as wanted": {
            "Type": "Fail",
            "Error": "ServersNotAsWanted",
            "Cause": jsonata("$states.input.cause")
        }
    });
    states.as_object().cloned().unwrap_or_default()
}

/// Earlier is what began before this run; of two that began in the same millisecond, the one whose ARN comes first. So
/// any two runs agree on who waits, in whatever order the list has them and whether or not it has this run yet.
/// `StartDate` is text with a varying number of digits: compared as a time.
fn look_for_an_earlier_run() -> Value {
    let earlier = "($mine := $toMillis($states.context.Execution.StartTime); \
        [$states.result.Executions[ExecutionArn != $execution.id and ($toMillis(StartDate) < $mine \
        or ($toMillis(StartDate) = $mine and ExecutionArn < $execution.id))].ExecutionArn])";
    let running = json!({
        "StateMachineArn": jsonata("$states.context.StateMachine.Id"),
        "StatusFilter": "RUNNING",
        "MaxResults": 100
    });
    let mut task = aws("sfn:listExecutions", &running, &json!({ "earlier": jsonata(earlier) }));
    task["Assign"] = json!({
        "looks": jsonata("$looks + 1"),
        "execution": jsonata("$merge([$execution, {'start_time': $states.context.State.EnteredTime}])")
    });
    task["Catch"] = caught(&json!({ "earlier": [] }), "May this run begin?");
    task["Next"] = "May this run begin?".into();
    task
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
        "Next": FAILURE_MAIL
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
        "Catch": caught(&failed, FAILURE_MAIL),
        "Next": format!("Did all servers {}?", verb(action))
    })
}

fn did_all() -> Value {
    choice(&[("$states.input.ok", "Send success mail")], FAILURE_MAIL)
}

/// The execution's output is the report. Without one, the branches say how it ended.
fn send_success_mail(lists: &ServerLists) -> Value {
    let degraded = "'degraded' in $states.input.results.phases.outcome";
    let degraded = format!("{degraded}{}", approval::or_left_in_silence(lists));
    let not_sent = json!({
        "status": jsonata(&format!("{degraded} ? 'DEGRADED' : 'SUCCESS'")),
        "mail_error": jsonata("$states.errorOutput"),
        "results": jsonata("$states.input.results")
    });
    mail(&jsonata("$states.result.Payload"), &not_sent, AGREES)
}

fn send_failure_mail() -> Value {
    let cause = "$string({'status': 'ABORTED', 'mail_error': $states.errorOutput, \
                 'problems': [$states.input.results.phases.problems[[0..19]]]})";
    let sent = json!({ "cause": jsonata("$states.result.Payload.cause") });
    mail(&sent, &json!({ "cause": jsonata(cause) }), "Servers are not as wanted")
}
