//! The machine's trail: one record a phase and one a run, with metrics that CloudWatch takes.

use std::collections::BTreeSet;

use super::{answer, settings};
use crate::lambda::settings::Settings;
use crate::testkit::small_ec2::{Habit, World, running, stopped};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const DATABASES: [&str; 3] = ["test2", "test7", "test8"];

fn start(next_phase: bool) -> Value {
    json!({"phase_number": 3, "next_phase": next_phase, "action": "start", "cw_log_phase": "starting", "send_mail": false,
           "execution": {"id": "arn", "name": "monday", "start_time": "2026-11-23T06:00:00Z"}})
}

/// The metrics of a record with their dimensions, as CloudWatch reads them: each must be in the record.
fn metrics(record: &Value) -> BTreeSet<(String, Vec<String>)> {
    let mut found = BTreeSet::new();
    for directive in record["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        for dimensions in directive["Dimensions"].as_array().unwrap() {
            let dimensions: Vec<String> = serde_json::from_value(dimensions.clone()).unwrap();
            assert!(dimensions.iter().all(|name| record[name].is_string()), "{record}");
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                let value = &record[name];
                let values = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                assert!((1..=100).contains(&values.len()) && values.iter().all(Value::is_number), "{record}");
                found.insert((name.to_owned(), dimensions.clone()));
            }
        }
    }
    found
}

fn names(metrics: &BTreeSet<(String, Vec<String>)>) -> Vec<&str> {
    metrics.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_phase_that_is_skipped_leaves_no_record() {
    let world = World::new([]);
    answer(&world, &settings(), start(false)).unwrap();
    assert!(world.records.borrow().is_empty());
}

#[test]
fn without_metrics_the_record_says_the_same_and_cloudwatch_makes_none_of_it() {
    let records = [true, false].map(|metrics| {
        let world = World::new(DATABASES.map(stopped));
        answer(&world, &Settings { metrics, ..settings() }, start(true)).unwrap();
        world.records.borrow().clone()
    });
    let [with, without] = records.map(|records| records.into_iter().next().unwrap());
    assert!(with["_aws"].is_object() && without.get("_aws").is_none());
    assert_eq!(with["SecondsToReady"], without["SecondsToReady"]);
    assert_eq!(with.as_object().unwrap().len(), without.as_object().unwrap().len() + 1);
}

#[test]
fn a_phase_leaves_one_record_with_what_came_of_it_and_how_long_its_servers_took() {
    let world = World::new(DATABASES.map(stopped));
    answer(&world, &settings(), start(true)).unwrap();
    let records = world.records.borrow();
    let [record] = &records[..] else { panic!("one record") };
    assert_eq!((record["record"].as_str(), record["run"].as_str()), (Some("phase"), Some("monday")));
    assert_eq!((record["ServersReady"].as_u64(), record["ServersFailed"].as_u64()), (Some(3), Some(0)));
    assert_eq!(record["SecondsToReady"].as_array().unwrap().len(), 3);
    assert_eq!(record["ApiCalls"], world.calls.borrow().len());
    assert!(record["seconds_to_ready_p50"].as_u64() <= record["seconds_to_ready_p95"].as_u64());
    assert_eq!(
        names(&metrics(record)),
        ["ApiCalls", "ApiThrottles", "SecondsToReady", "ServersFailed", "ServersReady"]
    );
}

#[test]
fn no_metric_has_a_server_an_environment_or_an_execution_as_a_dimension() {
    let world = World::new(DATABASES.map(stopped));
    answer(&world, &settings(), start(true)).unwrap();
    for (_, dimensions) in metrics(&world.records.borrow()[0]) {
        assert!(dimensions.iter().all(|name| ["Stack", "Action", "Tier"].contains(&name.as_str())));
    }
}

#[test]
fn a_server_that_failed_is_counted_and_its_code_is_in_the_record() {
    let world =
        World::new(DATABASES.map(stopped).map(|server| server.with(Habit::Refuses("VcpuLimitExceeded"))));
    answer(&world, &settings(), start(true)).unwrap();
    let record = &world.records.borrow()[0];
    assert_eq!((record["outcome"].as_str(), record["ServersFailed"].as_u64()), (Some("failed"), Some(3)));
    assert_eq!(record["problem_codes"][0], "VcpuLimitExceeded");
}

#[test]
fn an_invocation_that_hands_on_counts_its_requests_and_no_server() {
    let world = World::new(
        DATABASES
            .map(|name| stopped(name).change(|server| server.checks_after = SignedDuration::from_mins(20))),
    );
    let mut settings = settings();
    for phase in &mut settings.lists.as_mut().unwrap().lists {
        phase.timeout = std::time::Duration::from_secs(3600);
    }
    let answered = answer(&world, &settings, start(true)).unwrap();
    assert_eq!(answered["outcome"], "in_progress");
    assert_eq!(names(&metrics(&world.records.borrow()[0])), ["ApiCalls", "ApiThrottles"]);
}

#[test]
fn a_dry_run_counts_no_server() {
    let world = World::new(DATABASES.map(stopped));
    let mut payload = start(true);
    payload["dry_run"] = json!(true);
    answer(&world, &settings(), payload).unwrap();
    assert_eq!(names(&metrics(&world.records.borrow()[0])), ["ApiCalls", "ApiThrottles"]);
}

#[test]
fn more_than_a_hundred_servers_times_are_all_told_in_records_of_a_hundred() {
    let servers: Vec<String> = (0..250).map(|number| format!("web{number}")).collect();
    let world = World::new(servers.iter().map(|name| stopped(name)));
    let mut settings = settings();
    let phase = settings.lists.as_mut().unwrap().lists.iter_mut().find(|phase| phase.number == 3).unwrap();
    phase.servers = servers;
    answer(&world, &settings, start(true)).unwrap();
    let records = world.records.borrow();
    let times: usize = records.iter().map(|record| record["SecondsToReady"].as_array().unwrap().len()).sum();
    assert_eq!((records.len(), times), (3, 250));
    records.iter().for_each(|record| assert!(!metrics(record).is_empty()));
}

#[test]
fn a_run_leaves_one_record_with_its_verdict_and_its_seconds_also_when_its_mail_is_refused() {
    for refused in [false, true] {
        let world = World::new(DATABASES.map(running));
        world.pass_time(std::time::Duration::from_secs(600));
        if refused {
            world.fail_next("SendEmail", "MessageRejected", 1);
        }
        let payload = json!({"send_mail": true, "action": "start", "results": [],
            "execution": {"id": "arn", "name": "monday", "start_time": "2026-11-23T06:00:00Z"}});
        assert_eq!(answer(&world, &settings(), payload).is_err(), refused);
        let records = world.records.borrow();
        let [record] = &records[..] else { panic!("one record") };
        assert_eq!((record["record"].as_str(), record["status"].as_str()), (Some("run"), Some("ABORTED")));
        assert!(record["RunSeconds"].as_u64().unwrap() >= 600);
        assert!(record["timestamp"].as_str().unwrap().parse::<Timestamp>().is_ok());
        assert_eq!(names(&metrics(record)), ["ApiCalls", "ApiThrottles", "RunSeconds"]);
    }
}
