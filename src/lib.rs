//! Starts and stops tiered EC2 servers in dependency order and reports truthfully.
//!
//! One invocation of the function is one *phase* (the work on one list of servers.toml) or the *report*. The rooms,
//! from the inside out; a room knows only those above it:
//!
//! - `model`: the nouns that all rooms share: action, instance, failure, outcome
//! - `ports`: what the program needs of the world: EC2, CloudWatch, SES, a clock
//! - `servers`: servers.toml, hold tags, and the state machine that is rendered from it
//! - `phase`: the loop: look, decide, ask, wait
//! - `phase_log`: the watcher that tells a phase's story
//! - `report`: what the branches gave and what every server is now → one truthful mail
//! - `check`: the evening check: what would fail at the next run → a mail, or none
//! - `muting`: which alarms are quiet while servers are off on purpose, and the watcher that sees to it
//! - `lambda`: the edge: payloads, settings, answers, the names of errors, metrics
//! - `testkit`: a small EC2 for tests and the benchmark; there only for them
//! - `commands`: check, render and names, for people; `function`: the wiring of the Lambda function
//! - `aws`: one adapter a port, where SDK types stop; there only with the feature of that name

#![cfg_attr(
    not(feature = "aws"),
    allow(dead_code, reason = "without the SDK only the commands and the tests are left")
)]

#[cfg(feature = "aws")]
mod aws;
mod check;
pub mod commands;
#[cfg(feature = "aws")]
pub mod function;
mod lambda;
mod model;
mod muting;
mod phase;
mod phase_log;
mod ports;
mod report;
mod servers;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
