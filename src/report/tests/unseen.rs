//! The report says what is true of servers that no look showed: unknown is not down, and what a phase saw stands.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::report::{all_good, id, lists, now, request, seen};
use crate::model::{Action, Failure, InstanceState};
use crate::report::asked::Asked;
use crate::report::calendar::{Calendar, Said};
use crate::report::request::ReportRequest;
use crate::report::{Place, Report, Seen, Status};
use crate::servers::file::ServerLists;

/// Nobody may look.
fn nothing_seen(lists: &ServerLists) -> Seen {
    let why = || Failure::of_aws("DescribeInstances", "UnauthorizedOperation", "no", None);
    lists.lists.iter().map(|list| (list.number, Err(why()))).collect()
}

/// Without these.
fn without(mut seen: Seen, names: &[&str]) -> Seen {
    for instances in seen.iter_mut().filter_map(|(_, seen)| seen.as_mut().ok()) {
        instances.retain(|instance| !instance.name.as_deref().is_some_and(|name| names.contains(&name)));
    }
    seen
}

fn stop(results: Vec<Value>) -> ReportRequest {
    ReportRequest { action: Action::Stop, ..request(results) }
}

fn text(report: &Report) -> String {
    report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "s")).text
}

/// dev's applications failed: test1 would not stop, test4 and test5 did in 31 s, test19 was down.
fn dev_app_failed() -> Value {
    let initial = |name: &str, state: &str| {
        (name.to_owned(), json!({"InstanceId": id(name), "State": state, "is_running": state == "running"}))
    };
    let running = ["test1", "test4", "test5"].map(|name| initial(name, "running"));
    let states: serde_json::Map<String, Value> =
        running.into_iter().chain([initial("test19", "stopped")]).collect();
    json!({"environment": "dev", "ok": false, "dev_app_initial_state": states, "phases": [{
        "phase_number": 0, "tier": "app", "outcome": "failed",
        "servers": {"total": 4, "ready": 3, "changed": 2, "failed": 1},
        "problems": [{"name": "test1", "id": id("test1"), "code": "UnauthorizedOperation", "message": "No."}],
        "actions": {"test4": {"action": "stopped", "seconds": 31}, "test5": {"action": "stopped", "seconds": 31}}
    }]})
}

/// A stop of dev alone that failed in its applications.
fn dev_failed() -> ReportRequest {
    let asked = Asked { environments: Some(vec!["dev".to_owned()]), ..Asked::default() };
    ReportRequest { asked, ..stop(vec![dev_app_failed()]) }
}

#[test]
fn where_every_server_was_seen_none_is_unknown() {
    let lists = lists();
    let report = Report::build(&stop(all_good(&lists)), &lists, &seen(&lists, InstanceState::Stopped), now());
    assert_eq!(report.status, Status::Success);
    assert!(report.placed().all(|placed| placed.is_there && !placed.is_unknown));
    assert!(!text(&report).contains("unknown"));
}

#[test]
fn servers_that_nobody_could_look_at_are_unknown_and_not_down() {
    let lists = lists();
    let broke_off = |name: &str| json!({"environment": name, "ok": false, "error": {"Error": "AccessDenied", "Cause": "no"}});
    for action in [Action::Start, Action::Stop] {
        let request =
            ReportRequest { action, ..request(lists.environments().into_iter().map(broke_off).collect()) };
        let report = Report::build(&request, &lists, &nothing_seen(&lists), now());
        assert!(report.rows().all(|row| row.end_state.is_none()));
        let (text, up) = (text(&report), if action == Action::Start { "up" } else { "down" });
        assert!(text.contains(&format!("\nNobody could see whether the 20 servers are {up}.\n")), "{text}");
        assert!(text.contains("\n✗ dev: not reached, 7 unknown\n"), "{text}");
        assert!(!text.contains("missing") && !text.contains(" of 20"), "{text}");
    }
}

