//! The edge: one event in, one answer or one named error out.

mod address;
pub mod branch;
pub mod error;
pub mod handler;
pub mod json;
pub mod metrics;
pub mod payload;
mod sending;
pub mod settings;
pub mod watchers;

#[cfg(test)]
mod tests;
