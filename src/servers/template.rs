//! Renders the schedules of a servers.toml into template.yaml: pure.
//!
//! Owns the region between two marked lines and nothing else of the template. So there is one template and one change
//! set, and nothing is uploaded beside it: no nested stack, no macro. Each schedule is as the template's own two are:
//! the same role, dead-letter queue, retry policy.

use serde_json::{Map, Value, json};

use super::schedule::{Begins, Schedule};

/// The lines around the region.
const BEGIN: &str = "  # Begin of the schedules of servers.toml: `make statemachine` renders them; edit that file, not these lines.";
const END: &str = "  # End of the schedules of servers.toml.";

/// The template with its region anew.
///
/// # Errors
/// With a sentence, if the region's lines are not there once each, in their order.
pub(crate) fn render(template: &str, schedules: &[Schedule]) -> Result<String, String> {
    let wrong = || format!("these two lines are expected once each, in this order:\n{BEGIN}\n{END}");
    let (before, rest) = template.split_once(&format!("{BEGIN}\n")).ok_or_else(wrong)?;
    let (_, after) = rest.split_once(&format!("{END}\n")).ok_or_else(wrong)?;
    let is_once = |text: &str| !text.contains(BEGIN) && !text.contains(END);
    if !is_once(before) || !is_once(after) || rest.contains(BEGIN) {
        return Err(wrong());
    }
    let region: String = schedules.iter().map(resource).collect();
    Ok(format!("{before}{BEGIN}\n{region}{END}\n{after}"))
}

/// The logical id: `weekday-mornings` gives `ScheduledWeekdayMornings`. No other resource or parameter begins so.
fn logical_id(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
            .unwrap_or_default()
    };
    format!("Scheduled{}", name.split(['-', '_']).map(capital).collect::<String>())
}

/// What the state machine is begun with.
fn input(schedule: &Schedule) -> Value {
    let mut input = Map::new();
    match schedule.action {
        Begins::Start => input.insert("action".to_owned(), json!("start")),
        Begins::Stop => input.insert("action".to_owned(), json!("stop")),
        Begins::Check => input.insert("check".to_owned(), json!(true)),
    };
    if !schedule.environments.is_empty() {
        input.insert("environments".to_owned(), json!(schedule.environments));
    }
    if let Some(calendar) = &schedule.calendar {
        input.insert("calendar".to_owned(), json!(calendar));
    }
    Value::Object(input)
}

/// No value holds a quote: names, expressions, zones and calendars are checked letter by letter.
fn resource(schedule: &Schedule) -> String {
    let zone = match &schedule.time_zone {
        Some(zone) => format!("'{zone}'"),
        None => "!Ref TimeZone".to_owned(),
    };
    let does = match schedule.action {
        Begins::Start => "starts servers",
        Begins::Stop => "stops servers",
        Begins::Check => "checks the account",
    };
    format!(
        "  {id}:
    Type: AWS::Scheduler::Schedule
    Properties:
      Description: '{name} of servers.toml: {does}'
      ScheduleExpression: '{expression}'
      ScheduleExpressionTimezone: {zone}
      State: {state}
      FlexibleTimeWindow: {{ Mode: \"OFF\" }}
      Target:
        Arn: !Ref StateMachine
        RoleArn: !GetAtt ScheduleRole.Arn
        Input: '{input}'
        RetryPolicy: {{ MaximumEventAgeInSeconds: 600, MaximumRetryAttempts: 10 }}
        DeadLetterConfig: {{ Arn: !GetAtt MissedSchedules.Arn }}
",
        id = logical_id(&schedule.name),
        name = schedule.name,
        expression = schedule.text,
        state = if schedule.enabled { "ENABLED" } else { "DISABLED" },
        input = input(schedule),
    )
}
