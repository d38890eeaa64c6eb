//! Counts the requests to AWS.
//!
//! An interceptor sees every attempt, also those that the SDK repeats by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_ec2::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;

use crate::model::failure;
use crate::ports::Calls;

/// The counters that all clients share.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    made: AtomicU64,
    throttled: AtomicU64,
}

impl Requests {
    /// Those since this was last asked.
    pub(super) fn calls(&self) -> Calls {
        let Counters { made, throttled } = &*self.0;
        Calls { made: made.swap(0, Ordering::Relaxed), throttled: throttled.swap(0, Ordering::Relaxed) }
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.made.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response().filter(|answer| !answer.status().is_success());
        if answer.and_then(|answer| answer.body().bytes()).is_some_and(is_throttle) {
            self.0.throttled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Every protocol that we speak has the code as a word of its own in the body.
fn is_throttle(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).split(|c: char| !c.is_alphanumeric()).any(failure::is_throttle)
}
