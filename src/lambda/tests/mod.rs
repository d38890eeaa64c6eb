//! The edge: payloads, the trail that an invocation leaves, and what goes wrong there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::lambda::error::HandlerError;
use crate::lambda::handler::{self, Invocation};
use crate::lambda::settings::{Addresses, Settings};
use crate::ports::Clock;
use crate::report::Place;
use crate::servers::file::ServerLists;
use crate::testkit::small_ec2::{World, at_once};

mod again;
mod asking;
mod check;
mod elsewhere;
mod hostile;
mod payloads;
mod reference;
mod report;
mod run_ends;
mod status_changes;
mod trail;

fn settings() -> Settings {
    Settings {
        lists: Ok(ServerLists::parse(include_str!("../../../tests/servers.toml")).unwrap()),
        zone: TimeZone::UTC,
        place: Place::new("eu-west-1", "start-stop"),
        ses_sandbox: true,
        muting: None,
        metrics: true,
        can_put_events: true,
        mail: Ok(Addresses {
            sender: "start-stop@example.com".to_owned(),
            recipients: vec!["platform@example.com".to_owned()],
        }),
    }
}

fn answer(world: &World, settings: &Settings, payload: Value) -> Result<Value, HandlerError> {
    let deadline = world.now() + SignedDuration::from_mins(15);
    let invocation = Invocation { deadline, request_id: "request-1".to_owned() };
    at_once(handler::answer(world, settings, &invocation, payload))
}
