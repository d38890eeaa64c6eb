//! Asks EC2: batches within the token buckets, and down to the one server that spoils a batch.
//!
//! Owns how requests are sent, never which. One request of the port is one request to EC2.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::failure::Reaction;
use crate::model::{Instance, failure};
use crate::phase::memory::Refusal;
use crate::phase::pace;
use crate::phase::pace::{BATCH, Buckets};
use crate::phase::plan::Request;
use crate::ports::{AwsError, ChangeInstances, Clock};

/// What came of asking for one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// EC2 took the request; for a dry run: it would have.
    Accepted,
    /// Nobody knows whether EC2 took it.
    Unknown(Refusal),
    /// EC2 refused it, for this server alone.
    Refused(Refusal),
}

/// Sends `request` for all `instances`, as far as it gets `until` then: servers without a reply were not asked.
pub async fn ask<W: ChangeInstances + Clock>(
    world: &W,
    request: Request,
    instances: &[&Instance],
    buckets: &mut Buckets,
    until: Timestamp,
    dry_run: bool,
) -> BTreeMap<String, Reply> {
    let mut replies = BTreeMap::new();
    let mut waiting = batches(instances);
    let mut throttles = 0;
    while let Some(mut batch) = waiting.pop() {
        let pause = buckets.wait_for(batch.len(), world.now());
        if world.now() + pause >= until {
            return replies;
        }
        world.sleep(pause).await;
        buckets.take(batch.len(), world.now());
        let Err(error) = send(world, request, &batch, dry_run).await else {
            throttles = 0;
            replies.extend(batch.into_iter().map(|id| (id, Reply::Accepted)));
            continue;
        };
        match failure::reaction(&error) {
            Reaction::SlowDown => {
                throttles += 1;
                let pause = pace::throttle_pause(throttles, world.chance());
                if world.now() + pause >= until {
                    return replies;
                }
                world.sleep(pause).await;
                waiting.push(batch);
            }
            Reaction::Look => {
                let refusal = Refusal { code: error.code, message: error.message };
                replies.extend(batch.into_iter().map(|id| (id, Reply::Unknown(refusal.clone()))));
            }
            Reaction::Isolate if batch.len() == 1 => {
                let refusal = Refusal { code: error.code, message: error.message };
                replies.extend(batch.into_iter().map(|id| (id, Reply::Refused(refusal.clone()))));
            }
            Reaction::Isolate => {
                let second_half = batch.split_off(batch.len() / 2);
                waiting.extend([second_half, batch]);
            }
        }
    }
    replies
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

async fn send<W: ChangeInstances>(
    world: &W,
    request: Request,
    ids: &[String],
    dry_run: bool,
) -> Result<(), AwsError> {
    match request {
        Request::Start => world.start(ids, dry_run).await,
        Request::Stop(kind) => world.stop(ids, kind, dry_run).await,
    }
}
