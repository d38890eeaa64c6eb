//! CloudWatch's adapter: answers and requests in CBOR.

use std::collections::BTreeSet;

use ciborium::{Value, cbor};
use jiff::Timestamp;

use super::{Endpoint, run};
use crate::model::Failure;
use crate::ports::{Alarm, MuteAlarms, MuteRule};

fn bytes(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a vector takes everything");
    bytes
}

fn read(body: &[u8]) -> Value {
    ciborium::from_reader(body).expect("CBOR")
}

/// A field of a map, as a request holds it.
fn field<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| {
        let fields = value.as_map().expect("a map");
        let found = fields.iter().find(|(key, _)| key.as_text() == Some(name));
        &found.unwrap_or_else(|| unreachable!("no {name} in {value:?}")).1
    })
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn ok(value: Value) -> (u16, Vec<u8>) {
    (200, bytes(&value))
}

fn refused(code: &str) -> (u16, Vec<u8>) {
    let error =
        cbor!({ "__type" => format!("com.amazonaws.cloudwatch#{code}"), "message" => "said CloudWatch" });
    (400, bytes(&error.expect("a map")))
}

fn night(alarms: &[&str]) -> MuteRule {
    MuteRule {
        name: "nights.dev.db.1".to_owned(),
        alarms: alarms.iter().map(|alarm| (*alarm).to_owned()).collect(),
        begins: at("2026-11-20T18:01:00Z"),
        ends: at("2026-11-23T10:01:00Z"),
    }
}

#[test]
fn alarms_of_all_pages_are_read_by_their_instance_dimensions_and_metric_math_is_looked_into() {
    let dimension = |name: &str, value: &str| cbor!({ "Name" => name, "Value" => value }).expect("a map");
    let plain = cbor!({
        "AlarmName" => "cpu",
        "Dimensions" => [dimension("InstanceId", "i-1"), dimension("AutoScalingGroupName", "i-9")],
    });
    let math = cbor!({
        "AlarmName" => "ratio",
        "Metrics" => [
            { "Id" => "e", "Expression" => "a / b" },
            { "Id" => "a", "MetricStat" => { "Metric" => { "Dimensions" => [dimension("InstanceId", "i-2")] } } },
            { "Id" => "b", "MetricStat" => { "Metric" => { "Dimensions" => [dimension("InstanceId", "i-3")] } } },
        ],
    });
    let of_no_instance =
        cbor!({ "AlarmName" => "i-1 in its name", "Dimensions" => [dimension("LoadBalancer", "i-1")] });
    let (plain, math, other) = (plain.expect("a map"), math.expect("a map"), of_no_instance.expect("a map"));
    let endpoint = Endpoint::new([
        ok(cbor!({ "MetricAlarms" => [plain, other], "NextToken" => "more" }).expect("a page")),
        ok(cbor!({ "MetricAlarms" => [math] }).expect("a page")),
    ]);
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(
        run(endpoint.aws().alarms()).expect("two pages"),
        [
            Alarm { name: "cpu".to_owned(), instance_ids: ids(&["i-1"]) },
            Alarm { name: "ratio".to_owned(), instance_ids: ids(&["i-2", "i-3"]) },
        ]
    );
    let requests: Vec<Value> = endpoint.bodies().iter().map(|body| read(body)).collect();
    assert_eq!(field(&requests[0], &["AlarmTypes"]), &cbor!(["MetricAlarm"]).expect("a list"));
    assert_eq!(field(&requests[0], &["MaxRecords"]), &Value::from(100));
    assert_eq!(field(&requests[1], &["NextToken"]).as_text(), Some("more"));
}

#[test]
fn a_rule_is_put_as_one_window_that_expires_and_names_its_alarms() {
    let endpoint = Endpoint::new([ok(cbor!({}).expect("a map"))]);
    run(endpoint.aws().put_mute_rule(&night(&["cpu", "disk"]))).expect("taken");
    let request = read(&endpoint.bodies()[0]);
    assert_eq!(field(&request, &["Name"]).as_text(), Some("nights.dev.db.1"));
    let schedule = field(&request, &["Rule", "Schedule"]);
    assert_eq!(field(schedule, &["Expression"]).as_text(), Some("at(2026-11-20T18:01)"));
    assert_eq!(field(schedule, &["Duration"]).as_text(), Some("PT3840M"));
    assert_eq!(field(&request, &["MuteTargets", "AlarmNames"]), &cbor!(["cpu", "disk"]).expect("a list"));
    let (tag, expires) = field(&request, &["ExpireDate"]).as_tag().expect("a time");
    let seconds = expires.as_float().or_else(|| expires.as_integer().map(|at| i128::from(at) as f64));
    assert_eq!((tag, seconds), (1, Some(night(&[]).ends.as_second() as f64)));
}

