//! The servers as they will be before a run: the phase's own dry run then asks for each of them.
//!
//! In the evening some are stopped and some run. The check asks for the start of those that run too, and for the stop of
//! those that are stopped: DryRun looks at the permission, not at the state (API: StartInstances, `DryRun`). A hold
//! that ends within a day is over at the next run, and one that does not is left alone then as now.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::{Failure, Instance, InstanceState, StatusChecks, StopKind};
use crate::ports::{ChangeInstances, Clock, ReadInstances, Selection, TryChanges};
use crate::servers::hold::{self, Hold};

/// The next run is within this.
const NEXT_RUN: SignedDuration = SignedDuration::from_hours(24);

/// A world in which every live instance is in one state, and in which nothing can be changed.
pub(super) struct AsIf<'a, W> {
    /// The world as it is.
    pub(super) world: &'a W,
    /// The state.
    pub(super) state: InstanceState,
    /// The zone of dates in hold tags.
    pub(super) zone: &'a TimeZone,
}

impl<W: Clock> AsIf<'_, W> {
    fn seen(&self, instances: Vec<Instance>) -> Vec<Instance> {
        instances.into_iter().map(|instance| self.one(instance)).collect()
    }

    fn one(&self, instance: Instance) -> Instance {
        let state = if instance.is_gone() { instance.state } else { self.state };
        let at = self.world.now() + NEXT_RUN;
        let hold = instance.hold.filter(|value| hold::read(value, at, self.zone) != Hold::Over);
        Instance { state, unknown_state: None, hold, ..instance }
    }
}

impl<W: ReadInstances + Clock> ReadInstances for AsIf<'_, W> {
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure> {
        Ok(self.seen(self.world.instances(selection).await?))
    }

    async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, Failure> {
        Ok(self.seen(self.world.instances_by_id(ids).await?))
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, Failure> {
        self.world.status_checks(ids).await
    }

    async fn volume_keys(&self, ids: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        self.world.volume_keys(ids).await
    }
}

/// A dry run never comes here; whoever does is told that nothing was asked.
impl<W> ChangeInstances for AsIf<'_, W> {
    async fn start(&self, _: &[String]) -> Result<(), Failure> {
        Err(Failure::not_asked())
    }

    async fn stop(&self, _: &[String], _: StopKind) -> Result<(), Failure> {
        Err(Failure::not_asked())
    }
}

impl<W: TryChanges> TryChanges for AsIf<'_, W> {
    async fn try_start(&self, ids: &[String]) -> Result<(), Failure> {
        self.world.try_start(ids).await
    }

    async fn try_stop(&self, ids: &[String]) -> Result<(), Failure> {
        self.world.try_stop(ids).await
    }
}

impl<W: Clock> Clock for AsIf<'_, W> {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.world.sleep(duration).await;
    }

    fn chance(&self) -> f64 {
        self.world.chance()
    }
}
