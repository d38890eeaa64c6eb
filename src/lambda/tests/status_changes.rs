//! AWS's own event of an execution → our own: what is taken, what is refused, and what is never claimed.

use serde_json::{Value, json};

use super::{answer, settings};
use crate::lambda::settings::Settings;
use crate::testkit::small_ec2::World;

const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:Machine-1";
const EXECUTION: &str = "arn:aws:states:eu-west-1:123456789012:execution:Machine-1:run-7";

/// As the rule hands it on; `more` are fields of AWS's detail.
pub(super) fn payload(status: &str, more: Value) -> Value {
    let mut detail = json!({
        "executionArn": EXECUTION, "stateMachineArn": MACHINE, "name": "run-7", "status": status,
        "startDate": 1_795_500_000_000_i64, "stopDate": null, "redriveCount": 0,
        "input": "{\"action\":\"start\"}", "inputDetails": { "included": true },
        "output": null, "outputDetails": null,
    });
    for (name, value) in more.as_object().unwrap() {
        detail[name] = value.clone();
    }
    json!({ "state_machine": MACHINE, "status_change": {
        "version": "0", "id": "11111111-2222-3333-4444-555555555555", "source": "aws.states",
        "detail-type": "Step Functions Execution Status Change", "account": "123456789012",
        "time": "2026-11-24T06:00:00Z", "region": "eu-west-1", "resources": [EXECUTION], "detail": detail,
    } })
}

/// The one event that was put: its detail-type and its detail.
pub(super) fn put(payload: Value) -> (&'static str, Value) {
    let world = World::new([]);
    answer(&world, &settings(), payload).unwrap();
    let events = world.events.borrow();
    let [event] = &events[..] else { unreachable!("{} events were put", events.len()) };
    assert_eq!(event.resources, [EXECUTION, MACHINE]);
    assert_eq!(world.calls.borrow().len(), 1, "nothing else is asked of AWS");
    (event.detail_type, serde_json::from_str(&event.detail).unwrap())
}

pub(super) fn ended(status: &str, more: Value) -> Value {
    let mut more = more;
    more["stopDate"] = json!(1_795_500_600_000_i64);
    let (detail_type, detail) = put(payload(status, more));
    assert_eq!(detail_type, "EC2 Start/Stop Run Ended");
    detail
}

pub(super) fn report(status: &str) -> Value {
    json!({
        "status": status, "subject": format!("START STATUS: {status} · nights"), "action": "start", "dry_run": false,
        "mail": { "message_id": "m-1", "from": "a@example.com", "to": ["b@example.com"] },
        "counts": { "servers": 3, "as_wanted": 2, "changed": 2, "held": 0, "problems": 1, "not_reached": 0, "not_in_run": 0 },
        "problems": [{ "name": "test2", "id": "i-1", "code": "InsufficientInstanceCapacity", "message": "No capacity." }],
    })
}

pub(super) fn description(detail: &Value) -> &str {
    detail["chat"]["content"]["description"].as_str().unwrap()
}

#[test]
fn a_build_without_events_refuses_to_tell_and_says_what_to_do() {
    let world = World::new([]);
    let without = Settings { can_put_events: false, ..settings() };
    let refused = answer(&world, &without, payload("RUNNING", json!({}))).unwrap_err();
    assert_eq!(refused.name(), "Misconfigured");
    assert!(refused.message().contains("deploy with Events=off"), "{}", refused.message());
    assert!(world.events.borrow().is_empty() && world.calls.borrow().is_empty());
}

#[test]
fn a_begin_is_told_with_what_was_asked() {
    let input = r#"{"action":"stop","environments":["dev","test"],"dry_run":true}"#;
    let (detail_type, detail) = put(payload("RUNNING", json!({ "input": input })));
    assert_eq!(detail_type, "EC2 Start/Stop Run Began");
    assert_eq!(detail["title"], "DRY RUN: SHUTDOWN BEGAN · start-stop · dev, test");
    assert_eq!(detail["environments"], json!(["dev", "test"]));
    assert_eq!((&detail["action"], &detail["dry_run"]), (&json!("stop"), &json!(true)));
    assert_eq!((&detail["verdict"], &detail["ended_at"]), (&Value::Null, &Value::Null));
    assert!(detail["links"]["execution"].as_str().unwrap().ends_with(EXECUTION));
}

