//! The stop some hours after a start: a schedule, made when the run is about to start its environments and not before.
//!
//! Owns its two states. A start that never begins (a closed calendar, an earlier run that does not end) schedules no
//! stop. The hours count from here, and the function works them out: it reads the input a second time, with the time
//! at which the run begins. Whatever is tried again finds the schedule by its name, which is the execution's.

use serde_json::{Map, Value, json};

use super::mail::{FAILURE_MAIL, START_ALL};
use super::opening::{input_of, make_a_schedule};
use super::task::{assigning, broke_off, caught, jsonata, lambda, named, phase_retries};
use crate::servers::file::ServerLists;

/// `$asked` is null in a run whose input is plain: a comparison is false then, and no error.
pub(super) const IS_ASKED_FOR: &str = "$asked.stops_later = true";

pub(super) const START: &str = "Set the hour of the stop";
const SCHEDULE: &str = "Schedule the stop";

/// Those states.
pub(super) fn states(lists: &ServerLists) -> Map<String, Value> {
    named([(START, set_the_hour(lists)), (SCHEDULE, schedule())])
}

fn set_the_hour(lists: &ServerLists) -> Value {
    let mut payload = input_of(lists);
    payload["begins"] = jsonata("$execution.start_time");
    let mut task = lambda(&payload, &phase_retries(), &json!({}), &caught(&broke_off(), FAILURE_MAIL));
    task["Assign"] = json!({ "asked": jsonata("$states.result.Payload") });
    task["Next"] = SCHEDULE.into();
    task
}

/// The mail of a run whose stop was not scheduled must not say that it was.
fn schedule() -> Value {
    let mut task = make_a_schedule("$asked.stop_schedule", START_ALL);
    let has_no_stop = json!({ "asked": jsonata("$merge([$asked, {'stops_at': null}])") });
    task["Catch"] = assigning(task["Catch"].take(), FAILURE_MAIL, &has_no_stop);
    task
}
