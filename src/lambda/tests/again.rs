//! The commands in a report's mail: what they ask is what was asked, but for what they change on purpose.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lambda::asked::{self, Opening};
use crate::lambda::payload::Request;
use crate::report::{Place, Report};
use crate::servers::file::ServerLists;

const NOW: &str = "2026-10-24T12:00:00Z";
const AT: &str = "2026-10-27T18:00:00Z";

#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// The state machine failed before anything was done.
    Failed,
    Skipped,
}

fn report(input: &Value, end: End, now: &str) -> Report {
    let id = "arn:aws:states:eu-west-1:123456789012:execution:machine:run-1";
    let execution = json!({ "Id": id, "Name": "run-1", "StartTime": NOW, "Input": input });
    let lists = ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap();
    let opening = Opening::deserialize(json!({
        "environments": lists.environments(), "calendar": "",
        "context": { "Execution": execution, "StateMachine": { "Id": "arn:machine" } },
        "schedules": { "group": "later-runs", "role": "arn:role", "dead_letters": "arn:queue" }
    }));
    let asked = asked::read(&opening.unwrap(), &[], NOW.parse().unwrap()).unwrap();
    let asked = serde_json::to_value(asked).unwrap();
    let skipped = end == End::Skipped;
    let payload = json!({
        "send_mail": true, "action": asked["action"], "dry_run": asked["dry_run"], "results": [],
        "execution": asked["execution"], "environments": asked["environments"], "skipped": skipped,
        "error": (!skipped).then(|| json!({ "Error": "Scheduler.AccessDenied", "Cause": "No." })),
        "calendar": skipped.then(|| json!({ "State": "CLOSED" })), "asked": asked
    });
    let Request::Report(request) = Request::parse(payload).unwrap() else { panic!("no report") };
    Report::build(&request, &lists, &Vec::new(), now.parse().unwrap())
}

fn text(input: &Value, end: End, now: &str) -> String {
    let place = Place::new("eu-west-1", "ec2-start-stop");
    report(input, end, now).mail(&TimeZone::UTC, &place).text
}

/// The input that `make` sends for a line's variables, as operate/ makes it.
fn of_make(text: &str) -> Option<Value> {
    let mut words = text.lines().find_map(|line| line.strip_prefix("  make "))?.split(' ');
    let mut input = json!({ "action": words.next() });
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        match name {
            "ENV" => input["environments"] = json!(value.split(',').collect::<Vec<_>>()),
            "DRY_RUN" => input["dry_run"] = json!(true),
            "AT" => input["at"] = json!(value),
            "STOP_AFTER_HOURS" => input["stop_after_hours"] = serde_json::from_str(value).unwrap(),
            "IGNORE_CALENDAR" => input["ignore_calendar"] = json!(true),
            other => panic!("make takes no {other}"),
        }
    }
    Some(input)
}

fn of_aws(text: &str) -> Value {
    let (_, input) = text.split_once("--input '").unwrap();
    serde_json::from_str(input.split_once('\'').unwrap().0).unwrap()
}

/// Every input of these fields that the function takes.
fn inputs() -> Vec<Value> {
    let fields = [
        ("environments", json!(["dev", "preprod"])),
        ("dry_run", json!(true)),
        ("at", json!(AT)),
        ("stop_after_hours", json!(4)),
        ("calendar", json!("holidays")),
        ("ignore_calendar", json!(true)),
    ];
    let mut inputs = vec![json!({ "action": "start" }), json!({ "action": "stop" })];
    for (field, value) in fields {
        let without = inputs.iter().filter(|input| field != "stop_after_hours" || input["action"] == "start");
        let more: Vec<Value> = without
            .map(|input| {
                let mut input = input.clone();
                input[field] = value.clone();
                input
            })
            .collect();
        inputs.extend(more);
    }
    inputs
}

#[test]
fn a_printed_command_asks_what_was_asked() {
    for input in inputs() {
        let text = text(&input, End::Failed, NOW);
        let mut wanted = input.clone();
        if input.get("ignore_calendar").is_some() {
            // Of a calendar that is not asked, nobody needs the name.
            wanted.as_object_mut().unwrap().shift_remove("calendar");
        }
        assert_eq!(of_aws(&text), wanted, "{text}");
        // Make has no variable for a calendar: rather no command than one without it.
        let make = wanted.get("calendar").is_none().then_some(wanted);
        assert_eq!(of_make(&text), make, "{text}");
    }
}

#[test]
fn a_run_that_the_calendar_kept_is_asked_again_in_spite_of_it() {
    for input in inputs().into_iter().filter(|input| input.get("at").is_none()) {
        let text = text(&input, End::Skipped, NOW);
        let mut wanted = input.clone();
        wanted["ignore_calendar"] = json!(true);
        wanted.as_object_mut().unwrap().shift_remove("calendar");
        assert_eq!((of_aws(&text), of_make(&text)), (wanted.clone(), Some(wanted)), "{text}");
    }
}

