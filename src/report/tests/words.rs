//! What the mail says comes next, and what it supposes.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::report::{all_good, id, lists, now, request, seen};
use crate::model::{Action, InstanceState};
use crate::ports::Mail;
use crate::report::request::ReportRequest;
use crate::report::{Place, Report};

const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:prod-scheduler";

/// The mail's text on one line, of a run of a known execution. The servers of a dry run are stopped.
fn text(request: ReportRequest) -> String {
    mail(request).text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn mail(request: ReportRequest) -> Mail {
    let lists = lists();
    let arn = "arn:aws:states:eu-west-1:123456789012:execution:prod-scheduler:monday";
    let execution = json!({"id": arn, "name": "monday", "start_time": "2026-11-23T06:00:00Z"});
    let state = if request.dry_run { InstanceState::Stopped } else { InstanceState::Running };
    let request = ReportRequest { execution: serde_json::from_value(execution).unwrap(), ..request };
    let report = Report::build(&request, &lists, &seen(&lists, state), now());
    report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "prod-scheduler"))
}

/// Tier number `tier` of dev ended so, and its first server has a problem.
fn dev(tier: usize, outcome: &str) -> Vec<Value> {
    let mut results = all_good(&lists());
    let name = ["test2", "test1"][tier];
    let phase = &mut results[0]["phases"][tier];
    phase["outcome"] = json!(outcome);
    phase["actions"][name] = json!({"action": "nothing", "why": "UnauthorizedOperation"});
    phase["problems"] =
        json!([{"name": name, "id": id(name), "code": "UnauthorizedOperation", "message": "No."}]);
    results
}

fn dry(tier: usize, outcome: &str) -> ReportRequest {
    ReportRequest { dry_run: true, ..request(dev(tier, outcome)) }
}

#[test]
fn a_good_run_has_nothing_to_be_done_next() {
    let text = text(request(all_good(&lists())));
    assert!(!text.contains("make start") && !text.contains("start-execution"), "{text}");
}

#[test]
fn what_comes_next_can_be_done_without_a_clone_too() {
    let text = text(request(dev(0, "degraded")));
    let call = format!(
        "The same without a clone of the project: aws stepfunctions start-execution --region eu-west-1 \\ \
         --state-machine-arn \\ {MACHINE} \\ --input '{{\"action\":\"start\",\"environments\":[\"dev\"]}}'"
    );
    let why = "To run it again once this is fixed: make start ENV=dev STACK=prod-scheduler";
    assert!(text.contains(&format!("{why} {call}")), "{text}");
}

#[test]
fn a_dry_run_that_found_a_problem_is_repeated_as_a_dry_run() {
    let text = text(dry(0, "failed"));
    let again = "To repeat the dry run once this is fixed: make start DRY_RUN=1 STACK=prod-scheduler";
    assert!(text.contains(again), "{text}");
    assert!(text.contains("--input '{\"action\":\"start\",\"dry_run\":true}'"), "{text}");
}

#[test]
fn a_good_dry_run_is_followed_by_the_real_run() {
    let text = text(ReportRequest { dry_run: true, ..request(all_good(&lists())) });
    assert!(text.contains("To do it for real: make start STACK=prod-scheduler"), "{text}");
    assert!(text.contains("--input '{\"action\":\"start\"}'"), "{text}");
}

#[test]
fn a_code_is_said_once_a_row() {
    let text = text(dry(0, "failed"));
    assert!(!text.contains("UnauthorizedOperation; UnauthorizedOperation"), "{text}");
    assert!(text.contains("db: stopped UnauthorizedOperation"), "{text}");
}

#[test]
fn a_dry_run_says_that_tiers_after_one_that_would_fail_are_judged_as_if_it_had_not() {
    let supposed = "Tiers after one that would fail are judged as if it had not failed.";
    assert!(text(dry(0, "failed")).contains(supposed));
    assert!(!text(dry(1, "failed")).contains(supposed), "no tier comes after the last");
    assert!(!text(request(dev(0, "failed"))).contains(supposed), "no dry run");
}

#[test]
fn later_tiers_were_started_only_where_a_tier_came_later() {
    assert!(text(request(dev(0, "degraded"))).contains("The minimum was met, so later tiers were started."));
    let last = text(request(dev(1, "degraded")));
    assert!(last.contains("The minimum was met.") && !last.contains("later tiers"), "{last}");
}

#[test]
fn on_a_stop_the_databases_are_the_last_tier() {
    let text = text(ReportRequest { action: Action::Stop, ..request(dev(0, "degraded")) });
    assert!(text.contains("The minimum was met.") && !text.contains("later tiers"), "{text}");
}

/// A start of all, in which test2 was held.
fn with_one_held() -> ReportRequest {
    let mut results = all_good(&lists());
    results[0]["phases"][0]["actions"]["test2"] = json!({"action": "held", "why": "held by its tag forever"});
    request(results)
}

#[test]
fn a_held_server_that_is_up_is_counted_once_and_is_no_matter_of_the_subject() {
    let mail = mail(with_one_held());
    assert!(mail.text.contains("\nAll 20 servers are up.\n19 started, 1 held, "), "{}", mail.text);
    assert_eq!(mail.subject, "START STATUS: SUCCESS · prod-scheduler");
}

#[test]
fn a_held_server_that_is_not_as_wanted_is_in_the_subject_behind_its_fixed_words() {
    let mail = mail(ReportRequest { dry_run: true, ..with_one_held() });
    assert_eq!(mail.subject, "DRY RUN: START STATUS: SUCCESS · prod-scheduler · 1 of 20 held");
}
