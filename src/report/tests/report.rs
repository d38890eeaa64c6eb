//! The report and its mail: the verdict, every server exactly once, and text that is safe.

use std::collections::BTreeMap;

use crate::model::failure::Taken;
use crate::model::{Action, Failure, Instance, InstanceState};
use crate::ports::Mail;
use crate::report::asked::Asked;
use crate::report::request::ReportRequest;
use crate::report::{Place, Report, Seen, Status};
use crate::servers::file::ServerLists;
use expect_test::expect;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(super) fn now() -> Timestamp {
    "2026-11-23T06:05:00Z".parse().unwrap()
}

fn place() -> Place {
    Place { docs_url: None, ..Place::new("eu-west-1", "prod-scheduler") }
}

/// A mail's HTML with its no-break spaces as spaces.
fn plain(html: &str) -> String {
    html.replace('\u{a0}', " ")
}

pub(super) fn lists() -> ServerLists {
    ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap()
}

pub(super) fn id(name: &str) -> String {
    format!(
        "i-{:017x}",
        name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
    )
}

pub(super) fn instance(name: &str, state: InstanceState) -> Instance {
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
pub(super) fn seen(lists: &ServerLists, state: InstanceState) -> Seen {
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

pub(super) fn request(results: Vec<Value>) -> ReportRequest {
    ReportRequest {
        action: Action::Start,
        dry_run: false,
        execution: None,
        results,
        waited: false,
        look_error: None,
        error: None,
        claim: None,
        skipped: false,
        calendar: None,
        asked: Asked::default(),
        silent: false,
    }
}

pub(super) fn all_good(lists: &ServerLists) -> Vec<Value> {
    lists.environments().into_iter().map(|name| good(lists, name, "stopped", "started")).collect()
}

fn built(request: &ReportRequest, state: InstanceState) -> (Report, Mail) {
    let lists = lists();
    let report = Report::build(request, &lists, &seen(&lists, state), now());
    let mail = report.mail(&TimeZone::UTC, &place());
    (report, mail)
}

#[test]
fn a_run_that_changed_nothing_is_a_success_and_lists_every_server_once() {
    let lists = lists();
    let results = lists.environments().into_iter().map(|name| good(&lists, name, "running", "")).collect();
    let (report, mail) = built(&request(results), InstanceState::Running);
    assert_eq!((report.status, report.totals().changed, report.rows().count()), (Status::Success, 0, 20));
    let beginning = "START STATUS: SUCCESS\nAll 20 servers were up already.\nNothing had to be done.\n";
    assert!(mail.text.starts_with(beginning), "{}", mail.text);
}

#[test]
fn a_good_start_says_so_in_the_subject_and_the_first_lines() {
    let (report, mail) = built(&request(all_good(&lists())), InstanceState::Running);
    assert_eq!((mail.subject.as_str(), report.problems.len()), ("START STATUS: SUCCESS · prod-scheduler", 0));
    assert!(
        mail.text.starts_with("START STATUS: SUCCESS\nAll 20 servers are up.\n20 started.\n"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("\n✓ dev: up, 7 of 7, 3 min 14 s\n"), "{}", mail.text);
    assert!(mail.text.contains("db, stopped → running: test2 (1 min 37 s)"), "{}", mail.text);
}

#[test]
fn a_stop_is_called_shutdown() {
    let mut request = request(all_good(&lists()));
    request.action = Action::Stop;
    let (_, mail) = built(&request, InstanceState::Stopped);
    assert_eq!(mail.subject, "SHUTDOWN STATUS: SUCCESS · prod-scheduler");
    assert!(mail.text.contains("\nAll 20 servers are down.\n"), "{}", mail.text);
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
    assert_eq!(mail.subject, "START STATUS: ABORTED · prod-scheduler · dev db: test2");
    for body in [&mail.text, &mail.html] {
        let problem = body.find("InsufficientInstanceCapacity").unwrap();
        assert!(problem < body.find("test18").unwrap(), "what went wrong stands first");
        assert!(body.contains("No capacity. Try later."));
        assert!(body.contains("app, not reached, running: test1, test4, test5, test19"), "{body}");
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
    request.asked.environments = Some(vec!["dev".to_owned()]);
    let (report, mail) = built(&request, InstanceState::Running);
    assert_eq!(report.status, Status::Success);
    assert!(mail.text.contains("\nAll 7 servers of dev are up.\n"), "{}", mail.text);
    for body in [&mail.text, &mail.html] {
        assert_eq!(body.matches("not part of this run").count(), 2, "once an environment");
    }
    assert_eq!((report.totals().servers, report.totals().not_in_run), (7, 13));
}

#[test]
fn a_name_does_not_break_at_its_hyphens_unless_it_is_longer_than_a_phones_line() {
    let names = ["web-1".to_owned(), format!("web-{}", "x".repeat(60))];
    let lists = one_list(&names);
    let request = request(vec![good(&lists, "dev", "stopped", "")]);
    let report = Report::build(&request, &lists, &seen(&lists, InstanceState::Running), now());
    let html = report.mail(&TimeZone::UTC, &place()).html;
    assert!(html.contains("<span style=\"white-space:nowrap\">web-1</span>"), "{html}");
    assert!(!html.contains(&format!("<span style=\"white-space:nowrap\">{}", names[1])), "{html}");
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
    assert_eq!(
        (report.status, mail.subject.as_str()),
        (Status::Success, "DRY RUN: START STATUS: SUCCESS · prod-scheduler")
    );
    assert!(
        mail.text.contains("\n20 servers would be started.\nDry run: nothing was changed.\n"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("are up") && !mail.html.contains("#1a7f37"), "nothing green happened");
}

#[test]
fn hours_off_are_told_and_money_only_where_a_rate_is_given() {
    let mut lists = lists();
    let mut results = all_good(&lists);
    results[0]["phases"][0]["off"] = json!({"servers": 3, "seconds": 36 * 3600});
    let mail = |lists: &ServerLists, results: Vec<Value>| {
        Report::build(&request(results), lists, &seen(lists, InstanceState::Running), now())
            .mail(&TimeZone::UTC, &place())
    };
    assert!(!mail(&lists, all_good(&lists)).text.contains("server-hours"));
    let without = mail(&lists, results.clone());
    assert!(
        without.text.contains("3 servers were off for 36 server-hours since the last stop.\n"),
        "{}",
        without.text
    );
    assert!(!without.html.contains("USD"));
    let rate = crate::servers::file::Rate { amount: 0.5, currency: "USD".to_owned() };
    lists.lists.iter_mut().for_each(|phase| phase.hourly_rate = Some(rate.clone()));
    let html = plain(&mail(&lists, results).html);
    let told = "since the last stop, which would have cost about 18.00 USD.";
    assert_eq!(html.matches(told).count(), 1, "once, at the end");
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
    let mail = report.mail(&TimeZone::UTC, &place());
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
    let mail = report.mail(&TimeZone::UTC, &place());
    let sent = crate::report::Sent {
        message_id: String::new(),
        from: String::new(),
        to: Vec::new(),
        refused: Vec::new(),
    };
    let answer = serde_json::to_string(&report.answer(&mail, Some(sent))).unwrap();
    assert!(answer.len() < 262_144 && answer.contains("each one is in the mail"), "{}", answer.len());
}

/// Gmail cuts a mail off there: in bytes, from its support pages' "message clipped" and common measurement.
const GMAIL_CLIPS: usize = 102_000;

/// The mail's sizes, in kB of HTML and of text; the HTML is shown whole by Gmail.
fn sizes(mail: &Mail) -> String {
    assert!(mail.html.len() < GMAIL_CLIPS, "{}", mail.html.len());
    format!("{} kB HTML, {} kB text", mail.html.len() / 1000, mail.text.len() / 1000)
}

fn thousand_names() -> Vec<String> {
    (0..1000).map(|n| format!("application-server-{n:04}")).collect()
}

#[test]
fn the_mail_of_a_thousand_good_servers_is_shown_whole_by_gmail() {
    let lists = one_list(&thousand_names());
    let request = request(vec![good(&lists, "dev", "stopped", "started")]);
    let report = Report::build(&request, &lists, &seen(&lists, InstanceState::Running), now());
    expect!["44 kB HTML, 42 kB text"].assert_eq(&sizes(&report.mail(&TimeZone::UTC, &place())));
}

#[test]
fn the_mail_of_a_thousand_failed_servers_is_shown_whole_by_gmail() {
    let names = thousand_names();
    let lists = one_list(&names);
    let (report, mail) = refused(&lists, &names);
    assert_eq!((report.totals().problems, report.problems.len()), (1000, 1000));
    assert!(mail.subject.chars().count() <= 120, "{}", mail.subject);
    expect!["52 kB HTML, 52 kB text"].assert_eq(&sizes(&mail));
}

/// The most rows that there are, each server's text is another one and as long as it may be, and every code is linked.
#[test]
fn the_mail_of_a_thousand_servers_with_thirty_different_failures_is_shown_whole_by_gmail() {
    let lists = one_list(&thousand_names());
    let mut result = good(&lists, "dev", "stopped", "started");
    let failed = lists.lists[0].servers[..30].iter().enumerate();
    let problems: Vec<Value> = failed
        .map(|(n, name)| {
            let text = format!("{n} {}", "system status: impaired ".repeat(12));
            let failure = Failure::not_in_time(Action::Start, Taken::Request, &text);
            json!({"name": name, "id": id(name), "code": "NotInTime", "message": failure.sentence()})
        })
        .collect();
    result["phases"][0]["outcome"] = json!("failed");
    result["phases"][0]["problems"] = json!(problems);
    let report = Report::build(&request(vec![result]), &lists, &seen(&lists, InstanceState::Running), now());
    let place = Place { docs_url: Some("https://git.example.com/ec2-start-stop/docs"), ..place() };
    let mail = report.mail(&TimeZone::UTC, &place);
    assert_eq!(mail.text.matches("See NotInTime in").count(), 20, "entries");
    expect!["88 kB HTML, 59 kB text"].assert_eq(&sizes(&mail));
}

#[test]
fn two_hundred_equal_problems_are_one_entry_whose_advice_stands_there_once() {
    let names: Vec<String> = (0..200).map(|n| format!("web{n:03}")).collect();
    let lists = one_list(&names);
    let (_, mail) = refused(&lists, &names);
    for body in [&mail.text, &mail.html] {
        assert_eq!(body.matches("extend the").count(), 1, "the advice stands there once");
        assert_eq!(body.matches("docs/troubleshooting.md").count(), 1);
        assert!(body.contains("and 170 more"), "{body}");
        assert!(body.contains(&id("web199")), "the ids are there");
    }
    assert_eq!(mail.subject, "START STATUS: ABORTED · prod-scheduler · dev db: web000, web001, web002 +197");
}

#[test]
fn problems_of_one_code_with_other_texts_keep_their_texts() {
    let names = ["a1".to_owned(), "b1".to_owned()];
    let lists = one_list(&names);
    let mut result = good(&lists, "dev", "stopped", "");
    let advice =
        "The function may not do this: give the server the tag ec2-start-stop, or extend the policy.";
    result["phases"][0]["outcome"] = json!("failed");
    result["phases"][0]["problems"] = json!([
        {"name": "a1", "id": id("a1"), "code": "UnauthorizedOperation", "message": format!("Denied by a policy. {advice}")},
        {"name": "b1", "id": id("b1"), "code": "UnauthorizedOperation", "message": format!("Denied by a boundary. {advice}")},
    ]);
    let report = Report::build(&request(vec![result]), &lists, &seen(&lists, InstanceState::Stopped), now());
    let text = report.mail(&TimeZone::UTC, &place()).text;
    assert!(
        text.contains("* a1, b1 (dev db)\n  Denied by a policy. Denied by a boundary. The function may not"),
        "{text}"
    );
}

#[test]
fn the_subject_is_one_line_of_at_most_120_characters_whatever_the_names_are() {
    let names = ["a\r\nBcc: x@example.com".to_owned(), "n".repeat(200)];
    let lists = one_list(&["web".to_owned()]);
    let mut result = good(&lists, "dev", "stopped", "");
    result["phases"][0]["outcome"] = json!("failed");
    result["phases"][0]["problems"] = json!(
        names
            .iter()
            .map(|name| json!({"name": name, "id": null, "code": "X", "message": "m"}))
            .collect::<Vec<_>>()
    );
    let report = Report::build(&request(vec![result]), &lists, &seen(&lists, InstanceState::Stopped), now());
    let subject = report.subject(&place());
    assert!(subject.starts_with("START STATUS: ABORTED · prod-scheduler · dev db: "), "{subject}");
    assert!(subject.chars().count() <= 120 && subject.ends_with('…'), "{subject}");
    assert!(!subject.contains(char::is_control), "{subject:?}");
}

#[test]
fn what_carries_meaning_is_inline_and_the_style_sheet_is_for_dark_mode_only() {
    let (_, mail) = built(&request(all_good(&lists())), InstanceState::Running);
    let (_, sheet) = mail.html.split_once("<style>").unwrap();
    let (sheet, _) = sheet.split_once("</style>").unwrap();
    assert!(
        sheet.trim().starts_with("@media (prefers-color-scheme: dark)")
            && sheet.matches("@media").count() == 1
    );
    assert!(!mail.html.contains("<bdi>") && mail.html.contains("scope=\"row\""));
    assert!(mail.html.contains("border-left:6px solid #1a7f37"), "the verdict's colour is inline");
}

#[test]
fn the_execution_and_its_phase_log_are_linked_and_the_foot_says_where_it_was() {
    let mut request = request(all_good(&lists()));
    let arn = "arn:aws:states:eu-west-1:123456789012:execution:ec2-start-stop:monday";
    request.execution =
        serde_json::from_value(json!({"id": arn, "name": "monday", "start_time": "2026-11-23T06:00:00Z"}))
            .unwrap();
    let lists = lists();
    let report = Report::build(&request, &lists, &seen(&lists, InstanceState::Running), now());
    let place = Place {
        account: Some("123456789012".to_owned()),
        log_group: Some("phases".to_owned()),
        version: "1.2.3",
        ..place()
    };
    let mail = report.mail(&TimeZone::UTC, &place);
    for body in [&mail.text, &mail.html] {
        assert!(body.contains(&format!("/states/home?region=eu-west-1#/v2/executions/details/{arn}")));
        assert!(body.contains("log-group/phases/log-events/monday"));
    }
    let html = plain(&mail.html);
    for part in ["stack prod-scheduler", "account 123456789012", "eu-west-1", "version 1.2.3"] {
        assert!(html.contains(&format!(">{part}</span>")), "{html}");
    }
    assert!(mail.text.contains("20 started, 5 min."), "{}", mail.text);
    let nowhere = report.mail(&TimeZone::UTC, &Place::new("us-iso-east-1", "s"));
    assert!(
        !nowhere.html.contains("href") && !nowhere.text.contains("https://"),
        "an unknown console is not guessed"
    );
}

#[test]
fn an_aborted_run_says_where_it_failed_what_was_left_and_what_is_up() {
    let lists = lists();
    let mut results = all_good(&lists);
    let failed = results[0]["phases"].as_array_mut().unwrap();
    failed.truncate(1);
    failed[0]["outcome"] = json!("failed");
    failed[0]["problems"] =
        json!([{"name": "test2", "id": id("test2"), "code": "VcpuLimitExceeded", "message": "No quota."}]);
    let mut seen = seen(&lists, InstanceState::Running);
    let stopped = ["test1", "test2", "test4", "test5", "test19"];
    for instance in seen.iter_mut().flat_map(|(_, seen)| seen.as_mut().unwrap()) {
        if stopped.iter().any(|name| instance.name.as_deref() == Some(name)) {
            instance.state = InstanceState::Stopped;
        }
    }
    let report = Report::build(&request(results), &lists, &seen, now());
    let text = report.mail(&TimeZone::UTC, &place()).text;
    let says = "\n1 of 20 servers did not start.\ndev failed in db; test and preprod are up. \
                4 more were not started, 15 were started. 15 of 20 are up.\n";
    assert!(text.replace("15 were\n", "15 were ").contains(says), "{text}");
    assert!(text.contains("\n✗ dev: failed in db, 4 not started, 2 of 7 up\n"), "{text}");
    let again = "\nTo run it again once this is fixed:\n  make start ENV=dev STACK=prod-scheduler\n";
    assert!(text.contains(again), "{text}");
}

#[test]
fn a_dry_run_that_ec2_would_refuse_says_so_in_its_title_and_is_not_blue() {
    let lists = one_list(&["a1".to_owned(), "b1".to_owned()]);
    let mut result = good(&lists, "dev", "stopped", "would_start");
    result["phases"][0]["outcome"] = json!("failed");
    result["phases"][0]["problems"] =
        json!([{"name": "a1", "id": id("a1"), "code": "UnauthorizedOperation", "message": "No."}]);
    let mut request = request(vec![result]);
    request.dry_run = true;
    let report = Report::build(&request, &lists, &seen(&lists, InstanceState::Stopped), now());
    let mail = report.mail(&TimeZone::UTC, &place());
    assert!(
        mail.text.contains(
            "\n1 of 2 servers could not be started.\nDry run: nothing was changed. 1 would be started.\n"
        ),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("\n✗ dev: would fail in db, 1 of 2 would be started\n"), "{}", mail.text);
    assert!(mail.html.contains("border-left:6px solid #cf222e"));
}

/// One list of these servers.
fn one_list(names: &[String]) -> ServerLists {
    let file = format!(
        "[[list]]\nnumber = 0\nenvironment = \"dev\"\ntier = \"db\"\nname = \"web\"\nready = \"running\"\ntimeout_minutes = 5\nservers = {names:?}\n"
    );
    ServerLists::parse(&file).unwrap()
}

/// A start that EC2 refused for each of them, with a text that names the instance.
fn refused(lists: &ServerLists, names: &[String]) -> (Report, Mail) {
    let mut result = good(lists, "dev", "stopped", "");
    let problems: Vec<Value> = names
        .iter()
        .map(|name| {
            let what = format!("You are not authorized to start instance/{}", id(name));
            let failure = Failure::of_state_reason("UnauthorizedOperation", &what);
            json!({"name": name, "id": id(name), "code": "UnauthorizedOperation", "message": failure.sentence()})
        })
        .collect();
    result["phases"][0]["outcome"] = json!("failed");
    result["phases"][0]["problems"] = json!(problems);
    let report = Report::build(&request(vec![result]), lists, &seen(lists, InstanceState::Stopped), now());
    let mail = report.mail(&TimeZone::UTC, &place());
    (report, mail)
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
        let mail = report.mail(&TimeZone::UTC, &place());
        let totals = report.totals();
        prop_assert_eq!(totals.servers, totals.as_wanted + totals.held + totals.problems + totals.not_reached);
        prop_assert_eq!((totals.servers, totals.not_in_run), (20, 0));
        prop_assert!(totals.changed <= totals.servers);
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
