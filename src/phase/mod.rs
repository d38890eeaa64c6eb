//! One phase: look, decide, ask, wait, until every server of the list stands as it should or cannot.
//!
//! Read [`run`] first; it is the loop. [`look`] sees what is, [`decide`] says how each server stands ([`plan`]),
//! [`ask`] sends what the plan wants, [`progress`] holds what cannot be seen, [`pace`] knows EC2's limits. Others may
//! [`watch`]; the loop does not know them.

pub mod answer;
pub mod ask;
pub mod decide;
pub mod dry_run;
pub mod in_time;
pub mod keys;
pub mod look;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod run;
pub mod watch;

pub use run::{Task, run};

#[cfg(test)]
mod tests;
