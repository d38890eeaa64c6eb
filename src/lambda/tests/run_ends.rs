//! How each kind of end is told: checks, runs for later, runs that did nothing, and mails that did not go out.

use serde_json::{Value, json};

use super::check::{changed, check, world as checked_world};
use super::status_changes::{description, ended, payload, put, report};
use super::{answer, settings};
use crate::testkit::small_ec2::{Habit, World};
use crate::{check as evening, report as reports};

const CHECK: &str = r#"{"check":true}"#;
const LATER: &str = r#"{"action":"start","environments":["dev"],"at":"2026-11-28T18:00"}"#;

/// The end of an execution that failed without an answer of ours.
fn broke_off(status: &str, error: &str, cause: &str, input: &str) -> Value {
    ended(status, json!({ "error": error, "cause": cause, "input": input }))
}

/// A check's end, as the state machine ends by the function's own answer.
fn end_of_check(world: &World) -> Value {
    let answer = check(world);
    match answer["ok"].as_bool().unwrap() {
        true => ended("SUCCEEDED", json!({ "input": CHECK, "output": answer.to_string() })),
        false => ended(
            "FAILED",
            json!({ "input": CHECK, "error": "SomethingWouldFail", "cause": answer["cause"] }),
        ),
    }
}

fn says_no_report(detail: &Value) -> bool {
    let title = detail["title"].as_str().unwrap();
    title.contains("without a report") || description(detail).contains("before you rely on any server")
}

#[test]
fn every_word_of_a_report_and_of_a_check_is_a_verdict() {
    use evening::Status::{NotProved, Ready, WouldFail};
    use reports::Status::{Aborted, Degraded, Skipped, Success};
    let of_reports = [Success, Degraded, Aborted, Skipped].map(reports::Status::word);
    let of_checks = [Ready, NotProved, WouldFail].map(evening::Status::word);
    let known = reports::Verdict::ALL.map(reports::Verdict::word);
    assert_eq!([&of_reports[..], &of_checks[..], &["SCHEDULED"]].concat(), known);
}

#[test]
fn a_good_check_is_told_as_ready_with_what_it_proved_and_could_not() {
    let detail = end_of_check(&checked_world());
    assert_eq!((&detail["verdict"], &detail["check"]), (&json!("READY"), &json!(true)));
    assert_eq!(detail["title"], "CHECK STATUS: READY · start-stop");
    assert_eq!((&detail["counts"], &detail["check_counts"]["servers"]), (&Value::Null, &json!(20)));
    let text = description(&detail);
    assert!(text.contains("EC2 would let 20 of 20 servers be started and 20 be stopped."), "{text}");
    assert!(text.contains("Not proved: capacity, quotas and stop protection"), "{text}");
    assert!(!says_no_report(&detail), "{text}");
}

#[test]
fn a_check_that_found_something_is_told_with_its_findings() {
    let world = checked_world();
    changed(&world, "test13", |server| server.habit = Habit::Refuses("UnauthorizedOperation"));
    let detail = end_of_check(&world);
    assert_eq!((&detail["verdict"], &detail["error"]), (&json!("WOULD FAIL"), &Value::Null));
    assert_eq!(detail["title"], "CHECK STATUS: WOULD FAIL · start-stop · preprod app: test13");
    assert_eq!(
        (&detail["problems"][0]["name"], &detail["problems"][0]["would_fail"]),
        (&json!("test13"), &json!(true))
    );
    let text = description(&detail);
    assert!(
        text.contains("\n• `test13` (`UnauthorizedOperation`): ") && text.contains(", 1 would fail"),
        "{text}"
    );
    assert!(!says_no_report(&detail), "{text}");
}

#[test]
fn what_a_check_could_not_ask_is_told_as_not_known_and_not_as_a_failure() {
    let world = checked_world();
    world.faults.borrow_mut().push(("DescribeInstances", "InternalError", 1_000));
    let detail = end_of_check(&world);
    assert_eq!(
        (&detail["verdict"], &detail["problems"][0]["would_fail"]),
        (&json!("NOT PROVED"), &json!(false))
    );
    assert!(description(&detail).contains("• Not known: `"), "{}", description(&detail));
}

#[test]
fn of_a_check_with_more_findings_than_its_cause_holds_the_others_are_counted() {
    let finding = json!({ "name": "a", "id": null, "code": "C", "message": "m", "would_fail": true });
    let cause =
        json!({ "status": "WOULD FAIL", "findings": vec![finding; 12], "findings_in_all": 40, "mail": null });
    let detail = broke_off("FAILED", "SomethingWouldFail", &cause.to_string(), CHECK);
    assert_eq!((detail["problems"].as_array().unwrap().len(), &detail["more_problems"]), (10, &json!(30)));
    assert!(description(&detail).contains("and 36 more: look at the execution."), "{}", description(&detail));
}

