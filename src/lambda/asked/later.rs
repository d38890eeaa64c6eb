//! The one-time schedules: of a run that begins later, and of the stop that follows a start. Pure.
//!
//! Owns what EventBridge Scheduler's CreateSchedule is asked, as Step Functions passes it on. A schedule's target,
//! role, dead-letter queue and patience are those of the template's own schedules; it deletes itself when it is done.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::opening::Opening;

/// "Length Constraints: Minimum length of 1. Maximum length of 64" and "Pattern: ^[0-9a-zA-Z-_.]+$"
/// (EventBridge Scheduler's API, CreateSchedule, Name). So much of the execution's name stays readable in it.
const READABLE: usize = 40;

/// CreateSchedule's argument.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Schedule {
    name: String,
    group_name: String,
    description: String,
    schedule_expression: String,
    schedule_expression_timezone: &'static str,
    flexible_time_window: Value,
    action_after_completion: &'static str,
    target: Value,
}

impl Schedule {
    /// Of a run that begins at a time: with the same input, but for the time.
    pub(super) fn of_run(opening: &Opening, at: Timestamp, input: &Map<String, Value>) -> Self {
        let mut input = input.clone();
        input.remove("at");
        Self::new(opening, "later", at, &Value::Object(input))
    }

    /// Of the stop of what a start has started. No calendar keeps it from that: it was asked for with the start. Where
    /// the start named no environments, the stop names none either: all means those that there are when it is due.
    pub(super) fn of_stop(opening: &Opening, at: Timestamp, environments: Option<&Value>) -> Self {
        let mut input = json!({ "action": "stop", "ignore_calendar": true });
        if let Some(environments) = environments {
            input["environments"] = environments.clone();
        }
        Self::new(opening, "stop", at, &input)
    }

    fn new(opening: &Opening, what: &str, at: Timestamp, input: &Value) -> Self {
        let execution = &opening.context.execution;
        Self {
            name: name(what, &execution.name, &execution.id),
            group_name: opening.schedules.group.clone(),
            description: "Made by a run of ec2-start-stop; it deletes itself when it is done".to_owned(),
            schedule_expression: format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")),
            schedule_expression_timezone: "UTC",
            flexible_time_window: json!({ "Mode": "OFF" }),
            action_after_completion: "DELETE",
            target: json!({
                "Arn": opening.context.state_machine.id,
                "RoleArn": opening.schedules.role,
                "Input": input.to_string(),
                "DeadLetterConfig": { "Arn": opening.schedules.dead_letters },
                "RetryPolicy": { "MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 10 }
            }),
        }
    }
}

/// The same for every attempt of one execution, so that a second attempt finds what the first one made; another one
/// for every other execution.
fn name(what: &str, execution: &str, id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let readable: String = execution.chars().take(READABLE).map(plain).collect();
    format!("{what}-{readable}-{:016x}", fnv(id))
}

/// FNV-1a, 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): no secret, only an ARN's short stand-in.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
