//! The report and its mail: the verdict, every server exactly once, and text that is safe.

use std::collections::BTreeMap;

use crate::lambda::payload::ReportRequest;
use crate::model::{Action, Failure, Instance, InstanceState};
use crate::ports::Mail;
use crate::report::{Report, Seen, Status};
use crate::servers::file::ServerLists;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-23T06:05:00Z".parse().unwrap()
}

fn lists() -> ServerLists {
    ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap()
}

fn id(name: &str) -> String {
    format!(
        "i-{:017x}",
        name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
    )
}

fn instance(name: &str, state: InstanceState) -> Instance {
    Instance {
        id: id(name),
        name: Some(name.to_owned()),
        state,
        launch_time: None,
        stopped_at: None,
        state_reason: None,
        unknown_state: None,
        hold: None,
        auto_scaling_group: None,
        operator: None,
        one_time_spot: false,
        instance_store_root: false,
        instance_type: String::new(),
        availability_zone: String::new(),
    }
}

/// Every listed server in this state.
fn seen(lists: &ServerLists, state: InstanceState) -> Seen {
    let instances = |names: &[String]| names.iter().map(|name| instance(name, state)).collect();
    lists.lists.iter().map(|phase| (phase.number, Ok(instances(&phase.servers)))).collect()
}

/// A branch's result in which every phase went well: the servers were `initial` and `did` was done.
fn good(lists: &ServerLists, environment: &str, initial: &str, did: &str) -> Value {
    let mut result = json!({ "environment": environment, "ok": true, "phases": [] });
    for phase in lists.in_start_order(environment) {
        let states: BTreeMap<&String, Value> = phase
            .servers
            .iter()
            .map(|name| {
                (name, json!({"InstanceId": id(name), "State": initial, "is_running": initial == "running"}))
            })
            .collect();
        let actions: BTreeMap<&String, Value> = phase
            .servers
            .iter()
            .filter(|_| !did.is_empty())
            .map(|name| (name, json!({"action": did, "seconds": 97})))
            .collect();
        let count = phase.servers.len();
        result[format!("{environment}_{}_initial_state", phase.tier)] = json!(states);
        result["phases"].as_array_mut().unwrap().push(json!({
            "phase_number": phase.number, "tier": phase.tier, "outcome": "ready", "problems": [], "actions": actions,
            "servers": {"total": count, "ready": count, "changed": count, "failed": 0}
        }));
    }
    result
}

fn request(results: Vec<Value>) -> ReportRequest {
    ReportRequest {
        action: Action::Start,
        dry_run: false,
        execution: None,
        results,
        environments: None,
        waited: false,
        error: None,
    }
}

fn all_good(lists: &ServerLists) -> Vec<Value> {
    lists.environments().into_iter().map(|name| good(lists, name, "stopped", "started")).collect()
}

fn built(request: &ReportRequest, state: InstanceState) -> (Report, Mail) {
    let lists = lists();
    let report = Report::build(request, &lists, &seen(&lists, state), now());
    let mail = report.mail(&TimeZone::UTC, "eu-west-1");
    (report, mail)
}

#[test]
fn a_run_that_changed_nothing_is_a_success_and_lists_every_server_once() {
    let lists = lists();
    let results = lists.environments().into_iter().map(|name| good(&lists, name, "running", "")).collect();
    let (report, mail) = built(&request(results), InstanceState::Running);
    assert_eq!((report.status, report.totals().changed, report.rows().count()), (Status::Success, 0, 20));
    assert!(mail.text.contains("All was up already: 20 servers, 0 started"), "{}", mail.text);
}

#[test]
fn a_good_start_says_so_in_the_subject_and_the_first_line() {
    let (report, mail) = built(&request(all_good(&lists())), InstanceState::Running);
    assert_eq!((report.subject().as_str(), report.problems.len()), ("START STATUS: SUCCESS", 0));
    let lines: Vec<&str> = mail.text.lines().collect();
    assert_eq!(lines[1], "All is up: 20 servers, 20 started.");
    assert!(mail.text.contains("stopped → running") && mail.text.contains("ready after 1 min 37 s"));
}

#[test]
fn a_stop_is_called_shutdown() {
    let mut request = request(all_good(&lists()));
    request.action = Action::Stop;
    assert_eq!(built(&request, InstanceState::Stopped).0.subject(), "SHUTDOWN STATUS: SUCCESS");
}

