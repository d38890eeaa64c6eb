//! One account that several environments use at the same time, in virtual time.
//!
//! Owns the interleaving: an environment that sleeps lets the others go on, and time passes when all sleep.
//! Counts requests as the adapters send them. What EC2 does is the tests' small EC2 (`tests/world`).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ec2_start_stop::model::{Instance, StatusChecks, StopKind};
use ec2_start_stop::ports::{
    Alarm, AwsError, ChangeInstances, Clock, LogLine, MuteAlarms, MuteRule, PhaseLog, ReadInstances,
    Selection,
};
use jiff::Timestamp;

use crate::world::World;

/// What `src/aws/ec2.rs` puts into one request.
const VALUES_PER_FILTER: usize = 200;
const IDS_PER_STATUS_CALL: usize = 100;

/// The account. Each environment works with a reference to it.
pub(crate) struct Account {
    pub(crate) world: World,
    /// The requests that read: when, and how many at once.
    pub(crate) reads: RefCell<Vec<(Timestamp, usize)>>,
    wakes: Cell<Timestamp>,
}

impl Account {
    pub(crate) fn new(world: World) -> Self {
        Self { world, reads: RefCell::default(), wakes: Cell::new(Timestamp::MAX) }
    }

    /// Runs all environments to their ends; gives what each came to.
    pub(crate) fn run_together<'a, T>(
        &self,
        mut environments: Vec<Pin<Box<dyn Future<Output = T> + 'a>>>,
    ) -> Vec<T> {
        let mut answers: Vec<Option<T>> = environments.iter().map(|_| None).collect();
        while answers.iter().any(Option::is_none) {
            self.wakes.set(Timestamp::MAX);
            for (environment, answer) in environments.iter_mut().zip(&mut answers) {
                if answer.is_none()
                    && let Poll::Ready(ready) =
                        environment.as_mut().poll(&mut Context::from_waker(Waker::noop()))
                {
                    *answer = Some(ready);
                }
            }
            let pause = self.wakes.get().duration_since(self.world.now());
            if self.wakes.get() < Timestamp::MAX && pause.is_positive() {
                self.world.pass_time(pause.unsigned_abs());
            }
        }
        answers.into_iter().flatten().collect()
    }

    /// All requests, as the adapters send them.
    pub(crate) fn requests(&self) -> usize {
        let reads: usize = self.reads.borrow().iter().map(|(_, requests)| requests).sum();
        reads + self.world.calls_of("StartInstances").len()
    }

    fn reads(&self, requests: usize) {
        self.reads.borrow_mut().push((self.world.now(), requests));
    }
}

impl Clock for Account {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.now() + duration;
        poll_fn(|_| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            self.wakes.set(self.wakes.get().min(until));
            Poll::Pending
        })
        .await;
    }

    fn chance(&self) -> f64 {
        self.world.chance()
    }
}

impl ReadInstances for Account {
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, AwsError> {
        self.reads(selection.names.len().div_ceil(VALUES_PER_FILTER));
        self.world.instances(selection).await
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, AwsError> {
        self.reads(ids.len().div_ceil(IDS_PER_STATUS_CALL));
        self.world.status_checks(ids).await
    }

    async fn volume_keys(&self, id: &str) -> Result<Vec<String>, AwsError> {
        self.reads(1);
        self.world.volume_keys(id).await
    }
}

impl ChangeInstances for Account {
    async fn start(&self, ids: &[String], dry_run: bool) -> Result<(), AwsError> {
        self.world.start(ids, dry_run).await
    }

    async fn stop(&self, ids: &[String], kind: StopKind, dry_run: bool) -> Result<(), AwsError> {
        self.world.stop(ids, kind, dry_run).await
    }
}

impl MuteAlarms for Account {
    async fn alarms(&self) -> Result<Vec<Alarm>, AwsError> {
        self.world.alarms().await
    }

    async fn mute_rules(&self, family: &str) -> Result<Vec<MuteRule>, AwsError> {
        self.world.mute_rules(family).await
    }

    async fn put_mute_rule(&self, rule: &MuteRule) -> Result<(), AwsError> {
        self.world.put_mute_rule(rule).await
    }

    async fn delete_mute_rule(&self, name: &str) -> Result<(), AwsError> {
        self.world.delete_mute_rule(name).await
    }
}

impl PhaseLog for Account {
    async fn write(&self, stream: &str, lines: &[LogLine]) -> Result<(), AwsError> {
        self.world.write(stream, lines).await
    }
}
