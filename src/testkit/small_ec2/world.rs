//! The small EC2 itself: its servers, its clock, its token buckets, the faults it was told to play, and what it noted
//! of the calls. What it answers to each call is in `answers`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;

use super::server::{Habit, Server, seven};
use crate::model::{Elsewhere, Failure, Instance, InstanceState};
use crate::ports::{Alarm, BusEvent, Mail, MuteRule};

/// A call that the phase made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub operation: &'static str,
    pub at: Timestamp,
    pub ids: Vec<String>,
}

/// Which describes show something else, and what.
pub(crate) struct Show {
    pub(crate) describes: RangeInclusive<usize>,
    pub(crate) what: fn(&mut Vec<Instance>),
}

/// The small EC2, its clock and its phase log.
pub(crate) struct World {
    pub servers: RefCell<BTreeMap<String, Server>>,
    pub calls: RefCell<Vec<Call>>,
    pub log: RefCell<Vec<String>>,
    pub log_fails: Cell<bool>,
    pub mails: RefCell<Vec<Mail>>,
    pub(crate) events: RefCell<Vec<BusEvent>>,
    /// SES refuses a mail to any of these.
    pub(crate) refused_recipients: RefCell<BTreeSet<String>>,
    /// SES has verified all identities but these.
    pub(crate) unverified: RefCell<BTreeSet<String>>,
    /// The state of every key.
    pub(crate) key_state: Cell<&'static str>,
    pub records: RefCell<Vec<serde_json::Value>>,
    pub(super) told: Cell<usize>,
    pub alarms: RefCell<Vec<Alarm>>,
    pub mute_rules: RefCell<BTreeMap<String, MuteRule>>,
    /// How many of the next calls of an operation fail with a code.
    pub faults: RefCell<Vec<(&'static str, &'static str, u32)>>,
    /// What a describe by names or tags shows instead, by its number, from 1.
    pub(crate) shows: RefCell<Vec<Show>>,
    /// The same for a describe by ids.
    pub(crate) shows_by_id: RefCell<Vec<Show>>,
    /// DescribeInstanceStatus does not know these ids.
    pub(crate) no_status_of: RefCell<BTreeSet<String>>,
    pub buckets: Cell<bool>,
    pub(super) now: Cell<Timestamp>,
    requests: Cell<f64>,
    instances: Cell<f64>,
    refilled_at: Cell<Timestamp>,
    pub throttled: Cell<u32>,
    pub(super) dice: RefCell<fastrand::Rng>,
    /// The worlds of other accounts and Regions.
    pub(crate) elsewhere: BTreeMap<Elsewhere, World>,
    /// The runs in whose names they were reached.
    pub(crate) sessions: RefCell<BTreeSet<String>>,
}

/// The code of a fault that lets a call hang.
pub(crate) const HANGS: &str = "it hangs";
/// The key of every volume.
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// How long an AWS call takes.
const CALL: Duration = Duration::from_millis(40);

impl World {
    pub(crate) fn new(servers: impl IntoIterator<Item = Server>) -> Self {
        Self {
            servers: RefCell::new(servers.into_iter().map(|s| (s.instance.id.clone(), s)).collect()),
            calls: RefCell::default(),
            log: RefCell::default(),
            log_fails: Cell::new(false),
            mails: RefCell::default(),
            events: RefCell::default(),
            refused_recipients: RefCell::default(),
            unverified: RefCell::default(),
            key_state: Cell::new("Enabled"),
            records: RefCell::default(),
            told: Cell::new(0),
            alarms: RefCell::default(),
            mute_rules: RefCell::default(),
            faults: RefCell::default(),
            shows: RefCell::default(),
            shows_by_id: RefCell::default(),
            no_status_of: RefCell::default(),
            buckets: Cell::new(true),
            now: Cell::new(seven()),
            requests: Cell::new(5.0),
            instances: Cell::new(1000.0),
            refilled_at: Cell::new(seven()),
            throttled: Cell::new(0),
            dice: RefCell::new(fastrand::Rng::with_seed(7)),
            elsewhere: BTreeMap::new(),
            sessions: RefCell::default(),
        }
    }

    pub(crate) fn fail_next(&self, operation: &'static str, code: &'static str, times: u32) {
        self.faults.borrow_mut().push((operation, code, times));
    }

    /// Describes by names or tags show something else.
    pub(crate) fn show(&self, describes: RangeInclusive<usize>, what: fn(&mut Vec<Instance>)) {
        self.shows.borrow_mut().push(Show { describes, what });
    }

    /// Describes by ids show something else.
    pub(crate) fn show_by_id(&self, describes: RangeInclusive<usize>, what: fn(&mut Vec<Instance>)) {
        self.shows_by_id.borrow_mut().push(Show { describes, what });
    }

    pub(super) fn edited(
        &self,
        operation: &str,
        shows: &RefCell<Vec<Show>>,
        mut seen: Vec<Instance>,
    ) -> Vec<Instance> {
        let number = self.calls_of(operation).len();
        for show in shows.borrow().iter().filter(|show| show.describes.contains(&number)) {
            (show.what)(&mut seen);
        }
        seen
    }

    /// A call that a fault lets hang never answers.
    pub(super) async fn hang_if_told(&self, operation: &'static str) {
        let hangs =
            self.faults.borrow().iter().any(|fault| fault.0 == operation && fault.1 == HANGS && fault.2 > 0);
        if hangs {
            std::future::pending::<()>().await;
        }
    }