#[test]
fn a_good_dry_run_for_real_still_stops_again_and_ignores_the_calendar() {
    let input = json!({
        "action": "start", "dry_run": true, "environments": ["dev"], "stop_after_hours": 4, "ignore_calendar": true
    });
    let mut report = report(&input, End::Failed, NOW);
    (report.status, report.problems) = (crate::report::Status::Success, Vec::new());
    let text = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "ec2-start-stop")).text;
    let mut wanted = input;
    wanted.as_object_mut().unwrap().shift_remove("dry_run");
    assert!(text.contains("To do it for real:\n"), "{text}");
    assert_eq!((of_aws(&text), of_make(&text)), (wanted.clone(), Some(wanted)));
}

#[test]
fn a_run_for_later_that_could_not_be_scheduled_is_told_as_that() {
    let input = json!({ "action": "stop", "environments": ["dev"], "at": AT });
    let text = text(&input, End::Failed, NOW).replace('\u{a0}', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [
        "The stop for later was not scheduled",
        "It was to begin on Tuesday 2026-10-27 18:00 UTC, and its one-time schedule could not be made. Nothing was changed.",
        "To make its schedule once this is fixed: make stop ENV=dev AT=2026-10-27T18:00:00Z",
    ] {
        assert!(words.contains(said), "{text}");
    }
    assert!(!words.contains("of 1 server"), "{text}");
}

#[test]
fn a_check_for_later_that_could_not_be_scheduled_is_told_as_a_check_and_asked_again_as_one() {
    let input = json!({
        "check": true, "environments": ["dev"], "at": AT, "calendar": "holidays"
    });
    for (now, why) in
        [(NOW, "To make its schedule once this is fixed"), (AT, "Its time has passed. To check NOW")]
    {
        let report = report(&input, End::Failed, now);
        let mail = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "ec2-start-stop"));
        assert!(mail.subject.starts_with("CHECK STATUS: ABORTED"), "{}", mail.subject);
        let text = mail.text;
        assert!(text.contains("The check for later was not scheduled.") && text.contains(why), "{text}");
        // Whoever follows it must not start a server.
        for said in ["\n  make ", "START", "action"] {
            assert!(!text.contains(said), "{said} in {text}");
        }
        let mut wanted = input.clone();
        if now == AT {
            wanted.as_object_mut().unwrap().shift_remove("at");
        }
        assert_eq!(of_aws(&text), wanted);
    }
}

#[test]
fn a_start_whose_stop_could_not_be_scheduled_is_told_as_that_and_links_no_phase_log() {
    let place = Place::new("eu-west-1", "ec2-start-stop");
    let start =
        |hours: Value| json!({ "action": "start", "environments": ["dev"], "stop_after_hours": hours });
    for (hours, words) in [(json!(3), "3 hours"), (json!(1), "1 hour"), (json!(1.5), "1.5 hours")] {
        let report = report(&start(hours), End::Failed, NOW);
        let text = report.mail(&TimeZone::UTC, &place).text;
        let said = format!("Nothing was started: its stop after {words} could not be scheduled.");
        assert!(text.contains(&said), "{text}");
        for other in ["broke off", "dev: not reached", "Phase log"] {
            assert!(!text.contains(other), "{other} in {text}");
        }
        assert!(crate::muting::unsettled(&report).is_empty());
    }
    // A run that gave up waiting came to no schedule.
    let mut waited = report(&start(json!(3)), End::Failed, NOW);
    waited.problems[0].code = "EarlierRunStillGoing".to_owned();
    assert!(!waited.mail(&TimeZone::UTC, &place).text.contains("could not be scheduled"));
}

#[test]
fn what_was_for_a_time_that_has_passed_is_not_done_now_without_a_word() {
    let input = json!({ "action": "stop", "environments": ["dev"], "at": AT });
    let text = text(&input, End::Failed, AT);
    assert!(
        text.contains("Its time has passed. To do it NOW, once this is fixed:\n  make stop ENV=dev\n"),
        "{text}"
    );
}

#[test]
fn a_run_for_later_that_could_not_be_scheduled_unmutes_no_alarm() {
    for (input, unsettled) in [
        (json!({ "action": "start", "environments": ["dev"], "at": AT }), 0),
        (json!({ "action": "start", "environments": ["dev"] }), 2),
    ] {
        let report = report(&input, End::Failed, NOW);
        assert_eq!(crate::muting::unsettled(&report).len(), unsettled, "{input}");
    }
}

#[test]
fn a_report_of_a_run_that_was_for_later_says_so_whatever_else_the_payload_lacks() {
    let asked = crate::report::asked::Asked::read(Some(&json!({ "at": AT })), None);
    assert_eq!(asked.at, Some(AT.parse::<Timestamp>().unwrap()));
    assert_eq!(crate::report::asked::Asked::read(Some(&json!([])), None), Default::default());
}
