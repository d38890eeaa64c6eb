//! A run's begin and end as an event of our own, for whoever listens on EventBridge. Pure.
//!
//! Owns the event's form (docs/events.md, docs/event.schema.json).
//!
//! - [`change`]: what Step Functions told
//! - [`story`], [`verdict`], [`trouble`]: what was asked of the run, and what came of it
//! - [`event`]: the event from both
//! - [`words`], [`chat`], [`description`], [`links`], [`one_line`]: how people are told

mod change;
mod chat;
mod description;
mod event;
mod links;
mod one_line;
mod story;
mod trouble;
mod verdict;
mod words;

pub(crate) use change::{RunStatus, StatusChange};
pub(crate) use event::RunEvent;
#[cfg(test)]
pub(crate) use verdict::Verdict;
