//! Facts → findings: pure. Owns what counts as "would fail", what as "nobody knows", and what is only said.
//!
//! Missing data is not success: what AWS did not answer is a finding too. What no question of ours can prove is none,
//! and is said.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::failure::Kind;
use crate::model::{Failure, Problem};
use crate::report::asked::Asked;

use super::facts::{Facts, SeenKey, Tried};
use super::findings::{Checked, Finding, Said, Tally};
use super::keys::KeyWord;
use super::request::{CheckRequest, Post, Scope};
use super::tries::{added, environments, held, problems, tally};
use super::{calendar, keys, post};

/// EC2 has looked at the state after all: nothing is known of the permission, and nothing would fail.
const STATE_LOOKED_AT: [&str; 2] = ["IncorrectInstanceState", "IncorrectState"];
/// So many names are told in a sentence.
const MOST_NAMES: usize = 20;

/// Judges what was learnt.
pub(crate) fn judge(
    request: &CheckRequest,
    scope: &Scope<'_>,
    facts: &Facts<'_>,
    addresses: Option<Post<'_>>,
    at: Timestamp,
) -> Checked {
    let mut judgement = Judgement { scope, findings: Vec::new(), proved: Vec::new(), not_proved: Vec::new() };
    judgement.lists(&facts.lists);
    judgement.places(facts);
    judgement.twice(&facts.lists);
    judgement.keys(facts);
    if let (Some(addresses), Some(verified)) = (addresses, &facts.verified) {
        let said = post::judge(addresses, verified);
        judgement.take_in(said);
    }
    judgement.take_in(calendar::judge(&request.calendars, &request.calendar, &scope.lists.calendars));
    let Judgement { mut findings, proved, not_proved, .. } = judgement;
    findings.sort_by_key(|finding| !finding.would_fail);
    Checked {
        execution: request.execution.clone(),
        asked: Asked { environments: request.limit(scope.lists), ..request.asked.clone() },
        at,
        environments: environments(&facts.lists, &findings),
        findings,
        proved,
        not_proved,
    }
}

struct Judgement<'a> {
    scope: &'a Scope<'a>,
    findings: Vec<Finding>,
    proved: Vec<String>,
    not_proved: Vec<String>,
}

