//! Alarm muting: which CloudWatch alarms take no action while servers are off on purpose, by which mute rules and
//! for how long. Pure.
//!
//! Owns the decision, from what is: which servers need not be heard, which alarms watch them and which rules say so
//! already. [`watcher`] brings CloudWatch there. It is level-triggered: nothing has to be remembered between
//! invocations, because the rules themselves are the memory. In doubt an alarm is heard.

pub(crate) mod watcher;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, InstanceState, Outcome};
use crate::phase::plan::{Plan, Server, Standing};
use crate::phase::progress::Progress;
use crate::ports::{Alarm, MuteRule};
use crate::report::{Report, TierReport};
use crate::servers::file::ServerList;

/// "Each mute rule can target up to 100 specific alarms by name" (API: PutAlarmMuteRule).
const ALARMS_PER_RULE: usize = 100;
/// The longest window (API: PutAlarmMuteRule, `Duration`): 15 days.
pub(crate) const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(15 * 24);
const MINUTE: i64 = 60;

/// How the function mutes; without it no alarm is ever touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Muting {
    /// The stack's name: two stacks in one account never touch each other's rules.
    pub stack: String,
    /// For how long a stop mutes at most: the net under a start that never comes.
    pub window: SignedDuration,
}

impl Muting {
    /// What the names of one list's rules begin with. A dot is in none of its parts.
    pub(crate) fn family(&self, environment: &str, tier: &str) -> String {
        format!("{}.{environment}.{tier}.", self.stack)
    }

    /// Until when a list's alarms may be muted: a stop's for the planned window, a start's while the list has
    /// patience, since a server that has not come up by then must be heard.
    pub(crate) fn ends(&self, list: &ServerList, action: Action, began_at: Timestamp) -> Timestamp {
        match action {
            Action::Stop => began_at + self.window,
            Action::Start => began_at + list.timeout,
        }
    }
}

/// Which servers of a list need not be heard, and which must be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hearing {
    /// HoursOff on purpose, or about to be changed.
    pub quiet: BTreeSet<String>,
    /// All others of the list: an alarm that watches one of them is never muted.
    pub loud: BTreeSet<String>,
}

impl Hearing {
    /// While the phase changes servers. A running server that nobody asked to start and that is not ready should
    /// be up: it is heard.
    pub(crate) fn during(plan: &Plan, progress: &Progress) -> Self {
        Self::of(plan, |server| match (progress.action, &server.standing) {
            (Action::Stop, Standing::UnderWay(_) | Standing::Ready) => true,
            (Action::Start, Standing::UnderWay(_)) => {
                let asked = server.id.as_deref().and_then(|id| progress.of(id).asked_at);
                asked.is_some() || state(server) != Some(InstanceState::Running)
            }
            (Action::Start, Standing::Held(_)) => state(server) == Some(InstanceState::Stopped),
            _ => false,
        })
    }

    /// When the phase is decided: a server that stands as it should and is stopped, by this run or by a person who
    /// holds it. A server that failed to start should be up, one that failed to stop still works: both are heard.
    pub(crate) fn decided(plan: &Plan) -> Self {
        Self::of(plan, |server| {
            matches!(server.standing, Standing::Ready | Standing::Held(_))
                && state(server) == Some(InstanceState::Stopped)
        })
    }

    fn of(plan: &Plan, is_quiet: impl Fn(&Server) -> bool) -> Self {
        let mut hearing = Self::default();
        for server in &plan.servers {
            let ids = if is_quiet(server) { &mut hearing.quiet } else { &mut hearing.loud };
            ids.extend(server.id.clone());
        }
        hearing
    }

    /// The names of the alarms that watch a quiet server and no loud one.
    pub(crate) fn muted<'a>(&self, alarms: impl IntoIterator<Item = &'a Alarm>) -> BTreeSet<String> {
        alarms
            .into_iter()
            .filter(|alarm| !alarm.instance_ids.is_disjoint(&self.quiet))
            .filter(|alarm| alarm.instance_ids.is_disjoint(&self.loud))
            .map(|alarm| alarm.name.clone())
            .collect()
    }
}

/// The servers that have failed: they are heard, whatever becomes of the others.
fn failed(plan: &Plan) -> BTreeSet<String> {
    let failed = plan.servers.iter().filter(|server| matches!(server.standing, Standing::Failed(..)));
    failed.filter_map(|server| server.id.clone()).collect()
}

fn state(server: &Server) -> Option<InstanceState> {
    server.instance.as_ref().map(|instance| instance.state)
}

/// What has to change so that a family of rules mutes exactly the wanted alarms.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Rules to make, or to put in the place of those of their names.
    pub put: Vec<MuteRule>,
    /// Rules to delete.
    pub delete: Vec<String>,
    /// Alarms that are muted by this.
    pub muted: BTreeSet<String>,
    /// Alarms that are heard again by this.
    pub unmuted: BTreeSet<String>,
}

