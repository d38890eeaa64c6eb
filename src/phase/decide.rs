//! How each server of a list stands: pure. The one decision of a phase.
//!
//! From what a look showed, what is remembered and the list's rules comes one standing a server. Owns what "ready" and
//! "failed" mean. Missing data is not success, and one look is not proof: what a look only suggests is in doubt until a
//! second one, some seconds later, agrees.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::failure::Kind;
use crate::model::{Action, Check, Failure, Instance, InstanceState, StatusChecks, StopKind};
use crate::servers::file::{Readiness, ServerList};
use crate::servers::hold::{self, Hold};

use super::plan::{Plan, Request, Server, Standing, Step};
use super::progress::{Progress, Remembered};
use super::seen::Seen;

/// For how long a describe may still show the state from before an accepted request: EC2 advises to
/// expect up to five minutes and mostly takes seconds
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>). After this the request is sent again.
pub(crate) const LAG: SignedDuration = SignedDuration::from_mins(2);
/// Two looks that are to prove something are this far apart at least.
const SECOND_LOOK: SignedDuration = SignedDuration::from_secs(3);
/// The second look that finds a server ready is so far from the first at least; the pause between them is longer
/// (`pace::CONFIRM`), but the look that a verdict stands on has no pause before it.
const CONFIRMED_AFTER: SignedDuration = SignedDuration::from_secs(1);
/// A server that EC2 does not show any more, and does not call terminated, is gone after this.
const ABSENCE: SignedDuration = SignedDuration::from_secs(30);
/// How often a start is asked again that fell back for EC2's own internal error. Capacity is asked for until patience
/// ends.
const MOST_FALLS: u32 = 3;

/// What holds for all servers of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// The list.
    pub list: &'a ServerList,
    /// Start or stop.
    pub action: Action,
    /// When this is decided.
    pub now: Timestamp,
    /// The zone of a hold tag's date.
    pub zone: &'a TimeZone,
}

/// Decides how every server stands.
pub(crate) fn decide(seen: &Seen, remembered: &Progress, rules: Rules<'_>) -> Plan {
    let decision = Decision { seen, remembered, rules };
    let shown: BTreeMap<&str, &Rc<Instance>> = seen.instances.iter().map(|i| (i.id.as_str(), i)).collect();
    let known =
        remembered.initial_state.0.iter().map(|(key, state)| (key.as_str(), state.instance_id.as_str()));
    let mut servers: Vec<Server> = known
        .map(|(key, id)| match shown.get(id) {
            Some(instance) => decision.server(key, id, Some(instance), decision.shown(key, instance)),
            None => {
                let elsewhere = seen.elsewhere.iter().find(|instance| instance.id == id);
                decision.server(key, id, elsewhere, decision.absent(key, elsewhere.map(Rc::as_ref)))
            }
        })
        .collect();
    servers.extend(decision.missing());
    let by_tags = !rules.list.tags.is_empty();
    let nothing = by_tags && servers.is_empty();
    Plan {
        at: rules.now,
        servers,
        nothing_selected: nothing.then(|| Failure::nothing_selected(&tags(&rules.list.tags))),
        membership_unsure: by_tags && rules.now.duration_since(remembered.members_since) < SECOND_LOOK,
    }
}

fn tags(tags: &BTreeMap<String, String>) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" and ")
}

struct Decision<'a> {
    seen: &'a Seen,
    remembered: &'a Progress,
    rules: Rules<'a>,
}

