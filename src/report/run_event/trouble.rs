//! An error, as an event has it: of the execution, or of its mail. Pure.

use serde::Serialize;
use serde_json::Value;

use super::change::StatusChange;
use super::one_line::shortened;
use crate::report::branches;

/// Characters of an error's name.
const NAME: usize = 256;
/// Characters of a cause that is no report.
const CAUSE: usize = 1_000;

/// An error's name and its cause, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Trouble {
    pub name: Option<String>,
    pub cause: Option<String>,
}

impl Trouble {
    /// Why an execution ended, in Step Functions' words; `None` if it says nothing.
    pub(super) fn of_execution(change: &StatusChange) -> Option<Self> {
        let is_told = change.error.is_some() || change.cause.is_some();
        is_told.then(|| Self::bounded(change.error.as_deref(), change.cause.as_deref()))
    }

    /// A `mail_error`: `$states.errorOutput` of a report, a sentence that begins with the error's name of a check.
    pub(super) fn of_mail(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::String(text) => {
                let is_name = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
                let named = text.split_once(": ").filter(|(name, _)| is_name(name));
                let (name, cause) = named.map_or((None, text.as_str()), |(name, cause)| (Some(name), cause));
                Some(Self::bounded(name, Some(cause)))
            }
            error => {
                let failure = branches::error(error);
                Some(Self::bounded(Some(&failure.code), Some(&failure.message)))
            }
        }
    }

    fn bounded(name: Option<&str>, cause: Option<&str>) -> Self {
        let bounded = |text: Option<&str>, characters| text.map(|text| shortened(text, characters));
        Self { name: bounded(name, NAME), cause: bounded(cause, CAUSE) }
    }
}

/// A cause for people. That of an error which the state machine handed on is JSON, and so is a Lambda's: the sentence is
/// inside.
pub(super) fn sentence(cause: &str) -> String {
    let error: Value = serde_json::from_str(cause).unwrap_or_default();
    if error["Error"].is_string() {
        let failure = branches::error(&error);
        return format!("{}: {}", failure.code, failure.message);
    }
    error["errorMessage"].as_str().unwrap_or(cause).to_owned()
}
