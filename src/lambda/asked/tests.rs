//! Every field of an input: what is understood of it, and what is refused with which words.

#![allow(clippy::unwrap_used, reason = "a test may")]

use serde_json::{Value, json};

use super::*;
use serde::Deserialize;

const NOW: &str = "2026-10-24T12:00:00Z";

fn opening(calendar: &str, input: Value) -> Opening {
    let opening = json!({
        "context": {
            "Execution": {
                "Id": "arn:aws:states:eu-west-1:123456789012:execution:machine:run-1",
                "Name": "run-1",
                "StartTime": "2026-10-24T11:59:58.5Z",
                "Input": input
            },
            "StateMachine": {
                "Id": "arn:aws:states:eu-west-1:123456789012:stateMachine:machine", "Name": "machine"
            },
            "State": { "Name": "Read the input" }
        },
        "environments": ["dev", "test", "preprod"],
        "calendar": calendar,
        "schedules": { "group": "later-runs", "role": "arn:role", "dead_letters": "arn:queue" }
    });
    Opening::deserialize(opening).unwrap()
}

fn asked_of(calendar: &str, input: Value) -> Result<Asked, Refusal> {
    read(&opening(calendar, input), &[], NOW.parse().unwrap())
}

fn asked(input: Value) -> Asked {
    asked_of("", input).unwrap()
}

fn refused(input: Value) -> String {
    asked_of("", input).unwrap_err().to_string()
}

#[test]
fn a_plain_start_asks_for_every_environment_and_nothing_else() {
    let asked = asked(json!({ "action": "start" }));
    assert_eq!(asked.environments, ["dev", "test", "preprod"]);
    assert_eq!(asked.execution.name, "run-1");
    assert_eq!(asked.action, Action::Start);
    let nothing = [asked.dry_run, asked.later, asked.asks_calendar, asked.check, asked.stops_later];
    assert_eq!(nothing, [false; 5]);
    assert_eq!((asked.schedule, asked.stop_schedule, asked.at), (None, None, None));
}

#[test]
fn what_is_no_object_or_no_action_is_refused() {
    for input in [json!([]), json!("start"), json!(null), json!(7), json!([{ "action": "start" }])] {
        assert!(refused(input).contains("The input must be a JSON object"));
    }
    for input in
        [json!({}), json!({ "action": "restart" }), json!({ "action": "START" }), json!({ "action": null })]
    {
        assert!(refused(input).contains("`action`: expected \"start\" or \"stop\""));
    }
}

#[test]
fn an_unknown_field_is_refused_with_the_one_that_was_probably_meant() {
    for (field, meant) in
        [("enviroments", "environments"), ("stop_after_hour", "stop_after_hours"), ("AT", "at")]
    {
        let said = refused(json!({ "action": "start", field: 1 }));
        assert!(said.contains(&format!("`{field}` is unknown (did you mean {meant}?)")), "{said}");
    }
    assert!(
        refused(json!({ "action": "start", "tier": "db" })).contains("`tier` is unknown; known are action")
    );
}

#[test]
fn flags_are_true_or_false() {
    for field in ["dry_run", "ignore_calendar", "check"] {
        for wrong in [json!("yes"), json!(1), json!(null)] {
            let said = refused(json!({ "action": "start", field: wrong }));
            assert!(said.contains(&format!("`{field}`: expected true or false")), "{said}");
        }
        assert!(asked_of("", json!({ "action": "start", field: false })).is_ok());
    }
    assert!(asked(json!({ "action": "stop", "dry_run": true })).dry_run);
}

#[test]
fn environments_are_some_of_the_machines_each_once() {
    assert_eq!(asked(json!({ "action": "stop", "environments": ["test"] })).environments, ["test"]);
    for wrong in
        [json!("dev"), json!([]), json!([1]), json!(null), json!(["dev", "dev"]), json!({ "dev": true })]
    {
        let said = refused(json!({ "action": "start", "environments": wrong }));
        assert!(
            said.contains("`environments`: expected a list of some of \"dev\", \"test\", \"preprod\""),
            "{said}"
        );
    }
    let said = refused(json!({ "action": "start", "environments": ["dev", "preprd"] }));
    assert!(said.contains("\"preprd\", which is no environment (did you mean preprod?)"), "{said}");
}

