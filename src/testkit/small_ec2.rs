//! A small EC2 by hand: instances that take time, checks that lag, scripted faults, published token buckets,
//! virtual time. The vocabulary of the phase loop's tests.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Deref;
use std::ops::RangeInclusive;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::lambda::watchers::Watchers;
use crate::model::{
    Action, Check, Elsewhere, Failure, Instance, InstanceState, PhaseAnswer, StatusChecks, StopKind,
};
use crate::muting::Muting;
use crate::muting::watcher::{self, Muter};
use crate::phase::progress::Progress;
use crate::phase::run::{PhaseError, Task};
use crate::phase::{self};
use crate::phase_log::{self, Narrator};
use crate::ports::{
    Alarm, Calls, ChangeInstances, Clock, LogLine, Mail, MuteAlarms, MuteRule, PhaseLog, Reach,
    ReadInstances, Selection, SendMail, Trail, TryChanges,
};
use crate::servers::file::{Minimum, Readiness, ServerList};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When every test begins.
pub(crate) fn seven() -> Timestamp {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

/// What an instance does when it is asked.
#[derive(Debug, Clone)]
pub(crate) enum Habit {
    /// Starts and stops in time.
    Good,
    /// Falls back to stopped after a start, with this state reason.
    Bounces(&'static str),
    /// Falls back so often, then starts.
    BouncesTimes(&'static str, u32),
    /// Stays pending, or stopping, until it is forced.
    Hangs,
    /// Each request that names it is refused with this code.
    Refuses(&'static str),
    /// Requests are refused so often, then taken.
    RefusesTimes(&'static str, u32),
    /// Runs, with this one check never ok.
    Impaired(&'static str),
    /// Its checks pass once, fail once, then pass.
    Flaps,
    /// EC2 gives no status checks for it.
    NoChecks,
    /// Is terminated as soon as it is asked.
    Dies,
}

/// An instance of the small EC2.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub instance: Instance,
    pub habit: Habit,
    pub boot: SignedDuration,
    pub checks_after: SignedDuration,
    pub stop: SignedDuration,
    /// For how long a describe shows the state from before a change.
    pub lag: SignedDuration,
    due: Option<(Timestamp, InstanceState)>,
    up_since: Option<Timestamp>,
    shown: Option<(Timestamp, Instance)>,
    looked: u32,
    bounced: u32,
}

/// `name` in this state, with an id of its own.
pub(crate) fn server(name: &str, state: InstanceState) -> Server {
    let number = name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Server {
        instance: Instance {
            id: format!("i-{number:017x}"),
            name: Some(name.to_owned()),
            state,
            launch_time: Some(seven() - SignedDuration::from_hours(60)),
            stopped_at: (state == InstanceState::Stopped).then(|| seven() - SignedDuration::from_hours(12)),
            unknown_state: None,
            state_reason: (state == InstanceState::Stopped).then(|| reason("Client.UserInitiatedShutdown")),
            hold: None,
            auto_scaling_group: None,
            operator: None,
            one_time_spot: false,
            instance_store_root: false,
            instance_type: "m7g.large".to_owned(),
            availability_zone: "eu-west-1a".to_owned(),
        },
        habit: Habit::Good,
        boot: SignedDuration::from_secs(20),
        checks_after: SignedDuration::from_secs(90),
        stop: SignedDuration::from_secs(40),
        lag: SignedDuration::ZERO,
        due: None,
        up_since: (state == InstanceState::Running).then(|| seven() - SignedDuration::from_hours(60)),
        shown: None,
        looked: 0,
        bounced: 0,
    }
}

pub(crate) fn stopped(name: &str) -> Server {
    server(name, InstanceState::Stopped)
}

pub(crate) fn running(name: &str) -> Server {
    server(name, InstanceState::Running)
}

fn reason(code: &str) -> Failure {
    // EC2's own sentences (StateReason in the API reference, and as they are reported).
    let message = match code {
        "Client.InternalError" => "Client error on launch",
        "Server.InternalError" => "Internal error on launch",
        _ => "said EC2",
    };
    Failure::of_state_reason(code, &format!("{code}: {message}"))
}

impl Server {
    pub(crate) fn with(mut self, habit: Habit) -> Self {
        self.habit = habit;
        self
    }

    pub(crate) fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn settle(&mut self, now: Timestamp) {
        let Some((due, state)) = self.due else { return };
        if now < due {
            return;
        }
        self.due = None;
        self.instance.state = state;
        self.up_since = (state == InstanceState::Running).then_some(due);
        if let Habit::Bounces(code) | Habit::BouncesTimes(code, _) = self.habit
            && state == InstanceState::Stopped
        {
            self.instance.state_reason = (!code.is_empty()).then(|| reason(code));
        }
    }

    fn shown(&self, now: Timestamp) -> Instance {
        match &self.shown {
            Some((until, before)) if now < *until => before.clone(),
            _ => self.instance.clone(),
        }
    }

    fn before_change(&mut self, now: Timestamp) {
        self.shown = Some((now + self.lag, self.instance.clone()));
    }

    fn start(&mut self, now: Timestamp) {
        if self.instance.state != InstanceState::Stopped {
            return;
        }
        self.before_change(now);
        self.instance.state = InstanceState::Pending;
        self.instance.launch_time = Some(now);
        self.instance.stopped_at = None;
        self.bounced += 1;
        let ends = match self.habit {
            Habit::Bounces(_) => InstanceState::Stopped,
            Habit::BouncesTimes(_, times) if self.bounced <= times => InstanceState::Stopped,
            Habit::Dies => InstanceState::Terminated,
            _ => InstanceState::Running,
        };
        self.due = (!matches!(self.habit, Habit::Hangs)).then_some((now + self.boot, ends));
    }

    fn stop(&mut self, now: Timestamp, kind: StopKind) {
        let hangs = matches!(self.habit, Habit::Hangs) && kind == StopKind::Graceful;
        if self.instance.state == InstanceState::Running {
            self.before_change(now);
            self.instance.state = InstanceState::Stopping;
            self.instance.stopped_at = Some(now);
            self.instance.state_reason = Some(reason("Client.UserInitiatedShutdown"));
        }
        if self.instance.state == InstanceState::Stopping && !hangs && self.due.is_none() {
            self.due = Some((now + self.stop, InstanceState::Stopped));
        }
    }

    fn checks(&mut self, now: Timestamp) -> Option<StatusChecks> {
        if matches!(self.habit, Habit::NoChecks) {
            return None;
        }
        let is_running = self.instance.state == InstanceState::Running;
        let all = |check: Check| StatusChecks {
            is_running,
            instance: check.clone(),
            system: check.clone(),
            attached_ebs: check.clone(),
            application: check,
        };
        let initializing = Check::Not("initializing".to_owned());
        if self.up_since.is_none_or(|since| now < since + self.checks_after) {
            return Some(all(initializing));
        }
        self.looked += 1;
        let impaired = Check::Not("impaired".to_owned());
        Some(match self.habit {
            Habit::Impaired("instance") => StatusChecks { instance: impaired, ..all(Check::Ok) },
            Habit::Impaired("system") => StatusChecks { system: impaired, ..all(Check::Ok) },
            Habit::Impaired("attached_ebs") => StatusChecks { attached_ebs: impaired, ..all(Check::Ok) },
            Habit::Impaired("application") => StatusChecks { application: impaired, ..all(Check::Ok) },
            Habit::Flaps if self.looked == 2 => all(impaired),
            _ => all(Check::Ok),
        })
    }
}

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
    /// SES refuses a mail to any of these.
    pub(crate) refused_recipients: RefCell<BTreeSet<String>>,
    pub records: RefCell<Vec<serde_json::Value>>,
    told: Cell<usize>,
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
    now: Cell<Timestamp>,
    requests: Cell<f64>,
    instances: Cell<f64>,
    refilled_at: Cell<Timestamp>,
    pub throttled: Cell<u32>,
    dice: RefCell<fastrand::Rng>,
    /// The worlds of other accounts and Regions.
    pub(crate) elsewhere: BTreeMap<Elsewhere, World>,
    /// The runs in whose names they were reached.
    pub(crate) sessions: RefCell<BTreeSet<String>>,
}

/// The code of a fault that lets a call hang.
pub(crate) const HANGS: &str = "it hangs";
/// The key of every volume.
pub(crate) const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
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
            refused_recipients: RefCell::default(),
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

    fn edited(&self, operation: &str, shows: &RefCell<Vec<Show>>, mut seen: Vec<Instance>) -> Vec<Instance> {
        let number = self.calls_of(operation).len();
        for show in shows.borrow().iter().filter(|show| show.describes.contains(&number)) {
            (show.what)(&mut seen);
        }
        seen
    }

    /// A call that a fault lets hang never answers.
    async fn hang_if_told(&self, operation: &'static str) {
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

    fn call(&self, operation: &'static str, ids: &[String]) -> Result<(), Failure> {
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
    fn check(&self, told_as: &'static str, operation: &'static str, ids: &[String]) -> Result<(), Failure> {
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

    async fn volume_keys(&self, id: &str) -> Result<Vec<String>, Failure> {
        self.call("DescribeVolumes", &[id.to_owned()])?;
        Ok(vec![KEY.to_owned()])
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

/// The list of these names, as servers.toml would give it.
pub(crate) fn list(names: &[&str]) -> ServerList {
    ServerList {
        number: 3,
        environment: "dev".to_owned(),
        tier: "db".to_owned(),
        name: "development db servers".to_owned(),
        servers: names.iter().map(|name| (*name).to_owned()).collect(),
        tags: BTreeMap::new(),
        ready: Readiness::StatusChecks,
        timeout: Duration::from_secs(15 * 60),
        settle: Duration::ZERO,
        minimum: Minimum::All,
        minimum_after: None,
        force_stop_after: None,
        hourly_rate: None,
    }
}

/// A task for one invocation of 15 minutes that begins now.
pub(crate) fn task<'a>(world: &World, list: &'a ServerList, action: Action) -> Task<'a> {
    Task {
        list,
        action,
        dry_run: false,
        run_began_at: seven(),
        deadline: world.now() + SignedDuration::from_mins(15) + SignedDuration::from_secs(30),
        zone: TimeZone::UTC,
        environments: 1,
    }
}

/// Runs one invocation, with the phase log watching.
pub(crate) fn invoke(
    world: &World,
    task: &Task<'_>,
    resume: Option<Progress>,
) -> Result<PhaseAnswer, PhaseError> {
    invoke_muting(world, task, None, resume)
}

/// Runs one invocation, with or without muting.
pub(crate) fn invoke_muting(
    world: &World,
    task: &Task<'_>,
    muting: Option<&Muting>,
    resume: Option<Progress>,
) -> Result<PhaseAnswer, PhaseError> {
    let about = phase_log::About {
        heading: "starting development db servers",
        stream: "run-1",
        list: &task.list.label(),
        action: task.action,
        dry_run: task.dry_run,
        resumed: resume.is_some(),
        deadline: task.deadline,
    };
    let muter = muting.map(|muting| {
        let (deadline, zone) = (task.deadline, task.zone.clone());
        Muter::new(world, muting, watcher::About { list: task.list, action: task.action, deadline, zone })
    });
    let mut watchers = Watchers { muter, log: Narrator::new(world, about) };
    at_once(phase::run(world, task, resume, &mut watchers))
}

/// The fakes never wait for anything, so a future is ready at once.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the fakes never wait"),
    }
}

/// Runs a whole phase in one invocation.
pub(crate) fn run(world: &World, list: &ServerList, action: Action) -> PhaseAnswer {
    invoke(world, &task(world, list, action), None).unwrap()
}

/// Runs a phase in invocations of `seconds`, handing `resume` on as the state machine does, through JSON.
pub(crate) fn run_in_slices(
    world: &World,
    list: &ServerList,
    action: Action,
    seconds: i64,
) -> (PhaseAnswer, u32) {
    mute_in_slices(world, list, action, seconds, None)
}

/// The same, with or without muting.
pub(crate) fn mute_in_slices(
    world: &World,
    list: &ServerList,
    action: Action,
    seconds: i64,
    muting: Option<&Muting>,
) -> (PhaseAnswer, u32) {
    let mut resume = None;
    for invocations in 1..1000 {
        let deadline = world.now() + SignedDuration::from_secs(seconds);
        let task = Task { deadline, ..task(world, list, action) };
        let answer = invoke_muting(world, &task, muting, resume).unwrap();
        let Some(handed_on) = &answer.resume else { return (answer, invocations) };
        let wire = serde_json::to_string(handed_on).unwrap();
        resume = Some(serde_json::from_str(&wire).unwrap());
    }
    panic!("the phase does not end")
}

/// The codes of an answer's problems, by name.
pub(crate) fn codes(answer: &PhaseAnswer) -> BTreeMap<String, String> {
    answer.problems.iter().map(|problem| (problem.name.clone(), problem.code.clone())).collect()
}
