//! Asking, at the edge of the time that is left.

use jiff::SignedDuration;

use crate::model::Action;
use crate::phase::ask::{Asking, Mode, Reply, ask};
use crate::phase::pace::Buckets;
use crate::phase::plan::Request;
use crate::ports::Clock;
use crate::testkit::small_ec2::{World, at_once, stopped};

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