#[test]
fn an_end_brings_the_reports_verdict_counts_and_problems() {
    let detail = ended("SUCCEEDED", json!({ "output": report("DEGRADED").to_string() }));
    assert_eq!((&detail["status"], &detail["verdict"]), (&json!("SUCCEEDED"), &json!("DEGRADED")));
    assert_eq!(detail["counts"]["as_wanted"], 2);
    assert_eq!(detail["problems"][0]["code"], "InsufficientInstanceCapacity");
    assert_eq!(detail["title"], "START STATUS: DEGRADED · nights");
    assert!(description(&detail).contains("2 of 3 servers as wanted, 1 not as wanted."));
    assert!(description(&detail).contains("`test2` (`InsufficientInstanceCapacity`): No capacity."));
    assert_eq!(detail["chat"]["metadata"]["threadId"], "run-7");
}

#[test]
fn a_failed_run_brings_the_report_of_its_cause() {
    let detail =
        ended("FAILED", json!({ "error": "ServersNotAsWanted", "cause": report("ABORTED").to_string() }));
    assert_eq!((&detail["verdict"], &detail["error"]), (&json!("ABORTED"), &Value::Null));
    assert_eq!(detail["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn a_run_by_a_machine_of_the_reference_brings_its_report_too() {
    let mut output = report("SUCCESS");
    output["statusCode"] = json!(200);
    output["problems"] = json!([]);
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string(), "input": "{}" }));
    assert_eq!((&detail["verdict"], &detail["action"]), (&json!("SUCCESS"), &json!("start")));
}

#[test]
fn what_is_no_report_is_no_success_and_no_error_of_ours() {
    for output in [
        json!(null),
        json!("no JSON"),
        json!("7"),
        json!("{\"status\":\"GREAT\"}"),
        json!("{\"statusCode\":200}"),
    ] {
        let detail = ended("SUCCEEDED", json!({ "output": output, "outputDetails": { "included": false } }));
        assert_eq!((&detail["verdict"], &detail["counts"]), (&Value::Null, &Value::Null));
        assert_eq!(detail["title"], "START ENDED without a report · start-stop");
        assert!(description(&detail).contains("No report came"), "{output}");
    }
}

#[test]
fn an_execution_that_did_not_succeed_is_never_told_as_a_success() {
    for (status, title) in [
        ("FAILED", "START FAILED without a report · start-stop · E"),
        ("TIMED_OUT", "START TIMED OUT without a report · start-stop · E"),
        ("ABORTED", "START ENDED BY SOMEBODY without a report · start-stop · E"),
    ] {
        for word in ["SUCCESS", "SKIPPED"] {
            let cause = report(word).to_string();
            let detail = ended(
                status,
                json!({ "error": "E", "cause": cause, "output": report("SUCCESS").to_string() }),
            );
            assert_eq!((&detail["verdict"], &detail["title"]), (&Value::Null, &json!(title)));
            assert_eq!((&detail["error"]["name"], &detail["counts"]), (&json!("E"), &Value::Null));
        }
    }
}

#[test]
fn a_cause_that_is_no_json_is_told_as_it_is_and_shortened() {
    let detail =
        ended("FAILED", json!({ "error": "States.Runtime", "cause": "Nothing\nwas started. ".repeat(100) }));
    let cause = detail["error"]["cause"].as_str().unwrap();
    assert!(cause.starts_with("Nothing was started. Nothing") && cause.chars().count() <= 1_000);
    assert_eq!(detail["title"], "START FAILED without a report · start-stop · States.Runtime");
}

#[test]
fn an_input_that_did_not_come_is_not_made_up() {
    for input in [json!(null), json!("no JSON"), json!("[]")] {
        let (_, detail) = put(payload("RUNNING", json!({ "input": input })));
        assert_eq!((&detail["action"], &detail["environments"]), (&Value::Null, &Value::Null));
        assert!(detail["title"].as_str().unwrap().starts_with("A RUN BEGAN"));
    }
}

