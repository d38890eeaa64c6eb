//! The mail of a typical evening check: one server is missing, one may not be touched.

use std::time::Duration;

use crate::check::facts::ask;
use crate::check::{CheckRequest, Post, Scope, judge};
use crate::model::Execution;
use crate::ports::{Clock, Mail};
use crate::report::asked::Asked;
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::{Habit, World, at_once, running, seven, stopped};
use jiff::SignedDuration;
use serde_json::Value;

use super::typical_runs::{TypicalMail, place, zone};

/// From seven in the morning until ten in the evening.
const UNTIL_THE_EVENING: Duration = Duration::from_secs(15 * 60 * 60);

/// That mail.
pub(crate) fn mail() -> TypicalMail {
    let lists = ServerLists::parse(include_str!("../../tests/servers.toml")).unwrap();
    let world = world(&lists);
    world.pass_time(UNTIL_THE_EVENING);
    let scope = Scope {
        lists: &lists,
        environments: None,
        zone: &zone(),
        run: "check",
        until: world.now() + SignedDuration::from_mins(14),
    };
    let recipients = ["platform@example.com".to_owned(), "oncall@example.com".to_owned()];
    let post = Some(Post { sender: "start-stop@example.com", recipients: &recipients, sandbox: true });
    let name = "b7a1c4f2-5c0e-4d0a-9d57-0c1f7a1e2b3c".to_owned();
    let id = format!("arn:aws:states:eu-west-1:123456789012:execution:prod-scheduler:{name}");
    let request = CheckRequest {
        asked: Asked::default(),
        calendars: Vec::new(),
        calendar: Value::Null,
        execution: Some(Execution { id, name, start_time: seven() }),
    };
    let facts = at_once(ask(&world, &scope, post)).unwrap();
    let Mail { subject, html, text } =
        judge(&request, &scope, &facts, post, world.now()).mail(&zone(), &place());
    TypicalMail { name: "check", subject, html, text }
}

/// Some run late, some were stopped already.
fn world(lists: &ServerLists) -> World {
    let names = lists.lists.iter().flat_map(|list| list.servers.iter());
    let there = names.filter(|name| *name != "test8").map(|name| match name.as_str() {
        "test13" => stopped(name).with(Habit::Refuses("UnauthorizedOperation")),
        "test20" => running(name).change(|server| server.instance.hold = Some("2026-12-24".to_owned())),
        "test1" | "test2" => running(name),
        _ => stopped(name),
    });
    World::new(there)
}
