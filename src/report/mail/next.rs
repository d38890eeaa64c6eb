//! What to do next: the commands that ask again what was asked, by make and by the AWS CLI.
//!
//! Owns that neither leaves out anything of it: a run for later is never printed as one for now without a word.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::{Action, Execution};
use crate::report::parts::{EnvironmentReport, Report, Status};
use crate::report::place::Place;
use crate::report::totals::Stands;

/// The stack's name that the commands take where none is given (operate.mk).
pub(super) const USUAL_STACK: &str = "ec2-start-stop";
/// The code of a question that nobody answered (`Failure::nobody_answered`).
const NOBODY_ANSWERED: &str = "NobodyAnswered";

/// A command that a person may want now.
pub(super) struct Next {
    pub(super) why: &'static str,
    /// With make, if make can say it.
    pub(super) command: Option<String>,
    /// The same without a clone of the project, by the AWS CLI, in parts that may stand on lines of their own; empty
    /// if the state machine is not known.
    pub(super) call: Vec<String>,
}

/// How to do it again, or for real.
pub(super) fn of(report: &Report, place: &Place) -> Option<Next> {
    let at = report.asked.at.filter(|at| *at > report.at);
    let why = why(report, at)?;
    let input = input(report, at);
    let call = call(report.execution.as_ref(), &Value::Object(input.clone()));
    let command = make(&input).map(|command| of_stack(command, place));
    (command.is_some() || !call.is_empty()).then_some(Next { why, command, call })
}

fn why(report: &Report, at: Option<Timestamp>) -> Option<&'static str> {
    if report.was_for_later() {
        return Some(match at {
            Some(_) => "To make its schedule once this is fixed",
            None if report.asked.check => "Its time has passed. To check NOW, once this is fixed",
            None if report.dry_run => "Its time has passed. To make the dry run NOW, once this is fixed",
            None => "Its time has passed. To do it NOW, once this is fixed",
        });
    }
    match report.status {
        Status::Success if report.dry_run => Some("To do it for real"),
        Status::Success => None,
        Status::Skipped => Some("To do it all the same"),
        Status::Degraded | Status::Aborted if report.dry_run => {
            Some("To repeat the dry run once this is fixed")
        }
        Status::Degraded | Status::Aborted => Some("To run it again once this is fixed"),
    }
}

/// The execution's input: what was asked, but for what is changed on purpose.
fn input(report: &Report, at: Option<Timestamp>) -> Map<String, Value> {
    let asked = &report.asked;
    let action = match report.action {
        Action::Start => "start",
        Action::Stop => "stop",
    };
    let names = environments(report);
    let of_some =
        !names.is_empty() && (report.environments.is_empty() || names.len() < report.environments.len());
    // A calendar that is closed keeps nobody from it who says so.
    let ignores = asked.ignore_calendar || report.status == Status::Skipped;
    let calendar = asked.calendar.as_ref().filter(|_| !ignores);
    let fields = [
        ("check", asked.check.then(|| json!(true))),
        ("action", (!asked.check).then(|| json!(action))),
        ("environments", of_some.then(|| json!(names))),
        ("dry_run", (report.dry_run && report.status != Status::Success).then(|| json!(true))),
        ("at", at.map(|at| json!(at))),
        ("stop_after_hours", asked.stop_after_hours.as_ref().map(|hours| json!(hours))),
        ("calendar", calendar.map(|name| json!(name))),
        ("ignore_calendar", ignores.then(|| json!(true))),
    ];
    fields.into_iter().filter_map(|(field, value)| Some((field.to_owned(), value?))).collect()
}

/// Those that the run was about, but for what a person said no to; after a run that did something, those of them that
/// are not as wanted.
fn environments(report: &Report) -> Vec<&str> {
    let of_report = report.environments.iter().filter(|environment| !environment.skipped);
    let all: Vec<&str> = match &report.asked.environments {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => of_report.map(|environment| environment.name.as_str()).collect(),
    };
    let open = those_of(&all, |name| !said_no(report, name));
    if report.dry_run || !report.did_something() {
        return open;
    }
    those_of(&open, |name| {
        let mut of_it = report.placed().filter(|placed| placed.environment.name == name);
        of_it.any(|placed| match placed.stands {
            Stands::Failed | Stands::NotReached => true,
            Stands::Held => placed.environment.left_alone.is_some(),
            Stands::NotInRun | Stands::AsWanted => false,
        })
    })
}

/// Those of which it is true; all of them, if it is true of none: a command without names would be about everything.
fn those_of<'a>(names: &[&'a str], is_so: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let some: Vec<&str> = names.iter().copied().filter(|name| is_so(name)).collect();
    if some.is_empty() { names.to_vec() } else { some }
}

/// Whether a person, not silence, left this environment alone.
fn said_no(report: &Report, environment: &str) -> bool {
    let is_left_alone = |one: &EnvironmentReport| one.name == environment && one.left_alone.is_some();
    report.environments.iter().any(is_left_alone) && !nobody_answered(report, environment)
}

/// Whether it was silence that left this environment alone.
fn nobody_answered(report: &Report, environment: &str) -> bool {
    report.problems.iter().any(|problem| problem.code == NOBODY_ANSWERED && problem.name == environment)
}

/// The input as make's variables; `None`: make has none for a check at a time, nor for a calendar of the input's own.
fn make(input: &Map<String, Value>) -> Option<String> {
    let mut words = vec!["make".to_owned()];
    for (field, value) in input {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        words.push(match field.as_str() {
            "action" => text,
            "environments" => {
                let names: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
                format!("ENV={}", names.join(","))
            }
            "dry_run" => "DRY_RUN=1".to_owned(),
            "at" => format!("AT={text}"),
            "stop_after_hours" => format!("STOP_AFTER_HOURS={text}"),
            "ignore_calendar" => "IGNORE_CALENDAR=1".to_owned(),
            _ => return None,
        });
    }
    Some(words.join(" "))
}

/// The execution's own state machine, started with an input.
pub(super) fn call(execution: Option<&Execution>, input: &Value) -> Vec<String> {
    let id = execution.map_or("", |execution| &execution.id);
    let parts: Vec<&str> = id.split(':').collect();
    let ["arn", partition, "states", region, account, "execution", machine, _] = parts[..] else {
        return Vec::new();
    };
    let input = input.to_string().replace('\'', "'\\''");
    vec![
        format!("aws stepfunctions start-execution --region {region}"),
        "--state-machine-arn".to_owned(),
        format!("arn:{partition}:states:{region}:{account}:stateMachine:{machine}"),
        format!("--input '{input}'"),
    ]
}

/// The command, with the stack's name where it is not the usual one.
pub(super) fn of_stack(command: String, place: &Place) -> String {
    if place.stack == USUAL_STACK { command } else { format!("{command} STACK={}", place.stack) }
}
