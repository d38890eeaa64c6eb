//! What a run's calendar said before anything was done, as the state machine hands it on: pure.
//!
//! Read leniently: a report goes out whatever arrives. The machine decides what follows from it; the report tells it.

use jiff::Timestamp;
use serde_json::Value;

use super::branches;
use super::times::in_utc;
use crate::model::Failure;

/// A Change Calendar of AWS Systems Manager, and what it said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calendar {
    /// Its name or ARN.
    pub name: String,
    /// What it said.
    pub said: Said,
}

/// What a calendar says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// Runs may begin.
    Open,
    /// None may, until this time; `None`: it says no end.
    Closed(Option<Timestamp>),
    /// It could not be asked.
    Unreadable(Failure),
}

impl Calendar {
    /// Reads the machine's `$calendar` (GetCalendarState's answer, or `$states.errorOutput`) and `$asked`, which names
    /// it; `None` if none was asked.
    pub(crate) fn read(calendar: Option<&Value>, asked: Option<&Value>) -> Option<Self> {
        let said = calendar.filter(|said| !said.is_null())?;
        let names = asked.and_then(|asked| asked.get("calendars")).and_then(Value::as_array);
        let names: Vec<&str> = names.into_iter().flatten().filter_map(Value::as_str).collect();
        let until = said.get("NextTransitionTime").and_then(Value::as_str);
        let said = match said.get("State").and_then(Value::as_str) {
            Some("OPEN") => Said::Open,
            Some("CLOSED") => Said::Closed(until.and_then(|until| until.parse().ok())),
            _ => Said::Unreadable(branches::error(said)),
        };
        Some(Self { name: names.join(", "), said })
    }

    /// Why a run did nothing, for whoever gets no mail.
    pub(crate) fn remark(&self) -> Option<String> {
        let name = &self.name;
        match &self.said {
            Said::Open => None,
            Said::Closed(Some(until)) => {
                let until = in_utc(*until);
                Some(format!("The calendar {name} is closed until {until}: nothing was done."))
            }
            Said::Closed(None) => {
                Some(format!("The calendar {name} is closed and says no end: nothing was done."))
            }
            Said::Unreadable(error) => {
                Some(format!("The calendar {name} could not be read, and nothing was done: {error}."))
            }
        }
    }

    /// As people call it: the name, of an ARN its last part.
    pub(crate) fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }
}
