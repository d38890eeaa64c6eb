//! Environments of which a person was asked: each server once, who decided, and what it makes of the verdict.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::report::{all_good, id, lists, now, request, seen};
use crate::model::InstanceState;
use crate::report::totals::Stands;
use crate::report::{Place, Report, Status};
use crate::servers::file::ServerLists;

/// A start of all that went well, but for preprod, of which this was decided.
fn decided(approval: Value) -> Report {
    let lists = lists();
    let mut results = all_good(&lists);
    let approved = approval["approved"] == true;
    for result in results.iter_mut().filter(|result| result["environment"] == "preprod") {
        if approved {
            result["approval"] = approval.clone();
        } else {
            *result = json!({ "environment": "preprod", "ok": true, "approval": approval });
        }
    }
    let mut seen = seen(&lists, InstanceState::Running);
    if !approved {
        for list in lists.lists.iter().filter(|list| list.environment == "preprod") {
            for (_, found) in seen.iter_mut().filter(|(number, _)| *number == list.number) {
                for instance in found.as_mut().unwrap() {
                    instance.state = InstanceState::Stopped;
                }
            }
        }
    }
    Report::build(&request(results), &lists, &seen, now())
}

fn standing(report: &Report, wanted: Stands) -> usize {
    report.placed().filter(|placed| placed.environment.name == "preprod" && placed.stands == wanted).count()
}

#[test]
fn a_yes_is_told_and_changes_nothing_else() {
    let report = decided(json!({ "approved": true, "by": "Ana" }));
    assert_eq!(
        (report.status, report.remarks),
        (Status::Success, vec!["preprod: Ana said yes to the start.".to_owned()])
    );
}

#[test]
fn a_no_is_no_failure_and_every_server_is_there_once_as_left_alone() {
    let report = decided(json!({ "approved": false, "by": "Ana" }));
    assert_eq!(report.status, Status::Success);
    assert_eq!(report.remarks, ["preprod was left alone: Ana said no."]);
    assert_eq!((report.rows().count(), standing(&report, Stands::Held)), (20, 6));
    assert!(report.problems.is_empty());
    let mail = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "s"));
    assert_eq!(mail.subject, "START STATUS: SUCCESS · s · 6 of 20 held");
    let text = mail.text.replace('\u{a0}', " ");
    assert!(text.contains("– preprod: left as it is, 0 of 6 up"), "{text}");
    assert!(text.contains("left alone; Ana said no"), "{text}");
}

#[test]
fn silence_that_leaves_alone_degrades_and_says_how_to_run_it_again() {
    let report = decided(json!({ "approved": false, "silence": "leave alone" }));
    assert_eq!(report.status, Status::Degraded);
    let codes: Vec<&str> = report.problems.iter().map(|problem| problem.code.as_str()).collect();
    assert_eq!(codes, ["NobodyAnswered"]);
    assert_eq!((report.rows().count(), standing(&report, Stands::Held)), (20, 6));
    let mail = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "ec2-start-stop"));
    assert!(mail.subject.ends_with("preprod: NobodyAnswered"), "{}", mail.subject);
    assert!(mail.text.contains("make start ENV=preprod\n"), "{}", mail.text);
}

/// The command in the mail of a start in which dev ended so, and of preprod this was decided.
fn command_after(outcome: &str, approval: &Value) -> String {
    let lists = lists();
    let mut results = all_good(&lists);
    results[0]["phases"][0]["outcome"] = json!(outcome);
    results[0]["phases"][0]["problems"] =
        json!([{ "name": "test2", "id": id("test2"), "code": "X", "message": "m" }]);
    *results.iter_mut().find(|result| result["environment"] == "preprod").unwrap() =
        json!({ "environment": "preprod", "ok": true, "approval": approval });
    let report = Report::build(&request(results), &lists, &seen(&lists, InstanceState::Running), now());
    let mail = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "ec2-start-stop"));
    let command = mail.text.lines().find(|line| line.contains("make start"));
    command.unwrap_or(&mail.text).trim().to_owned()
}

