//! The payload's parser: what it reads, what it refuses and by which name, and 10,000 mutations of good payloads.

use crate::lambda::payload::{PayloadError, Request};
use crate::model::{Action, PhaseAnswer};
use proptest::prelude::*;
use serde_json::{Value, json};

fn phase() -> Value {
    json!({
        "phase_number": 3, "next_phase": true, "action": "start",
        "cw_log_phase": "starting development db servers", "send_mail": false
    })
}

fn report() -> Value {
    json!({
        "send_mail": true, "action": "stop", "dry_run": false, "results": [],
        "execution": {"id": "arn", "name": "run-1", "start_time": "2026-11-23T06:00:00.123Z"}
    })
}

fn field_of(error: &PayloadError) -> &str {
    match error {
        PayloadError::NotJson(_) => panic!("it is JSON"),
        PayloadError::NotAnObject { .. } => "",
        PayloadError::Field { field, .. } | PayloadError::Unknown { field } => field,
    }
}

#[test]
fn the_documented_payload_is_a_phase() {
    let Request::Phase(request) = Request::parse(phase()).unwrap() else { panic!("no phase") };
    assert_eq!((request.phase_number, request.action, request.dry_run), (3, Action::Start, false));
    assert_eq!(request.heading, "starting development db servers");
}

#[test]
fn next_phase_false_asks_for_nothing() {
    let mut payload = phase();
    payload["next_phase"] = json!(false);
    assert!(matches!(Request::parse(payload).unwrap(), Request::Skip(_)));
}

#[test]
fn send_mail_makes_it_a_report_with_or_without_a_phases_fields() {
    assert!(matches!(Request::parse(report()).unwrap(), Request::Report(_)));
    let mut payload = report();
    payload.as_object_mut().unwrap().extend(phase().as_object().unwrap().clone());
    payload["send_mail"] = json!(true);
    assert!(matches!(Request::parse(payload).unwrap(), Request::Report(_)));
}

#[test]
fn the_answer_of_a_skipped_phase_has_the_documented_fields_only() {
    let answer = serde_json::to_value(PhaseAnswer::skipped()).unwrap();
    assert_eq!(
        answer,
        json!({
            "next_phase": false, "initial_state": {"empty": true}, "outcome": "skipped",
            "servers": {"total": 0, "ready": 0, "changed": 0, "failed": 0}, "problems": []
        })
    );
}

#[test]
fn a_report_of_no_environment_is_refused_as_the_state_machine_refuses_its_run() {
    let mut payload = report();
    payload["environments"] = json!(["dev"]);
    assert!(Request::parse(payload.clone()).is_ok());
    payload["environments"] = json!([]);
    let refusal = Request::parse(payload).unwrap_err();
    assert_eq!(field_of(&refusal), "environments");
    assert!(refusal.to_string().contains("at least one, found []"), "{refusal}");
}

#[test]
fn an_optional_field_that_is_null_is_absent_and_a_required_one_is_refused() {
    for field in ["dry_run", "resume", "execution", "branch"] {
        let mut payload = phase();
        payload[field] = json!(null);
        assert_eq!(Request::parse(payload).unwrap(), Request::parse(phase()).unwrap());
    }
    for field in ["results", "environments", "waited", "error"] {
        let mut payload = report();
        payload[field] = json!(null);
        assert!(Request::parse(payload).is_ok(), "{field}");
    }
    let mut payload = phase();
    payload["next_phase"] = json!(null);
    assert!(Request::parse(payload).unwrap_err().to_string().contains("found null"));
}

#[test]
fn every_field_that_is_missing_is_named() {
    for field in ["phase_number", "next_phase", "action", "cw_log_phase", "send_mail"] {
        let mut payload = phase();
        payload.as_object_mut().unwrap().remove(field);
        let error = Request::parse(payload).unwrap_err();
        assert_eq!(field_of(&error), field);
        assert!(error.to_string().contains("expected"), "{error}");
    }
}

#[test]
fn an_action_that_there_is_not_is_never_taken_for_a_start() {
    for action in [json!("restart"), json!("Start"), json!(""), json!(null), json!(1), json!(["start"])] {
        let mut payload = phase();
        payload["action"] = action;
        assert_eq!(field_of(&Request::parse(payload).unwrap_err()), "action");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("start")),
        Just(json!("2026-11-23T06:00:00Z")),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-z_]{1,12}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

/// What may happen to a payload's field.
#[derive(Debug, Clone)]
enum Mutation {
    Remove,
    Replace(Value),
    Add(String, Value),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        Just(Mutation::Remove),
        any_value().prop_map(Mutation::Replace),
        ("[a-z_]{1,10}", any_value()).prop_map(|(field, value)| Mutation::Add(field, value)),
    ]
}

fn mutated(mut payload: Value, mutations: &[(prop::sample::Index, Mutation)]) -> (Value, Vec<String>) {
    let mut touched = Vec::new();
    for (index, mutation) in mutations {
        let fields = payload.as_object_mut().unwrap();
        let names: Vec<String> = fields.keys().cloned().collect();
        match mutation {
            Mutation::Add(field, value) => {
                fields.insert(field.clone(), value.clone());
                touched.push(field.clone());
            }
            _ if names.is_empty() => {}
            Mutation::Remove => {
                let field = index.get(&names);
                fields.remove(field);
                touched.push(field.clone());
            }
            Mutation::Replace(value) => {
                let field = index.get(&names);
                fields.insert(field.clone(), value.clone());
                touched.push(field.clone());
            }
        }
    }
    (payload, touched)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutated_payload_is_read_or_refused_by_the_name_of_a_field_that_was_touched(
        is_report: bool,
        mutations in prop::collection::vec((any::<prop::sample::Index>(), mutation()), 1..4),
    ) {
        let (payload, touched) = mutated(if is_report { report() } else { phase() }, &mutations);
        match Request::parse(payload.clone()) {
            Ok(_) => {}
            Err(error) => {
                let field = field_of(&error);
                let turned = touched.contains(&"send_mail".to_owned());
                // What has a subject is read as the reference's mail.
                let theirs = touched.contains(&"subject".to_owned());
                prop_assert!(touched.contains(&field.to_owned()) || turned || theirs, "{error}: {payload}");
                prop_assert!(error.to_string().contains(field));
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_no_object_is_refused(value in any_value().prop_filter("an object", |value| !value.is_object())) {
        prop_assert!(Request::parse(value).is_err());
    }
}
