//! The report: one value from what every phase answered and what every server is now. Pure.
//!
//! Owns the invariant that every server of every list appears exactly once, and the verdict. The mail is made
//! of it in `mail`.

pub(crate) mod branches;
mod mail;
mod place;
pub(crate) mod request;
mod subject;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{
    Action, ActionRecord, ActionTaken, Execution, Failure, HoursOff, InitialState, Instance, Outcome, Problem,
};
use crate::ports::Mail;
use crate::report::branches::{EnvironmentResult, PhaseResult, StateError};
use crate::report::request::ReportRequest;
use crate::servers::file::{Rate, ServerList, ServerLists};

pub(crate) use place::Place;
pub(crate) use totals::{Placed, Stands, Totals};

/// The most that the answer says of single servers: a state's payload has at most 262,144 bytes
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>), problems and counts are in it too.
const ANSWER_BYTES: usize = 150_000;
/// A Fail's cause has at most 32,768 characters (API: HistoryEvent, ExecutionFailedEventDetails).
const CAUSE_CHARACTERS: usize = 30_000;

/// What a fresh describe saw of each phase's servers, by phase number.
pub(crate) type Seen = Vec<(u32, Result<Vec<Instance>, Failure>)>;

/// The run's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    /// Every server that was to change is as wanted.
    Success,
    /// Every tier was reached, but not every server is as wanted.
    Degraded,
    /// Some tier was not reached, or its minimum was not met.
    Aborted,
}

impl Status {
    /// As it stands in the subject.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Degraded => "DEGRADED",
            Self::Aborted => "ABORTED",
        }
    }
}

/// One server's line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// Its Name tag, or the key in the initial states.
    pub name: String,
    /// The instance's id, if there is an instance.
    pub id: Option<String>,
    /// Its environment.
    pub environment: String,
    /// Its tier.
    pub tier: String,
    /// What it was before this run changed anything, as far as that is known.
    pub initial_state: Option<String>,
    /// What it is now, as far as that is known.
    pub end_state: Option<String>,
    /// What was done.
    pub action: ActionTaken,
    /// Seconds from the request to the wanted state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why nothing was done, or why it was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The code of its problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TierReport {
    /// For people.
    pub name: String,
    /// Its tier.
    pub tier: String,
    /// How it ended; `None`: the run did not get there.
    pub outcome: Option<Outcome>,
    /// Its servers, each once.
    pub rows: Vec<Row>,
    /// For how long its started servers had been off.
    pub off: HoursOff,
    /// What one of its servers costs an hour, if the user has said so.
    pub hourly_rate: Option<Rate>,
}

/// One environment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EnvironmentReport {
    /// For example `dev`.
    pub name: String,
    /// The execution was limited to others.
    pub skipped: bool,
    /// Its tiers, in the order of this action.
    pub tiers: Vec<TierReport>,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report {
    /// Start or stop.
    pub action: Action,
    /// Nothing was changed.
    pub dry_run: bool,
    /// The verdict.
    pub status: Status,
    /// The execution.
    pub execution: Option<Execution>,
    /// When the report was made.
    pub at: Timestamp,
    /// Every environment.
    pub environments: Vec<EnvironmentReport>,
    /// Every problem, the servers' and the machine's.
    pub problems: Vec<Problem>,
    /// What a reader should know besides.
    pub remarks: Vec<String>,
}

/// To whom the report went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    /// SES's message id.
    pub message_id: String,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// Those who did not get it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedRecipient>,
}

/// A recipient whom SES refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct RefusedRecipient {
    /// The address.
    pub to: String,
    /// What SES said.
    pub error: String,
}

/// The answer of the report: the execution's machine-readable output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Answer {
    status: Status,
    subject: String,
    action: Action,
    dry_run: bool,
    mail: Sent,
    counts: Totals,
    off: HoursOff,
    servers: Vec<Row>,
    problems: Vec<Problem>,
    remarks: Vec<String>,
    /// Of a run that is aborted: the above without the servers, as JSON that a Fail's cause can hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl Answer {
    /// What does not fit is left out; what is left is whole.
    fn cause(&self) -> String {
        let length = |value: &Value| value.to_string().chars().count() + 1;
        let mut cause = json!({ "status": self.status, "subject": self.subject, "counts": self.counts, "mail": self.mail });
        let mut left = CAUSE_CHARACTERS
            .saturating_sub(length(&cause) + length(&json!({ "remarks": [], "problems": [] })));
        let mut fitting = |values: Vec<Value>| -> Value {
            let fits = |value: &Value| left.checked_sub(length(value)).map(|rest| left = rest).is_some();
            values.into_iter().take_while(fits).collect()
        };
        let problems = fitting(self.problems.iter().map(|problem| json!(problem)).collect());
        let remarks = fitting(self.remarks.iter().map(|remark| json!(remark)).collect());
        cause["remarks"] = remarks;
        cause["problems"] = problems;
        cause.to_string()
    }
}