impl Judgement<'_> {
    fn take_in(&mut self, said: Said) {
        for (problem, would_fail) in said.problems {
            let (environment, tier, elsewhere) = (None, None, None);
            self.findings.push(Finding {
                problem,
                environment,
                tier,
                would_fail,
                of_server: false,
                elsewhere,
            });
        }
        self.proved.extend(said.proved);
        self.not_proved.extend(said.not_proved);
    }

    /// What both dry runs of each list say, and in which lists a server is.
    fn lists(&mut self, lists: &[Tried<'_>]) {
        let mut state_looked_at = BTreeSet::new();
        let mut first_list: BTreeMap<&str, String> = BTreeMap::new();
        for tried in lists {
            for (problem, would_fail) in problems(tried) {
                if STATE_LOOKED_AT.contains(&problem.code.as_str()) {
                    state_looked_at.insert(problem.name);
                } else {
                    self.of_list(tried, problem, would_fail);
                }
            }
            for (key, id) in tried.servers() {
                let label = tried.list.label();
                if let Some(first) = first_list.get(id) {
                    let twice = Failure::in_two_lists(first, &label);
                    self.of_list(tried, Problem::of(key, Some(id), &twice), true);
                }
                first_list.entry(id).or_insert(label);
            }
        }
        let tally = lists.iter().fold(Tally::default(), |sum, tried| added(sum, tally(tried)));
        if tally.start_allowed + tally.stop_allowed > 0 {
            self.proved.push(format!(
                "EC2 would let the function start {} and stop {} of {} servers, by their tags and the policies as they are now.",
                tally.start_allowed, tally.stop_allowed, tally.servers
            ));
            self.not_proved.push(
                "capacity, quotas and stop protection, at which EC2's DryRun does not look.".to_owned(),
            );
        }
        self.say_of("what EC2 does not try in the state that it is in now", state_looked_at);
        let held = lists.iter().flat_map(held).collect();
        self.say_of("what is left alone at the next run too, and so was not tried", held);
    }

    fn of_list(&mut self, tried: &Tried<'_>, problem: Problem, would_fail: bool) {
        let list = tried.list;
        let elsewhere = self.scope.lists.elsewhere.get(&list.environment).cloned();
        let of_server = problem.name != list.label() && problem.name != list.environment;
        let tier = (problem.name != list.environment).then(|| list.tier.clone());
        let environment = Some(list.environment.clone());
        let finding = Finding { problem, environment, tier, would_fail, of_server, elsewhere };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// The roles by which environments were reached.
    fn places(&mut self, facts: &Facts<'_>) {
        let mut reached = BTreeSet::new();
        for tried in &facts.lists {
            let there = self.scope.lists.elsewhere.get(&tried.list.environment);
            if let (Some(there), Ok(_), Ok(_)) = (there, &tried.start, &tried.stop) {
                reached.insert(there.role.clone());
            }
        }
        if !reached.is_empty() {
            self.proved.push(format!("These roles can be assumed: {}.", told(reached)));
        }
    }

    /// Names that several live instances have: all of them are started and stopped.
    fn twice(&mut self, lists: &[Tried<'_>]) {
        let mut twice = BTreeSet::new();
        for tried in lists {
            let servers = tried.servers();
            let is_twice = |name: &&String| {
                let second = format!("{name} (i-");
                servers.contains_key(name.as_str()) && servers.keys().any(|key| key.starts_with(&second))
            };
            let names = tried.list.servers.iter().filter(is_twice);
            twice.extend(names.map(|name| format!("{name} ({})", tried.list.label())));
        }
        self.say_of(
            "which instance is meant where several have one name (all are started and stopped)",
            twice,
        );
    }

    fn say_of(&mut self, what: &str, names: BTreeSet<String>) {
        if !names.is_empty() {
            self.not_proved.push(format!("{what}: {}.", told(names)));
        }
    }

    /// A key that cannot be used is every server's that has a volume of it.
    fn keys(&mut self, facts: &Facts<'_>) {
        let mut enabled = BTreeSet::new();
        let mut closed = BTreeSet::new();
        for (environment, seen) in &facts.keys {
            let of_it: Vec<&Tried<'_>> =
                facts.lists.iter().filter(|tried| tried.list.environment == *environment).collect();
            let seen = match seen {
                Ok(seen) => seen,
                Err(failure) => {
                    self.unknown_keys(environment, failure);
                    continue;
                }
            };
            for SeenKey { arn, ids, key } in seen {
                match keys::word(arn, key) {
                    KeyWord::Enabled => drop(enabled.insert(arn)),
                    KeyWord::Hidden(code) => drop(closed.insert(format!("{arn} ({code})"))),
                    KeyWord::Unusable(failure) => self.of_servers(&of_it, ids, &failure),
                    KeyWord::Unknown(failure) => self.unknown_keys(environment, &failure),
                }
            }
        }
        if !enabled.is_empty() {
            let count = enabled.len();
            self.proved.push(format!("KMS keys of encrypted volumes: {count}, enabled."));
            self.not_proved.push(
                "whether the function may use a KMS key: its policy and grants show only at a start."
                    .to_owned(),
            );
        }
        if !closed.is_empty() {
            self.not_proved.push(format!(
                "KMS keys that the function may not look at (a customer-managed one must be in KmsKeyArns, AWS's own \
                 for EBS need not): {}.",
                told(closed)
            ));
        }
    }

    fn unknown_keys(&mut self, environment: &str, failure: &Failure) {
        if failure.kind == Kind::Denied {
            let code = &failure.code;
            self.not_proved.push(format!(
                "the KMS keys of {environment}'s volumes, which the function may not look at ({code})."
            ));
            return;
        }
        let (environment, tier, elsewhere) = (Some(environment.to_owned()), None, None);
        let problem = Problem::of(environment.as_deref().unwrap_or_default(), None, failure);
        let finding = Finding { problem, environment, tier, would_fail: false, of_server: false, elsewhere };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    fn of_servers(&mut self, lists: &[&Tried<'_>], ids: &BTreeSet<String>, failure: &Failure) {
        for tried in lists {
            for (key, id) in tried.servers().into_iter().filter(|(_, id)| ids.contains(*id)) {
                self.of_list(tried, Problem::of(key, Some(id), failure), true);
            }
        }
    }
}

/// `a, b and 3 more`
fn told(names: BTreeSet<String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let first: Vec<String> = names.into_iter().take(MOST_NAMES).collect();
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
