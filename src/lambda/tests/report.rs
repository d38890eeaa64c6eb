//! What the report looks at: every list, and each server that a phase told of.

use serde_json::{Value, json};

use super::{answer, settings};
use crate::model::InstanceState;
use crate::testkit::small_ec2::{World, running};

const DATABASES: [&str; 3] = ["test2", "test7", "test8"];

fn report(world: &World) -> Value {
    let states: serde_json::Map<String, Value> = DATABASES
        .iter()
        .map(|name| {
            (
                (*name).to_owned(),
                json!({"InstanceId": running(name).instance.id, "State": "stopped", "is_running": false}),
            )
        })
        .collect();
    let phase = json!({"phase_number": 3, "tier": "db", "outcome": "ready"});
    let result = json!({"environment": "dev", "ok": true, "phases": [phase], "dev_db_initial_state": states});
    let payload = json!({"send_mail": true, "action": "start", "environments": ["dev"], "results": [result]});
    answer(world, &settings(), payload).unwrap()
}

fn end_state(answer: &Value, name: &str) -> Value {
    let servers = answer["servers"].as_array().unwrap();
    let rows: Vec<&Value> = servers.iter().filter(|row| row["name"] == name).collect();
    assert_eq!(rows.len(), 1, "{name} is told once");
    rows[0]["end_state"].clone()
}

fn renamed(world: &World, name: &str) {
    let id = world.id(name);
    world.servers.borrow_mut().get_mut(&id).unwrap().instance.name = Some("somebody else".to_owned());
}

#[test]
fn where_the_lists_show_every_server_the_report_asks_for_none_by_its_id() {
    let world = World::new(DATABASES.map(running));
    assert_eq!(end_state(&report(&world), "test2"), "running");
    assert!(world.calls_of("DescribeInstances (by id)").is_empty());
}

#[test]
fn a_server_that_lost_its_name_is_asked_for_by_its_id_and_is_not_missing() {
    let world = World::new(DATABASES.map(running));
    renamed(&world, "test2");
    assert_eq!(end_state(&report(&world), "test2"), "running");
    let calls = world.calls_of("DescribeInstances (by id)");
    assert_eq!((calls.len(), calls[0].ids.len()), (1, 1), "only the one that its list does not show");
}

#[test]
fn a_server_that_was_terminated_is_missing() {
    let world = World::new(DATABASES.map(running));
    let id = world.id("test2");
    world.servers.borrow_mut().get_mut(&id).unwrap().instance.state = InstanceState::Terminated;
    assert_eq!(end_state(&report(&world), "test2"), "missing");
}

#[test]
fn a_server_that_nobody_could_ask_for_by_its_id_is_unknown_and_the_mail_goes_out() {
    let world = World::new(DATABASES.map(running));
    renamed(&world, "test2");
    world.fail_next("DescribeInstances (by id)", "UnauthorizedOperation", 99);
    assert_eq!(end_state(&report(&world), "test2"), Value::Null);
    assert_eq!(world.mails.borrow().len(), 1);
}
