//! What GetCalendarState answered, as the state machine hands it on. Pure.

use serde_json::Value;

use crate::model::{Failure, Problem};

use super::findings::Said;

/// Whom a finding about the calendar is said to be of.
const CALENDAR: &str = "calendar";
/// The most characters of an error that is handed on.
const MOST_CHARACTERS: usize = 300;

/// `asked` are the calendars that `answer` is of; `scheduled` those of servers.toml's schedules.
pub(super) fn judge(asked: &[String], answer: &Value, scheduled: &[String]) -> Said {
    let mut said = judged(asked, answer);
    let silent: Vec<&str> =
        scheduled.iter().filter(|one| answer.is_null() || !asked.contains(one)).map(String::as_str).collect();
    if !silent.is_empty() {
        let names = silent.join(", ");
        said.not_proved
            .push(format!("whether calendars of schedules can be read, which were not asked: {names}."));
    }
    said
}

fn judged(asked: &[String], answer: &Value) -> Said {
    let text = |field: &str| answer.get(field).and_then(Value::as_str);
    let until = text("NextTransitionTime").map(|at| format!(" until {at}")).unwrap_or_default();
    let names = asked.join(", ");
    match (answer, text("State"), asked) {
        (Value::Null, ..) => Said::default(),
        (_, Some(state @ ("OPEN" | "CLOSED")), [_, _, ..]) => {
            // "OPEN only if all calendars in the request are open" (API: ssm:GetCalendarState).
            let which = if state == "OPEN" { "all are" } else { "at least one is" };
            proved(format!("The calendars {names} can be read; {which} {state} now{until}."))
        }
        (_, Some(state @ ("OPEN" | "CLOSED")), _) => {
            let name = asked.first().map(|name| format!(" {name}")).unwrap_or_default();
            proved(format!("The calendar{name} can be read; it is {state} now{until}."))
        }
        _ => {
            let told: Vec<&str> = [text("Error"), text("Cause")].into_iter().flatten().collect();
            let told = if told.is_empty() { answer.to_string() } else { told.join(": ") };
            let told: String = told.chars().take(MOST_CHARACTERS).collect();
            let which = match asked {
                [] => "the calendar".to_owned(),
                [name] => format!("the calendar {name}"),
                _ => format!("at least one of the calendars {names}"),
            };
            let problem = Problem::of(CALENDAR, None, &Failure::calendar_unreadable(&which, &told));
            Said { problems: vec![(problem, true)], ..Said::default() }
        }
    }
}

fn proved(what: String) -> Said {
    Said { proved: vec![what], ..Said::default() }
}