#[test]
fn what_nobody_answered_is_run_again_and_what_a_person_said_no_to_is_not_however_the_run_ended() {
    let (silence, no) =
        (json!({ "approved": false, "silence": "leave alone" }), json!({ "approved": false, "by": "Ana" }));
    for outcome in ["degraded", "failed"] {
        assert_eq!(command_after(outcome, &silence), "make start ENV=dev,preprod", "{outcome}");
        assert_eq!(command_after(outcome, &no), "make start ENV=dev", "{outcome}");
    }
}

#[test]
fn what_a_person_said_no_to_is_not_run_again_where_no_server_is_wanting_either() {
    let no = json!({ "approved": false, "by": "Ana" });
    let mut report = decided(no);
    report.status = Status::Degraded;
    let mail = report.mail(&TimeZone::UTC, &Place::new("eu-west-1", "ec2-start-stop"));
    assert!(mail.text.contains("make start ENV=dev,test\n"), "{}", mail.text);
}

#[test]
fn what_was_changed_is_counted_whoever_decided_about_the_rest() {
    for approval in
        [json!({ "approved": false, "by": "Ana" }), json!({ "approved": false, "silence": "leave alone" })]
    {
        let mail = decided(approval).mail(&TimeZone::UTC, &Place::new("eu-west-1", "s"));
        let beginning = mail.text.lines().take(3).collect::<Vec<_>>().join("\n");
        assert!(beginning.contains("\n14 of 20 servers are up.\n14 started, 6 held"), "{beginning}");
    }
}

/// A start by a servers.toml that wants a yes to it in preprod, whose branch gave this.
fn with_a_question(result: Value) -> Report {
    let wants_a_yes =
        "[environment.preprod]\napprove = [\"start\"]\napprove_minutes = 60\napprove_silence = \"go on\"\n";
    let text = format!("{}\n{wants_a_yes}", include_str!("../../../tests/servers.toml"));
    let lists = ServerLists::parse(&text).unwrap();
    let mut results = all_good(&lists);
    *results.iter_mut().find(|result| result["environment"] == "preprod").unwrap() = result;
    Report::build(&request(results), &lists, &seen(&lists, InstanceState::Running), now())
}

#[test]
fn a_question_that_could_not_be_asked_is_no_failure_of_a_tier() {
    let error = json!({ "Error": "MailRejected", "Cause": "said SES" });
    let asking = json!({ "environment": "preprod", "ok": false, "error": error });
    let report = with_a_question(asking.clone());
    let told =
        "environment preprod failed before its first tier, when a yes to its start was asked for: said SES";
    assert_eq!((report.status, report.problems[0].message.as_str()), (Status::Aborted, told));
    assert_eq!((report.rows().count(), standing(&report, Stands::NotReached)), (20, 6));
    let mut after_a_yes = asking;
    after_a_yes["approval"] = json!({ "approved": true, "by": "Ana" });
    let message = &with_a_question(after_a_yes).problems[0].message;
    assert_eq!(message, "environment preprod failed in its db tier: said SES");
}

#[test]
fn silence_that_goes_on_is_a_remark() {
    let report = decided(json!({ "approved": true, "silence": "go on" }));
    assert_eq!(report.status, Status::Success);
    assert_eq!(
        report.remarks,
        ["preprod: nobody answered in time, and the start went on, as servers.toml says."]
    );
}

#[test]
fn what_cannot_be_read_is_no_yes() {
    for approval in [json!({}), json!({ "approved": "true" }), json!({ "by": [] })] {
        let report = decided(approval);
        assert_eq!(standing(&report, Stands::Held), 6);
        assert_eq!(report.remarks, ["preprod was left alone: somebody who gave no name said no."]);
    }
}

#[test]
fn an_environment_that_failed_after_a_yes_is_no_better_for_it() {
    let lists = lists();
    let mut results = all_good(&lists);
    results[2]["approval"] = json!({ "approved": true, "by": "Ana" });
    results[2]["error"] = json!({ "Error": "States.Timeout", "Cause": "" });
    let report = Report::build(&request(results), &lists, &seen(&lists, InstanceState::Running), now());
    assert_eq!(report.status, Status::Aborted);
}
