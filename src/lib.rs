//! Starts and stops tiered EC2 servers in dependency order and reports truthfully.
//!
//! One invocation of the Lambda is one *phase* (one list of [`servers`]) or the *report*. The data's path:
//!
//! ```text
//! event ─ payload ─ phase ┬ ports ─ aws (describe)      what is
//!                         ├ plan                        what is missing, per server, with a reason
//!                         ├ ports ─ aws (start, stop)   ask for it, within EC2's token buckets
//!                         └ verdict ─ payload           what came of it
//! results of all phases ─ report ─ mail                 one truthful mail
//! ```
//!
//! `plan`, `verdict`, `muting`, `report`, `summary` and `statemachine` are pure: no I/O, no clock, no SDK. `phase` knows
//! ports, not adapters. SDK types stop in `aws`, which is there only with the feature of that name.

pub mod acting;
#[cfg(feature = "aws")]
pub mod aws;
pub mod dry_run;
pub mod encryption;
pub mod failure;
pub mod handler;
pub mod hold;
pub mod judgement;
pub mod memory;
pub mod muting;
pub mod narration;
pub mod pace;
pub mod payload;
pub mod phase;
pub mod plan;
pub mod ports;
pub mod progress;
pub mod reading;
pub mod report;
pub mod results;
pub mod servers;
pub mod settings;
pub mod statemachine;
pub mod summary;
pub mod verdict;
