//! The report says what is true: of phases that broke off, of namesakes, of what the lists do not know.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::report::{all_good, id, instance, lists, now, request, seen};
use crate::model::{ActionTaken, Instance, InstanceState, Outcome};
use crate::report::request::ReportRequest;
use crate::report::{Place, Report, Row, Seen, Status};
use crate::servers::file::ServerLists;

fn began() -> Timestamp {
    now() - SignedDuration::from_mins(5)
}

fn of_a_run(results: Vec<Value>) -> ReportRequest {
    let execution = json!({"id": "arn", "name": "monday", "start_time": began()});
    ReportRequest { execution: serde_json::from_value(execution).unwrap(), ..request(results) }
}

fn row<'a>(report: &'a Report, name: &str) -> &'a Row {
    report.rows().find(|row| row.name == name).unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    report.problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// These servers were launched since the run began, and run; all others are stopped since before.
fn launched(lists: &ServerLists, names: &[&str]) -> Seen {
    let mut seen = seen(lists, InstanceState::Stopped);
    for instance in seen.iter_mut().flat_map(|(_, seen)| seen.as_mut().unwrap()) {
        if instance.name.as_deref().is_some_and(|name| names.contains(&name)) {
            instance.state = InstanceState::Running;
            instance.launch_time = Some(began() + SignedDuration::from_secs(10));
        }
    }
    seen
}

/// dev's branch broke off in its first tier, without an answer.
fn broken_off() -> Value {
    json!({"environment": "dev", "ok": false, "error": {"Error": "AccessDenied", "Cause": "{\"errorMessage\":\"no\"}"}})
}

#[test]
fn what_a_tier_started_before_it_broke_off_is_told_as_started() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0] = broken_off();
    let started = ["test2", "test7", "test8"];
    let report = Report::build(&of_a_run(results), &lists, &launched(&lists, &started), now());
    for name in started {
        let row = row(&report, name);
        assert_eq!(
            (row.action, row.initial_state.as_deref()),
            (ActionTaken::Started, Some("stopped")),
            "{name}"
        );
        assert!(
            row.note.as_deref().unwrap().starts_with("started at 06:00 UTC, after this run began"),
            "{:?}",
            row.note
        );
    }
    assert_eq!(row(&report, "test1").note.as_deref(), Some("not reached by this run"));
    assert_eq!(report.environments[0].tiers[0].outcome, Some(Outcome::InProgress));
    assert_eq!((report.status, codes(&report)[0]), (Status::Aborted, "AccessDenied"));
    assert!(report.problems[0].message.contains("environment dev failed in its db tier: no"));
}

#[test]
fn when_a_broken_tier_started_its_servers_is_told_by_the_stacks_clocks_in_the_mail_and_in_utc_elsewhere() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0] = broken_off();
    let report = Report::build(&of_a_run(results), &lists, &launched(&lists, &["test2"]), now());
    let place = Place::new("eu-west-1", "s");
    let mail = report.mail(&TimeZone::get("Europe/Madrid").unwrap(), &place);
    assert!(mail.text.contains("started at 07:00 CET, after this run began"), "{}", mail.text);
    let answer = serde_json::to_string(&report.answer(&mail, None)).unwrap();
    assert!(answer.contains("started at 06:00 UTC, after this run began"), "{answer}");
}

#[test]
fn what_a_person_started_in_a_tier_that_the_run_did_not_reach_is_not_this_runs() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0] = broken_off();
    let report = Report::build(&of_a_run(results), &lists, &launched(&lists, &["test1"]), now());
    assert_eq!(row(&report, "test1").action, ActionTaken::Nothing);
}

