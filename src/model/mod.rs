//! The nouns that all rooms share. Owns no decision and does no I/O.

pub mod action;
pub mod failure;
pub mod instance;
pub mod outcome;

pub use action::{Action, Execution};
pub use failure::Failure;
pub use instance::{Check, Instance, InstanceState, StatusChecks, StopKind};
pub use outcome::{
    ActionRecord, ActionTaken, Counts, HoursOff, InitialState, InitialStates, Outcome, PhaseAnswer, Problem,
};
