//! No call outlives its time: a future, cut off by the clock.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use jiff::Timestamp;

use crate::model::Failure;
use crate::ports::Clock;

/// What `work` gives, if it is done before `until`.
///
/// # Errors
/// The work's own, or that AWS did not answer in time.
pub(crate) async fn in_time<W: Clock, T>(
    world: &W,
    until: Timestamp,
    operation: &'static str,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let left = Duration::try_from(until.duration_since(world.now())).unwrap_or_default();
    match select(pin!(work), pin!(world.sleep(left))).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => {
            Err(Failure::unreachable(operation, "there was no answer in the time that was left"))
        }
    }
}
