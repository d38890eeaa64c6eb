//! A run's begin and end as an event of our own, for whoever listens on EventBridge. Pure.
//!
//! Owns the event's form (docs/events.md, docs/event.schema.json).
//!
//! - [`change`]: what Step Functions told
//! - [`story`]: what was asked of the run, and what its report told
//! - [`event`]: the event from both
//! - [`words`], [`chat`], [`links`], [`one_line`]: how people are told

mod change;
mod chat;
mod event;
mod links;
mod one_line;
mod story;
mod words;

pub(crate) use change::{RunStatus, StatusChange};
pub(crate) use event::RunEvent;
