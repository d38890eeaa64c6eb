//! Pages of the console that tell more of a run. Pure.

use serde::Serialize;

use super::change::StatusChange;
use crate::report::Place;

/// The pages; null where the console's domain or the phase log's group is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Links {
    /// The execution.
    pub execution: Option<String>,
    /// Its stream of the phase log.
    pub phase_log: Option<String>,
}

impl Links {
    /// Of one execution.
    pub(crate) fn of(change: &StatusChange, place: &Place) -> Self {
        Self { execution: place.execution(&change.execution), phase_log: place.log_stream(&change.run) }
    }
}
