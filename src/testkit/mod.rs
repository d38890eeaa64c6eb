//! What tests and the benchmark share: a small EC2 with virtual time, runs as they happen, and simulated fleets. No
//! product code uses it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]
#![cfg_attr(not(test), allow(dead_code, reason = "the tests use all of it, the benchmark a part"))]

#[cfg(feature = "testkit")]
pub mod simulation;
pub(crate) mod small_ec2;
mod typical_check;
mod typical_question;
pub mod typical_runs;
