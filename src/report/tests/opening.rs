//! What was found, or arranged, before the run began to do anything: its reader is told.

use jiff::{SignedDuration, tz::TimeZone};
use serde_json::json;

use super::report::{all_good, lists, now, request, seen};
use crate::model::InstanceState;
use crate::report::asked::Asked;
use crate::report::request::ReportRequest;
use crate::report::times::StopLater;
use crate::report::{Place, Report, Status};

fn report(request: &ReportRequest) -> Report {
    let lists = lists();
    Report::build(request, &lists, &seen(&lists, InstanceState::Running), now())
}

#[test]
fn a_plain_run_remarks_nothing() {
    assert!(report(&request(all_good(&lists()))).remarks.is_empty());
}

#[test]
fn a_look_for_an_earlier_run_that_failed_is_told_and_makes_the_run_no_worse() {
    let error = json!({ "Error": "Sfn.AccessDeniedException", "Cause": "said IAM" });
    let report = report(&ReportRequest { look_error: Some(error), ..request(all_good(&lists())) });
    let [remark] = &report.remarks[..] else { panic!("{:?}", report.remarks) };
    assert!(remark.contains("did not wait: ") && remark.contains("Sfn.AccessDeniedException"), "{remark}");
    assert_eq!(report.status, Status::Success);
}

#[test]
fn the_stop_that_follows_is_told_with_its_hour_and_the_schedule_that_can_be_deleted() {
    let at = "2026-11-23T09:30:00Z".parse().unwrap();
    let stop = StopLater { at, schedule: "stop-run-1-8a122b38699cf273".to_owned() };
    let asked = Asked { stop_later: Some(stop), ..Asked::default() };
    let report = report(&ReportRequest { asked, ..request(all_good(&lists())) });
    let wanted = |at| {
        let schedule = "stop-run-1-8a122b38699cf273";
        format!("A schedule stops these environments at {at}: delete {schedule} to keep them up.")
    };
    // The mail's times are by the stack's clocks, the answer's in UTC.
    let (madrid, place) = (TimeZone::get("Europe/Madrid").unwrap(), Place::new("eu-west-1", "s"));
    let mail = report.mail(&madrid, &place);
    let text = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&wanted("2026-11-23 10:30 CET")), "{text}");
    let answer = serde_json::to_value(report.answer(&mail, None)).unwrap();
    assert_eq!(answer["remarks"], json!([wanted("2026-11-23 09:30 UTC")]));
}

#[test]
fn a_stop_whose_hour_came_before_the_start_had_ended_is_told_to_follow_at_once() {
    let remarks = |at| {
        let stop = StopLater { at, schedule: "stop-run-1-8a122b38699cf273".to_owned() };
        let asked = Asked { stop_later: Some(stop), ..Asked::default() };
        report(&ReportRequest { asked, ..request(all_good(&lists())) }).remarks_in(&TimeZone::UTC).join(" ")
    };
    let second = SignedDuration::from_secs(1);
    assert!(remarks(now() + second).contains("delete stop-run-1"), "{}", remarks(now() + second));
    for at in [now(), now() - second] {
        let told = remarks(at);
        assert!(told.contains("it follows at once") && told.contains("end the run of that stop"), "{told}");
        assert!(!told.contains("delete"), "{told}");
    }
}
