//! All that the check asks: each list's dry runs at the same time, then the keys, and SES.
//!
//! Judges nothing. What could not be asked is a fact too.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::{join, join_all};
use jiff::Timestamp;

use crate::model::{Action, Failure, InstanceState, PhaseAnswer};
use crate::phase::in_time::in_time;
use crate::phase::look::patiently;
use crate::phase::run::{self as phase, MARGIN, PhaseError, Task};
use crate::phase::watch::Watcher;
use crate::ports::{Key, Reach, ReadIdentities, ReadKeys, World};
use crate::servers::file::ServerList;

use super::as_if::AsIf;
use super::request::{Post, Scope};

/// What was learnt.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// Each wanted list.
    pub(super) lists: Vec<Tried<'a>>,
    /// Each wanted environment that has servers: the keys of its encrypted volumes.
    pub(super) keys: Vec<(&'a str, Result<Vec<SeenKey>, Failure>)>,
    /// Which of the identities SES has verified; nothing, if there are no addresses to ask for.
    pub(super) verified: Option<Result<BTreeSet<String>, Failure>>,
}

/// One list's dry runs.
#[derive(Debug)]
pub(super) struct Tried<'a> {
    pub(super) list: &'a ServerList,
    pub(super) start: Result<PhaseAnswer, Failure>,
    pub(super) stop: Result<PhaseAnswer, Failure>,
}

/// A KMS key, and the instances whose volumes it encrypts.
#[derive(Debug)]
pub(super) struct SeenKey {
    pub(super) arn: String,
    pub(super) ids: BTreeSet<String>,
    pub(super) key: Result<Key, Failure>,
}

impl Tried<'_> {
    /// The ids of its servers, by their keys: of either dry run, they saw the same.
    pub(super) fn servers(&self) -> BTreeMap<&str, &str> {
        let answers = [&self.start, &self.stop].into_iter().filter_map(|tried| tried.as_ref().ok());
        let states = answers.flat_map(|answer| answer.initial_state.0.iter());
        states.map(|(key, state)| (key.as_str(), state.instance_id.as_str())).collect()
    }
}

/// The dry runs tell their story by their answers.
struct Nobody;

impl Watcher for Nobody {}

/// Asks all of it.
///
/// # Errors
/// If a dry run's own progress could not be written.
pub(crate) async fn ask<'a, W: World + Reach + ReadIdentities + ReadKeys>(
    world: &W,
    scope: &Scope<'a>,
    post: Option<Post<'_>>,
) -> Result<Facts<'a>, PhaseError> {
    let wanted: Vec<&'a ServerList> = wanted(scope);
    let tries = wanted.iter().map(|list| tried(world, scope, list, wanted.len()));
    let (lists, verified) = join(join_all(tries), verified(world, scope.until, post)).await;
    let lists: Vec<Tried<'a>> = lists.into_iter().collect::<Result<_, _>>()?;
    let mut ids: BTreeMap<&'a str, BTreeSet<String>> = BTreeMap::new();
    for tried in &lists {
        ids.entry(&tried.list.environment)
            .or_default()
            .extend(tried.servers().values().map(|id| (*id).to_owned()));
    }
    let keys = ids.into_iter().filter(|(_, ids)| !ids.is_empty()).map(|(name, ids)| async move {
        let ids: Vec<String> = ids.into_iter().collect();
        (name, keys(world, scope, name, &ids).await)
    });
    Ok(Facts { lists, keys: join_all(keys).await, verified })
}

fn wanted<'a>(scope: &Scope<'a>) -> Vec<&'a ServerList> {
    let is_wanted =
        |list: &&ServerList| scope.environments.is_none_or(|names| names.contains(&list.environment));
    scope.lists.lists.iter().filter(is_wanted).collect()
}

/// Both dry runs of a list, at the same time: each action has its own buckets in EC2.
async fn tried<'a, W: World + Reach>(
    world: &W,
    scope: &Scope<'a>,
    list: &'a ServerList,
    sharers: usize,
) -> Result<Tried<'a>, PhaseError> {
    let there = world.reach(scope.lists.elsewhere.get(&list.environment), scope.run).await;
    let task = |action| Task {
        list,
        action,
        dry_run: true,
        run_began_at: world.now(),
        // The phase itself stops its margin before.
        deadline: scope.until + MARGIN,
        zone: scope.zone.clone(),
        // Not only the environments: all lists are asked for at the same time.
        environments: sharers,
        goes_on: false,
    };
    let (start, stop) = (task(Action::Start), task(Action::Stop));
    let as_if = |state| AsIf { world: &*there, state, zone: scope.zone };
    let (stopped, running) = (as_if(InstanceState::Stopped), as_if(InstanceState::Running));
    let (mut nobody, mut nobody_else) = (Nobody, Nobody);
    let (start, stop) = join(
        phase::run(&stopped, &start, None, &mut nobody),
        phase::run(&running, &stop, None, &mut nobody_else),
    )
    .await;
    Ok(Tried { list, start: or_failure(start)?, stop: or_failure(stop)? })
}

fn or_failure(tried: Result<PhaseAnswer, PhaseError>) -> Result<Result<PhaseAnswer, Failure>, PhaseError> {
    match tried {
        Ok(answer) => Ok(Ok(answer)),
        Err(PhaseError::Aws(failure)) => Ok(Err(Failure::not_seen(failure))),
        Err(other) => Err(other),
    }
}

/// The keys of the volumes of an environment's servers, and what each says of itself.
async fn keys<W: World + Reach + ReadKeys>(
    world: &W,
    scope: &Scope<'_>,
    environment: &str,
    ids: &[String],
) -> Result<Vec<SeenKey>, Failure> {
    let there = world.reach(scope.lists.elsewhere.get(environment), scope.run).await;
    let read = patiently(world, scope.until, async || there.volume_keys(ids).await);
    let found = in_time(world, scope.until, "DescribeVolumes", read).await?;
    let looks = found.into_iter().map(|(arn, ids)| {
        let there = &*there;
        async move {
            let read = patiently(world, scope.until, async || there.key(&arn).await);
            let key = in_time(world, scope.until, "DescribeKey", read).await;
            SeenKey { arn, ids, key }
        }
    });
    Ok(join_all(looks).await)
}

/// Which addresses and domains SES has verified.
async fn verified<W: World + ReadIdentities>(
    world: &W,
    until: Timestamp,
    post: Option<Post<'_>>,
) -> Option<Result<BTreeSet<String>, Failure>> {
    let post = post?;
    let addresses = post.addresses().into_iter().flat_map(identities);
    let wanted: Vec<String> = addresses.collect::<BTreeSet<_>>().into_iter().collect();
    let read = patiently(world, until, async || world.verified(&wanted).await);
    Some(in_time(world, until, "GetIdentityVerificationAttributes", read).await)
}

impl<'a> Post<'a> {
    /// Those that SES must have verified.
    fn addresses(self) -> Vec<&'a str> {
        let recipients = self.recipients.iter().filter(|_| self.sandbox).map(String::as_str);
        [self.sender].into_iter().chain(recipients).collect()
    }
}

/// What may be verified for an address: itself, its domain, and each domain above that (SES's guide, "Verified
/// identities": a verified domain covers its subdomains).
pub(super) fn identities(address: &str) -> Vec<String> {
    let domain = address.split_once('@').map_or("", |(_, domain)| domain);
    let labels: Vec<&str> = domain.split('.').collect();
    let domains = (0..labels.len().saturating_sub(1)).map(|first| labels[first..].join("."));
    [address.to_owned()].into_iter().chain(domains).collect()
}