#[test]
fn only_rules_of_the_family_are_read_from_all_pages_and_one_that_is_gone_is_passed_over() {
    let page = |names: &[&str], next: Option<&str>| {
        let arn = |name: &str| format!("arn:aws:cloudwatch:eu-west-1:123456789012:alarm-mute-rule:{name}");
        let rules: Vec<Value> =
            names.iter().map(|name| cbor!({ "AlarmMuteRuleArn" => arn(name) }).expect("a map")).collect();
        let mut page = vec![(Value::from("AlarmMuteRuleSummaries"), Value::from(rules))];
        page.extend(next.map(|token| (Value::from("NextToken"), Value::from(token))));
        ok(Value::from(page))
    };
    let night = night(&["cpu"]);
    let rule = cbor!({
        "Name" => "nights.dev.db.1",
        "Rule" => { "Schedule" => { "Expression" => "at(2026-11-20T18:01)", "Duration" => "PT3840M" } },
        "MuteTargets" => { "AlarmNames" => ["cpu"] },
        "ExpireDate" => Value::Tag(1, Box::new(Value::from(night.ends.as_second()))),
    });
    let endpoint = Endpoint::new([
        page(&["maintenance", "nights.dev.db.1"], Some("more")),
        page(&["nights.dev.db.2", "nights.dev.dbs.1"], None),
        ok(rule.expect("a map")),
        refused("ResourceNotFoundException"),
    ]);
    assert_eq!(run(endpoint.aws().mute_rules("nights.dev.db.")).expect("two pages, two rules"), [night]);
    let requests = endpoint.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests[2].contains("nights.dev.db.1") && requests[3].contains("nights.dev.db.2"));
}

#[test]
fn a_rule_whose_window_a_person_has_rewritten_counts_as_over() {
    let list = cbor!({ "AlarmMuteRuleSummaries" => [{ "AlarmMuteRuleArn" => "arn:x:alarm-mute-rule:nights.dev.db.1" }] });
    let rule = cbor!({
        "Rule" => { "Schedule" => { "Expression" => "cron(0 2 * * *)", "Duration" => "PT1H" } },
        "MuteTargets" => { "AlarmNames" => ["cpu"] },
    });
    let endpoint = Endpoint::new([ok(list.expect("a map")), ok(rule.expect("a map"))]);
    let rules = run(endpoint.aws().mute_rules("nights.dev.db.")).expect("a rule");
    assert_eq!(rules[0].ends, Timestamp::UNIX_EPOCH);
}

#[test]
fn a_rule_is_deleted_by_its_name() {
    let endpoint = Endpoint::new([ok(cbor!({}).expect("a map"))]);
    run(endpoint.aws().delete_mute_rule("nights.dev.db.1")).expect("deleted");
    let request = read(&endpoint.bodies()[0]);
    assert_eq!(field(&request, &["AlarmMuteRuleName"]).as_text(), Some("nights.dev.db.1"));
}

#[test]
fn a_refusal_comes_through_with_operation_code_and_message() {
    let refusals = || (0..3).map(|_| refused("AccessDenied"));
    let told = |failure: Failure| (failure.operation, failure.code, failure.message);
    let denied = |operation| (Some(operation), "AccessDenied".to_owned(), "said CloudWatch".to_owned());
    let aws = Endpoint::new(refusals()).aws();
    assert_eq!(told(run(aws.alarms()).expect_err("denied")), denied("DescribeAlarms"));
    assert_eq!(told(run(aws.mute_rules("x.")).expect_err("denied")), denied("ListAlarmMuteRules"));
    let put = run(aws.put_mute_rule(&night(&["cpu"]))).expect_err("denied");
    assert_eq!(told(put), denied("PutAlarmMuteRule"));
}
