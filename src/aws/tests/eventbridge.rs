//! EventBridge's adapter: what is put, and what counts as put.

use super::{Endpoint, run};
use crate::model::Failure;
use crate::ports::{BusEvent, PutEvents};

fn put(status: u16, answer: &str) -> (Result<(), Failure>, String) {
    let endpoint = Endpoint::new([(status, answer.to_owned())]);
    let event = BusEvent {
        detail_type: "EC2 Start/Stop Run Began",
        detail: r#"{"run":"run-7"}"#.to_owned(),
        resources: vec!["arn:of:the:run".to_owned()],
        at: "2026-11-24T06:00:00.5Z".parse().expect("a time"),
    };
    let put = run(endpoint.aws().put_event(&event));
    (put, endpoint.requests().remove(0))
}

#[test]
fn an_event_is_put_under_our_source_with_its_time_and_what_it_is_about() {
    let (put, request) = put(200, r#"{"FailedEntryCount":0,"Entries":[{"EventId":"e-1"}]}"#);
    assert!(put.is_ok());
    for part in [
        r#""Source":"ec2-start-stop""#,
        r#""DetailType":"EC2 Start/Stop Run Began""#,
        r#""Detail":"{\"run\":\"run-7\"}""#,
        r#""Resources":["arn:of:the:run"]"#,
        r#""Time":1795500000.5"#,
    ] {
        assert!(request.contains(part), "no {part} in {request}");
    }
    assert!(!request.contains("EventBusName"), "the default bus has no name: {request}");
}

#[test]
fn an_entry_that_was_not_taken_is_a_failure_although_the_answer_is_200() {
    let entry = r#"{"ErrorCode":"NotAuthorizedForSourceException","ErrorMessage":"Not authorized."}"#;
    let (put, _) = put(200, &format!(r#"{{"FailedEntryCount":1,"Entries":[{entry}]}}"#));
    let failure = put.expect_err("not taken");
    assert_eq!(
        (failure.code.as_str(), failure.message.as_str()),
        ("NotAuthorizedForSourceException", "Not authorized.")
    );
}

#[test]
fn an_entry_that_was_not_taken_without_a_reason_is_a_failure_too() {
    let (put, _) = put(200, r#"{"FailedEntryCount":1,"Entries":[{}]}"#);
    assert_eq!(put.expect_err("not taken").code, "FailedEntry");
}

#[test]
fn a_call_that_is_denied_is_a_failure_by_awss_code() {
    let (put, _) = put(400, r#"{"__type":"AccessDeniedException","message":"User is not authorized"}"#);
    assert_eq!(put.expect_err("denied").code, "AccessDeniedException");
}
