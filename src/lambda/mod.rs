//! The edge: one event in, one answer or one named error out.

mod address;
mod asked;
mod asking;
pub(crate) mod branch;
mod checking;
pub(crate) mod error;
pub(crate) mod handler;
pub(crate) mod json;
mod judging;
pub(crate) mod metrics;
mod nearest;
pub(crate) mod payload;
mod reference;
mod sending;
pub(crate) mod settings;
mod status_change;
mod telling;
pub(crate) mod watchers;

#[cfg(test)]
mod tests;
