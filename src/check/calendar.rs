//! What GetCalendarState answered, as the state machine hands it on. Pure.

use serde_json::Value;

use crate::model::{Failure, Problem};

use super::findings::Said;

/// Whom a finding about the calendar is said to be of.
const CALENDAR: &str = "calendar";
/// The most characters of an error that is handed on.
const MOST_CHARACTERS: usize = 300;

pub(super) fn judge(calendars: &[String], answer: &Value) -> Said {
    let which = if calendars.is_empty() { String::new() } else { format!(" {}", calendars.join(", ")) };
    let text = |field: &str| answer.get(field).and_then(Value::as_str);
    match (answer, text("State")) {
        (Value::Null, _) => Said::default(),
        (_, Some(state @ ("OPEN" | "CLOSED"))) => {
            let until = text("NextTransitionTime").map(|at| format!(" until {at}")).unwrap_or_default();
            let proved = format!("The calendar{which} can be read; it is {state} now{until}.");
            Said { proved: vec![proved], ..Said::default() }
        }
        _ => {
            let told: Vec<&str> = [text("Error"), text("Cause")].into_iter().flatten().collect();
            let told = if told.is_empty() { answer.to_string() } else { told.join(": ") };
            let told: String = told.chars().take(MOST_CHARACTERS).collect();
            let problem = Problem::of(CALENDAR, None, &Failure::calendar_unreadable(&which, &told));
            Said { problems: vec![(problem, true)], ..Said::default() }
        }
    }
}