#[test]
fn a_check_without_an_answer_claims_nothing_and_says_that_it_changed_nothing() {
    let error = json!({ "Error": "Lambda.Unknown", "Cause": "it said <nothing>" }).to_string();
    for detail in [
        broke_off("FAILED", "SomethingWouldFail", &error, CHECK),
        broke_off("TIMED_OUT", "States.Timeout", "", CHECK),
        broke_off("ABORTED", "Enough", "", CHECK),
        ended("SUCCEEDED", json!({ "input": CHECK, "output": null })),
        ended("ABORTED", json!({ "input": CHECK, "output": r#"{"status":"READY"}"# })),
        ended(
            "FAILED",
            json!({ "input": CHECK, "cause": r#"{"status":"READY","subject":"CHECK STATUS: READY"}"# }),
        ),
    ] {
        let text = description(&detail);
        assert_eq!((&detail["verdict"], &detail["check_counts"]), (&Value::Null, &Value::Null), "{text}");
        assert!(text.contains("nothing is known") && text.contains("A check changes nothing."), "{text}");
        assert!(!text.contains("before you rely"), "{text}");
    }
    let detail = broke_off("FAILED", "SomethingWouldFail", &error, CHECK);
    assert!(
        description(&detail).contains("\nLambda.Unknown: it said ‹nothing›\n"),
        "{}",
        description(&detail)
    );
}

#[test]
fn a_run_for_later_is_told_with_its_time_and_its_schedule_and_not_as_begun() {
    let (_, began) = put(payload("RUNNING", json!({ "input": LATER })));
    assert_eq!(began["title"], "START ASKED FOR LATER · start-stop · dev");
    let output = json!({ "status": "SCHEDULED", "at": "2026-11-28T18:00:00Z", "schedule": "later-run-7-0a" });
    let detail = ended("SUCCEEDED", json!({ "input": LATER, "output": output.to_string() }));
    assert_eq!((&detail["verdict"], &detail["counts"]), (&json!("SCHEDULED"), &Value::Null));
    assert_eq!(detail["scheduled"], json!({ "at": "2026-11-28T18:00:00Z", "schedule": "later-run-7-0a" }));
    assert_eq!(detail["title"], "START SCHEDULED for 2026-11-28 18:00 UTC · start-stop · dev");
    let text = description(&detail);
    assert!(
        text.contains("Nothing was started or stopped yet: the schedule `later-run-7-0a` begins it at"),
        "{text}"
    );
    assert!(!says_no_report(&detail), "{text}");
}

#[test]
fn a_schedule_that_is_not_told_whole_or_whose_run_failed_is_none() {
    let whole = json!({ "status": "SCHEDULED", "at": "2026-11-28T18:00:00Z", "schedule": "s" });
    let mut cut = whole.clone();
    cut["at"] = json!("soon");
    for detail in [
        ended("SUCCEEDED", json!({ "input": LATER, "output": cut.to_string() })),
        broke_off("FAILED", "E", &whole.to_string(), LATER),
        broke_off("ABORTED", "E", &whole.to_string(), LATER),
    ] {
        assert_eq!((&detail["verdict"], &detail["scheduled"]), (&Value::Null, &Value::Null));
        let text = description(&detail);
        assert!(text.contains("Whether a schedule was made for later is not known"), "{text}");
        assert!(!text.contains("before you rely"), "{text}");
    }
}

#[test]
fn a_run_whose_input_was_refused_or_not_read_is_told_to_have_touched_nothing() {
    let sentence = "Nothing was started or stopped. The input's field `at` is unknown.";
    let told = json!({ "errorMessage": sentence, "errorType": "InvalidInput" }).to_string();
    let refused = broke_off("FAILED", "InvalidInput", &told, "{}");
    assert!(description(&refused).contains(&format!("\n{sentence}\n")), "{}", description(&refused));
    assert_eq!(refused["title"], "A RUN REFUSED · start-stop · InvalidInput");
    let lambdas = json!({ "errorType": "AwsUnreachable", "errorMessage": "no answer" }).to_string();
    let not_read = json!({ "Error": "AwsUnreachable", "Cause": lambdas }).to_string();
    let not_read = broke_off("FAILED", "InputNotRead", &not_read, r#"{"action":"stop","dry_run":true}"#);
    assert_eq!(not_read["title"], "DRY RUN: SHUTDOWN DID NOT BEGIN · start-stop · InputNotRead");
    assert!(description(&not_read).contains("\nAwsUnreachable: no answer\n"), "{}", description(&not_read));
    for detail in [refused, not_read] {
        assert!(
            description(&detail).ends_with("\nNothing was started or stopped."),
            "{}",
            description(&detail)
        );
        assert_eq!(detail["verdict"], Value::Null);
        assert!(!says_no_report(&detail));
    }
    // Whoever ends a run may give any error.
    assert!(says_no_report(&broke_off("ABORTED", "InvalidInput", "", r#"{"action":"stop"}"#)));
}

#[test]
fn a_silent_run_of_a_closed_calendar_says_why_it_did_nothing() {
    let world = World::new([]);
    let request = json!({
        "send_mail": true, "action": "start", "skipped": true, "closed_calendar_mail": "silence", "results": [],
        "asked": { "calendars": ["holidays"] },
        "calendar": { "State": "CLOSED", "NextTransitionTime": "2026-11-30T06:00:00Z" },
    });
    let output = answer(&world, &settings(), request).unwrap();
    assert!(world.mails.borrow().is_empty());
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string() }));
    assert_eq!((&detail["verdict"], &detail["mail_error"]), (&json!("SKIPPED"), &Value::Null));
    let text = description(&detail);
    assert!(
        text.contains(
            "Nothing was started or stopped.\nThe calendar holidays is closed until 2026-11-30 06:00 UTC"
        ),
        "{text}"
    );
    assert!(!text.contains("0 of 0") && !text.contains("mail"), "{text}");
}

#[test]
fn a_run_that_did_nothing_and_could_mail_nobody_is_told_as_one_that_did_nothing() {
    // As the state machine's Fail writes it (servers/machine.rs).
    let error = json!({ "Error": "MailRejected", "Cause": r#"{"errorMessage":"SES said no"}"# });
    let cause = |status: &str| {
        let calendar = json!({ "State": "CLOSED" });
        json!({ "status": status, "mail_error": error, "calendar": calendar, "problems": [], "remarks": [] })
            .to_string()
    };
    let detail = broke_off("FAILED", "NobodyTold", &cause("SKIPPED"), r#"{"action":"stop"}"#);
    assert_eq!((&detail["verdict"], &detail["error"]), (&json!("SKIPPED"), &Value::Null));
    assert_eq!(detail["mail_error"], json!({ "name": "MailRejected", "cause": "SES said no" }));
    assert_eq!(detail["title"], "SHUTDOWN STATUS: SKIPPED · start-stop, mail not sent");
    assert!(description(&detail).contains("\nNothing was started or stopped.\n"), "{}", description(&detail));
    assert!(!says_no_report(&detail), "{}", description(&detail));
    let never = broke_off("FAILED", "NobodyTold", &cause("SUCCESS"), r#"{"action":"stop"}"#);
    assert_eq!(never["verdict"], Value::Null);
}

#[test]
fn a_mail_that_did_not_go_out_is_told_with_its_code_and_never_pointed_to() {
    let error =
        json!({ "Error": "MailRejected", "Cause": r#"{"errorMessage":"the report could not be sent"}"# });
    let output = json!({ "status": "DEGRADED", "mail_error": error, "results": [] });
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string() }));
    assert_eq!(detail["title"], "START STATUS: DEGRADED · start-stop, mail not sent");
    assert_eq!(
        detail["mail_error"],
        json!({ "name": "MailRejected", "cause": "the report could not be sent" })
    );
    let told = "As far as is known no mail went out: `MailRejected`: the report could not be sent";
    assert!(description(&detail).ends_with(told), "{}", description(&detail));
    let mut cause = report("ABORTED");
    cause["problems"] = json!(vec![cause["problems"][0].clone(); 20]);
    cause["subject"] = json!(format!("START STATUS: ABORTED · {}", "x".repeat(200)));
    cause["mail_error"] = output["mail_error"].clone();
    let detail = broke_off("FAILED", "ServersNotAsWanted", &cause.to_string(), "{}");
    let title = detail["title"].as_str().unwrap();
    assert!(title.ends_with("…, mail not sent") && title.chars().count() <= 120, "{title}");
    assert!(description(&detail).contains("and 16 more: look at the execution."), "{}", description(&detail));
}

#[test]
fn a_checks_mail_error_is_a_sentence_and_its_code_is_found_where_it_has_one() {
    let told = |error: &str| {
        let output = json!({ "status": "WOULD FAIL", "mail_error": error, "mail": null });
        broke_off("FAILED", "SomethingWouldFail", &output.to_string(), CHECK)["mail_error"].clone()
    };
    assert_eq!(told("MailRejected: SES: no"), json!({ "name": "MailRejected", "cause": "SES: no" }));
    let plain = "MAIL_SENDER is not set";
    assert_eq!(told(plain), json!({ "name": null, "cause": plain }));
    assert_eq!(told("it is so: no"), json!({ "name": null, "cause": "it is so: no" }));
}

#[test]
fn only_a_mail_that_went_out_is_said_to_have_the_others() {
    let mut output = report("DEGRADED");
    output["problems"] = json!(vec![output["problems"][0].clone(); 7]);
    let ends = |output: &Value| ended("SUCCEEDED", json!({ "output": output.to_string() }));
    assert!(description(&ends(&output)).contains("and 3 more: the mail has them all."));
    output["mail"] = Value::Null;
    assert!(description(&ends(&output)).contains("and 3 more: look at the execution."));
    output.as_object_mut().unwrap().remove("mail");
    assert!(description(&ends(&output)).contains("and 3 more: look at the execution."));
}

#[test]
fn a_dry_run_is_not_told_as_done() {
    let mut output = report("DEGRADED");
    output["dry_run"] = json!(true);
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string() }));
    let told = "Nothing was changed: 2 of 3 servers would be as wanted, 1 not as wanted.";
    assert!(description(&detail).contains(told), "{}", description(&detail));
    let input = r#"{"action":"start","dry_run":true}"#;
    let detail = broke_off("TIMED_OUT", "States.Timeout", "", input);
    assert!(description(&detail).ends_with("No report came with its end. A dry run changes nothing."));
}

#[test]
fn a_redriven_run_that_failed_again_says_that_its_report_may_be_the_old_one() {
    let ends = |redrives: u64, status: &str| {
        let text = report("DEGRADED").to_string();
        let told =
            json!({ "redriveCount": redrives, "error": "ServersNotAsWanted", "cause": text, "output": text });
        description(&ended(status, told)).contains("may be of the time before")
    };
    assert!(ends(1, "FAILED"));
    assert!(!ends(0, "FAILED") && !ends(1, "SUCCEEDED") && !ends(1, "TIMED_OUT"));
}

#[test]
fn remarks_are_told_also_where_all_is_well_and_no_more_than_there_is_room_for() {
    let mut output = report("SUCCESS");
    output["problems"] = json!([]);
    output["remarks"] = json!(["preprod was left alone: <Ana> said no.", 7, "Second."]);
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string() }));
    assert_eq!(detail["remarks"], json!(["preprod was left alone: <Ana> said no.", "Second."]));
    assert!(description(&detail).ends_with("\npreprod was left alone: ‹Ana› said no.\nSecond."));
    output["remarks"] = json!(vec!["\u{1f600}".repeat(900); 90]);
    let problem =
        json!({ "name": "n".repeat(300), "id": null, "code": "c".repeat(300), "message": "m".repeat(900) });
    output["problems"] = json!(vec![problem; 20]);
    output["mail_error"] = json!({ "Error": "e".repeat(900), "Cause": "c".repeat(900) });
    let detail = ended("SUCCEEDED", json!({ "output": output.to_string(), "redriveCount": 1 }));
    assert_eq!(detail["remarks"].as_array().unwrap().len(), 5);
    assert!(description(&detail).chars().count() <= 2_900, "{}", description(&detail).chars().count());
    assert!(description(&detail).contains("no mail went out: `eee"), "{}", description(&detail));
}

#[test]
fn a_check_for_later_that_was_not_scheduled_is_told_as_a_check_and_as_no_start() {
    let subject = "CHECK STATUS: ABORTED · start-stop · the state machine: Scheduler.ThrottlingException";
    let answer = json!({ "status": "ABORTED", "subject": subject, "action": "start", "mail": {} });
    let input = r#"{"check":true,"at":"2026-11-28T18:00:00Z"}"#;
    let detail = broke_off("FAILED", "StartStopAborted", &answer.to_string(), input);
    assert_eq!((&detail["action"], &detail["check"]), (&Value::Null, &json!(true)));
    assert_eq!(detail["title"], subject);
}

#[test]
fn a_run_for_later_whose_schedule_could_not_be_made_is_told_as_that_and_counts_no_servers() {
    let told = "\nNothing was started or stopped; its schedule could not be made.\n";
    let check = r#"{"check":true,"at":"2026-11-28T18:00:00Z"}"#;
    for input in [LATER, check] {
        let answer = report("ABORTED").to_string();
        let detail = broke_off("FAILED", "StartStopAborted", &answer, input);
        let text = description(&detail);
        assert!(text.contains(told) && !text.contains("as wanted"), "{text}");
    }
    // The run that the schedule begins has an input without a time.
    let detail = ended("FAILED", json!({ "cause": report("ABORTED").to_string() }));
    assert!(description(&detail).contains("2 of 3 servers as wanted"), "{}", description(&detail));
}
