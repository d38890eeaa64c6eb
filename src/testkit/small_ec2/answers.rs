//! What the small EC2 and its neighbours answer to each call: one port after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;

use super::world::{KEY, World, error};
use crate::model::{Elsewhere, Failure, Instance, InstanceState, StatusChecks, StopKind};
use crate::ports::{
    Alarm, BusEvent, Calls, ChangeInstances, Clock, Key, LogLine, Mail, MuteAlarms, MuteRule, PhaseLog,
    PutEvents, Reach, ReadIdentities, ReadInstances, ReadKeys, Selection, SendMail, Trail, TryChanges,
};

impl ReadInstances for World {
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure> {
        assert!(!selection.is_empty(), "an empty filter means every instance");
        self.hang_if_told("DescribeInstances").await;
        self.call("DescribeInstances", &[])?;
        let now = self.now.get();
        let mut servers = self.servers.borrow_mut();
        let shown = servers.values_mut().map(|server| {
            server.settle(now);
            server.shown(now)
        });
        let names: BTreeSet<&String> = selection.names.iter().collect();
        let listed = |name: &Option<String>| name.as_ref().is_some_and(|name| names.contains(name));
        let found = shown
            .filter(|i| selection.names.is_empty() || listed(&i.name))
            .filter(|i| !matches!(i.state, InstanceState::Terminated | InstanceState::ShuttingDown))
            .collect();
        Ok(self.edited("DescribeInstances", &self.shows, found))
    }

    async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, Failure> {
        self.call("DescribeInstances (by id)", ids)?;
        let now = self.now.get();
        let mut servers = self.servers.borrow_mut();
        let known = ids.iter().filter_map(|id| {
            let server = servers.get_mut(id)?;
            server.settle(now);
            Some(server.shown(now))
        });
        Ok(self.edited("DescribeInstances (by id)", &self.shows_by_id, known.collect()))
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, Failure> {
        self.call("DescribeInstanceStatus", ids)?;
        if ids.iter().any(|id| self.no_status_of.borrow().contains(id)) {
            return Err(error("DescribeInstanceStatus", "InvalidInstanceID.NotFound"));
        }
        let now = self.now.get();
        let mut servers = self.servers.borrow_mut();
        let checked = ids.iter().filter_map(|id| {
            let server = servers.get_mut(id)?;
            server.settle(now);
            Some((id.clone(), server.checks(now)?))
        });
        Ok(checked.collect())
    }

    async fn volume_keys(&self, ids: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        self.call("DescribeVolumes", ids)?;
        Ok([(KEY.to_owned(), ids.iter().cloned().collect())].into())
    }
}

impl ChangeInstances for World {
    async fn start(&self, ids: &[String]) -> Result<(), Failure> {
        self.check("StartInstances", "StartInstances", ids)?;
        let now = self.now.get();
        ids.iter().for_each(|id| self.servers.borrow_mut().get_mut(id).unwrap().start(now));
        Ok(())
    }

    async fn stop(&self, ids: &[String], kind: StopKind) -> Result<(), Failure> {
        let operation = match kind {
            StopKind::Graceful => "StopInstances",
            StopKind::Force => "StopInstances (force)",
        };
        self.check(operation, "StopInstances", ids)?;
        let now = self.now.get();
        ids.iter().for_each(|id| self.servers.borrow_mut().get_mut(id).unwrap().stop(now, kind));
        Ok(())
    }
}

impl TryChanges for World {
    async fn try_start(&self, ids: &[String]) -> Result<(), Failure> {
        self.check("StartInstances (dry run)", "StartInstances", ids)
    }

    async fn try_stop(&self, ids: &[String]) -> Result<(), Failure> {
        self.check("StopInstances (dry run)", "StopInstances", ids)
    }
}

impl MuteAlarms for World {
    async fn alarms(&self) -> Result<Vec<Alarm>, Failure> {
        self.call("DescribeAlarms", &[])?;
        Ok(self.alarms.borrow().clone())
    }

    async fn mute_rules(&self, family: &str) -> Result<Vec<MuteRule>, Failure> {
        self.call("ListAlarmMuteRules", &[])?;
        let rules = self.mute_rules.borrow();
        Ok(rules.values().filter(|rule| MuteRule::number(family, &rule.name).is_some()).cloned().collect())
    }

    async fn put_mute_rule(&self, rule: &MuteRule) -> Result<(), Failure> {
        assert!(!rule.alarms.is_empty(), "a rule without alarms mutes every alarm");
        assert!(rule.alarms.len() <= 100, "a rule targets at most 100 alarms");
        self.call("PutAlarmMuteRule", std::slice::from_ref(&rule.name))?;
        self.mute_rules.borrow_mut().insert(rule.name.clone(), rule.clone());
        Ok(())
    }

    async fn delete_mute_rule(&self, name: &str) -> Result<(), Failure> {
        self.call("DeleteAlarmMuteRule", &[name.to_owned()])?;
        self.mute_rules.borrow_mut().remove(name);
        Ok(())
    }
}

impl PhaseLog for World {
    async fn write(&self, _stream: &str, lines: &[LogLine]) -> Result<(), Failure> {
        if self.log_fails.get() {
            return Err(error("PutLogEvents", "AccessDeniedException"));
        }
        self.log.borrow_mut().extend(lines.iter().map(|line| line.text.clone()));
        Ok(())
    }
}

impl SendMail for World {
    async fn send(&self, _: &str, to: &[String], mail: &Mail) -> Result<String, Failure> {
        self.call("SendEmail", to)?;
        if let Some(refused) = to.iter().find(|to| self.refused_recipients.borrow().contains(*to)) {
            let text = format!("Email address is not verified: {refused}");
            return Err(Failure::of_aws("SendEmail", "MessageRejected", &text, Some(400)));
        }
        self.mails.borrow_mut().push(mail.clone());
        Ok("message-1".to_owned())
    }
}

impl ReadIdentities for World {
    async fn verified(&self, identities: &[String]) -> Result<BTreeSet<String>, Failure> {
        self.call("GetIdentityVerificationAttributes", identities)?;
        let unverified = self.unverified.borrow();
        Ok(identities.iter().filter(|identity| !unverified.contains(*identity)).cloned().collect())
    }
}

impl ReadKeys for World {
    async fn key(&self, arn: &str) -> Result<Key, Failure> {
        self.call("DescribeKey", &[arn.to_owned()])?;
        Ok(Key { state: self.key_state.get().to_owned() })
    }
}

impl PutEvents for World {
    async fn put_event(&self, event: &BusEvent) -> Result<(), Failure> {
        self.call("PutEvents", &event.resources)?;
        self.events.borrow_mut().push(event.clone());
        Ok(())
    }
}

impl Trail for World {
    fn calls(&self) -> Calls {
        let made = self.calls.borrow().len();
        let new = made - self.told.replace(made);
        Calls { made: new as u64, throttled: u64::from(self.throttled.replace(0)) }
    }

    fn record(&self, record: &serde_json::Value) {
        self.records.borrow_mut().push(record.clone());
    }
}

impl Reach for World {
    async fn reach(&self, place: Option<&Elsewhere>, run: &str) -> impl Deref<Target = Self> {
        let Some(place) = place else { return self };
        self.sessions.borrow_mut().insert(run.to_owned());
        self.elsewhere.get(place).unwrap_or(self)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn sleep(&self, duration: Duration) {
        self.pass_time(duration);
        assert!(self.seconds() < 48 * 3600, "the loop does not end");
    }

    fn chance(&self) -> f64 {
        self.dice.borrow_mut().f64()
    }
}
