//! Asks EC2: batches within the token buckets, and down to the one server that spoils a batch.
//!
//! Owns how requests are sent, never which. One request of the port is one request to EC2.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::failure::Kind;
use crate::model::{Failure, Instance};
use crate::ports::{ChangeInstances, Clock, TryChanges};

use super::in_time::in_time;
use super::pace::{self, BATCH, Buckets};
use super::plan::Request;

/// After so many servers were denied alone, and none was let through, a request that is denied as a whole is not
/// halved any more: 200 servers without the tag take 27 requests instead of 396.
const DENIED_ALONE: u32 = 8;

/// What came of asking for one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// EC2 took the request; for a try: it would have.
    Accepted,
    /// Nobody knows whether EC2 took it.
    Unknown(Failure),
    /// EC2 refused it for this server.
    Refused(Failure),
    /// It asked for fewer requests until there was no time left.
    Throttled(Failure),
}

/// Whether a request changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It does.
    Change,
    /// EC2's DryRun.
    Try,
}

/// How, and until when, EC2 is asked.
#[derive(Debug)]
pub(crate) struct Asking<'a> {
    /// EC2's token buckets.
    pub buckets: &'a mut Buckets,
    /// No request begins after this.
    pub until: Timestamp,
    /// No request goes on after this.
    pub cut_off: Timestamp,
    /// Whether it changes anything.
    pub mode: Mode,
}

/// Sends `request` for all `instances`, as far as there is time: servers without a reply were not asked.
pub(crate) async fn ask<W: ChangeInstances + TryChanges + Clock>(
    world: &W,
    request: Request,
    instances: &[&Instance],
    asking: Asking<'_>,
) -> BTreeMap<String, Reply> {
    let mut replies = Replies::default();
    let mut waiting = batches(instances);
    let mut throttles = 0;
    while let Some(mut batch) = waiting.pop() {
        let pause = asking.buckets.wait_for(batch.len(), world.now());
        if world.now() + pause >= asking.until {
            return replies.by_id;
        }
        world.sleep(pause).await;
        asking.buckets.take(batch.len(), world.now());
        let sent =
            in_time(world, asking.cut_off, operation(request), send(world, request, &batch, asking.mode));
        let Err(failure) = sent.await else {
            throttles = 0;
            replies.note(batch, &Reply::Accepted);
            continue;
        };
        match failure.kind {
            Kind::Throttled => {
                throttles += 1;
                let pause = pace::throttle_pause(throttles, world.chance());
                if world.now() + pause >= asking.until {
                    waiting.push(batch);
                    waiting
                        .into_iter()
                        .for_each(|batch| replies.note(batch, &Reply::Throttled(failure.clone())));
                    return replies.by_id;
                }
                world.sleep(pause).await;
                waiting.push(batch);
            }
            Kind::Outage => replies.note(batch, &Reply::Unknown(failure)),
            _ if batch.len() == 1 || replies.denies_all(&failure) => {
                replies.note(batch, &Reply::Refused(failure))
            }
            _ => {
                let second_half = batch.split_off(batch.len() / 2);
                waiting.extend([second_half, batch]);
            }
        }
    }
    replies.by_id
}

#[derive(Default)]
struct Replies {
    by_id: BTreeMap<String, Reply>,
    accepted: bool,
    denied_alone: u32,
}

impl Replies {
    fn note(&mut self, batch: Vec<String>, reply: &Reply) {
        self.accepted |= *reply == Reply::Accepted;
        let denied = matches!(reply, Reply::Refused(failure) if failure.kind == Kind::Denied);
        self.denied_alone += u32::from(denied && batch.len() == 1);
        self.by_id.extend(batch.into_iter().map(|id| (id, reply.clone())));
    }

    fn denies_all(&self, failure: &Failure) -> bool {
        failure.kind == Kind::Denied && !self.accepted && self.denied_alone >= DENIED_ALONE
    }
}

/// Batches of one instance type and zone where that does not make more of them: capacity fails a whole request,
/// and it fails by type and zone. The last batch is sent first.
fn batches(instances: &[&Instance]) -> Vec<Vec<String>> {
    let mut sorted: Vec<&Instance> = instances.to_vec();
    sorted.sort_by(|a, b| {
        (&a.instance_type, &a.availability_zone, &a.id).cmp(&(&b.instance_type, &b.availability_zone, &b.id))
    });
    let ids: Vec<String> = sorted.into_iter().map(|instance| instance.id.clone()).collect();
    ids.chunks(BATCH).rev().map(<[String]>::to_vec).collect()
}

fn operation(request: Request) -> &'static str {
    match request {
        Request::Start => "StartInstances",
        Request::Stop(_) => "StopInstances",
    }
}

async fn send<W: ChangeInstances + TryChanges>(
    world: &W,
    request: Request,
    ids: &[String],
    mode: Mode,
) -> Result<(), Failure> {
    match (mode, request) {
        (Mode::Change, Request::Start) => world.start(ids).await,
        (Mode::Change, Request::Stop(kind)) => world.stop(ids, kind).await,
        (Mode::Try, Request::Start) => world.try_start(ids).await,
        (Mode::Try, Request::Stop(_)) => world.try_stop(ids).await,
    }
}
