//! The task that sends the report, and the states that the opening and the run lead each other to.
//!
//! Owns what the report is told.

use serde_json::{Value, json};

use super::task::{caught, jsonata, lambda, mail_retries};

/// Whether the run ends as its report says.
pub(super) const AGREES: &str = "Does the report agree?";
/// Where a run begins once it is known what was asked for, and the mail of a run that comes to nothing.
pub(super) const LOOK: &str = "Look for an earlier run";
pub(super) const FAILURE_MAIL: &str = "Send failure mail";
/// What a run is about.
pub(super) const START_ALL: &str = "Start environments";
pub(super) const STOP_ALL: &str = "Stop environments";

/// The report; what the state gives, sent or not.
pub(super) fn mail(sent: &Value, not_sent: &Value, next: &str) -> Value {
    let payload = json!({
        "send_mail": true,
        "action": jsonata("$action"),
        "dry_run": jsonata("$dry_run"),
        "execution": jsonata("$execution"),
        "results": jsonata("$states.input.results"),
        "environments": jsonata("$wanted"),
        "waited": jsonata("$looks > 1"),
        "look_error": jsonata("$look_error"),
        "error": jsonata("$states.input.error"),
        "asked": jsonata("$asked"),
        "calendar": jsonata("$calendar")
    });
    let mut task = lambda(&payload, &mail_retries(), sent, &caught(not_sent, next));
    task["Next"] = next.into();
    task
}