#[test]
fn a_run_for_later_is_a_schedule_of_the_same_input_without_its_time() {
    let input = json!({ "action": "stop", "environments": ["dev"], "at": "2026-12-24T18:00:00+01:00" });
    let asked = asked_of("holidays", input).unwrap();
    assert!(asked.later && !asked.asks_calendar && !asked.stops_later);
    let schedule = serde_json::to_value(asked.schedule.unwrap()).unwrap();
    assert_eq!(schedule["ScheduleExpression"], "at(2026-12-24T17:00:00)");
    assert_eq!(schedule["ScheduleExpressionTimezone"], "UTC");
    assert_eq!(schedule["ActionAfterCompletion"], "DELETE");
    assert_eq!(schedule["GroupName"], "later-runs");
    let target = &schedule["Target"];
    let input: Value = serde_json::from_str(target["Input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({ "action": "stop", "environments": ["dev"] }));
    assert_eq!(target["Arn"], "arn:aws:states:eu-west-1:123456789012:stateMachine:machine");
    assert_eq!(
        (&target["RoleArn"], &target["DeadLetterConfig"]["Arn"]),
        (&json!("arn:role"), &json!("arn:queue"))
    );
}

#[test]
fn a_time_without_its_offset_past_too_near_or_too_far_away_is_refused() {
    let at = |text: &str| refused(json!({ "action": "start", "at": text }));
    for text in
        ["2026-12-24T18:00:00", "2026-12-24", "18:00", "tomorrow", "", "2026-12-24T18:00:00[Europe/Madrid]"]
    {
        assert!(at(text).contains("`at`: expected a time with its offset"), "{text}");
    }
    assert!(at("2026-12-24T18:00:00+05:00[Europe/Madrid]").contains("with its offset"));
    for text in [
        NOW,
        "2026-10-24T12:00:00.5Z",
        "2026-10-24T12:00:59.999Z",
        "2026-10-24T13:59:00+02:00",
        "2025-12-24T18:00:00Z",
    ] {
        assert!(
            at(text).contains("a time at least a minute ahead, and it is 2026-10-24T12:00:00Z now"),
            "{text}"
        );
    }
    assert!(at("2027-10-24T12:00:01Z").contains("a time within a year"));
    for wrong in [json!(1_790_000_000), json!(null), json!(["2026-12-24T18:00:00Z"])] {
        assert!(refused(json!({ "action": "start", "at": wrong })).contains("`at`: expected a time"));
    }
}

/// `make start` counts so too: tests/operate/test_exceptions.py.
#[test]
fn a_year_is_a_calendar_year_of_utc() {
    for (now, latest) in [
        ("2026-11-23T12:00:00Z", "2027-11-23T12:00:00Z"),
        ("2027-11-23T12:00:00Z", "2028-11-23T12:00:00Z"),
        ("2028-02-29T12:00:00Z", "2029-02-28T12:00:00Z"),
        ("2028-02-29T08:00:00+09:00", "2029-02-28T23:00:00Z"),
    ] {
        let taken = |at: Timestamp| {
            let opening = opening("", json!({ "action": "start", "at": at.to_string() }));
            read(&opening, &[], now.parse().unwrap()).is_ok()
        };
        let latest: Timestamp = latest.parse().unwrap();
        assert!(taken(latest) && !taken(latest + SignedDuration::from_secs(1)), "{now}");
    }
}

#[test]
fn a_time_up_to_a_year_away_is_taken_as_its_offset_says_also_when_clocks_change() {
    let expression = |at: &str| {
        let asked = asked(json!({ "action": "start", "at": at }));
        serde_json::to_value(asked.schedule.unwrap()).unwrap()["ScheduleExpression"].clone()
    };
    assert_eq!(expression("2027-10-24T12:00:00Z"), "at(2027-10-24T12:00:00)");
    // The hour that Europe has twice.
    assert_eq!(expression("2026-10-25T02:30:00+02:00"), "at(2026-10-25T00:30:00)");
    assert_eq!(expression("2026-10-25T02:30:00+01:00"), "at(2026-10-25T01:30:00)");
    assert_eq!(expression("2026-10-24T12:01:00Z"), "at(2026-10-24T12:01:00)");
}

/// What is answered when the run begins, at this time.
fn asked_again(input: Value, begins: &str) -> Asked {
    let opening = Opening { begins: Some(begins.parse().unwrap()), ..opening("holidays", input) };
    read(&opening, &[], NOW.parse().unwrap()).unwrap()
}

#[test]
fn a_start_may_say_after_how_many_hours_its_environments_are_stopped() {
    let input = json!({ "action": "start", "environments": ["dev"], "stop_after_hours": 1.5 });
    let first = asked_of("holidays", input.clone()).unwrap();
    assert!(first.stops_later && first.asks_calendar && !first.later);
    assert_eq!((first.stops_at, first.stop_schedule), (None, None), "nobody knows yet when it begins");
    // It has waited for an earlier run, for longer than the hours that were asked for.
    let asked = asked_again(input, "2026-10-24T13:59:58.5Z");
    assert!(asked.stops_later);
    assert_eq!(asked.stops_at.unwrap().to_string(), "2026-10-24T15:29:58.5Z");
    let schedule = serde_json::to_value(asked.stop_schedule.unwrap()).unwrap();
    assert_eq!(schedule["ScheduleExpression"], "at(2026-10-24T15:29:58)");
    let input: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({ "action": "stop", "environments": ["dev"], "ignore_calendar": true }));
}

#[test]
fn the_stop_of_a_start_of_all_is_of_all_that_there_are_when_it_is_due() {
    let asked = asked_again(json!({ "action": "start", "stop_after_hours": 2 }), "2026-10-24T12:00:00Z");
    let schedule = serde_json::to_value(asked.stop_schedule.unwrap()).unwrap();
    let input: Value = serde_json::from_str(schedule["Target"]["Input"].as_str().unwrap()).unwrap();
    assert_eq!(input, json!({ "action": "stop", "ignore_calendar": true }));
}

#[test]
fn a_stops_schedule_is_named_after_its_execution_whenever_it_is_made() {
    let name = |begins: &str| {
        let asked = asked_again(json!({ "action": "start", "stop_after_hours": 3 }), begins);
        serde_json::to_value(asked.stop_schedule.unwrap()).unwrap()["Name"].clone()
    };
    assert_eq!(name("2026-10-24T12:00:00Z"), name("2026-10-24T13:00:00Z"));
    assert!(name("2026-10-24T12:00:00Z").as_str().unwrap().starts_with("stop-run-1-"));
}

#[test]
fn what_starts_nothing_schedules_no_stop_when_it_begins_either() {
    let begins = "2026-10-24T12:00:00Z";
    for input in [
        json!({ "action": "start" }),
        json!({ "action": "stop" }),
        json!({ "action": "start", "dry_run": true, "stop_after_hours": 3 }),
    ] {
        let asked = asked_again(input, begins);
        assert!(!asked.stops_later);
        assert_eq!((asked.stops_at, asked.stop_schedule), (None, None));
    }
}

#[test]
fn hours_outside_a_week_no_number_or_with_a_stop_are_refused() {
    for wrong in
        [json!(0), json!(0.99), json!(-3), json!(168.01), json!(1e300), json!("3"), json!(null), json!(true)]
    {
        let said = refused(json!({ "action": "start", "stop_after_hours": wrong }));
        assert!(said.contains("`stop_after_hours`: expected a number from 1 to 168"), "{said}");
    }
    for right in [json!(1), json!(168), json!(2.5)] {
        assert!(asked(json!({ "action": "start", "stop_after_hours": right })).stops_later);
    }
    let said = refused(json!({ "action": "stop", "stop_after_hours": 3 }));
    assert!(said.contains("is for a start only"), "{said}");
}

#[test]
fn a_dry_run_and_a_run_for_later_schedule_no_stop_yet() {
    let dry = asked(json!({ "action": "start", "stop_after_hours": 3, "dry_run": true }));
    assert!(!dry.stops_later && dry.stop_schedule.is_none());
    let later = asked(json!({ "action": "start", "stop_after_hours": 3, "at": "2026-12-24T18:00:00Z" }));
    assert!(later.later && !later.stops_later);
    let schedule = serde_json::to_value(later.schedule.unwrap()).unwrap();
    assert!(schedule["Target"]["Input"].as_str().unwrap().contains("\"stop_after_hours\":3"));
}

#[test]
fn the_inputs_calendar_stands_in_the_stacks_place_and_both_can_be_ignored() {
    let calendars = |stack: &str, input: Value| {
        let asked = asked_of(stack, input).unwrap();
        (asked.asks_calendar, asked.calendars)
    };
    assert_eq!(calendars("", json!({ "action": "stop" })), (false, vec![]));
    assert_eq!(calendars("holidays", json!({ "action": "stop" })), (true, vec!["holidays".to_owned()]));
    let own = json!({ "action": "stop", "calendar": "arn:aws:ssm:eu-west-1:210987654321:document/team" });
    let arn = "arn:aws:ssm:eu-west-1:210987654321:document/team".to_owned();
    assert_eq!(calendars("holidays", own.clone()), (true, vec![arn]));
    let mut ignored = own;
    ignored["ignore_calendar"] = json!(true);
    assert_eq!(calendars("holidays", ignored), (false, vec![]));
    assert_eq!(calendars("", json!({ "action": "stop", "ignore_calendar": true })), (false, vec![]));
}

#[test]
fn a_check_asks_the_stacks_calendar_and_those_of_the_schedules_each_once_and_a_run_only_its_own() {
    let scheduled = ["team", "holidays"].map(str::to_owned);
    let calendars = |stack: &str, input: Value| {
        let asked = read(&opening(stack, input), &scheduled, NOW.parse().unwrap()).unwrap();
        (asked.asks_calendar, asked.calendars.join(" "))
    };
    let check = || json!({ "check": true });
    assert_eq!(calendars("", check()), (true, "team holidays".to_owned()));
    assert_eq!(calendars("holidays", check()), (true, "holidays team".to_owned()));
    assert_eq!(
        calendars("holidays", json!({ "check": true, "calendar": "own" })),
        (true, "own team holidays".to_owned())
    );
    assert_eq!(
        calendars("holidays", json!({ "check": true, "ignore_calendar": true })),
        (false, String::new())
    );
    assert_eq!(calendars("holidays", json!({ "action": "start" })), (true, "holidays".to_owned()));
    assert_eq!(calendars("", json!({ "action": "start" })), (false, String::new()));
}

#[test]
fn what_can_be_no_calendar_is_refused() {
    for wrong in [
        json!(""),
        json!("a b"),
        json!("ab"),
        json!("'; $x"),
        json!(null),
        json!(["holidays"]),
        json!("x".repeat(201)),
    ] {
        assert!(
            refused(json!({ "action": "start", "calendar": wrong }))
                .contains("`calendar`: expected the name or the ARN")
        );
    }
}

#[test]
fn a_check_stands_alone() {
    let asked = asked_of("holidays", json!({ "check": true, "environments": ["dev"] })).unwrap();
    assert!(asked.check && asked.asks_calendar && !asked.dry_run);
    assert!(refused(json!({ "check": true, "action": "start" })).contains("both `action` and `check`"));
    assert!(refused(json!({ "check": true, "action": 7 })).contains("`action`: expected"));
    assert!(
        refused(json!({ "check": true, "dry_run": true })).contains("`dry_run` says nothing beside `check`")
    );
    assert!(
        refused(json!({ "check": true, "stop_after_hours": 3 })).contains("`stop_after_hours` says nothing")
    );
    assert!(refused(json!({ "check": false })).contains("`action`"));
}

#[test]
fn a_schedules_name_fits_and_is_the_same_for_every_attempt_and_no_other_execution() {
    let name = |run: &str| {
        let input = json!({ "action": "start", "at": "2026-12-24T18:00:00Z" });
        let mut opening = opening("", input);
        opening.context.execution.name = run.to_owned();
        opening.context.execution.id =
            format!("arn:aws:states:eu-west-1:123456789012:execution:machine:{run}");
        let asked = read(&opening, &[], NOW.parse().unwrap()).unwrap();
        serde_json::to_value(asked.schedule.unwrap()).unwrap()["Name"].as_str().unwrap().to_owned()
    };
    let (long, other) = ("a".repeat(80), format!("{}b", "a".repeat(79)));
    for run in ["stop-20261224T170000Z-1f0c9a3e", &long, "größe und mehr", ""] {
        let name = name(run);
        assert!(name.len() <= 64, "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
    }
    assert_eq!(name(&long), name(&long));
    assert_ne!(name(&long), name(&other));
}

#[test]
fn a_refusal_says_that_nothing_was_done_and_stays_short() {
    let said = refused(json!({ "action": "x".repeat(100_000) }));
    assert!(said.starts_with("Nothing was started or stopped. "), "{said}");
    assert!(said.len() < 500, "{}", said.len());
}

#[test]
fn the_answer_has_the_shape_that_the_state_machines_tests_are_held_to() {
    let input = json!({ "action": "start", "environments": ["dev"], "at": "2026-12-24T18:00:00+01:00" });
    let answer = serde_json::to_value(asked_of("holidays", input).unwrap()).unwrap();
    let wanted: Value =
        serde_json::from_str(include_str!("../../../tests/state_machine/asked_answer.json")).unwrap();
    assert_eq!(answer, wanted);
}
