//! The cause of a failed run: whole JSON that fits a Fail's cause, whatever the report has to say.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::report::{all_good, request};
use crate::report::answer::{ANSWER_BYTES, CAUSE_BYTES, PROBLEM_BYTES};
use crate::report::{Place, Report, Sent};
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::seven;

fn answer(problems: usize, message: &str) -> Value {
    let lists = ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap();
    let mut results = all_good(&lists);
    let one = |n| json!({"name": format!("web{n:04}"), "id": null, "code": "UnauthorizedOperation", "message": message});
    results[0]["phases"][0]["outcome"] = json!("failed");
    results[0]["phases"][0]["problems"] = (0..problems).map(one).collect();
    let report = Report::build(&request(results), &lists, &Vec::new(), seven());
    let place = Place::new("eu-west-1", "start-stop");
    let mail = report.mail(&TimeZone::UTC, &place);
    let sent = Sent { message_id: "1".into(), from: String::new(), to: Vec::new(), refused: Vec::new() };
    serde_json::to_value(report.answer(&mail, Some(sent))).unwrap()
}

#[test]
fn a_short_cause_has_every_problem() {
    let answer = answer(3, "it is so");
    let cause: Value = serde_json::from_str(answer["cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["problems"], answer["problems"]);
    assert_eq!((&cause["status"], &cause["counts"]), (&answer["status"], &answer["counts"]));
}

#[test]
fn a_cause_over_thirty_thousand_bytes_loses_whole_problems_and_is_still_json() {
    for message in ["x".repeat(300), "\"\\\n".repeat(100), "日本語🙂".repeat(75)] {
        let answer = answer(1000, &message);
        let text = answer["cause"].as_str().unwrap();
        let bytes = answer["cause"].to_string().len();
        assert!(bytes <= CAUSE_BYTES && bytes > CAUSE_BYTES - 3_000, "{bytes}");
        let cause: Value = serde_json::from_str(text).unwrap();
        let told = cause["problems"].as_array().unwrap();
        assert!((20..1000).contains(&told.len()), "{}", told.len());
        assert!(told.iter().all(|problem| problem["message"] == message));
    }
}

#[test]
fn the_largest_answer_fits_a_states_payload_with_a_callers_status_code() {
    let rest = answer(1000, &"日本語🙂".repeat(75));
    let rest = json!({"subject": rest["subject"], "mail": rest["mail"], "counts": rest["counts"],
                      "off": rest["off"], "remarks": rest["remarks"], "statusCode": 200});
    let bytes = ANSWER_BYTES + PROBLEM_BYTES + CAUSE_BYTES + rest.to_string().len();
    assert!(bytes < 262_144 - 10_000, "{bytes}");
}
