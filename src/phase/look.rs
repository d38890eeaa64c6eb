//! Looks at a list's servers.
//!
//! Owns which calls a look takes. The first look, and the one that a verdict stands on, is at the whole list: its
//! instances, by their ids those that it does not show any more, and the status checks of those that need some. In
//! between, only the servers that are still under way are looked at. An empty selection is never sent.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;

use crate::model::failure::Kind;
use crate::model::{Action, Failure, Instance, InstanceState, StatusChecks};
use crate::ports::{Clock, ReadInstances, Selection};
use crate::servers::file::{Readiness, ServerList};

use super::pace;
use super::seen::Seen;

/// So many reads in a row may fail for another reason than AWS's own trouble.
const ATTEMPTS: u32 = 5;

/// Looks at the whole list.
///
/// # Errors
/// The call that failed.
pub(crate) async fn look<W: ReadInstances + Clock>(
    world: &W,
    list: &ServerList,
    action: Action,
    known: impl Iterator<Item = &str>,
) -> Result<Seen, Failure> {
    let at = world.now();
    let instances = instances(world, list).await?;
    let shown: BTreeSet<&str> = instances.iter().map(|instance| instance.id.as_str()).collect();
    let absent: Vec<String> = known.filter(|id| !shown.contains(id)).map(str::to_owned).collect();
    let elsewhere = if absent.is_empty() { Vec::new() } else { world.instances_by_id(&absent).await? };
    let to_check = if checks_matter(list, action) { running(&instances) } else { Vec::new() };
    let checks = status_checks(world, to_check).await?;
    Ok(Seen { at, instances: shared(instances), elsewhere: shared(elsewhere), checks })
}

/// Looks at these servers only: what was seen of the others stays. One that waits for its checks costs no describe:
/// the checks say whether it still runs.
///
/// # Errors
/// The call that failed.
pub(crate) async fn look_again<W: ReadInstances + Clock>(
    world: &W,
    list: &ServerList,
    action: Action,
    before: &Seen,
    ids: &BTreeSet<&str>,
) -> Result<Seen, Failure> {
    let at = world.now();
    let wanted = |instance: &&Rc<Instance>| ids.contains(instance.id.as_str());
    let waits = |instance: &Instance| checks_matter(list, action) && instance.state == InstanceState::Running;
    let (to_check, mut to_describe): (Vec<&Instance>, Vec<&Instance>) =
        before.instances.iter().filter(wanted).map(Rc::as_ref).partition(|instance| waits(instance));
    let mut checks =
        status_checks(world, to_check.iter().map(|instance| instance.id.clone()).collect()).await?;
    let runs = |instance: &&Instance| checks.get(&instance.id).is_some_and(|checks| checks.is_running);
    to_describe.extend(to_check.iter().filter(|instance| !runs(instance)));
    let described: Vec<String> = to_describe.iter().map(|instance| instance.id.clone()).collect();
    let fresh = if described.is_empty() { Vec::new() } else { world.instances_by_id(&described).await? };
    let new: Vec<Instance> = fresh.into_iter().filter(|instance| !instance.is_gone()).collect();
    if checks_matter(list, action) {
        // Not those again whose checks EC2 has just not told.
        let asked: BTreeSet<&str> = to_check.iter().map(|instance| instance.id.as_str()).collect();
        let unchecked = running(&new).into_iter().filter(|id| !asked.contains(id.as_str())).collect();
        checks.extend(status_checks(world, unchecked).await?);
    }
    Ok(before.with(at, ids, &described, new, checks))
}

fn shared(instances: Vec<Instance>) -> Vec<Rc<Instance>> {
    let mut shared: Vec<Rc<Instance>> = instances.into_iter().map(Rc::new).collect();
    // `collect` reuses the allocation, where an instance takes fifty times as much as what points to it.
    shared.shrink_to_fit();
    shared
}

fn checks_matter(list: &ServerList, action: Action) -> bool {
    action == Action::Start && list.ready > Readiness::Running
}

fn running(instances: &[Instance]) -> Vec<String> {
    let running = instances.iter().filter(|instance| instance.state == InstanceState::Running);
    running.map(|instance| instance.id.clone()).collect()
}

/// The instances that a list selects, each once, in the list's own order: one that changes while EC2 is read may be on
/// two pages. A list that selects none costs no call.
///
/// # Errors
/// As [`ReadInstances::instances`].
pub(crate) async fn instances<W: ReadInstances>(
    world: &W,
    list: &ServerList,
) -> Result<Vec<Instance>, Failure> {
    let selection = Selection { names: &list.servers, tags: &list.tags };
    if selection.is_empty() {
        return Ok(Vec::new());
    }
    let mut instances = world.instances(selection).await?;
    // The later page is the newer.
    instances.reverse();
    let mut ids = BTreeSet::new();
    instances.retain(|instance| ids.insert(instance.id.clone()));
    let place: BTreeMap<&String, usize> = list.servers.iter().zip(0..).collect();
    let place = |instance: &Instance| instance.name.as_ref().and_then(|name| place.get(name));
    instances.sort_by(|a, b| (place(a), &a.name, &a.id).cmp(&(place(b), &b.name, &b.id)));
    Ok(instances)
}

/// The status checks of these instances. An id that EC2 does not know (yet) fails a whole call: it is left out.
async fn status_checks<W: ReadInstances>(
    world: &W,
    ids: Vec<String>,
) -> Result<BTreeMap<String, StatusChecks>, Failure> {
    let mut checks = BTreeMap::new();
    let mut waiting = vec![ids];
    while let Some(mut batch) = waiting.pop().filter(|batch| !batch.is_empty()) {
        match world.status_checks(&batch).await {
            Ok(found) => checks.extend(found),
            Err(failure) if failure.kind != Kind::Passing => return Err(failure),
            Err(_) if batch.len() == 1 => {}
            Err(_) => {
                let second_half = batch.split_off(batch.len() / 2);
                waiting.extend([second_half, batch]);
            }
        }
    }
    Ok(checks)
}

/// How long to wait before reading again after so many failures in a row; nothing if reading again is of no use.
/// AWS's own trouble is waited for while there is time; what it forbids is not.
pub(crate) fn pause_before_reading_again(
    failure: &Failure,
    failed: u32,
    chance: f64,
) -> Option<std::time::Duration> {
    let again = match failure.kind {
        Kind::Throttled | Kind::Outage => true,
        Kind::Denied => false,
        _ => failed < ATTEMPTS,
    };
    again.then(|| pace::throttle_pause(failed, chance))
}

/// The first answer of `read`, unless AWS forbids it, it fails too often, or the next attempt would be after `until`.
///
/// # Errors
/// The last attempt's.
pub(crate) async fn patiently<W: Clock, T>(
    world: &W,
    until: Timestamp,
    read: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut failed = 0;
    loop {
        let failure = match read().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        failed += 1;
        match pause_before_reading_again(&failure, failed, world.chance()) {
            Some(pause) if world.now() + pause < until => world.sleep(pause).await,
            _ => return Err(failure),
        }
    }
}
