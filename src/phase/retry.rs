//! Reads a list's instances, and reads AWS again when a read fails for a reason that passes.
//!
//! Owns that an empty selection is never sent, how often a read is tried and how slowly. The EC2 client itself does not retry: one call of a port is one request, so
//! that the token buckets hold, and the pauses are the clock's.

use jiff::Timestamp;

use crate::model::{Instance, failure};
use crate::phase::pace;
use crate::ports::{AwsError, Clock, ReadInstances, Selection};
use crate::servers::file::ServerList;

/// So many reads in a row may fail.
const ATTEMPTS: u32 = 5;

/// The instances that a list selects. A list that selects none costs no call.
///
/// # Errors
/// As [`ReadInstances::instances`].
pub async fn instances<W: ReadInstances>(world: &W, list: &ServerList) -> Result<Vec<Instance>, AwsError> {
    let selection = Selection { names: &list.servers, tags: &list.tags };
    if selection.is_empty() { Ok(Vec::new()) } else { world.instances(selection).await }
}

/// The first answer of `read`, unless AWS forbids it, it fails too often, or the next attempt would be after `until`.
///
/// # Errors
/// The last attempt's.
pub async fn patiently<W: Clock, T>(
    world: &W,
    until: Timestamp,
    read: impl AsyncFn() -> Result<T, AwsError>,
) -> Result<T, AwsError> {
    let mut failed = 0;
    loop {
        let error = match read().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        failed += 1;
        let pause = pace::throttle_pause(failed, world.chance());
        let too_late = world.now() + pause >= until;
        if failure::is_denied(&error.code) || failed >= ATTEMPTS || too_late {
            return Err(error);
        }
        world.sleep(pause).await;
    }
}
