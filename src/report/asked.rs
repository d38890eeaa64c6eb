//! What a run was asked besides its action, as the state machine hands it on: pure.
//!
//! Owns what a command needs to ask the same again. Read leniently: a report goes out whatever arrives.

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::times::StopLater;

/// What was asked; of a plain start or stop nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Asked {
    /// It was a check, which has no action: a report of it says that its schedule could not be made.
    pub check: bool,
    /// When the run was to begin, if later: a report of such a run says that its schedule could not be made.
    pub at: Option<Timestamp>,
    /// The schedule that stops what was started.
    pub stop_later: Option<StopLater>,
    /// A stop was to follow, and no schedule of it has been made.
    pub lacks_its_stop: bool,
    /// After how many hours that is, as the input says it.
    pub stop_after_hours: Option<Number>,
    /// The calendar that the input names.
    pub calendar: Option<String>,
    /// The calendar was not to be asked.
    pub ignore_calendar: bool,
    /// The environments that the run was limited to.
    pub environments: Option<Vec<String>>,
}

impl Asked {
    /// Reads the machine's `$asked`; `None`: the input was a plain one.
    pub(crate) fn read(asked: Option<&Value>, environments: Option<Vec<String>>) -> Self {
        let time = |field: &str| asked?.get(field)?.as_str()?.parse().ok();
        let input = asked.and_then(|asked| asked.get("input")).and_then(Value::as_object);
        let is = |field: &str| asked.and_then(|asked| asked.get(field)).and_then(Value::as_bool);
        let given = |field: &str| input.and_then(|input: &Map<String, Value>| input.get(field));
        Self {
            check: given("check").and_then(Value::as_bool).unwrap_or(false),
            at: time("at"),
            stop_later: asked.and_then(stop_later),
            lacks_its_stop: is("stops_later") == Some(true) && time("stops_at").is_none(),
            stop_after_hours: given("stop_after_hours").and_then(Value::as_number).cloned(),
            calendar: given("calendar").and_then(Value::as_str).map(str::to_owned),
            ignore_calendar: given("ignore_calendar").and_then(Value::as_bool).unwrap_or(false),
            environments,
        }
    }
}

fn stop_later(asked: &Value) -> Option<StopLater> {
    let at = asked.get("stops_at")?.as_str()?.parse().ok()?;
    let schedule = asked.get("stop_schedule")?.get("Name")?.as_str()?.to_owned();
    Some(StopLater { at, schedule })
}