#[test]
fn a_failed_tier_aborts_names_server_and_code_first_and_says_which_servers_were_not_reached() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0] = json!({
        "environment": "dev", "ok": false, "dev_app_initial_state": {"empty": true},
        "dev_db_initial_state": {"test2": {"InstanceId": id("test2"), "State": "stopped", "is_running": false}},
        "phases": [{
            "phase_number": 3, "tier": "db", "outcome": "failed", "servers": {"total": 3, "ready": 2, "changed": 2, "failed": 1},
            "problems": [{"name": "test2", "id": id("test2"), "code": "InsufficientInstanceCapacity", "message": "No capacity. Try later."}]
        }]
    });
    let (report, mail) = built(&request(results), InstanceState::Running);
    assert_eq!((report.status, report.totals().not_reached), (Status::Aborted, 4));
    for body in [&mail.text, &mail.html] {
        let problem = body.find("InsufficientInstanceCapacity").unwrap();
        assert!(problem < body.find("test18").unwrap(), "what went wrong stands first");
        assert!(body.contains("No capacity. Try later."));
        assert!(body.contains("not reached by this run"));
        assert!(body.contains(&format!("InstanceDetails:instanceId={}", id("test2"))));
    }
}

#[test]
fn a_server_that_fell_over_after_its_phase_makes_a_success_degraded() {
    let lists = lists();
    let mut seen = seen(&lists, InstanceState::Running);
    seen[0].1.as_mut().unwrap()[0].state = InstanceState::Stopped;
    let report = Report::build(&request(all_good(&lists)), &lists, &seen, now());
    assert_eq!(report.status, Status::Degraded);
    assert_eq!(
        (report.problems[0].name.as_str(), report.problems[0].code.as_str()),
        ("test1", "ServerWentBack")
    );
}

#[test]
fn end_states_that_cannot_be_read_are_unknown_and_said_so() {
    let lists = lists();
    let mut seen = seen(&lists, InstanceState::Running);
    let message = "said EC2".to_owned();
    seen[0].1 = Err(Failure::of_aws("DescribeInstances", "RequestLimitExceeded", &message, None));
    let report = Report::build(&request(all_good(&lists)), &lists, &seen, now());
    assert!(report.remarks[0].contains("RequestLimitExceeded"));
    assert!(
        report
            .rows()
            .filter(|row| row.environment == "dev" && row.tier == "app")
            .all(|row| row.end_state.is_none())
    );
    assert_eq!(report.rows().count(), 20);
}

#[test]
fn a_failed_branch_and_a_failed_machine_are_told_with_their_error() {
    let cause = json!({"errorType": "AccessDenied", "errorMessage": "no permission to describe"}).to_string();
    let mut request = request(vec![
        json!({"environment": "dev", "ok": false, "error": {"Error": "AccessDenied", "Cause": cause}}),
    ]);
    request.error = Some(json!({"Error": "States.QueryEvaluationError", "Cause": "broken"}));
    let (report, mail) = built(&request, InstanceState::Stopped);
    assert_eq!((report.status, report.rows().count()), (Status::Aborted, 20));
    assert!(mail.text.contains("Environment dev failed in its db tier: no permission to describe"));
    assert!(mail.text.contains("States.QueryEvaluationError"));
}

#[test]
fn results_that_cannot_be_read_are_said_and_never_keep_the_report_from_going_out() {
    for garbled in [
        json!(null),
        json!({}),
        json!({"environment": "dev", "phases": [{"x": 1}]}),
        json!({"environment": "dev", "dev_db_initial_state": 7}),
    ] {
        let (report, _) = built(&request(vec![garbled.clone()]), InstanceState::Running);
        assert_eq!(report.status, Status::Aborted);
        assert!(!report.remarks.is_empty(), "{garbled}");
        assert_eq!(report.rows().count(), 20);
    }
}

#[test]
fn environments_outside_a_subset_are_skipped_and_no_failure() {
    let lists = lists();
    let mut request = request(vec![good(&lists, "dev", "stopped", "started")]);
    request.environments = Some(vec!["dev".to_owned()]);
    let (report, mail) = built(&request, InstanceState::Running);
    assert_eq!(report.status, Status::Success);
    assert!(mail.text.contains("PREPROD (not part of this run)"));
}

#[test]
fn a_run_that_waited_for_an_earlier_one_says_so() {
    let mut request = request(all_good(&lists()));
    request.waited = true;
    assert!(built(&request, InstanceState::Running).1.text.contains("waited until an earlier one had ended"));
}

#[test]
fn a_dry_run_is_marked_in_the_subject_and_in_the_first_line() {
    let lists = lists();
    let results =
        lists.environments().into_iter().map(|name| good(&lists, name, "stopped", "would_start")).collect();
    let mut request = request(results);
    request.dry_run = true;
    let (report, mail) = built(&request, InstanceState::Stopped);
    assert_eq!(report.subject(), "DRY RUN: START STATUS: SUCCESS");
    assert!(mail.text.contains("Dry run, nothing was changed"));
    assert!(mail.text.contains("would be started"));
}