impl Report {
    /// Puts together what the phases answered and what is now.
    pub(crate) fn build(request: &ReportRequest, lists: &ServerLists, seen: &Seen, now: Timestamp) -> Self {
        let (results, mut remarks) = branches::read(&request.results);
        if request.waited {
            remarks.push("This run waited until an earlier one had ended.".to_owned());
        }
        let mut builder =
            Builder { request, lists, seen, problems: Vec::new(), remarks, status: Status::Success };
        if let Some(error) = &request.error {
            builder.fail_by(&StateError::read(error), "the state machine", "");
        }
        let environments =
            lists.environments().into_iter().map(|name| builder.environment(name, &results)).collect();
        Self {
            action: request.action,
            dry_run: request.dry_run,
            status: builder.status,
            execution: request.execution.clone(),
            at: now,
            environments,
            problems: builder.problems,
            remarks: builder.remarks,
        }
    }

    /// The whole run is aborted, because servers.toml cannot be used.
    pub(crate) fn abort_for(&mut self, what: &str) {
        self.status = Status::Aborted;
        let code = "InvalidServersFile".to_owned();
        let problem =
            Problem { name: crate::servers::FILE.to_owned(), id: None, code, message: what.to_owned() };
        self.problems.insert(0, problem);
    }

    fn tiers(&self) -> impl Iterator<Item = &TierReport> {
        self.environments.iter().flat_map(|environment| &environment.tiers)
    }

    /// Every server of every list.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.tiers().flat_map(|tier| &tier.rows)
    }

    /// For how long all started servers had been off.
    pub(crate) fn off(&self) -> HoursOff {
        let mut off = HoursOff::default();
        self.tiers().for_each(|tier| off.add(tier.off));
        off
    }

    /// Seconds from the execution's start to now.
    pub(crate) fn seconds(&self) -> Option<u64> {
        let execution = self.execution.as_ref()?;
        u64::try_from(self.at.duration_since(execution.start_time).as_secs()).ok()
    }

    /// The answer of the invocation that sent it, with the mail as it was sent.
    pub(crate) fn answer(&self, sent: &Mail, mail: Sent) -> Answer {
        let mut servers: Vec<Row> = self.rows().cloned().collect();
        let mut remarks = self.remarks.clone();
        if serde_json::to_string(&servers).map_or(0, |text| text.len()) > ANSWER_BYTES {
            servers.clear();
            remarks.push("Too many servers for the execution's output: each one is in the mail.".to_owned());
        }
        let mut answer = Answer {
            status: self.status,
            subject: sent.subject.clone(),
            action: self.action,
            dry_run: self.dry_run,
            mail,
            counts: self.totals(),
            off: self.off(),
            servers,
            problems: self.problems.clone(),
            remarks,
            cause: None,
        };
        answer.cause = (self.status == Status::Aborted).then(|| answer.cause());
        answer
    }
}

struct Builder<'a> {
    request: &'a ReportRequest,
    lists: &'a ServerLists,
    seen: &'a Seen,
    problems: Vec<Problem>,
    remarks: Vec<String>,
    status: Status,
}

impl Builder<'_> {
    fn worsen(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    fn fail_by(&mut self, error: &StateError, whose: &str, place: &str) {
        self.worsen(Status::Aborted);
        let message = format!("{whose} failed{place}: {}", error.sentence());
        self.problems.push(Problem { name: whose.to_owned(), id: None, code: error.name.clone(), message });
    }

    fn environment(&mut self, name: &str, results: &[EnvironmentResult]) -> EnvironmentReport {
        let result = results.iter().find(|result| result.environment == name);
        let asked = self.request.environments.as_ref();
        let skipped = asked.is_some_and(|asked| !asked.iter().any(|asked| asked == name));
        let mut phases = self.lists.in_start_order(name);
        if self.request.action == Action::Stop {
            phases.reverse();
        }
        if let Some((result, error)) = result.and_then(|result| Some((result, result.error.as_ref()?))) {
            let broke_off = phases.iter().find(|list| !result.is_decided(list.number));
            let place = broke_off.map_or_else(String::new, |list| format!(" in its {} tier", list.tier));
            self.fail_by(error, &format!("environment {name}"), &place);
        }
        if result.is_some_and(|result| result.shortened) {
            self.remarks
                .push(format!("{name}: too many servers to hand on what each did; end states are from now."));
        }
        let tiers = phases.into_iter().map(|phase| self.tier(phase, result, skipped)).collect();
        EnvironmentReport { name: name.to_owned(), skipped, tiers }
    }

    fn tier(&mut self, list: &ServerList, result: Option<&EnvironmentResult>, skipped: bool) -> TierReport {
        let answered =
            result.and_then(|result| result.phases.iter().find(|other| other.phase_number == list.number));
        let initial = result.and_then(|result| result.initial_states.get(&list.tier));
        let outcome =
            if skipped { Some(Outcome::Skipped) } else { answered.map(|answered| answered.outcome) };
        self.judge(outcome);
        if let Some(error) = answered.and_then(|answered| answered.log_error.as_ref()) {
            self.remarks.push(format!("The phase log of {} could not be written: {error}.", list.name));
        }
        if let Some(error) = answered.and_then(|answered| answered.mute_error.as_ref()) {
            self.remarks.push(format!("Alarms of {} may be muted wrongly: {error}.", list.name));
        }
        let seen = self.seen.iter().find(|(number, _)| *number == list.number).map(|(_, seen)| seen);
        if let Some(Err(error)) = seen {
            self.remarks.push(format!("The end states of {} are unknown: {error}.", list.name));
        }
        let instances = seen.and_then(|seen| seen.as_ref().ok());
        let mut rows = Rows::new(list, answered, initial, instances).all();
        if matches!(outcome, Some(Outcome::Ready | Outcome::Degraded)) && !self.request.dry_run {
            rows.iter_mut().for_each(|row| self.look_again(row));
        }
        self.problems.extend(answered.into_iter().flat_map(|answered| answered.problems.clone()));
        TierReport {
            name: list.name.clone(),
            tier: list.tier.clone(),
            outcome,
            rows,
            off: answered.map(|answered| answered.off).unwrap_or_default(),
            hourly_rate: list.hourly_rate.clone(),
        }
    }

    fn judge(&mut self, outcome: Option<Outcome>) {
        match outcome {
            Some(Outcome::Ready | Outcome::Empty | Outcome::Skipped) => {}
            Some(Outcome::Degraded) => self.worsen(Status::Degraded),
            Some(Outcome::Failed | Outcome::InProgress) | None => self.worsen(Status::Aborted),
        }
    }

    /// A server that its phase called ready and that is not so any more.
    fn look_again(&mut self, row: &mut Row) {
        let wanted = match self.request.action {
            Action::Start => "running",
            Action::Stop => "stopped",
        };
        let known = row.end_state.as_deref();
        if row.problem.is_some() || row.action == ActionTaken::Held || known.is_none_or(|end| end == wanted) {
            return;
        }
        let what =
            format!("it was {wanted} when its tier was done, and is {} now", known.unwrap_or_default());
        let problem = Problem::of(&row.name, row.id.as_deref(), &Failure::went_back(&what));
        row.problem = Some(problem.code.clone());
        self.problems.push(problem);
        self.worsen(Status::Degraded);
    }
}

