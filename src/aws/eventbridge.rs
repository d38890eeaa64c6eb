//! EventBridge: puts our own events on the account's default bus.

use aws_sdk_eventbridge::primitives::DateTime as SdkDateTime;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;

use crate::model::Failure;
use crate::ports::{BusEvent, EVENT_SOURCE, PutEvents};

use super::clients::Aws;
use super::failure::failure;

impl PutEvents for Aws {
    /// An answer of 200 may say that the entry was not taken.
    async fn put_event(&self, event: &BusEvent) -> Result<(), Failure> {
        let entry = PutEventsRequestEntry::builder()
            .source(EVENT_SOURCE)
            .detail_type(event.detail_type)
            .detail(&event.detail)
            .set_resources(Some(event.resources.clone()))
            .time(SdkDateTime::from_millis(event.at.as_millisecond()))
            .build();
        let answer = self
            .eventbridge
            .put_events()
            .entries(entry)
            .send()
            .await
            .map_err(|error| failure("PutEvents", &error))?;
        if answer.failed_entry_count() == 0 {
            return Ok(());
        }
        let refused = answer.entries().iter().find(|entry| entry.error_code().is_some());
        let code = refused.and_then(|entry| entry.error_code()).unwrap_or("FailedEntry");
        let message = refused.and_then(|entry| entry.error_message()).unwrap_or("AWS gave no message");
        Err(Failure::of_aws("PutEvents", code, message, None))
    }
}