#[test]
fn a_tier_that_was_not_reached_is_not_down_because_the_reports_look_failed() {
    let lists = lists();
    let report = Report::build(&dev_failed(), &lists, &nothing_seen(&lists), now());
    let text = text(&report).replace('\n', " ");
    assert!(text.contains("1 of 7 servers did not stop."), "{text}");
    assert!(
        text.contains("3 more were not stopped, 2 were stopped. 3 of 7 are down; for 3 it is not known."),
        "{text}"
    );
    assert!(text.contains("✗ dev: failed in app, 3 of 7 down, 3 unknown"), "{text}");
    assert!(text.contains("db, not reached, unknown: test2, test7, test8"), "{text}");
    assert!(text.contains("app, unknown: test6, test11"), "outside the run: {text}");
}

#[test]
fn a_server_that_its_phase_saw_stop_did_stop_although_nobody_could_look_again() {
    let lists = lists();
    let report = Report::build(&dev_failed(), &lists, &nothing_seen(&lists), now());
    let totals = report.totals();
    assert_eq!((totals.as_wanted, totals.problems, totals.not_reached), (3, 1, 3));
    assert!(report.subject(&Place::new("eu-west-1", "s")).ends_with("dev app: test1"));
    let text = text(&report).replace("\n  ", " ");
    assert!(text.contains("app, running → stopped, unknown now: test4 (31 s), test5 (31 s)"), "{text}");
    assert!(!text.contains("! test4"), "{text}");
}

#[test]
fn of_a_failed_list_whose_problems_were_cut_only_what_was_timed_is_told_as_done() {
    let lists = lists();
    let mut result = dev_app_failed();
    result["phases"][0]["shortened"] = json!(true);
    let request = ReportRequest { results: vec![result], ..dev_failed() };
    let report = Report::build(&request, &lists, &nothing_seen(&lists), now());
    assert_eq!((report.totals().as_wanted, report.totals().problems), (2, 2));
    let text = text(&report);
    assert!(text.contains("\n1 of 7 servers did not stop.\n"), "test19 is not told as one: {text}");
    assert!(text.contains("nobody could see what came of it"), "{text}");
}

#[test]
fn a_name_that_no_instance_has_is_not_down_in_a_tier_that_was_not_reached() {
    let lists = lists();
    let seen = without(seen(&lists, InstanceState::Stopped), &["test2"]);
    let report = Report::build(&dev_failed(), &lists, &seen, now());
    let placed = report.placed().find(|placed| placed.row.name == "test2").unwrap();
    assert!(!placed.is_there);
    let text = text(&report);
    assert!(text.contains("1 more was not stopped, 2 were stopped."), "{text}");
    assert!(text.contains("db, not reached, missing: test2\n"), "{text}");
}

#[test]
fn a_server_that_was_terminated_after_its_stop_is_down_and_no_problem() {
    let lists = lists();
    let seen = without(seen(&lists, InstanceState::Stopped), &["test4"]);
    let report = Report::build(&stop(all_good(&lists)), &lists, &seen, now());
    assert_eq!((report.status, report.totals().as_wanted), (Status::Success, 20));
}

#[test]
fn of_a_run_that_did_nothing_servers_that_nobody_could_look_at_are_unknown_and_not_up() {
    let lists = lists();
    let calendar = Calendar { name: "holidays".to_owned(), said: Said::Closed(None) };
    let request = ReportRequest { skipped: true, calendar: Some(calendar), ..request(Vec::new()) };
    let told = |seen: &Seen| {
        let report = Report::build(&request, &lists, seen, now());
        assert_eq!(report.status, Status::Skipped);
        text(&report).replace(['\n', '\u{a0}'], " ")
    };
    let mut some = nothing_seen(&lists);
    some[0] = seen(&lists, InstanceState::Running).swap_remove(0);
    let up = some[0].1.as_ref().unwrap().len();
    let rest = format!("Nothing was changed: {up} of 20 servers are up; for {} it is not known.", 20 - up);
    assert!(told(&some).contains(&rest), "{}", told(&some));
    let none = told(&nothing_seen(&lists));
    assert!(none.contains("– preprod: left as it is, 6 unknown"), "{none}");
    assert!(
        none.contains("Nothing was changed: nobody could see whether the 20 servers are up now."),
        "{none}"
    );
    let all = told(&seen(&lists, InstanceState::Running));
    assert!(all.contains("Nothing was changed: 20 of 20 servers are up now."), "{all}");
}
