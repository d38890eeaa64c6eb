//! What a person, or silence, decided about an environment, as the state machine hands it on: pure.
//!
//! Read leniently: a report goes out whatever arrives. What is not clearly a yes is none.

use serde_json::Value;

use crate::model::Action;

/// What was decided before anything was done to an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    /// The run went on.
    pub approved: bool,
    /// Who decided.
    pub by: By,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// A person, by the name that they gave, if they gave one.
    Person(Option<String>),
    /// A person, by SendTaskFailure; its cause may say more.
    Failure(String),
    /// Nobody answered in time: servers.toml decided.
    Silence,
}

impl Decision {
    /// Reads a result's `approval`; `None` if nobody was asked.
    pub(crate) fn read(result: &Value) -> Option<Self> {
        let told = result.get("approval").filter(|told| told.is_object())?;
        let flag = |name: &str| told.get(name).and_then(Value::as_bool).unwrap_or(false);
        let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::trim);
        let by = match (text("silence"), text("failure")) {
            (Some(_), _) => By::Silence,
            (None, Some(cause)) => By::Failure(cause.to_owned()),
            (None, None) => By::Person(text("by").filter(|by| !by.is_empty()).map(str::to_owned)),
        };
        Some(Self { approved: flag("approved"), by })
    }

    /// Who decided what, `Ana said no` for example.
    pub(crate) fn words(&self) -> String {
        let answer = if self.approved { "yes" } else { "no" };
        match &self.by {
            By::Silence => "nobody answered in time".to_owned(),
            By::Person(Some(name)) => format!("{name} said {answer}"),
            By::Person(None) => format!("somebody who gave no name said {answer}"),
            By::Failure(cause) if cause.is_empty() => "somebody said no by SendTaskFailure".to_owned(),
            By::Failure(cause) => format!("somebody said no by SendTaskFailure ({cause})"),
        }
    }

    /// What a reader of the report should know of it.
    pub(crate) fn remark(&self, environment: &str, action: Action) -> String {
        let (words, action) = (self.words(), action.word());
        match (self.approved, &self.by) {
            (true, By::Silence) => {
                format!("{environment}: {words}, and the {action} went on, as servers.toml says.")
            }
            (true, _) => format!("{environment}: {words} to the {action}."),
            (false, _) => format!("{environment} was left alone: {words}."),
        }
    }

    /// Whether the environment stayed as it is because nobody cared: somebody should know.
    pub(crate) fn is_left_in_silence(&self) -> bool {
        !self.approved && self.by == By::Silence
    }
}
