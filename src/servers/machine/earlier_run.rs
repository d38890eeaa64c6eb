//! Runs never overlap: a run first waits until every earlier one of the same machine has ended.
//!
//! Owns the states from `Look for an earlier run` to what comes of it, and for how long an earlier run is waited for:
//! an hour, and as long as a person may be waited for in it. So a question that nobody answers costs no later run
//! its work.

use serde_json::{Map, Value, json};

use super::approval;
use super::mail::{FAILURE_MAIL, LOOK, START_ALL, STOP_ALL};
use super::stop_later;
use super::task::{assigning, aws, caught, jsonata, named};
use crate::servers::file::ServerLists;

/// The pause between two looks, and how many there are at most where nobody is asked for a yes.
const PAUSE_SECONDS: u64 = 60;
const LOOKS: u64 = 60;

const BEGINS: &str = "May this run begin?";
const WAIT: &str = "Wait for the earlier run";
const DID_NOT_END: &str = "The earlier run did not end";

/// Those states.
pub(super) fn states(lists: &ServerLists) -> Map<String, Value> {
    named([
        (LOOK, look()),
        (BEGINS, may_this_run_begin(lists)),
        (WAIT, json!({ "Type": "Wait", "Seconds": PAUSE_SECONDS, "Next": LOOK })),
        (DID_NOT_END, did_not_end(lists)),
    ])
}

/// For how long an earlier run is waited for.
pub(super) fn seconds(lists: &ServerLists) -> u64 {
    looks(lists) * PAUSE_SECONDS
}

/// At 1,440 minutes, the most that `approve_minutes` may be, these are 1,500 looks of 9 events each: of the 25,000
/// that an execution's history may have
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>) the phases keep 11,000.
fn looks(lists: &ServerLists) -> u64 {
    LOOKS + approval::longest_seconds(lists).div_ceil(PAUSE_SECONDS)
}

/// Earlier is what began before this run; of two that began in the same millisecond, the one whose ARN comes first. So
/// any two runs agree on who waits, in whatever order the list has them and whether or not it has this run yet.
/// `StartDate` is text with a varying number of digits: compared as a time.
fn look() -> Value {
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
    let unseen = json!({ "look_error": jsonata("$states.errorOutput") });
    task["Catch"] = assigning(caught(&json!({ "earlier": [] }), BEGINS), BEGINS, &unseen);
    task["Next"] = BEGINS.into();
    task
}

fn may_this_run_begin(lists: &ServerLists) -> Value {
    let somebody = "$count($states.input.earlier) > 0";
    let looks_again = format!("{somebody} and $looks < {}", looks(lists));
    json!({
        "Type": "Choice",
        "Choices": [
            { "Condition": jsonata(&looks_again), "Next": WAIT },
            { "Condition": jsonata(somebody), "Next": DID_NOT_END },
            { "Condition": jsonata(stop_later::IS_ASKED_FOR), "Next": stop_later::START },
            { "Condition": jsonata("$action = 'start'"), "Next": START_ALL }
        ],
        "Default": STOP_ALL
    })
}

fn did_not_end(lists: &ServerLists) -> Value {
    let cause = format!(
        "'Nothing was done: the earlier execution ' & $states.input.earlier[0] & ' did not end within {}.'",
        words(seconds(lists) / 60)
    );
    json!({
        "Type": "Pass",
        "Output": {
            "results": [],
            "error": { "Error": "EarlierRunStillGoing", "Cause": jsonata(&cause) }
        },
        "Next": FAILURE_MAIL
    })
}

/// `an hour`, `2 hours`, `90 minutes`
fn words(minutes: u64) -> String {
    match (minutes / 60, minutes % 60) {
        (1, 0) => "an hour".to_owned(),
        (hours, 0) => format!("{hours} hours"),
        _ => format!("{minutes} minutes"),
    }
}
