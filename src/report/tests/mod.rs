//! The report and its mail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod approval;
mod cause;
mod mails;
mod opening;
mod report;
mod truths;
mod unseen;
mod words;
