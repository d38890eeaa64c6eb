//! A task of the machine: what it calls, which errors it tries again, and what it catches.
//!
//! Owns time-outs, retries and catches. What goes in and comes out, whoever asks for the task says.

use serde_json::{Map, Value, json};

use crate::model::Action;

/// Lambda's 900 s (template.yaml), and time to start and answer.
const TASK_SECONDS: u64 = 930;

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
/// A function that died or was cut off.
const DIED: [&str; 4] = ["Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout"];
/// `States.ALL` does not match `States.DataLimitExceeded`
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>).
const EVERYTHING: [&[&str]; 2] = [&["States.DataLimitExceeded"], &["States.ALL"]];

pub(super) fn jsonata(expression: &str) -> Value {
    Value::String(format!("{{% {expression} %}}"))
}

pub(super) fn lambda(payload: &Value, retry: &Value, output: &Value, catch: &Value) -> Value {
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

/// A call of AWS without the function, for example `sfn:listExecutions`; its catch and what follows, the caller adds.
pub(super) fn aws(action: &str, arguments: &Value, output: &Value) -> Value {
    json!({
        "Type": "Task",
        "Resource": format!("arn:${{Partition}}:states:::aws-sdk:{action}"),
        "Arguments": arguments,
        "TimeoutSeconds": 60,
        "Retry": [retrier(&["States.TaskFailed", "States.Timeout"], 2, 3)],
        "Output": output
    })
}

/// The retries of a phase: a list is safe to run twice.
pub(super) fn phase_retries() -> Value {
    json!([busy(), retrier(&LAMBDA_TRANSIENT, 2, 6), retrier(&OUR_TRANSIENT, 10, 5), retrier(&DIED, 2, 2)])
}

/// The retries of the report: a mail would be sent twice.
pub(super) fn mail_retries() -> Value {
    json!([busy(), retrier(&LAMBDA_TRANSIENT, 2, 6), retrier(&OUR_TRANSIENT, 10, 5)])
}

/// The retries of a question: what passes before its mail can have been sent.
pub(super) fn ask_retries() -> Value {
    json!([busy(), retrier(&OUR_TRANSIENT, 10, 5)])
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

/// States by their names.
pub(super) fn named<const N: usize>(states: [(&str, Value); N]) -> Map<String, Value> {
    states.into_iter().map(|(name, state)| (name.to_owned(), state)).collect()
}

/// The input of the mail of a run that broke off before any branch gave a result.
pub(super) fn broke_off() -> Value {
    json!({ "results": [], "error": jsonata("$states.errorOutput") })
}

/// Sets a variable too, where a catch leads to this state.
pub(super) fn assigning(mut catch: Value, next: &str, assign: &Value) -> Value {
    let catchers = catch.as_array_mut().into_iter().flatten();
    catchers.filter(|catcher| catcher["Next"] == next).for_each(|catcher| catcher["Assign"] = assign.clone());
    catch
}

pub(super) fn caught(output: &Value, next: &str) -> Value {
    let catcher = |errors: &&[&str]| json!({ "ErrorEquals": errors, "Output": output, "Next": next });
    EVERYTHING.iter().map(catcher).collect()
}

/// Its rules, each a condition and where it leads.
pub(super) fn choice(ways: &[(&str, &str)], default: &str) -> Value {
    let rule = |(when, next): &(&str, &str)| json!({ "Condition": jsonata(when), "Next": next });
    json!({ "Type": "Choice", "Choices": ways.iter().map(rule).collect::<Vec<_>>(), "Default": default })
}

pub(super) fn verb(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Stop => "stop",
    }
}
