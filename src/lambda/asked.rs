//! What an execution's input asks for: read strictly, and answered to the state machine typed. Pure.
//!
//! Owns the input's fields, what each may be, and the one-time schedules of a run that begins later and of the stop
//! that follows a start. The environments are those of the machine, which sends them along: no servers.toml is needed
//! here, so a file that cannot be used keeps no run from going on to its mail.

mod calendars;
mod later;
mod opening;

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value};

use self::calendars::is_calendar;
use self::later::Schedule;
use self::opening::ContextExecution;
pub(crate) use self::opening::Opening;
use crate::lambda::nearest::did_you_mean;
use crate::model::{Action, Execution};

/// The fields that an input may have.
const FIELDS: [&str; 8] =
    ["action", "environments", "dry_run", "at", "stop_after_hours", "calendar", "ignore_calendar", "check"];
/// A week: what is needed for longer is no exception.
const MOST_HOURS: f64 = 168.0;
/// How far ahead a later run must be. Its schedule has to be made before it is due: of one that is made too late
/// EventBridge Scheduler's documents do not say that it fires at all.
const AT_LEAST_AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// What is to be done, for the state machine's choices.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Asked {
    action: Action,
    dry_run: bool,
    environments: Vec<String>,
    execution: Execution,
    /// Make `schedule`, and nothing else.
    later: bool,
    at: Option<Timestamp>,
    schedule: Option<Schedule>,
    asks_calendar: bool,
    calendars: Vec<String>,
    /// Check the account, and nothing else.
    check: bool,
    /// Make `stop_schedule` before the start; it is there when the run begins.
    stops_later: bool,
    stops_at: Option<Timestamp>,
    stop_schedule: Option<Schedule>,
    /// As it was given: what a report's commands ask again.
    input: Map<String, Value>,
}

/// Why an input is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Nothing was started or stopped. {0}")]
pub(crate) struct Refusal(String);

/// Reads an input; `now` decides what is past. A check asks the calendars of servers.toml's schedules too.
///
/// # Errors
/// A sentence that names the field that is wrong, and what is expected.
pub(crate) fn read(opening: &Opening, scheduled: &[String], now: Timestamp) -> Result<Asked, Refusal> {
    let Value::Object(fields) = &opening.context.execution.input else {
        return Err(Refusal(format!(
            "The input must be a JSON object, for example {{\"action\": \"start\"}}; found {}.",
            shown(&opening.context.execution.input)
        )));
    };
    if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(Refusal(format!(
            "The input's field `{unknown}` is unknown{}; known are {}.",
            did_you_mean(unknown, FIELDS),
            FIELDS.join(", ")
        )));
    }
    let wish = Wish::read(fields, &opening.environments, now)?;
    Ok(wish.answer(opening, fields, scheduled))
}

/// The input's fields, each as it may be.
struct Wish {
    action: Action,
    check: bool,
    environments: Vec<String>,
    dry_run: bool,
    at: Option<Timestamp>,
    stop_after: Option<SignedDuration>,
    calendar: Option<String>,
    ignore_calendar: bool,
}

impl Wish {
    fn read(fields: &Map<String, Value>, environments: &[String], now: Timestamp) -> Result<Self, Refusal> {
        let check = flag(fields, "check")?;
        let dry_run = flag(fields, "dry_run")?;
        let action = action(fields, check)?;
        if check && (dry_run || fields.contains_key("stop_after_hours")) {
            let field = if dry_run { "dry_run" } else { "stop_after_hours" };
            return Err(Refusal(format!(
                "The input's field `{field}` says nothing beside `check`, which changes nothing: leave it out."
            )));
        }
        Ok(Self {
            action,
            check,
            environments: wanted(fields, environments)?,
            dry_run,
            at: at(fields, now)?,
            stop_after: stop_after(fields, action)?,
            calendar: calendar(fields)?,
            ignore_calendar: flag(fields, "ignore_calendar")?,
        })
    }

    fn answer(self, opening: &Opening, fields: &Map<String, Value>, scheduled: &[String]) -> Asked {
        let ContextExecution { id, name, start_time, .. } = opening.context.execution.clone();
        let later = self.at.is_some();
        // A dry run starts nothing that would have to be stopped.
        let stop_after = self.stop_after.filter(|_| !later && !self.dry_run);
        let stops_at = opening.begins.zip(stop_after).map(|(begins, after)| begins + after);
        // A check is of the schedules' runs too.
        let others = if self.check { scheduled } else { &[] };
        let calendars = match self.ignore_calendar {
            true => Vec::new(),
            false => calendars::of(self.calendar, &opening.calendar, others),
        };
        let schedule = self.at.map(|at| Schedule::of_run(opening, at, fields));
        let named = fields.get("environments");
        let stop_schedule = stops_at.map(|at| Schedule::of_stop(opening, at, named));
        Asked {
            action: self.action,
            dry_run: self.dry_run,
            environments: self.environments,
            execution: Execution { id, name, start_time },
            later,
            at: self.at,
            schedule,
            // A run for later asks when it begins.
            asks_calendar: !later && !calendars.is_empty(),
            calendars,
            check: self.check,
            stops_later: stop_after.is_some(),
            stops_at,
            stop_schedule,
            input: fields.clone(),
        }
    }
}

