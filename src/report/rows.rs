//! The rows of one list: each server once, from what its phase answered, what it was and what it is now. Pure.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::failure::MISSING;
use crate::model::instance::key;
use crate::model::{
    Action, ActionRecord, ActionTaken, InitialState, Instance, InstanceState, Outcome, Problem,
};
use crate::servers::file::ServerList;

use super::branches::PhaseResult;
use super::parts::Row;
use super::times::changed_words;

/// A phase that broke off could not tell what it changed: EC2's own times tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Changed {
    /// When the run began.
    pub(super) began_at: Timestamp,
    /// Start or stop.
    pub(super) action: Action,
}

impl Changed {
    fn record(self, instance: &Instance) -> Option<(ActionRecord, Timestamp)> {
        let at = instance.changed_since(self.began_at, self.action)?;
        let action = match self.action {
            Action::Start => ActionTaken::Started,
            Action::Stop => ActionTaken::Stopped,
        };
        let why = Some(changed_words(action, at, &TimeZone::UTC));
        Some((ActionRecord { action, seconds: None, why }, at))
    }
}

/// What a server was before it was changed so.
fn before(record: &ActionRecord) -> String {
    let state = match record.action {
        ActionTaken::Started => InstanceState::Stopped,
        _ => InstanceState::Running,
    };
    state.name().to_owned()
}

/// Of which servers without a problem a phase said that they are as wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// Of none.
    Nobody,
    /// Of those that it saw come to be as wanted: it did not end, or not all of its problems are here.
    Timed,
    /// Of all of them.
    All,
}

impl Judged {
    fn by(list: &ServerList, answered: &PhaseResult) -> Self {
        // A problem of the list alone may be that nobody could look at it.
        let of_servers = answered.problems.iter().any(|problem| problem.name != list.label());
        match answered.outcome {
            Outcome::Ready | Outcome::Degraded => Self::All,
            Outcome::Failed if of_servers && !answered.shortened => Self::All,
            Outcome::Failed | Outcome::InProgress => Self::Timed,
            Outcome::Empty | Outcome::Skipped => Self::Nobody,
        }
    }
}

/// The rows of one list, from four sources: each server once.
pub(super) struct Rows<'a> {
    list: &'a ServerList,
    reached: bool,
    judged: Judged,
    problems: &'a [Problem],
    actions: Option<&'a IndexMap<String, ActionRecord>>,
    initial: Option<&'a IndexMap<String, InitialState>>,
    now: Option<&'a Vec<Instance>>,
    /// If its phase broke off: what this run changed is to be read from EC2's times.
    changed: Option<Changed>,
    named: BTreeSet<String>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        list: &'a ServerList,
        answered: Option<&'a PhaseResult>,
        initial: Option<&'a IndexMap<String, InitialState>>,
        now: Option<&'a Vec<Instance>>,
        changed: Option<Changed>,
    ) -> Self {
        Self {
            list,
            reached: answered.is_some_and(|answered| answered.outcome != Outcome::Skipped),
            judged: answered.map_or(Judged::Nobody, |answered| Judged::by(list, answered)),
            problems: answered.map_or(&[][..], |answered| &answered.problems),
            actions: answered.map(|answered| &answered.actions),
            initial,
            now,
            changed,
            named: BTreeSet::new(),
        }
    }

    pub(super) fn all(mut self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (key, initial) in self.initial.into_iter().flatten() {
            rows.push(self.row(key, Some(&initial.instance_id), Some(&initial.state)));
        }
        for instance in self.now.into_iter().flatten() {
            if !self.named.contains(&instance.id) {
                // Its phase knew it by this name, and it may have another one since.
                let of_it = |problem: &&Problem| problem.id.as_ref() == Some(&instance.id);
                let told = self.problems.iter().find(of_it).map(|problem| problem.name.as_str());
                let name = told.or(instance.name.as_deref());
                let key = key(name, &instance.id, |key| self.named.contains(key));
                rows.push(self.row(&key, Some(&instance.id), None));
            }
        }
        for name in &self.list.servers {
            if !self.named.contains(name) {
                rows.push(self.row(name, None, None));
            }
        }
        let label = self.list.label();
        for problem in self.problems {
            let known_as = problem.id.as_ref().map_or(&problem.name, |id| id);
            if !self.named.contains(known_as) && problem.name != label {
                rows.push(self.row(&problem.name, problem.id.as_deref(), None));
            }
        }
        rows
    }

    fn row(&mut self, key: &str, id: Option<&str>, initial: Option<&str>) -> Row {
        self.named.insert(key.to_owned());
        self.named.extend(id.map(str::to_owned));
        let record = self.actions.and_then(|actions| actions.get(key));
        let by_id = |problem: &&Problem| id.is_some() && problem.id.as_deref() == id;
        let by_name = |problem: &&Problem| problem.id.is_none() && problem.name == key;
        let problem = self.problems.iter().find(by_id).or_else(|| self.problems.iter().find(by_name));
        let instance = id.and_then(|id| self.now?.iter().find(|instance| instance.id == id));
        let end = instance.map(Instance::state_word);
        let changed = instance
            .filter(|_| record.is_none())
            .zip(self.changed)
            .and_then(|(instance, changed)| changed.record(instance));
        let record = record.or(changed.as_ref().map(|(record, _)| record));
        // Where nobody could look, only the phase itself can have seen that a name is nobody's.
        let was_missing = problem.is_some_and(|problem| problem.code == MISSING);
        let gone = end.is_none() && (self.now.is_some() || id.is_none() && was_missing);
        let note = match record.and_then(|record| record.why.clone()) {
            None if !self.reached && problem.is_none() => Some("not reached by this run".to_owned()),
            why => why,
        };
        Row {
            name: key.to_owned(),
            id: id.map(str::to_owned),
            environment: self.list.environment.clone(),
            tier: self.list.tier.clone(),
            initial_state: initial
                .map(str::to_owned)
                .or_else(|| changed.as_ref().map(|(record, _)| before(record))),
            end_state: if gone { Some("missing".to_owned()) } else { end.map(str::to_owned) },
            action: record.map_or(ActionTaken::Nothing, |record| record.action),
            seconds: record.and_then(|record| record.seconds),
            note,
            changed_at: changed.as_ref().map(|(_, at)| *at),
            problem: problem.map(|problem| problem.code.clone()),
            was_ready: problem.is_none() && self.was_ready(record),
        }
    }

    fn was_ready(&self, record: Option<&ActionRecord>) -> bool {
        let timed = record.is_some_and(|record| record.seconds.is_some());
        let held = record.is_some_and(|record| record.action == ActionTaken::Held);
        match self.judged {
            Judged::Nobody => false,
            Judged::Timed => timed,
            Judged::All => !held,
        }
    }
}