/// Compares a family's rules with what they should mute until `ends`.
///
/// A rule that mutes the right alarms for long enough is left as it is, because a new window may only begin with
/// the next minute. Rules of others are never touched, whatever is in `existing`.
pub(crate) fn changes(
    family: &str,
    existing: &[MuteRule],
    wanted: &BTreeSet<String>,
    now: Timestamp,
    ends: Timestamp,
) -> Changes {
    let ours = existing.iter().filter(|rule| MuteRule::number(family, &rule.name).is_some());
    let ends = whole_minute(ends).max(next_minute(now) + SignedDuration::from_secs(MINUTE));
    let mut changes = Changes::default();
    let mut covered = BTreeSet::new();
    let mut numbers = BTreeSet::new();
    for rule in ours {
        let active = rule.ends > now;
        let keep: BTreeSet<String> =
            rule.alarms.iter().filter(|alarm| active && wanted.contains(*alarm)).cloned().collect();
        changes.unmuted.extend(rule.alarms.iter().filter(|alarm| active && !keep.contains(*alarm)).cloned());
        if keep.is_empty() {
            changes.delete.push(rule.name.clone());
            continue;
        }
        covered.extend(keep.iter().cloned());
        numbers.extend(MuteRule::number(family, &rule.name));
        if keep != rule.alarms || rule.ends < ends {
            changes.put.push(prolonged(rule, keep, now, ends));
        }
    }
    changes.unmuted.retain(|alarm| !covered.contains(alarm));
    changes.muted = wanted.difference(&covered).cloned().collect();
    changes.put.extend(new_rules(family, &changes.muted, &numbers, now, ends));
    let put: BTreeSet<&str> = changes.put.iter().map(|rule| rule.name.as_str()).collect();
    changes.delete.retain(|name| !put.contains(name.as_str()));
    changes
}

/// The rule with these alarms, at least until `ends`; its window goes on without a gap where CloudWatch allows it.
fn prolonged(rule: &MuteRule, alarms: BTreeSet<String>, now: Timestamp, ends: Timestamp) -> MuteRule {
    let ends = ends.max(rule.ends);
    let too_long = ends.duration_since(rule.begins) > LONGEST_WINDOW;
    let begins = if too_long { next_minute(now) } else { rule.begins };
    MuteRule { name: rule.name.clone(), alarms, begins, ends }
}

fn new_rules(
    family: &str,
    alarms: &BTreeSet<String>,
    taken: &BTreeSet<u32>,
    now: Timestamp,
    ends: Timestamp,
) -> Vec<MuteRule> {
    let alarms: Vec<&String> = alarms.iter().collect();
    let free = (1_u32..).filter(|number| !taken.contains(number));
    alarms
        .chunks(ALARMS_PER_RULE)
        .zip(free)
        .map(|(alarms, number)| MuteRule {
            name: format!("{family}{number}"),
            alarms: alarms.iter().map(|alarm| (*alarm).clone()).collect(),
            begins: next_minute(now),
            ends,
        })
        .collect()
}

/// A window begins with a whole minute, and CloudWatch does not say what it makes of one that has passed.
fn next_minute(now: Timestamp) -> Timestamp {
    whole_minute(now + SignedDuration::from_secs(1))
}

/// The minute itself, or the one after it.
fn whole_minute(at: Timestamp) -> Timestamp {
    let minutes = at.as_millisecond().div_euclid(MINUTE * 1000);
    let floor = Timestamp::from_second(minutes * MINUTE).unwrap_or(at);
    if floor == at { at } else { floor + SignedDuration::from_secs(MINUTE) }
}

/// The families, by environment and tier, that no phase of this run has settled and whose servers must be heard:
/// a phase that broke off, or that the run did not reach. HoursOff and left off by a stop is as it should be. A run that
/// did nothing, or was for later only, leaves the alarms alone too.
pub(crate) fn unsettled(report: &Report) -> Vec<(&str, &str)> {
    if report.dry_run || !report.did_something() {
        return Vec::new();
    }
    let environments = report.environments.iter().filter(|environment| !environment.skipped);
    environments
        .flat_map(|environment| environment.tiers.iter().map(|tier| (environment.name.as_str(), tier)))
        .filter(|(_, tier)| matches!(tier.outcome, None | Some(Outcome::InProgress)))
        .filter(|(_, tier)| report.action == Action::Start || !all_are_stopped(tier))
        .map(|(environment, tier)| (environment, tier.tier.as_str()))
        .collect()
}

fn all_are_stopped(tier: &TierReport) -> bool {
    tier.rows.iter().all(|row| row.end_state.as_deref() == Some(InstanceState::Stopped.name()))
}

/// So many alarms are named in a line of the phase log.
const NAMED: usize = 10;

/// Alarms as a line names them.
pub(crate) fn named(alarms: &BTreeSet<String>) -> String {
    let names: Vec<&str> = alarms.iter().take(NAMED).map(String::as_str).collect();
    let more = alarms.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Rules by their names.
fn by_name(rules: &[MuteRule]) -> BTreeMap<&str, &MuteRule> {
    rules.iter().map(|rule| (rule.name.as_str(), rule)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]
mod tests;
