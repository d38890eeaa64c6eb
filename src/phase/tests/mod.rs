//! The phase loop against the small EC2.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

mod asking;
mod decide;
mod fault_table;
mod forced_stop;
mod hostile;
mod invariants;
mod looks;
mod phase;
mod progress;
mod resume;
