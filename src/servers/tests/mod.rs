//! The file and the machine that is rendered from it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod approval;
mod environment;
mod file;
mod rendering;
mod schedule;
mod template;
