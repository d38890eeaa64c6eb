//! The machine's trail: one record a phase and one a run, as CloudWatch's embedded metric format reads them. Pure.
//!
//! Owns the metrics' names, units and dimensions. A dimension's every value is a metric that is billed, so there
//! are few: never a server, never an execution. Servers and executions are fields, for Logs Insights.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::check::Checked;
use crate::lambda::settings::Settings;
use crate::model::{Action, Outcome, PhaseAnswer, Problem};
use crate::ports::{Calls, Clock, Trail};
use crate::report::Report;
use crate::servers::file::ServerList;

/// The metrics' namespace.
pub(crate) const NAMESPACE: &str = "ec2-start-stop";
/// "A metric target value … must have no more than 100" values
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
const VALUES_PER_METRIC: usize = 100;

/// Whose record it is, and when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    /// The stack's name: two stacks of one account do not share metrics.
    pub stack: &'a str,
    /// The execution's name; Lambda's request id where there is no execution.
    pub run: &'a str,
    /// When.
    pub at: Timestamp,
    /// The AWS requests of this invocation.
    pub calls: Calls,
    /// Whether CloudWatch is to make metrics of it: those are billed, the record's fields are not.
    pub as_metrics: bool,
}

impl<'a> Source<'a> {
    /// Of what is recorded now.
    pub(crate) fn now(world: &(impl Clock + Trail), settings: &'a Settings, run: &'a str) -> Self {
        let (at, calls) = (world.now(), world.calls());
        Self { stack: &settings.place.stack, run, at, calls, as_metrics: settings.metrics }
    }
}

/// The record of one invocation of a phase, and further ones with the seconds that it has no room for.
///
/// Servers are counted when the phase is decided, and not in a dry run; requests always.
pub(crate) fn of_phase(
    source: Source<'_>,
    list: &ServerList,
    action: Action,
    dry_run: bool,
    answer: &PhaseAnswer,
) -> Vec<Value> {
    let mut seconds: Vec<u64> = answer.actions.values().filter_map(|record| record.seconds).collect();
    seconds.sort_unstable();
    let decided = answer.outcome != Outcome::InProgress && !dry_run;
    let mut chunks = seconds.chunks(VALUES_PER_METRIC);
    let first = chunks.next().unwrap_or_default();
    let mut fields = phase_fields(list, action, dry_run, answer);
    fields.insert("seconds_to_ready_p50".to_owned(), json!(percentile(&seconds, 50)));
    fields.insert("seconds_to_ready_p95".to_owned(), json!(percentile(&seconds, 95)));
    let mut directives = vec![requests(source, &mut fields)];
    if decided {
        fields.insert("ServersReady".to_owned(), json!(answer.servers.ready));
        fields.insert("ServersFailed".to_owned(), json!(answer.servers.failed));
        let mut metrics = vec![("ServersReady", "Count"), ("ServersFailed", "Count")];
        if !first.is_empty() {
            fields.insert("SecondsToReady".to_owned(), json!(first));
            metrics.push(SECONDS_TO_READY);
        }
        directives.push(directive(BY_TIER, &metrics));
    }
    let mut records = vec![record(source, "phase", fields, directives)];
    // They bring nothing but metrics.
    for more in chunks.filter(|_| decided && source.as_metrics) {
        let mut fields = Map::new();
        fields.insert("Action".to_owned(), json!(action));
        fields.insert("Tier".to_owned(), json!(list.tier));
        fields.insert("SecondsToReady".to_owned(), json!(more));
        records.push(record(source, "more seconds", fields, vec![directive(BY_TIER, &[SECONDS_TO_READY])]));
    }
    records
}

/// The record of a whole run.
pub(crate) fn of_run(source: Source<'_>, report: &Report) -> Value {
    let mut fields = Map::new();
    fields.insert("Action".to_owned(), json!(report.action));
    fields.insert("dry_run".to_owned(), json!(report.dry_run));
    fields.insert("status".to_owned(), json!(report.status));
    fields.insert("counts".to_owned(), json!(report.totals()));
    fields.insert("problem_codes".to_owned(), json!(codes(&report.problems)));
    let mut directives = vec![requests(source, &mut fields)];
    if let Some(seconds) = report.seconds().filter(|_| !report.dry_run && report.did_something()) {
        fields.insert("RunSeconds".to_owned(), json!(seconds));
        directives.push(directive(&["Stack", "Action"], &[("RunSeconds", "Seconds")]));
    }
    record(source, "run", fields, directives)
}

/// The record of an evening check.
pub(crate) fn of_check(source: Source<'_>, checked: &Checked) -> Value {
    let mut fields = Map::new();
    fields.insert("status".to_owned(), json!(checked.status()));
    fields.insert("counts".to_owned(), json!(checked.tally()));
    let problems: Vec<&str> = checked.findings.iter().map(|finding| finding.problem.code.as_str()).collect();
    fields.insert("problem_codes".to_owned(), json!(problems));
    let directives = vec![requests(source, &mut fields)];
    record(source, "check", fields, directives)
}

const BY_TIER: &[&str] = &["Stack", "Action", "Tier"];
const SECONDS_TO_READY: (&str, &str) = ("SecondsToReady", "Seconds");

fn phase_fields(
    list: &ServerList,
    action: Action,
    dry_run: bool,
    answer: &PhaseAnswer,
) -> Map<String, Value> {
    let fields = [
        ("phase_number", json!(list.number)),
        ("environment", json!(list.environment)),
        ("Tier", json!(list.tier)),
        ("Action", json!(action)),
        ("dry_run", json!(dry_run)),
        ("outcome", json!(answer.outcome)),
        ("servers", json!(answer.servers)),
        ("problem_codes", json!(codes(&answer.problems))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

fn requests(source: Source<'_>, fields: &mut Map<String, Value>) -> Value {
    fields.insert("ApiCalls".to_owned(), json!(source.calls.made));
    fields.insert("ApiThrottles".to_owned(), json!(source.calls.throttled));
    directive(&["Stack"], &[("ApiCalls", "Count"), ("ApiThrottles", "Count")])
}

fn directive(dimensions: &[&str], metrics: &[(&str, &str)]) -> Value {
    let metrics: Vec<Value> =
        metrics.iter().map(|(name, unit)| json!({ "Name": name, "Unit": unit })).collect();
    json!({ "Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics })
}

fn record(source: Source<'_>, kind: &str, fields: Map<String, Value>, directives: Vec<Value>) -> Value {
    let mut record = Map::new();
    if source.as_metrics {
        let metrics = json!({ "Timestamp": source.at.as_millisecond(), "CloudWatchMetrics": directives });
        record.insert("_aws".to_owned(), metrics);
    }
    record.insert("timestamp".to_owned(), json!(source.at));
    record.insert("level".to_owned(), json!("INFO"));
    record.insert("record".to_owned(), json!(kind));
    record.insert("run".to_owned(), json!(source.run));
    record.insert("Stack".to_owned(), json!(source.stack));
    record.extend(fields);
    Value::Object(record)
}

/// The nearest-rank percentile of sorted numbers.
fn percentile(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}
