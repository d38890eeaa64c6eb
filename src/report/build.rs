//! Puts a report together: what every phase answered, and what every server is now. Pure.
//!
//! Owns the verdict. What this run changed is said to be changed, also where its phase broke off.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{Action, ActionTaken, Failure, Outcome, Problem};
use crate::servers::file::{ServerList, ServerLists};

use super::approval::Decision;
use super::branches::{self, EnvironmentResult};
use super::calendar::Said;
use super::parts::{EnvironmentReport, MACHINE, Report, Row, Seen, Status, TierReport};
use super::request::{Claim, ReportRequest};
use super::rows::{Changed, Rows};

impl Report {
    /// Puts together what the phases answered and what is now.
    pub(crate) fn build(request: &ReportRequest, lists: &ServerLists, seen: &Seen, now: Timestamp) -> Self {
        let (results, mut remarks) = branches::read(&request.results);
        if request.waited {
            remarks.push("This run waited until an earlier one had ended.".to_owned());
        }
        remarks.extend(request.look_error.as_ref().map(|error| {
            let error = branches::error(error);
            format!(
                "Whether an earlier run still goes on could not be seen, so this one did not wait: {error}."
            )
        }));
        remarks.extend(remark_of_the_opening(request));
        let mut builder = Builder {
            request,
            lists,
            seen,
            problems: Vec::new(),
            remarks,
            status: Status::Success,
            owners: BTreeMap::new(),
        };
        if let Some(error) = &request.error {
            builder.fail_by(&branches::error(error), MACHINE, "");
        }
        if request.asked.at.is_some() {
            builder.worsen(Status::Aborted);
        }
        builder.check_results(&results);
        let environments =
            lists.environments().into_iter().map(|name| builder.environment(name, &results)).collect();
        if let Some(claim) = &request.claim {
            builder.compare(claim);
        }
        Self {
            action: request.action,
            dry_run: request.dry_run,
            // Of what was not done, nothing can be worse.
            status: if request.skipped { Status::Skipped } else { builder.status },
            execution: request.execution.clone(),
            at: now,
            environments,
            problems: builder.problems,
            remarks: builder.remarks,
            calendar: request.calendar.clone(),
            asked: request.asked.clone(),
        }
    }
}

/// What was found before the run began, and concerns its reader although it went on.
fn remark_of_the_opening(request: &ReportRequest) -> Option<String> {
    let calendar = request.calendar.as_ref().filter(|_| !request.skipped);
    calendar.and_then(|calendar| match &calendar.said {
        Said::Unreadable(error) => Some(format!(
            "The calendar {} could not be read, and the run went on without it: {error}.",
            calendar.name
        )),
        Said::Open | Said::Closed(_) => None,
    })
}

/// How far the run came with a tier.
#[derive(Debug, Clone, Copy)]
struct Reach<'a> {
    /// The run was not about its environment, or did nothing at all.
    skipped: bool,
    /// Why its environment was left alone, if somebody was asked and there was no yes.
    left_alone: Option<&'a str>,
    /// It may have been at work when its branch, or the machine, failed.
    at_work: bool,
}

/// What a report is put together from, and what is found on the way.
struct Builder<'a> {
    request: &'a ReportRequest,
    lists: &'a ServerLists,
    seen: &'a Seen,
    problems: Vec<Problem>,
    remarks: Vec<String>,
    status: Status,
    /// The list of each instance: two lists may select one.
    owners: BTreeMap<String, String>,
}