impl Decision<'_> {
    fn server(&self, key: &str, id: &str, instance: Option<&Rc<Instance>>, standing: Standing) -> Server {
        Server { key: key.to_owned(), id: Some(id.to_owned()), instance: instance.cloned(), standing }
    }

    /// Listed names that no instance has, and none had before.
    fn missing(&self) -> Vec<Server> {
        let found: BTreeSet<&str> =
            self.seen.instances.iter().filter_map(|instance| instance.name.as_deref()).collect();
        let known = &self.remembered.initial_state.0;
        let names = self.rules.list.servers.iter();
        names
            .filter(|name| !found.contains(name.as_str()) && !known.contains_key(*name))
            .map(|name| Server {
                key: name.clone(),
                id: None,
                instance: None,
                standing: self.doubted(name, Failure::missing(), SECOND_LOOK),
            })
            .collect()
    }

    /// A failure that looks have shown: proved when two of them, that far apart, agree.
    fn doubted(&self, key: &str, failure: Failure, apart: SignedDuration) -> Standing {
        let before = self.remembered.doubts.get(key).filter(|doubt| doubt.code == failure.code);
        if before.is_some_and(|doubt| self.rules.now.duration_since(doubt.since) >= apart) {
            return Standing::Failed(failure);
        }
        Standing::UnderWay(Step::Doubt(failure))
    }

    /// A server that the list's look did not show, as its id shows it. To a stop, what is gone is down.
    fn absent(&self, key: &str, elsewhere: Option<&Instance>) -> Standing {
        let stop = self.rules.action == Action::Stop;
        match elsewhere {
            Some(instance) if instance.is_gone() && stop => Standing::Ready,
            Some(instance) if instance.is_gone() => self.doubted(key, Failure::terminated(), SECOND_LOOK),
            Some(_) => self.doubted(key, Failure::no_longer_listed(), ABSENCE),
            None => match self.doubted(key, Failure::terminated(), ABSENCE) {
                Standing::Failed(_) if stop => Standing::Ready,
                standing => standing,
            },
        }
    }

    /// A server that the list's look showed.
    fn shown(&self, key: &str, instance: &Instance) -> Standing {
        use InstanceState::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated, Unknown};
        let memory = self.remembered.of(&instance.id);
        let wait = |why: &str| Standing::UnderWay(Step::Wait(why.to_owned()));
        match (self.rules.action, instance.state) {
            (Action::Stop, ShuttingDown | Terminated | Stopped) => Standing::Ready,
            (Action::Start, ShuttingDown | Terminated) => {
                self.doubted(key, Failure::terminated(), SECOND_LOOK)
            }
            (_, Unknown) => {
                let word = instance.state_word();
                wait(&format!("EC2 says that its state is {word}, which this version does not know"))
            }
            (Action::Start, Running) => self.running(instance, &memory),
            (Action::Start, Pending) if self.rules.list.ready > Readiness::Running => {
                Standing::UnderWay(Step::Boot("it is starting".to_owned()))
            }
            (Action::Start, Pending) => wait("it is starting"),
            (Action::Stop, Stopping) => self.stopping(instance, &memory),
            (Action::Start, Stopping) => self
                .held(instance)
                .unwrap_or_else(|| wait("it is stopping; it is started as soon as it has stopped")),
            (Action::Stop, Pending) => self
                .held(instance)
                .unwrap_or_else(|| wait("it is starting; it is stopped as soon as it runs")),
            (Action::Start, Stopped) | (Action::Stop, Running) => {
                self.held(instance).unwrap_or_else(|| self.change(key, instance, &memory))
            }
        }
    }

    /// Status checks may flap while a server boots: whoever was asked, or was not ready before, must pass twice.
    fn running(&self, instance: &Instance, memory: &Remembered) -> Standing {
        let level = self.rules.list.ready;
        if let Some(why) = not_ready(level, self.seen.checks.get(&instance.id)) {
            return Standing::UnderWay(Step::Boot(why));
        }
        let may_flap = level > Readiness::Running && (memory.asked_at.is_some() || memory.wavered);
        let just_now =
            memory.ready_at.is_some_and(|since| self.rules.now.duration_since(since) < CONFIRMED_AFTER);
        if may_flap && (memory.passes == 0 || just_now) {
            return Standing::UnderWay(Step::Confirm);
        }
        Standing::Ready
    }

    /// A stop that hangs is forced where the list says so, whoever began it.
    fn stopping(&self, instance: &Instance, memory: &Remembered) -> Standing {
        let since = memory.asked_at.or(instance.stopped_at).unwrap_or(self.remembered.began_at);
        let due = self.rules.list.force_stop_after.is_some_and(|after| {
            let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
            self.rules.now.duration_since(since) >= after
        });
        let may_ask = !memory.forced && memory.again_at.is_none_or(|at| self.rules.now >= at);
        if due && may_ask {
            let why = "it did not shut down within force_stop_after_minutes".to_owned();
            return Standing::UnderWay(Step::Ask(Request::Stop(StopKind::Force), why));
        }
        Standing::UnderWay(Step::Wait(match &memory.refusal {
            Some(refusal) => format!("it is stopping; the last request for it ended in {}", refusal.code),
            None => "it is stopping".to_owned(),
        }))
    }

    /// Whether the server is left alone on purpose.
    fn held(&self, instance: &Instance) -> Option<Standing> {
        let held = |why: &str| Some(Standing::Held(why.to_owned()));
        if let Some(value) = &instance.hold {
            match hold::read(value, self.rules.now, self.rules.zone) {
                Hold::Over => {}
                Hold::Held(why) => return held(&why),
                Hold::Unreadable => return Some(Standing::Failed(Failure::bad_hold(value))),
            }
        }
        if let Some(group) = &instance.auto_scaling_group {
            return held(&format!("it belongs to the Auto Scaling group {group}, which would replace it"));
        }
        if let Some(operator) = &instance.operator {
            return held(&format!("it is managed by {operator}"));
        }
        if self.rules.action == Action::Stop && instance.one_time_spot {
            return held("a one-time Spot instance cannot be stopped");
        }
        if self.rules.action == Action::Stop && instance.instance_store_root {
            return held("an instance whose root is an instance store cannot be stopped");
        }
        None
    }

    /// The server is in the opposite of the wanted state and may be changed.
    fn change(&self, key: &str, instance: &Instance, memory: &Remembered) -> Standing {
        if let Some(asked_at) = memory.asked_at {
            if came_back(instance, memory) {
                return self.fell_back(key, instance, memory);
            }
            if self.rules.now.duration_since(asked_at) < LAG {
                let why = match &memory.unanswered {
                    None => "it was asked; EC2 does not show it yet".to_owned(),
                    Some(failure) => format!("it was asked without an answer ({})", failure.code),
                };
                return Standing::UnderWay(Step::Wait(why));
            }
        }
        if let Some(refusal) = &memory.refusal {
            match refusal.kind {
                Kind::Capacity | Kind::Passing | Kind::Outage | Kind::Throttled => {}
                _ => return Standing::refused(refusal.clone()),
            }
        }
        if memory.again_at.is_some_and(|at| self.rules.now < at) {
            let code = memory.refusal.as_ref().map_or("EC2 refused", |refusal| refusal.code.as_str());
            return Standing::UnderWay(Step::Wait(format!("{code}; it is asked again later")));
        }
        let request = match self.rules.action {
            Action::Start => Request::Start,
            Action::Stop => Request::Stop(StopKind::Graceful),
        };
        Standing::UnderWay(Step::Ask(request, format!("it is {}", instance.state_word())))
    }

    /// The server moved since it was asked, and is back where it was.
    fn fell_back(&self, key: &str, instance: &Instance, memory: &Remembered) -> Standing {
        if self.rules.action == Action::Stop {
            return self.doubted(key, Failure::went_back("it was asked to stop and runs again"), SECOND_LOOK);
        }
        match new_reason(instance, memory) {
            Some(reason) if passes(reason, memory) => Standing::UnderWay(Step::AskLater(reason.clone())),
            Some(reason) => self.doubted(key, reason.clone().because("it fell back to stopped"), SECOND_LOOK),
            None => self.doubted(key, Failure::bounced(), SECOND_LOOK),
        }
    }
}

