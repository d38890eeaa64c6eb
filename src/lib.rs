//! Starts and stops tiered EC2 servers in dependency order and reports truthfully.
//!
//! One invocation of the function is one *phase* (the work on one list of servers.toml) or the *report*. The rooms,
//! from the inside out; a room knows only those above it:
//!
//! - [`model`]: the nouns that all rooms share: action, instance, failure, outcome
//! - [`ports`]: what the program needs of the world: EC2, CloudWatch, SES, a clock
//! - [`servers`]: servers.toml, hold tags, and the state machine that is rendered from it
//! - [`phase`]: the loop: look, decide, ask, wait
//! - [`phase_log`]: the watcher that tells a phase's story
//! - [`report`]: what the branches gave and what every server is now → one truthful mail
//! - [`muting`]: which alarms are quiet while servers are off on purpose, and the watcher that sees to it
//! - [`lambda`]: the edge: payloads, settings, answers, the names of errors, metrics
//! - `testkit`: a small EC2 for tests and the benchmark; there only for them
//! - `aws`: one adapter a port, where SDK types stop; there only with the feature of that name

#[cfg(feature = "aws")]
pub mod aws;
pub mod lambda;
pub mod model;
pub mod muting;
pub mod phase;
pub mod phase_log;
pub mod ports;
pub mod report;
pub mod servers;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
