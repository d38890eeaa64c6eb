//! The edge: one event in, one answer or one named error out.

pub mod branch;
pub mod handler;
pub mod metrics;
pub mod payload;
pub mod settings;
pub mod watchers;