#[test]
fn namesakes_of_shortened_results_are_told_once_and_the_problem_by_its_id() {
    let lists = ServerLists::parse(
        "[[list]]\nnumber = 0\nenvironment = \"dev\"\ntier = \"db\"\nname = \"web\"\nready = \"running\"\ntimeout_minutes = 5\nservers = [\"web\"]\n",
    )
    .unwrap();
    let named = |id: &str| {
        let mut instance = instance("web", InstanceState::Stopped);
        id.clone_into(&mut instance.id);
        instance
    };
    let problem = json!({"name": "web (i-b)", "id": "i-b", "code": "X", "message": "m"});
    let phase = json!({"phase_number": 0, "tier": "db", "outcome": "failed", "problems": [problem]});
    let result = json!({"environment": "dev", "ok": false, "shortened": true, "phases": [phase]});
    let seen = vec![(0, Ok(vec![named("i-b"), named("i-a")]))];
    let report = Report::build(&of_a_run(vec![result]), &lists, &seen, now());
    let rows: Vec<_> =
        report.rows().map(|row| (row.id.as_deref().unwrap(), row.problem.as_deref())).collect();
    assert_eq!(rows, [("i-b", Some("X")), ("i-a", None)]);
}

#[test]
fn a_server_of_shortened_results_that_has_another_name_since_is_told_once_by_its_listed_name() {
    let lists = lists();
    let problem = json!({"name": "test2", "id": id("test2"), "code": "X", "message": "m"});
    let phase = json!({"phase_number": 3, "tier": "db", "outcome": "failed", "problems": [problem]});
    let mut results = all_good(&lists);
    results[0] = json!({"environment": "dev", "ok": false, "shortened": true, "phases": [phase]});
    let mut seen = seen(&lists, InstanceState::Stopped);
    let renamed = |i: &&mut Instance| i.name.as_deref() == Some("test2");
    let instances = seen.iter_mut().flat_map(|(_, seen)| seen.as_mut().unwrap());
    instances.filter(renamed).for_each(|i| i.name = Some("other".to_owned()));
    let report = Report::build(&of_a_run(results), &lists, &seen, now());
    assert_eq!(report.rows().count(), 20);
    let told = row(&report, "test2");
    assert_eq!((told.id.as_deref(), told.problem.as_deref()), (Some(&*id("test2")), Some("X")));
}

#[test]
fn a_ready_server_of_a_failed_list_that_went_down_since_is_a_problem() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0]["phases"][0]["outcome"] = json!("failed");
    let mut seen = seen(&lists, InstanceState::Running);
    let instances = seen.iter_mut().flat_map(|(_, seen)| seen.as_mut().unwrap());
    instances.filter(|i| i.name.as_deref() == Some("test2")).for_each(|i| i.state = InstanceState::Stopped);
    let report = Report::build(&of_a_run(results), &lists, &seen, now());
    assert_eq!(row(&report, "test2").problem.as_deref(), Some("ServerWentBack"));
}

#[test]
fn an_instance_in_two_lists_is_told_and_counted_in_the_first_alone() {
    let lists = lists();
    let mut results = all_good(&lists);
    let stray = results[0]["dev_db_initial_state"]["test2"].clone();
    results[0]["dev_app_initial_state"]["test2 too"] = stray;
    let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!((report.rows().count(), codes(&report)), (20, vec!["ServerInTwoLists"]));
    assert_eq!(report.status, Status::Degraded);
    assert!(report.problems[0].message.contains("dev db and dev app"));
}

#[test]
fn a_result_that_the_lists_do_not_know_is_said_and_is_no_success() {
    let lists = lists();
    let with = |more: Value| {
        let mut results = all_good(&lists);
        results.push(more);
        Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now())
    };
    for more in [json!({"environment": "prod", "ok": true}), json!({"environment": "dev", "ok": false})] {
        let report = with(more);
        assert_eq!((report.status, codes(&report)), (Status::Degraded, vec!["StateMachineStale"]));
    }
    let mut results = all_good(&lists);
    results[0]["phases"].as_array_mut().unwrap().push(json!({"phase_number": 77, "outcome": "failed"}));
    let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!((report.status, codes(&report)), (Status::Degraded, vec!["StateMachineStale"]));
}

