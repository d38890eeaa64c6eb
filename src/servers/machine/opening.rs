//! The machine's opening: what a run was asked for, before it looks for an earlier one.
//!
//! Owns the states from the input to `Look for an earlier run`. The plain `{"action": "start"}` and
//! `{"action": "stop"}` of a stack without a calendar are told from all others by their text, which no input makes
//! fail, and enter none of these states. Every other input the function reads (`lambda/asked.rs`): it refuses it, or
//! answers as `$asked` what is to be done. A run for later is a schedule that deletes itself, not a Wait: a waiting
//! execution would be an earlier run to every other one.

use serde_json::{Map, Value, json};

use super::mail::{AGREES, FAILURE_MAIL, LOOK, mail};
use super::task::{
    assigning, aws, broke_off, caught, choice, jsonata, lambda, mail_retries, named, phase_retries,
};
use crate::servers::file::ServerLists;

const READ: &str = "Read the input";
const NOT_UNDERSTOOD: &str = "Input not understood";
const NOT_READ: &str = "Input not read";
const ASKED_FOR: &str = "What was asked for?";
const LATER: &str = "Make a schedule for later";
const BEGINS_LATER: &str = "The run begins later";
const ASK_CALENDAR: &str = "Ask the calendar";
const IS_OPEN: &str = "Is the calendar open?";
const SAY_NOTHING_DONE: &str = "Say that nothing was done";
pub(super) const NOTHING_DONE: &str = "Nothing was done";
const CHECK: &str = "Check the account";
const IS_READY: &str = "Is all ready?";
const READY: &str = "All is ready";
const WOULD_FAIL: &str = "Something would fail";

pub(super) const START: &str = "Start or stop?";

/// All states before `Look for an earlier run`.
pub(super) fn states(lists: &ServerLists) -> Map<String, Value> {
    let states = [
        (START, start_or_stop(lists)),
        (READ, read_the_input(lists)),
        (NOT_UNDERSTOOD, input_not_understood()),
        (NOT_READ, input_not_read()),
        (ASKED_FOR, what_was_asked_for()),
        (LATER, make_a_schedule("$asked.schedule", BEGINS_LATER)),
        (BEGINS_LATER, begins_later()),
        (ASK_CALENDAR, ask_the_calendar()),
        (IS_OPEN, is_the_calendar_open()),
        (SAY_NOTHING_DONE, say_that_nothing_was_done()),
        (NOTHING_DONE, json!({ "Type": "Succeed" })),
        (CHECK, check_the_account()),
        (IS_READY, choice(&[("$states.input.ok", READY)], WOULD_FAIL)),
        (READY, json!({ "Type": "Succeed", "Output": jsonata("$states.input.report") })),
        (WOULD_FAIL, would_fail()),
    ];
    named(states)
}

/// One rule, which is no error whatever the input is: the text of a string is the string, so that a JSON text in quotes
/// would look like the object that it holds.
fn start_or_stop(lists: &ServerLists) -> Value {
    let is_plain = r#"$string($states.input) in ['{"action":"start"}', '{"action":"stop"}']"#;
    let plain = format!("$type($states.input) = 'object' and {is_plain} and '${{Calendar}}' = ''");
    json!({
        "Type": "Choice",
        "Choices": [{
            "Condition": jsonata(&plain),
            "Assign": {
                "action": jsonata("$states.input.action"),
                "dry_run": false,
                "wanted": lists.environments(),
                "execution": {
                    "id": jsonata("$states.context.Execution.Id"),
                    "name": jsonata("$states.context.Execution.Name"),
                    "start_time": jsonata("$states.context.Execution.StartTime")
                },
                "looks": 0,
                "look_error": null,
                "asked": null,
                "calendar": null
            },
            "Next": LOOK
        }],
        "Default": READ
    })
}

/// The environments are the machine's own: a servers.toml that cannot be read keeps no run from going on to its mail.
fn read_the_input(lists: &ServerLists) -> Value {
    let payload = input_of(lists);
    let error = json!({ "error": jsonata("$states.errorOutput") });
    let mut catch = vec![json!({ "ErrorEquals": ["InvalidInput"], "Output": error, "Next": NOT_UNDERSTOOD })];
    catch.extend(caught(&error, NOT_READ).as_array().cloned().unwrap_or_default());
    let mut task = lambda(&payload, &phase_retries(), &json!({}), &catch.into());
    task["Assign"] = json!({
        "action": jsonata("$states.result.Payload.action"),
        "dry_run": jsonata("$states.result.Payload.dry_run"),
        "wanted": jsonata("$states.result.Payload.environments"),
        "execution": jsonata("$states.result.Payload.execution"),
        "looks": 0,
        "look_error": null,
        "asked": jsonata("$states.result.Payload"),
        "calendar": null
    });
    task["Next"] = ASKED_FOR.into();
    task
}

