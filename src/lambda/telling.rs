//! Tells whoever listens on EventBridge that a run began or ended.

use serde_json::{Value, json};

use crate::lambda::error::HandlerError;
use crate::lambda::settings::Settings;
use crate::ports::{BusEvent, Clock, PutEvents, Trail};
use crate::report::{RunEvent, StatusChange};

/// Puts the event and answers with its detail.
///
/// # Errors
/// EventBridge did not take it; or this build of the function has no events.
pub(super) async fn tell<W: PutEvents + Trail + Clock>(
    world: &W,
    settings: &Settings,
    change: &StatusChange,
) -> Result<Value, HandlerError> {
    if !settings.can_put_events {
        return Err(HandlerError::Misconfigured(
            "this build of the function puts no events: deploy with Events=off, or build it with the \
             feature `events`"
                .to_owned(),
        ));
    }
    let event = serde_json::to_value(RunEvent::of(change, &settings.place))?;
    let detail_type = change.status.detail_type();
    let put = BusEvent {
        detail_type,
        detail: event.to_string(),
        resources: vec![change.execution.clone(), change.machine.clone()],
        at: change.at,
    };
    world.put_event(&put).await?;
    world.record(&json!({
        "timestamp": world.now(),
        "level": "INFO",
        "record": "event",
        "run": change.run,
        "Stack": settings.place.stack,
        "detail_type": detail_type,
        "status": change.status.word(),
        "title": event["title"],
    }));
    Ok(event)
}