#[test]
fn of_two_answers_of_one_phase_the_worse_one_counts_wherever_it_stands() {
    let lists = lists();
    for place in [0, 1] {
        let mut results = all_good(&lists);
        let phases = results[0]["phases"].as_array_mut().unwrap();
        let mut failed = phases[0].clone();
        failed["outcome"] = json!("failed");
        failed["problems"] = json!([{"name": "test2", "id": id("test2"), "code": "X", "message": "m"}]);
        phases.insert(place, failed);
        let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
        assert_eq!((report.status, codes(&report)), (Status::Aborted, vec!["StateMachineStale", "X"]));
        assert!(report.problems[0].message.contains("two answers of phase 3 for dev"));
    }
}

#[test]
fn an_environment_that_the_machine_does_not_know_aborts_the_run_and_says_what_to_do() {
    let lists = lists();
    let results = all_good(&lists).into_iter().skip(1).collect();
    let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!((report.status, report.problems[0].name.as_str()), (Status::Aborted, "dev"));
    assert!(report.problems[0].message.contains("make statemachine"), "{:?}", report.problems);
}

#[test]
fn a_tier_that_the_machine_does_not_know_aborts_the_run_and_says_what_to_do() {
    let lists = lists();
    for left_out in [0, 1] {
        let mut results = all_good(&lists);
        results[0]["phases"].as_array_mut().unwrap().remove(left_out);
        let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
        assert_eq!((report.status, codes(&report)), (Status::Aborted, vec!["StateMachineStale"]));
        assert!(report.problems[0].message.contains("make statemachine"), "{:?}", report.problems);
    }
}

#[test]
fn a_tier_behind_one_that_failed_is_not_reached_and_the_machine_is_not_called_stale() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0]["ok"] = json!(false);
    results[0]["phases"].as_array_mut().unwrap().truncate(1);
    results[0]["phases"][0]["outcome"] = json!("failed");
    let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert!(!codes(&report).contains(&"StateMachineStale"), "{:?}", report.problems);
}

#[test]
fn environments_that_name_none_of_ours_are_no_success() {
    let lists = lists();
    let mut request = of_a_run(Vec::new());
    request.asked.environments = Some(vec!["nope".to_owned()]);
    let report = Report::build(&request, &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!((report.status, codes(&report)), (Status::Degraded, vec!["StateMachineStale"]));
}

#[test]
fn the_problem_of_a_list_is_no_server() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0]["phases"][0]["outcome"] = json!("failed");
    results[0]["phases"][0]["problems"] =
        json!([{"name": "dev db", "id": null, "code": "MinimumNotMet", "message": "it needs 3 ready"}]);
    let report = Report::build(&of_a_run(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!((report.rows().count(), codes(&report)), (20, vec!["MinimumNotMet"]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_ec2_changed_for_us_is_told_as_changed_wherever_the_branch_breaks_off(
        started in prop::sample::subsequence(vec!["test2", "test7", "test8"], 0..=3),
        said in prop::sample::subsequence(vec!["test2", "test7", "test8"], 0..=3),
        in_progress: bool,
    ) {
        let lists = lists();
        let mut results = all_good(&lists);
        results[0] = broken_off();
        // What an earlier answer of the phase told before it broke off is a part of what it changed.
        let said: Vec<&str> = said.into_iter().filter(|name| started.contains(name)).collect();
        if in_progress {
            let actions: serde_json::Map<String, Value> =
                said.iter().map(|name| ((*name).to_owned(), json!({"action": "started"}))).collect();
            let initial: serde_json::Map<String, Value> = ["test2", "test7", "test8"].iter().map(|name| {
                ((*name).to_owned(), json!({"InstanceId": id(name), "State": "stopped", "is_running": false}))
            }).collect();
            results[0]["phases"] = json!([{"phase_number": 3, "tier": "db", "outcome": "in_progress", "actions": actions}]);
            results[0]["dev_db_initial_state"] = json!(initial);
        }
        let report = Report::build(&of_a_run(results), &lists, &launched(&lists, &started), now());
        let told: BTreeSet<&str> = report.environments[0].tiers[0].rows.iter()
            .filter(|row| row.action == ActionTaken::Started).map(|row| row.name.as_str()).collect();
        prop_assert_eq!(told, started.into_iter().collect::<BTreeSet<_>>());
        prop_assert_eq!(report.rows().count(), 20);
        prop_assert_eq!(report.status, Status::Aborted);
    }
}