#[test]
fn a_redrive_is_told_as_one() {
    let (_, detail) = put(payload("RUNNING", json!({ "redriveCount": 2 })));
    assert_eq!(
        (&detail["redrives"], &detail["title"]),
        (&json!(2), &json!("START BEGAN AGAIN, redriven · start-stop"))
    );
}

#[test]
fn the_largest_report_and_the_largest_input_stay_small() {
    let mut output = report("DEGRADED");
    let problem = json!({ "name": "\u{1f600}".repeat(300), "id": "i".repeat(300), "code": "c".repeat(300), "message": "\u{1f600}".repeat(9_000) });
    output["problems"] = json!(vec![problem; 500]);
    output["counts"]["problems"] = json!(700);
    let input = json!({ "action": "start", "environments": vec!["e".repeat(500); 2_000] });
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string(), "input": input.to_string() }));
    assert!(detail.to_string().len() < 100_000, "{}", detail.to_string().len());
    assert_eq!((detail["problems"].as_array().unwrap().len(), &detail["more_problems"]), (10, &json!(690)));
    assert!(description(&detail).ends_with("and 696 more: the mail has them all."));
    assert!(description(&detail).chars().count() <= 2_900, "{}", description(&detail).chars().count());
}

#[test]
fn a_servers_name_cannot_call_a_whole_channel() {
    let mut output = report("DEGRADED");
    output["problems"][0]["name"] = json!("<!channel> `x` <https://example.com|a link>");
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string() }));
    let chat = detail["chat"].to_string();
    assert!(!chat.contains('<') && !chat.contains('>'), "{chat}");
    assert!(description(&detail).contains("`‹!channel› 'x'"));
}

#[test]
fn another_machines_event_and_another_event_are_refused_and_nothing_is_put() {
    let other = "arn:aws:states:eu-west-1:123456789012:stateMachine:Other";
    let changed = |change: fn(&mut Value, &str)| {
        let mut event = payload("RUNNING", json!({}));
        change(&mut event, other);
        event
    };
    for (event, field) in [
        (changed(|event, other| event["state_machine"] = json!(other)), "detail.stateMachineArn"),
        (
            changed(|event, other| event["status_change"]["detail"]["stateMachineArn"] = json!(other)),
            "detail.stateMachineArn",
        ),
        (
            changed(|event, _| event["status_change"]["detail"]["executionArn"] = json!("arn:other")),
            "detail.executionArn",
        ),
        (
            changed(|event, _| event["status_change"]["detail"]["name"] = json!("run-8")),
            "detail.executionArn",
        ),
        (changed(|event, _| event["status_change"]["source"] = json!("aws.ec2")), "status_change.source"),
        (
            changed(|event, _| event["status_change"]["detail-type"] = json!("Other")),
            "status_change.detail-type",
        ),
        (changed(|event, _| event["status_change"]["time"] = json!(7)), "status_change.time"),
        (changed(|event, _| event["status_change"]["detail"]["status"] = json!("DONE")), "detail.status"),
        (
            changed(|event, _| event["status_change"]["detail"]["startDate"] = json!("today")),
            "detail.startDate",
        ),
        (changed(|event, _| event["status_change"] = json!([])), "status_change.source"),
        (changed(|event, _| event["action"] = json!("start")), "`action`"),
        (changed(|event, _| drop(event.as_object_mut().unwrap().remove("state_machine"))), "state_machine"),
    ] {
        let world = World::new([]);
        let error = answer(&world, &settings(), event).unwrap_err();
        assert_eq!(error.name(), "InvalidPayload");
        assert!(error.to_string().contains(field), "{error}");
        assert!(world.calls.borrow().is_empty() && world.events.borrow().is_empty());
    }
}

#[test]
fn an_event_that_eventbridge_does_not_take_is_an_error_with_its_name() {
    let world = World::new([]);
    world.faults.borrow_mut().push(("PutEvents", "AccessDeniedException", 1));
    let error = answer(&world, &settings(), payload("RUNNING", json!({}))).unwrap_err();
    assert_eq!(error.name(), "AccessDenied");
}