fn wrong(field: &str, expected: &str, found: Option<&Value>) -> Refusal {
    let found = found.map_or_else(|| "nothing".to_owned(), shown);
    Refusal(format!("The input's field `{field}`: expected {expected}; found {found}."))
}

fn flag(fields: &Map<String, Value>, field: &str) -> Result<bool, Refusal> {
    match fields.get(field) {
        None => Ok(false),
        Some(Value::Bool(says)) => Ok(*says),
        other => Err(wrong(field, "true or false", other)),
    }
}

/// A check is of the start and of the stop: it has no action of its own.
fn action(fields: &Map<String, Value>, check: bool) -> Result<Action, Refusal> {
    let given = fields.get("action");
    match given.and_then(Value::as_str) {
        Some(_) if check => Err(Refusal(
            "The input has both `action` and `check`: a check looks at the start and at the stop, so leave `action` out."
                .to_owned(),
        )),
        Some("start") => Ok(Action::Start),
        Some("stop") => Ok(Action::Stop),
        None if check && given.is_none() => Ok(Action::Start),
        _ => Err(wrong("action", "\"start\" or \"stop\"", given)),
    }
}

fn wanted(fields: &Map<String, Value>, known: &[String]) -> Result<Vec<String>, Refusal> {
    let field = "environments";
    let all = known.join("\", \"");
    let expected = format!("a list of some of \"{all}\", each once");
    let Some(given) = fields.get(field) else { return Ok(known.to_vec()) };
    let Some(names) = given.as_array().filter(|names| !names.is_empty()) else {
        return Err(wrong(field, &expected, Some(given)));
    };
    let mut wanted: Vec<String> = Vec::new();
    for name in names {
        match name.as_str() {
            Some(name) if !known.iter().any(|other| other == name) => {
                let near = did_you_mean(name, known.iter().map(String::as_str));
                return Err(Refusal(format!(
                    "The input's field `{field}` names {}, which is no environment{near}; there are \"{all}\".",
                    shown(&name.into())
                )));
            }
            Some(name) if !wanted.iter().any(|other| other == name) => wanted.push(name.to_owned()),
            _ => return Err(wrong(field, &expected, Some(given))),
        }
    }
    Ok(wanted)
}

/// With a zone offset, because nobody could say whose clock is meant; so no change of the clocks makes it ambiguous.
fn at(fields: &Map<String, Value>, now: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let Some(given) = fields.get("at") else { return Ok(None) };
    let expected = "a time with its offset, for example \"2026-12-24T18:00:00+01:00\"";
    // jiff also reads a zone in brackets behind it, and does not hold it to the offset.
    let text = given.as_str().filter(|text| !text.contains('['));
    let at: Timestamp =
        text.and_then(|text| text.parse().ok()).ok_or_else(|| wrong("at", expected, Some(given)))?;
    if at < now + AT_LEAST_AHEAD {
        return Err(wrong(
            "at",
            &format!("a time at least a minute ahead, and it is {now:.0} now"),
            Some(given),
        ));
    }
    let in_a_year = now.to_zoned(TimeZone::UTC).checked_add(1.year());
    if in_a_year.is_ok_and(|latest| at > latest.timestamp()) {
        return Err(wrong("at", "a time within a year", Some(given)));
    }
    Ok(Some(at))
}

/// Fractions are allowed; a second is the schedule's own resolution.
fn stop_after(fields: &Map<String, Value>, action: Action) -> Result<Option<SignedDuration>, Refusal> {
    let field = "stop_after_hours";
    let Some(given) = fields.get(field) else { return Ok(None) };
    let hours = given.as_f64().filter(|hours| (1.0..=MOST_HOURS).contains(hours));
    let after = hours.and_then(|hours| SignedDuration::try_from_secs_f64((hours * 3600.0).round()).ok());
    let Some(after) = after else {
        return Err(wrong(field, "a number from 1 to 168, without quotes", Some(given)));
    };
    match action {
        Action::Start => Ok(Some(after)),
        Action::Stop => {
            Err(Refusal(format!("The input's field `{field}` is for a start only, and this is a stop.")))
        }
    }
}

fn calendar(fields: &Map<String, Value>) -> Result<Option<String>, Refusal> {
    let Some(given) = fields.get("calendar") else { return Ok(None) };
    match given.as_str().filter(|name| is_calendar(name)) {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(wrong("calendar", "the name or the ARN of a Change Calendar", Some(given))),
    }
}

/// A value as it is shown in a refusal: 200 characters at most.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
