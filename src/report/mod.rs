//! The report: one value from what every phase answered and what every server is now. Pure.
//!
//! Owns the invariant that every server of every list appears exactly once, and the verdict.
//!
//! - [`approval`]: what a person decided before
//! - [`asked`]: what the run was asked besides its action
//! - [`branches`]: what the state machine's branches gave
//! - [`calendar`]: what the calendar said before
//! - [`build`], [`rows`]: the report from it
//! - [`parts`]: what a report is made of
//! - [`times`]: its sentences that hold a time
//! - [`totals`]: how many servers stand how
//! - [`answer`]: what the state machine is told of it
//! - [`subject`], [`mail`]: what people are told of it
//! - [`question`]: the mail that asks for a person's yes
//! - [`run_event`]: what EventBridge and chats are told of a run
//! - [`place`]: where the function runs

mod answer;
pub(crate) mod approval;
pub(crate) mod asked;
pub(crate) mod branches;
mod build;
pub(crate) mod calendar;
mod mail;
mod parts;
mod place;
pub(crate) mod question;
pub(crate) mod request;
mod rows;
mod run_event;
mod subject;
pub(crate) mod times;
mod totals;

pub(crate) use answer::{CAUSE_BYTES, PROBLEM_BYTES, RefusedRecipient, Sent, fitting_in};
pub(crate) use mail::notice::{Notice, Told};
pub(crate) use parts::{Report, Seen, Status, TierReport};
pub(crate) use place::Place;
pub(crate) use run_event::{RunEvent, RunStatus, StatusChange};

#[cfg(test)]
pub(crate) use parts::Row;
#[cfg(test)]
pub(crate) use run_event::Verdict;

#[cfg(test)]
mod tests;
