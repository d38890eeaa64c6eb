//! What the check is asked for, and what it goes by.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::model::Execution;
use crate::report::asked::Asked;
use crate::servers::file::ServerLists;

/// What the check is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckRequest {
    /// What was asked, so that the mail can ask it again: of these environments; of all, if none is named.
    pub asked: Asked,
    /// The calendars that were asked.
    pub calendars: Vec<String>,
    /// What GetCalendarState answered, or the error of that; null if there is no calendar.
    pub calendar: Value,
    /// The execution that this belongs to.
    pub execution: Option<Execution>,
}

impl CheckRequest {
    /// The environments that it is limited to. Where a run's input names none, the state machine names all of them: that
    /// is no limit.
    pub(super) fn limit(&self, lists: &ServerLists) -> Option<Vec<String>> {
        let all = lists.environments();
        let is_all = |names: &[String]| {
            !all.is_empty() && all.iter().all(|name| names.iter().any(|asked| asked == name))
        };
        self.asked.environments.clone().filter(|names| !is_all(names))
    }
}

/// What the check goes by.
#[derive(Debug, Clone)]
pub(crate) struct Scope<'a> {
    /// servers.toml.
    pub lists: &'a ServerLists,
    /// These environments only, if any is named.
    pub environments: Option<&'a [String]>,
    /// The zone of dates in hold tags.
    pub zone: &'a TimeZone,
    /// The run, after which a role's session is named.
    pub run: &'a str,
    /// No question goes on after this.
    pub until: Timestamp,
}

/// Who sends the report, who gets it, and whether SES has the account in its sandbox.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post<'a> {
    /// The sender.
    pub sender: &'a str,
    /// The recipients.
    pub recipients: &'a [String],
    /// In the sandbox the recipients must be verified too.
    pub sandbox: bool,
}