#[test]
fn hours_off_are_told_and_money_only_where_a_rate_is_given() {
    let mut lists = lists();
    let mut results = all_good(&lists);
    results[0]["phases"][0]["off"] = json!({"servers": 3, "seconds": 36 * 3600});
    let mail = |lists: &ServerLists, results: Vec<Value>| {
        Report::build(&request(results), lists, &seen(lists, InstanceState::Running), now())
            .mail(&TimeZone::UTC, "eu-west-1")
    };
    assert!(!mail(&lists, all_good(&lists)).text.contains("Off since"));
    let without = mail(&lists, results.clone());
    assert!(without.text.contains("Off since the last stop: 36.0 instance-hours of 3 servers.\n"));
    assert!(!without.html.contains("not spent"));
    let rate = crate::servers::file::Rate { amount: 0.5, currency: "USD".to_owned() };
    lists.lists.iter_mut().for_each(|phase| phase.hourly_rate = Some(rate.clone()));
    assert!(mail(&lists, results).html.contains("about 18.00 USD not spent."));
}

#[test]
fn names_with_markup_and_right_to_left_text_are_safe() {
    let file = "[[list]]\nnumber = 0\nenvironment = \"dev\"\ntier = \"db\"\nname = \"<b>&\"\nready = \"running\"\ntimeout_minutes = 5\n\
                servers = [\"<script>x</script>\", \"שרת\", \"😀\"]\n";
    let lists = ServerLists::parse(file).unwrap();
    let report = Report::build(
        &request(vec![good(&lists, "dev", "stopped", "started")]),
        &lists,
        &seen(&lists, InstanceState::Running),
        now(),
    );
    let mail = report.mail(&TimeZone::UTC, "eu-west-1");
    assert!(!mail.html.contains("<script>x") && !mail.html.contains("<b>&"));
    assert!(mail.text.contains("\u{2068}שרת\u{2069}"));
}

#[test]
fn the_text_is_at_most_78_columns_wide() {
    let mut results = all_good(&lists());
    results[0]["phases"][0]["problems"] =
        json!([{"name": "test2", "id": id("test2"), "code": "X", "message": "a long sentence ".repeat(30)}]);
    let (_, mail) = built(&request(results), InstanceState::Running);
    for line in mail.text.lines().filter(|line| !line.contains("https://")) {
        assert!(line.chars().count() <= 78, "{line}");
    }
}

#[test]
fn a_thousand_servers_fit_a_mail() {
    let names: Vec<String> = (0..1000).map(|n| format!("web{n}")).collect();
    let file = format!(
        "[[list]]\nnumber = 0\nenvironment = \"dev\"\ntier = \"db\"\nname = \"web\"\nready = \"running\"\ntimeout_minutes = 5\nservers = {names:?}\n"
    );
    let lists = ServerLists::parse(&file).unwrap();
    let report = Report::build(
        &request(vec![good(&lists, "dev", "stopped", "started")]),
        &lists,
        &seen(&lists, InstanceState::Running),
        now(),
    );
    let mail = report.mail(&TimeZone::UTC, "eu-west-1");
    let sent = crate::report::Sent {
        message_id: String::new(),
        from: String::new(),
        to: Vec::new(),
        refused: Vec::new(),
    };
    let answer = serde_json::to_string(&report.answer(sent)).unwrap();
    assert!(answer.len() < 262_144 && answer.contains("each one is in the mail"), "{}", answer.len());
    // SES takes 10 MB (API: SendEmail).
    assert!(mail.html.len() + mail.text.len() < 1_000_000, "{}", mail.html.len() + mail.text.len());
}

fn occurrences(body: &str, name: &str) -> usize {
    let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    body.match_indices(name)
        .filter(|(at, _)| {
            boundary(body[at + name.len()..].chars().next()) && boundary(body[..*at].chars().next_back())
        })
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_configured_server_appears_exactly_once_whatever_came_of_it(
        kept in prop::collection::vec(any::<bool>(), 3),
        phases in prop::collection::vec(0_usize..3, 3),
        gone in prop::collection::vec(any::<bool>(), 20),
        unchanged: bool,
    ) {
        let lists = lists();
        let did = if unchanged { "" } else { "started" };
        let mut results = Vec::new();
        for ((name, kept), phases) in lists.environments().into_iter().zip(kept).zip(phases) {
            let mut result = good(&lists, name, "stopped", did);
            result["phases"].as_array_mut().unwrap().truncate(phases);
            if kept {
                results.push(result);
            }
        }
        let mut seen = seen(&lists, InstanceState::Running);
        let mut gone = gone.into_iter();
        for (_, instances) in &mut seen {
            instances.as_mut().unwrap().retain(|_| !gone.next().unwrap());
        }
        let report = Report::build(&request(results), &lists, &seen, now());
        let mail = report.mail(&TimeZone::UTC, "eu-west-1");
        for name in lists.lists.iter().flat_map(|phase| &phase.servers) {
            prop_assert_eq!(report.rows().filter(|row| row.name == *name).count(), 1, "{}", name);
            let problems = report.problems.iter().filter(|problem| problem.name == *name).count();
            for body in [&mail.text, &mail.html] {
                let told = problems * (1 + occurrences(&report.problems.iter().filter(|problem| problem.name == *name)
                    .map(|problem| problem.message.clone()).collect::<String>(), name));
                prop_assert_eq!(occurrences(body, name), 1 + told, "{}", name);
            }
        }
    }
}