impl Builder<'_> {
    fn worsen(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    /// The worse of what the caller says and of what is seen; where they differ, the reader is told.
    fn compare(&mut self, claim: &Claim) {
        let subject = &claim.subject;
        match claim.status.cmp(&self.status) {
            Ordering::Equal => {}
            Ordering::Less => self.remarks.push(format!(
                "The state machine said \"{subject}\"; what stands here is what EC2 shows now."
            )),
            Ordering::Greater => self.remarks.push(format!(
                "The state machine said \"{subject}\", although EC2 shows nothing worse now than what stands here: its history and the phase log have the reason."
            )),
        }
        self.worsen(claim.status);
    }

    fn fail_by(&mut self, error: &Failure, whose: &str, place: &str) {
        self.worsen(Status::Aborted);
        let what = if error.is_of_the_place() { error.whole() } else { &error.message };
        let message = format!("{whose} failed{place}: {what}");
        self.problems.push(Problem { name: whose.to_owned(), id: None, code: error.code.clone(), message });
    }

    /// The state machine gave what servers.toml does not know, or did not give what it does.
    fn stale(&mut self, name: &str, what: String, status: Status) {
        self.worsen(status);
        self.problems.push(Problem::of(name, None, &Failure::stale_machine(what)));
    }

    /// Results of unknown environments and lists, and second results of one environment.
    fn check_results(&mut self, results: &[EnvironmentResult]) {
        let lists = self.lists;
        let known = lists.environments();
        for (place, result) in results.iter().enumerate() {
            let name = &result.environment;
            if !known.contains(&name.as_str()) {
                self.stale(
                    name,
                    format!("the state machine has {name}, which is not in servers.toml"),
                    Status::Degraded,
                );
            } else if results[..place].iter().any(|before| before.environment == *name) {
                self.stale(
                    name,
                    format!("the state machine gave two results for {name}; the second is left out here"),
                    Status::Degraded,
                );
            }
            for (place, phase) in result.phases.iter().enumerate() {
                if result.phases[..place].iter().any(|before| before.phase_number == phase.phase_number) {
                    let what = format!(
                        "the state machine gave two answers of phase {} for {name}; the worse one counts here",
                        phase.phase_number
                    );
                    self.stale(name, what, Status::Degraded);
                }
                let number = phase.phase_number;
                let listed = self.lists.numbered(number).is_some_and(|list| list.environment == *name);
                if known.contains(&name.as_str()) && !listed {
                    let what =
                        format!("the state machine has phase {number} for {name}, which is no list of it");
                    self.stale(name, what, Status::Degraded);
                }
            }
        }
        let request = self.request;
        for name in request.asked.environments.iter().flatten() {
            if !known.contains(&name.as_str()) {
                self.stale(
                    name,
                    format!("{name} was asked for and is not in servers.toml"),
                    Status::Degraded,
                );
            }
        }
        let complete = request.error.is_none() && !results.is_empty();
        let asked: Vec<&str> = known.into_iter().filter(|name| complete && !self.is_skipped(name)).collect();
        for name in asked {
            let result = results.iter().find(|result| result.environment == name);
            for absent in self.unanswered(name, result) {
                let what =
                    format!("{absent} is in servers.toml, and the state machine gave no result for it");
                self.stale(&absent, what, Status::Aborted);
            }
        }
    }

    /// What a branch should have come to and did not: its environment, or lists that no tier before kept it from.
    fn unanswered(&self, name: &str, result: Option<&EnvironmentResult>) -> Vec<String> {
        let Some(result) = result else { return vec![name.to_owned()] };
        let goes_on = |outcome| {
            self.request.dry_run || matches!(outcome, Outcome::Ready | Outcome::Degraded | Outcome::Empty)
        };
        let left_alone = result.approval.as_ref().is_some_and(|decision| !decision.approved);
        if left_alone || result.error.is_some() || !result.phases.iter().all(|phase| goes_on(phase.outcome)) {
            return Vec::new();
        }
        let answered =
            |list: &&ServerList| result.phases.iter().any(|phase| phase.phase_number == list.number);
        let lists = self.lists.in_start_order(name).into_iter();
        lists.filter(|list| !answered(list)).map(ServerList::label).collect()
    }

    fn is_skipped(&self, name: &str) -> bool {
        self.request.asked.environments.as_ref().is_some_and(|asked| !asked.iter().any(|asked| asked == name))
    }

    fn environment(&mut self, name: &str, results: &[EnvironmentResult]) -> EnvironmentReport {
        let result = results.iter().find(|result| result.environment == name);
        let skipped = self.is_skipped(name);
        let mut phases = self.lists.in_start_order(name);
        if self.request.action == Action::Stop {
            phases.reverse();
        }
        let error = result.and_then(|result| result.error.as_ref());
        // Where the machine itself failed, nobody knows which tier was at work.
        let lost = result.is_none() && self.request.error.is_some();
        let undecided = |list: &&&ServerList| result.is_none_or(|result| !result.is_decided(list.number));
        let broke_off = phases.iter().find(undecided).filter(|_| error.is_some()).copied();
        let unasked = result.is_some_and(|result| self.broke_off_asking(result));
        let broke_off = broke_off.filter(|_| !unasked);
        if let Some(error) = error {
            let place = match broke_off {
                Some(list) => format!(" in its {} tier", list.tier),
                None if unasked => {
                    format!(
                        " before its first tier, when a yes to its {} was asked for",
                        self.request.action.word()
                    )
                }
                None => String::new(),
            };
            self.fail_by(error, &format!("environment {name}"), &place);
        }
        if result.is_some_and(|result| result.shortened) {
            self.remarks.push(format!(
                "{name}: too many servers to tell what was done to each; the states are current."
            ));
        }
        let skips = skipped || self.request.skipped || self.request.asked.at.is_some();
        let decision = result.and_then(|result| result.approval.as_ref()).filter(|_| !skips);
        decision.into_iter().for_each(|decision| self.tell(name, decision));
        let left_alone = decision.filter(|decision| !decision.approved).map(Decision::words);
        let tiers = phases.into_iter().map(|list| {
            let at_work =
                !skips && (lost || broke_off.is_some_and(|broke_off| broke_off.number == list.number));
            self.tier(list, result, Reach { skipped: skips, left_alone: left_alone.as_deref(), at_work })
        });
        let tiers = tiers.collect();
        let elsewhere = self.lists.elsewhere.get(name).cloned();
        EnvironmentReport { name: name.to_owned(), elsewhere, skipped, left_alone, tiers }
    }

    /// Whether a branch failed at its question: a yes would stand in its record, and no tier was at work.
    fn broke_off_asking(&self, result: &EnvironmentResult) -> bool {
        let asks = self.lists.approval(&result.environment, self.request.action).is_some();
        let is_at_its_question = result.approval.is_none() && result.phases.is_empty();
        asks && is_at_its_question && !self.request.dry_run && result.error.is_some()
    }

    /// A person's yes or no is a remark; that nobody cared is a problem, where it kept the run from its work.
    fn tell(&mut self, name: &str, decision: &Decision) {
        let action = self.request.action;
        if decision.is_left_in_silence() {
            self.worsen(Status::Degraded);
            self.problems.push(Problem::of(name, None, &Failure::nobody_answered(action)));
        } else {
            self.remarks.push(decision.remark(name, action));
        }
    }

    fn tier(
        &mut self,
        list: &ServerList,
        result: Option<&EnvironmentResult>,
        reach: Reach<'_>,
    ) -> TierReport {
        let answered = result.and_then(|result| result.phase(list.number));
        let initial = result.and_then(|result| result.initial_states.get(&list.tier));
        let answer = answered.map(|answered| answered.outcome);
        let untouched = reach.skipped || reach.left_alone.is_some();
        let mut outcome = if untouched { Some(Outcome::Skipped) } else { answer };
        self.judge(answer.filter(|_| !untouched).or(outcome));
        if let Some(error) = answered.and_then(|answered| answered.log_error.as_ref()) {
            self.remarks.push(format!("The phase log of {} could not be written: {error}.", list.name));
        }
        if let Some(error) = answered.and_then(|answered| answered.mute_error.as_ref()) {
            self.remarks.push(format!("Alarms of {}: {error}.", list.name));
        }
        let seen = self.seen.iter().find(|(number, _)| *number == list.number).map(|(_, seen)| seen);
        if let Some(Err(error)) = seen {
            // A place that is closed has said so in full once.
            let is_told = error.is_of_the_place() && self.problems.iter().any(|told| told.code == error.code);
            let why = if is_told { error.code.clone() } else { error.to_string() };
            self.remarks.push(format!("The end states of {} are unknown: {why}.", list.name));
        }
        let instances = seen.and_then(|seen| seen.as_ref().ok());
        let run = self.request.execution.as_ref().filter(|_| !self.request.dry_run);
        let broke_off = !reach.skipped && matches!(answer, None | Some(Outcome::InProgress));
        let began_at = run.filter(|_| reach.at_work && broke_off).map(|run| run.start_time);
        let changed = began_at.map(|began_at| Changed { began_at, action: self.request.action });
        let mut rows = Rows::new(list, answered, initial, instances, changed).all();
        for row in rows.iter_mut().filter(|_| reach.left_alone.is_some()) {
            (row.action, row.note) = (ActionTaken::Held, reach.left_alone.map(str::to_owned));
            row.changed_at = None;
        }
        if changed.is_some() && rows.iter().any(|row| row.action.changes()) {
            outcome = outcome.or(Some(Outcome::InProgress));
        }
        self.own(list, &mut rows);
        // A dry run's phase saw nothing become as wanted.
        rows.iter_mut().for_each(|row| row.was_ready &= !self.request.dry_run);
        if !self.request.dry_run {
            let all = matches!(outcome, Some(Outcome::Ready | Outcome::Degraded));
            rows.iter_mut().filter(|row| all || row.seconds.is_some()).for_each(|row| self.look_again(row));
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

    /// The first list owns an instance that two select.
    fn own(&mut self, list: &ServerList, rows: &mut Vec<Row>) {
        let label = list.label();
        rows.retain(|row| {
            let Some(id) = row.id.as_ref() else { return true };
            let Some(owner) = self.owners.get(id) else {
                self.owners.insert(id.clone(), label.clone());
                return true;
            };
            let failure = Failure::in_two_lists(owner, &label);
            self.problems.push(Problem::of(&row.name, Some(id), &failure));
            self.status = self.status.max(Status::Degraded);
            false
        });
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
        let action = self.request.action;
        let Some(end) = row.end_state.as_deref() else { return };
        if row.problem.is_some() || row.action == ActionTaken::Held || row.is_as_wanted(action) {
            return;
        }
        let wanted = match action {
            Action::Start => "running",
            Action::Stop => "stopped",
        };
        let what = format!("it was {wanted} when its tier was done, and is {end} now");
        let problem = Problem::of(&row.name, row.id.as_deref(), &Failure::went_back(&what));
        row.problem = Some(problem.code.clone());
        self.problems.push(problem);
        self.worsen(Status::Degraded);
    }
}
