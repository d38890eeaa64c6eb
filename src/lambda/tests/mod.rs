//! The edge: payloads, and the trail that an invocation leaves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod payloads;
mod trail;
