//! The evening check: would tomorrow's start and stop go well?
//!
//! Owns what is asked, what it proves, and what is said of it. Nothing is changed. What can be proved without a change:
//! each listed server is there, once; EC2's DryRun lets it be started and stopped, by its tags and the policies as they
//! are now; each role can be assumed; SES knows the addresses; a volume's key is enabled; the calendar can be read.
//! What cannot: capacity, quotas, stop protection, and the grants and policies of KMS keys.
//!
//! - [`as_if`]: the servers as they will be before a start, and before a stop
//! - [`request`]: what it is asked for
//! - [`facts`]: all that is asked
//! - [`mod@judge`], [`tries`], [`keys`], [`post`], [`calendar`]: facts → findings. Pure
//! - [`findings`]: what the check has come to, and its verdict
//! - [`answer`], [`mail`]: what the state machine and people are told of it

mod answer;
mod as_if;
mod calendar;
pub(crate) mod facts;
mod findings;
mod judge;
mod keys;
mod mail;
mod post;
mod request;
mod tries;

pub(crate) use answer::Delivery;
pub(crate) use findings::{Checked, Status};
pub(crate) use judge::judge;
pub(crate) use request::{CheckRequest, Post, Scope};

#[cfg(test)]
mod tests;