    /// The calls of one operation.
    pub(crate) fn calls_of(&self, operation: &str) -> Vec<Call> {
        self.calls.borrow().iter().filter(|call| call.operation == operation).cloned().collect()
    }

    /// How many instances were named in calls of one operation.
    pub(crate) fn named_in(&self, operation: &str, name: &str) -> usize {
        let id = self.id(name);
        self.calls_of(operation).iter().filter(|call| call.ids.contains(&id)).count()
    }

    pub(crate) fn id(&self, name: &str) -> String {
        let servers = self.servers.borrow();
        let found = servers.values().find(|server| server.instance.name.as_deref() == Some(name));
        found.unwrap_or_else(|| panic!("no {name}")).instance.id.clone()
    }

    pub(crate) fn state(&self, name: &str) -> InstanceState {
        let id = self.id(name);
        let mut servers = self.servers.borrow_mut();
        let server = servers.get_mut(&id).unwrap();
        server.settle(self.now.get());
        server.instance.state
    }

    /// An alarm whose dimensions name these servers.
    pub(crate) fn alarm(&self, name: &str, servers: &[&str]) {
        let instance_ids = servers.iter().map(|server| self.id(server)).collect();
        self.alarms.borrow_mut().push(Alarm { name: name.to_owned(), instance_ids });
    }

    /// The alarms that take no action now, or from the next minute on.
    pub(crate) fn muted(&self) -> Vec<String> {
        let rules = self.mute_rules.borrow();
        let names: BTreeSet<&String> =
            rules.values().filter(|rule| rule.ends > self.now.get()).flat_map(|rule| &rule.alarms).collect();
        names.into_iter().cloned().collect()
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.now.get().duration_since(seven()).as_secs()
    }

    pub(crate) fn pass_time(&self, duration: Duration) {
        self.now.set(self.now.get() + duration);
    }

    pub(super) fn call(&self, operation: &'static str, ids: &[String]) -> Result<(), Failure> {
        self.pass_time(CALL);
        self.calls.borrow_mut().push(Call { operation, at: self.now.get(), ids: ids.to_vec() });
        for fault in self.faults.borrow_mut().iter_mut() {
            if fault.0 == operation && fault.2 > 0 {
                fault.2 -= 1;
                return Err(error(operation, fault.1));
            }
        }
        Ok(())
    }

    /// A request: noted, within the buckets, and refused where a server refuses it.
    pub(super) fn check(
        &self,
        told_as: &'static str,
        operation: &'static str,
        ids: &[String],
    ) -> Result<(), Failure> {
        assert!(!ids.is_empty(), "an empty request");
        self.call(told_as, ids)?;
        if self.buckets.get() && operation == "StartInstances" {
            self.take_tokens(ids)?;
        }
        self.refusal(operation, ids).map_or(Ok(()), Err)
    }

    /// EC2's published buckets for StartInstances; a stop's are larger and not modelled.
    fn take_tokens(&self, ids: &[String]) -> Result<(), Failure> {
        let seconds = self.now.get().duration_since(self.refilled_at.get()).as_secs_f64();
        self.refilled_at.set(self.now.get());
        self.requests.set((self.requests.get() + 2.0 * seconds).min(5.0));
        self.instances.set((self.instances.get() + 2.0 * seconds).min(1000.0));
        let wanted = ids.len() as f64;
        if self.requests.get() < 0.999 || self.instances.get() < wanted - 0.001 {
            self.throttled.set(self.throttled.get() + 1);
            return Err(error("StartInstances", "RequestLimitExceeded"));
        }
        self.requests.set(self.requests.get() - 1.0);
        self.instances.set(self.instances.get() - wanted);
        Ok(())
    }

    fn refusal(&self, operation: &'static str, ids: &[String]) -> Option<Failure> {
        let mut servers = self.servers.borrow_mut();
        for id in ids {
            let Some(server) = servers.get_mut(id) else {
                return Some(error(operation, "InvalidInstanceID.NotFound"));
            };
            server.settle(self.now.get());
            match &mut server.habit {
                Habit::Refuses(code) => return Some(error(operation, code)),
                Habit::RefusesTimes(code, times) if *times > 0 => {
                    if ids.len() == 1 {
                        *times -= 1;
                    }
                    return Some(error(operation, code));
                }
                _ => {}
            }
            let state = server.instance.state;
            let fits = match operation {
                "StartInstances" => {
                    matches!(state, InstanceState::Stopped | InstanceState::Pending | InstanceState::Running)
                }
                _ => !matches!(state, InstanceState::Pending | InstanceState::Terminated),
            };
            if !fits {
                return Some(error(operation, "IncorrectInstanceState"));
            }
        }
        None
    }
}

pub(crate) fn error(operation: &'static str, code: &str) -> Failure {
    let message = match code {
        "OperationNotPermitted" => {
            "The instance may not be stopped. Modify its 'disableApiStop' instance attribute."
        }
        "InsufficientInstanceCapacity" => {
            "We currently do not have sufficient m5.large capacity in the Availability Zone you requested (eu-west-1a)."
        }
        "VcpuLimitExceeded" => {
            "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket \
             that the specified instance type belongs to."
        }
        "UnauthorizedOperation" => "You are not authorized to perform this operation.",
        _ => "said EC2",
    };
    Failure::of_aws(operation, code, message, None)
}
