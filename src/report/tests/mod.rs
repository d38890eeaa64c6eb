//! The report and its mail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod mails;
mod report;
mod truths;
