//! What tests and the benchmark share: a small EC2 with virtual time, and runs as they happen. No product code uses it.

#![allow(missing_docs, reason = "a vocabulary; its names are its documentation")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

pub mod small_ec2;
pub mod typical_runs;
