//! What the function is asked to ask a person, before an environment is started or stopped.
//!
//! Owns the request; `mail/question` words it.

use serde::Deserialize;

use crate::model::{Action, Execution};
use crate::servers::approve::Silence;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    /// By which Step Functions takes the answer. Who has it still needs `states:SendTaskSuccess`.
    pub token: String,
    /// What would be started or stopped.
    pub environment: String,
    /// Start or stop.
    pub action: Action,
    /// For how long an answer is waited for.
    pub minutes: u32,
    /// What follows if none comes.
    pub silence: Silence,
}

/// The question, and the run that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asking {
    /// The question.
    pub ask: Question,
    /// The run.
    pub execution: Execution,
}
