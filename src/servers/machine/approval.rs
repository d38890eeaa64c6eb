//! What a branch begins with where a person is asked: three states before the first tier, or none.
//!
//! Owns the question and what follows from its answer. The task ends when somebody answers by its token
//! (SendTaskSuccess or SendTaskFailure), or when the time is up; what comes then, AWS refuses. The decision goes on as
//! `approval` in the branch's record. Tried again is only what fails before a mail can have been sent: nobody is asked
//! twice.

use serde_json::{Map, Value, json};

use super::task::{ask_retries, caught, choice, jsonata, lambda};
use crate::model::Action;
use crate::servers::approve::{Approval, Silence};
use crate::servers::file::ServerLists;

/// So much of what a person wrote as their name, or as the cause of a failure, is carried on.
const BY_CHARACTERS: usize = 80;

/// Between which states of a branch the question stands.
pub(super) struct Way<'a> {
    pub(super) environment: &'a str,
    pub(super) action: Action,
    /// The first tier's task.
    pub(super) first: &'a str,
    /// The branch's result.
    pub(super) result: &'a str,
}

/// Adds the question, if the file wants one, and gives the state that the branch starts at.
pub(super) fn begin(all: &ServerLists, way: &Way<'_>, states: &mut Map<String, Value>) -> String {
    let Some(approval) = all.approval(way.environment, way.action) else { return way.first.to_owned() };
    let Way { environment, action, first, result } = way;
    let word = action.word();
    let needed = format!("Is {environment} {word} to be asked for?");
    let ask = format!("Ask whether {environment} may {word}");
    let answer = format!("May {environment} {word}?");
    let condition = format!("'{environment}' in $wanted and $not($dry_run)");
    states.insert(needed.clone(), choice(&[(&condition, &ask)], first));
    states.insert(ask, question(way, approval, &answer));
    states.insert(answer, choice(&[("$states.input.record.approval.approved", first)], result));
    needed
}

/// What an answer is made of cannot make the `Output` fail: it may be any JSON.
fn question(way: &Way<'_>, approval: &Approval, next: &str) -> Value {
    let payload = json!({
        "ask": {
            "token": jsonata("$states.context.Task.Token"),
            "environment": way.environment,
            "action": way.action.word(),
            "minutes": approval.minutes,
            "silence": approval.silence.words()
        },
        "execution": jsonata("$execution")
    });
    let answer = format!(
        "{{'approved': $states.result.approved = true, \
         'by': $substring($string($states.result.by), 0, {BY_CHARACTERS})}}"
    );
    let goes_on = approval.silence == Silence::GoOn;
    let silence = json!({ "approved": goes_on, "silence": approval.silence.words() });
    let timed_out = json!({
        "ErrorEquals": ["States.Timeout"],
        "Output": carried(way.environment, silence),
        "Next": next
    });
    let failed = json!({ "record": {}, "failed": jsonata(&refused_or_failed()) });
    let mut catch = vec![timed_out];
    catch.extend(caught(&failed, way.result).as_array().cloned().unwrap_or_default());
    let output = carried(way.environment, jsonata(&answer));
    let mut task = lambda(&payload, &ask_retries(), &output, &catch.into());
    task["Resource"] = "arn:${Partition}:states:::lambda:invoke.waitForTaskToken".into();
    task["TimeoutSeconds"] = (approval.minutes * 60).into();
    task["Next"] = next.into();
    task
}

/// What the first tier's task gets, or the branch's result: an environment that is left alone has not failed.
fn carried(environment: &str, approval: Value) -> Value {
    let mut record = json!({ "environment": environment, "ok": true });
    record["approval"] = approval;
    json!({ "record": record, "resume": null })
}

/// SendTaskFailure is a person's no, whatever its error is called; the errors of AWS and of the function are none.
fn refused_or_failed() -> String {
    format!(
        "($all := $string($states.errorOutput); $aws := $split($string($states.errorOutput.Error), '.')[0]; \
         $contains($all, 'errorType') or $aws in ['Lambda', 'States', 'Sandbox', 'Runtime'] \
         ? {{'ok': false, 'error': $states.errorOutput}} \
         : {{'ok': true, 'approval': {{'approved': false, \
         'failure': $substring($string($states.errorOutput.Cause), 0, {BY_CHARACTERS})}}}})"
    )
}

/// By how much longer a run may take for the sake of its questions, which are asked at the same time.
pub(super) fn longest_seconds(all: &ServerLists) -> u64 {
    all.approvals.values().map(|approval| approval.minutes * 60).max().unwrap_or_default()
}

/// What makes a run degraded besides its phases, for a report that was not sent; nothing where nobody is asked.
pub(super) fn or_left_in_silence(all: &ServerLists) -> &'static str {
    match all.approvals.is_empty() {
        true => "",
        false => " or 'leave alone' in $states.input.results.approval.silence",
    }
}
