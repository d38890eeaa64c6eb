//! The nouns that all rooms share. Owns no decision and does no I/O.

pub(crate) mod action;
mod elsewhere;
pub(crate) mod failure;
pub(crate) mod instance;
pub(crate) mod outcome;

pub(crate) use action::{Action, Execution};
pub(crate) use elsewhere::Elsewhere;
pub(crate) use failure::Failure;
pub(crate) use instance::{Check, Instance, InstanceState, StatusChecks, StopKind};
pub(crate) use outcome::{
    ActionRecord, ActionTaken, Counts, HoursOff, InitialState, InitialStates, Outcome, PhaseAnswer, Problem,
};
