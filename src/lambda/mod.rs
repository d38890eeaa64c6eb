//! The edge: one event in, one answer or one named error out.

mod address;
pub(crate) mod branch;
pub(crate) mod error;
pub(crate) mod handler;
pub(crate) mod json;
mod judging;
pub(crate) mod metrics;
pub(crate) mod payload;
mod reference;
mod sending;
pub(crate) mod settings;
mod status_change;
mod telling;
pub(crate) mod watchers;

#[cfg(test)]
mod tests;