/// The rows of one list, from four sources: each server once.
struct Rows<'a> {
    list: &'a ServerList,
    reached: bool,
    problems: BTreeMap<&'a str, &'a Problem>,
    actions: Option<&'a IndexMap<String, ActionRecord>>,
    initial: Option<&'a IndexMap<String, InitialState>>,
    now: Option<&'a Vec<Instance>>,
    told: BTreeSet<String>,
}

impl<'a> Rows<'a> {
    fn new(
        list: &'a ServerList,
        answered: Option<&'a PhaseResult>,
        initial: Option<&'a IndexMap<String, InitialState>>,
        now: Option<&'a Vec<Instance>>,
    ) -> Self {
        let problems = answered.map_or(&[][..], |answered| &answered.problems);
        Self {
            list,
            reached: answered.is_some_and(|answered| answered.outcome != Outcome::Skipped),
            problems: problems.iter().map(|problem| (problem.name.as_str(), problem)).collect(),
            actions: answered.map(|answered| &answered.actions),
            initial,
            now,
            told: BTreeSet::new(),
        }
    }

    fn all(mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (key, initial) in self.initial.into_iter().flatten() {
            rows.push(self.row(key, Some(&initial.instance_id), Some(&initial.state)));
        }
        for instance in self.now.into_iter().flatten() {
            if !self.told.contains(&instance.id) {
                let name = instance.name.clone().unwrap_or_else(|| instance.id.clone());
                let twice = self.told.contains(&name);
                let key = if twice { format!("{name} ({})", instance.id) } else { name };
                rows.push(self.row(&key, Some(&instance.id), None));
            }
        }
        let listed = self.list.servers.iter().map(String::as_str);
        let problems: Vec<&str> = self.problems.keys().copied().collect();
        for name in listed.chain(problems) {
            if !self.told.contains(name) {
                rows.push(self.row(name, None, None));
            }
        }
        rows
    }

    fn row(&mut self, key: &str, id: Option<&str>, initial: Option<&str>) -> Row {
        self.told.insert(key.to_owned());
        self.told.extend(id.map(str::to_owned));
        let record = self.actions.and_then(|actions| actions.get(key));
        let problem = self.problems.get(key);
        let end =
            id.and_then(|id| self.now?.iter().find(|instance| instance.id == id)).map(|i| i.state.name());
        let gone = (id.is_none() || self.now.is_some()) && end.is_none();
        let note = match record.and_then(|record| record.why.clone()) {
            None if !self.reached && problem.is_none() => Some("not reached by this run".to_owned()),
            why => why,
        };
        Row {
            name: key.to_owned(),
            id: id.map(str::to_owned),
            environment: self.list.environment.clone(),
            tier: self.list.tier.clone(),
            initial_state: initial.map(str::to_owned),
            end_state: if gone { Some("missing".to_owned()) } else { end.map(str::to_owned) },
            action: record.map_or(ActionTaken::Nothing, |record| record.action),
            seconds: record.and_then(|record| record.seconds),
            note,
            problem: problem.map(|problem| problem.code.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