fn passes(reason: &Failure, memory: &Remembered) -> bool {
    match reason.kind {
        Kind::Capacity => true,
        Kind::Passing | Kind::Outage => memory.refusals < MOST_FALLS,
        _ => false,
    }
}

/// Whether the server moved since it was asked and is now back where it was. A describe that lags shows none of this.
fn came_back(instance: &Instance, memory: &Remembered) -> bool {
    let launched_again = memory.launch_before.is_some() && instance.launch_time > memory.launch_before;
    memory.moved || launched_again || new_reason(instance, memory).is_some()
}

/// The state reason, unless it is the one from before the request, which lingers.
fn new_reason<'a>(instance: &'a Instance, memory: &Remembered) -> Option<&'a Failure> {
    let stopped_since =
        instance.stopped_at.zip(memory.asked_at).is_some_and(|(stopped, asked)| stopped > asked);
    instance.state_reason.as_ref().filter(|reason| {
        stopped_since
            || memory.reason_before.as_deref() != Some(reason.code.as_str())
            || memory.moved && reason.explains_failed_start()
    })
}

/// Why a running server does not count as ready, if it does not. `None` for `checks` means that EC2 left it out.
pub(crate) fn not_ready(level: Readiness, checks: Option<&StatusChecks>) -> Option<String> {
    if level == Readiness::Running {
        return None;
    }
    let Some(checks) = checks else {
        return Some("EC2 gives no status checks for it".to_owned());
    };
    let mut wanted = vec![
        ("instance status", &checks.instance, false),
        ("system status", &checks.system, false),
        // "Required: No" (API: InstanceStatus), and documented for Nitro instances only: types without such checks
        // say so, or leave it out.
        ("attached EBS status", &checks.attached_ebs, true),
    ];
    if level == Readiness::Application {
        wanted.push(("application status", &checks.application, false));
    }
    let missing: Vec<String> = wanted
        .into_iter()
        .filter_map(|(name, check, may_not_apply)| match check {
            Check::Ok => None,
            Check::NotApplicable | Check::Missing if may_not_apply => None,
            Check::NotApplicable => Some(format!("{name}: not-applicable")),
            Check::Missing => Some(format!("{name}: missing")),
            Check::Not(word) => Some(format!("{name}: {word}")),
        })
        .collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_ok() -> StatusChecks {
        StatusChecks {
            is_running: true,
            instance: Check::Ok,
            system: Check::Ok,
            attached_ebs: Check::Ok,
            application: Check::Ok,
        }
    }

    #[test]
    fn a_server_whose_checks_all_pass_is_ready_at_every_level() {
        for level in [Readiness::Running, Readiness::StatusChecks, Readiness::Application] {
            assert_eq!(not_ready(level, Some(&all_ok())), None);
        }
    }

    #[test]
    fn each_check_alone_keeps_a_server_from_being_ready() {
        let bad = Check::Not("impaired".to_owned());
        for checks in [
            StatusChecks { instance: bad.clone(), ..all_ok() },
            StatusChecks { system: bad.clone(), ..all_ok() },
            StatusChecks { attached_ebs: bad.clone(), ..all_ok() },
        ] {
            assert!(not_ready(Readiness::StatusChecks, Some(&checks)).is_some(), "{checks:?}");
            assert_eq!(not_ready(Readiness::Running, Some(&checks)), None);
        }
        let checks = StatusChecks { application: bad, ..all_ok() };
        assert_eq!(not_ready(Readiness::StatusChecks, Some(&checks)), None);
        assert!(not_ready(Readiness::Application, Some(&checks)).is_some());
    }

    #[test]
    fn a_missing_status_is_not_ready() {
        assert!(not_ready(Readiness::StatusChecks, None).is_some());
        assert!(not_ready(Readiness::StatusChecks, Some(&StatusChecks::default())).is_some());
        let no_system = StatusChecks { system: Check::Missing, ..all_ok() };
        assert_eq!(
            not_ready(Readiness::StatusChecks, Some(&no_system)).as_deref(),
            Some("system status: missing")
        );
        let no_application = StatusChecks { application: Check::Missing, ..all_ok() };
        assert!(not_ready(Readiness::Application, Some(&no_application)).is_some());
    }

    #[test]
    fn an_instance_type_without_ebs_checks_is_not_held_back_by_them() {
        for attached_ebs in [Check::NotApplicable, Check::Missing] {
            let checks = StatusChecks { attached_ebs, ..all_ok() };
            assert_eq!(not_ready(Readiness::StatusChecks, Some(&checks)), None);
        }
    }
}
