//! Asking and pausing, at the edges of their times.

use std::time::Duration;

use jiff::SignedDuration;

use crate::model::{Action, Instance};
use crate::phase::ask::{Asking, Mode, Reply, ask};
use crate::phase::pace::{Buckets, poll_pause};
use crate::phase::plan::{self, Plan, Request, Standing, Step};
use crate::ports::Clock;
use crate::testkit::small_ec2::{Habit, Server, World, at_once, running, seven, stopped};

/// Asks for one server whose request has to wait half a second for its token, with so many milliseconds left.
fn reply_within(world: &World, milliseconds: i64) -> Option<Reply> {
    let instance = stopped("test2").instance;
    let mut buckets = Buckets::full(Action::Start, 1, world.now());
    (0..5).for_each(|_| buckets.take(0, world.now()));
    let until = world.now() + SignedDuration::from_millis(milliseconds);
    let cut_off = until + SignedDuration::from_mins(1);
    let asking = Asking { buckets: &mut buckets, until, cut_off, mode: Mode::Change };
    at_once(ask(world, Request::Start, &[&instance], asking)).remove(&instance.id)
}

#[test]
fn no_request_begins_when_its_token_comes_too_late() {
    for (milliseconds, reply, calls) in [(499, None, 0), (500, None, 0), (501, Some(Reply::Accepted), 1)] {
        let world = World::new([stopped("test2")]);
        assert_eq!(reply_within(&world, milliseconds), reply, "{milliseconds}");
        assert_eq!(world.calls_of("StartInstances").len(), calls, "{milliseconds}");
    }
}

#[test]
fn a_throttle_is_told_as_one_where_no_time_is_left_to_ask_again() {
    for (milliseconds, is_told) in [(600, true), (30_000, false)] {
        let world = World::new([stopped("test2")]);
        world.fail_next("StartInstances", "RequestLimitExceeded", 1);
        let reply = reply_within(&world, milliseconds);
        assert_eq!(matches!(reply, Some(Reply::Throttled(_))), is_told, "{milliseconds}: {reply:?}");
        assert_eq!(world.calls_of("StartInstances").len(), if is_told { 1 } else { 2 });
    }
}

/// The replies to one request for servers that are refused with these codes; an empty code is let through.
fn replies(codes: &[&'static str]) -> Vec<Reply> {
    let server = |(number, code): (usize, &&'static str)| {
        let server = stopped(&format!("test{number}"));
        if code.is_empty() { server } else { server.with(Habit::Refuses(code)) }
    };
    let servers: Vec<Server> = codes.iter().enumerate().map(server).collect();
    let instances: Vec<Instance> = servers.iter().map(|server| server.instance.clone()).collect();
    let world = World::new(servers);
    world.buckets.set(false);
    let until = world.now() + SignedDuration::from_mins(10);
    let mut buckets = Buckets::full(Action::Start, 1, world.now());
    let asking = Asking { buckets: &mut buckets, until, cut_off: until, mode: Mode::Change };
    let asked: Vec<&Instance> = instances.iter().collect();
    let mut replies = at_once(ask(&world, Request::Start, &asked, asking));
    instances.iter().map(|instance| replies.remove(&instance.id).unwrap()).collect()
}

const DENIED: &str = "UnauthorizedOperation";

#[test]
fn a_good_server_behind_eight_denied_ones_is_let_through_where_others_were() {
    let codes = [[""; 8], [DENIED; 8]].concat();
    let replies = replies(&[&codes[..], &[DENIED, ""]].concat());
    assert_eq!(replies[17], Reply::Accepted, "{replies:?}");
    assert!(matches!(replies[16], Reply::Refused(_)));
}

#[test]
fn servers_that_are_refused_for_another_reason_do_not_count_as_denied() {
    let replies = replies(&[&["VcpuLimitExceeded"; 8][..], &[DENIED, ""]].concat());
    assert_eq!(replies[9], Reply::Accepted, "{replies:?}");
}

/// The longest pause after so many looks at a server that was launched so many seconds ago and boots.
fn pause(launched_ago: i64, looks: u32) -> Duration {
    let launched = seven() - SignedDuration::from_secs(launched_ago);
    let instance = running("test2").change(|one| one.instance.launch_time = Some(launched)).instance;
    let standing = Standing::UnderWay(Step::Boot("it boots".to_owned()));
    let server = plan::Server {
        key: "test2".to_owned(),
        id: Some(instance.id.clone()),
        instance: Some(instance.into()),
        standing,
    };
    let plan = Plan { servers: vec![server], membership_unsure: false, ..Plan::unseen(seven()) };
    poll_pause(looks, &plan, 1.0)
}

#[test]
fn a_server_is_left_alone_until_its_first_checks_can_be_there_and_then_looked_at_often() {
    for (launched_ago, seconds) in [(0, 30), (29, 30), (40, 20), (54, 6), (55, 2), (60, 2), (90, 2)] {
        assert_eq!(pause(launched_ago, 0), Duration::from_secs(seconds), "{launched_ago} s after its launch");
    }
    assert_eq!(pause(90, 100), Duration::from_secs(5));
}