/// The payload with which the function reads an input, and answers what is to be done. The context holds the input:
/// sent once, because the arguments of a task hold 256 KiB.
pub(super) fn input_of(lists: &ServerLists) -> Value {
    json!({
        "context": jsonata("$states.context"),
        "environments": lists.environments(),
        "calendar": "${Calendar}",
        "schedules": {
            "group": "${LaterRuns}",
            "role": "${ScheduleRoleArn}",
            "dead_letters": "${MissedSchedulesArn}"
        }
    })
}

/// Refused by the function, with its sentence in the cause.
fn input_not_understood() -> Value {
    json!({ "Type": "Fail", "Error": "InvalidInput", "Cause": jsonata("$states.input.error.Cause") })
}

/// The function did not answer, or not what is wanted. A Fail cannot pass the error's own name on: those of Step
/// Functions, which begin with `States.`, are not allowed there.
fn input_not_read() -> Value {
    json!({ "Type": "Fail", "Error": "InputNotRead", "Cause": jsonata("$string($states.input.error)") })
}

fn what_was_asked_for() -> Value {
    let ways = [("$asked.later", LATER), ("$asked.asks_calendar", ASK_CALENDAR), ("$asked.check", CHECK)];
    choice(&ways, LOOK)
}

/// A schedule of this name is there already: an attempt before this one made it.
pub(super) fn make_a_schedule(schedule: &str, next: &str) -> Value {
    let conflict = "Scheduler.ConflictException";
    let mut catch = vec![json!({ "ErrorEquals": [conflict], "Output": {}, "Next": next })];
    catch.extend(caught(&broke_off(), FAILURE_MAIL).as_array().cloned().unwrap_or_default());
    let mut task = aws("scheduler:createSchedule", &jsonata(schedule), &json!({}));
    task["Retry"].as_array_mut().into_iter().for_each(|retries| {
        retries.insert(0, json!({ "ErrorEquals": [conflict], "MaxAttempts": 0 }));
    });
    task["Catch"] = catch.into();
    task["Next"] = next.into();
    task
}

fn begins_later() -> Value {
    json!({
        "Type": "Succeed",
        "Output": {
            "status": "SCHEDULED",
            "at": jsonata("$asked.at"),
            "schedule": jsonata("$asked.schedule.Name")
        }
    })
}

/// What the calendar says, or why it cannot be read, as `$calendar`.
fn ask_the_calendar() -> Value {
    let nothing_yet = json!({ "results": [], "error": null });
    let names = json!({ "CalendarNames": jsonata("$asked.calendars") });
    let mut task = aws("ssm:getCalendarState", &names, &nothing_yet);
    let unread = json!({ "calendar": jsonata("$states.errorOutput") });
    task["Assign"] = json!({ "calendar": jsonata("$states.result") });
    task["Catch"] = assigning(caught(&nothing_yet, IS_OPEN), IS_OPEN, &unread);
    task["Next"] = IS_OPEN.into();
    task
}

fn is_the_calendar_open() -> Value {
    let nothing =
        "$calendar.State = 'CLOSED' or $exists($calendar.Error) and '${UnreadableCalendar}' = 'do-nothing'";
    let ways = [("$asked.check", CHECK), (nothing, SAY_NOTHING_DONE)];
    choice(&ways, LOOK)
}

fn say_that_nothing_was_done() -> Value {
    // Nobody is surprised who wants no mail of a closed calendar; of anything else somebody must hear.
    let untold = "$not('${ClosedCalendarMail}' = 'silence' and $calendar.State = 'CLOSED')";
    let not_sent = json!({
        "status": "SKIPPED",
        "mail_error": jsonata("$states.errorOutput"),
        "untold": jsonata(untold)
    });
    let mut task = mail(&jsonata("$states.result.Payload"), &not_sent, AGREES);
    let payload = &mut task["Arguments"]["Payload"];
    payload["skipped"] = true.into();
    payload["closed_calendar_mail"] = "${ClosedCalendarMail}".into();
    task
}

fn check_the_account() -> Value {
    let payload = json!({
        "check": true,
        "asked": jsonata("$asked"),
        "calendar": jsonata("$calendar"),
        "environments": jsonata("$wanted"),
        "execution": jsonata("$execution")
    });
    let report = json!({
        "ok": jsonata("$states.result.Payload.ok"),
        "report": jsonata("$states.result.Payload"),
        "cause": jsonata("$states.result.Payload.cause")
    });
    let failed = json!({ "ok": false, "cause": jsonata("$string($states.errorOutput)") });
    let mut task = lambda(&payload, &mail_retries(), &report, &caught(&failed, IS_READY));
    task["Next"] = IS_READY.into();
    task
}

fn would_fail() -> Value {
    json!({
        "Type": "Fail",
        "Error": "SomethingWouldFail",
        "Cause": jsonata("$states.input.cause")
    })
}
