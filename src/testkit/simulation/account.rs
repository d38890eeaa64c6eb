//! One account that several environments use at the same time, in virtual time.
//!
//! Owns the interleaving: an environment that sleeps lets the others go on, and time passes when all sleep.
//! Counts requests as the adapters send them. What EC2 does is the testkit's small EC2.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::model::{Failure, Instance, StatusChecks, StopKind};
use crate::ports::{ChangeInstances, Clock, ReadInstances, Selection, TryChanges};
use jiff::Timestamp;

use crate::testkit::small_ec2::World;

/// What `src/aws/ec2.rs` puts into one request.
const SERVERS_PER_CALL: usize = 100;
const IDS_PER_STATUS_CALL: usize = 100;
const VALUES_PER_CALL: usize = 200;

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

    /// In one DescribeInstances, as the baseline asks.
    pub(crate) async fn in_one_request(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure> {
        self.reads(1);
        self.world.instances(selection).await
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
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure> {
        self.reads(selection.names.len().div_ceil(SERVERS_PER_CALL));
        self.world.instances(selection).await
    }

    async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, Failure> {
        self.reads(ids.len().div_ceil(SERVERS_PER_CALL));
        self.world.instances_by_id(ids).await
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, Failure> {
        self.reads(ids.len().div_ceil(IDS_PER_STATUS_CALL));
        self.world.status_checks(ids).await
    }

    async fn volume_keys(&self, ids: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        self.reads(ids.len().div_ceil(VALUES_PER_CALL));
        self.world.volume_keys(ids).await
    }
}

impl ChangeInstances for Account {
    async fn start(&self, ids: &[String]) -> Result<(), Failure> {
        self.world.start(ids).await
    }

    async fn stop(&self, ids: &[String], kind: StopKind) -> Result<(), Failure> {
        self.world.stop(ids, kind).await
    }
}

impl TryChanges for Account {
    async fn try_start(&self, ids: &[String]) -> Result<(), Failure> {
        self.world.try_start(ids).await
    }

    async fn try_stop(&self, ids: &[String]) -> Result<(), Failure> {
        self.world.try_stop(ids).await
    }
}
