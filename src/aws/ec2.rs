//! EC2: reading and changing instances.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types;
use aws_sdk_ec2::types::{
    DeviceType, Filter, InstanceLifecycleType, InstanceStateName, InstanceStatus, SpotInstanceType,
    SummaryStatus,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::{Check, Failure, Instance, InstanceState, StatusChecks, StopKind};
use crate::ports::{ChangeInstances, ReadInstances, Selection, TryChanges};
use crate::servers::hold;

use super::clients::Aws;

/// "The maximum number of filter values specified on a single call is 200", as EC2 itself says when there are more
/// (FilterLimitExceeded; the user guide says "per filter"): all filters of a call together.
const VALUES_PER_CALL: usize = 200;
/// The states of an instance that is not terminated or about to be.
const LIVE: [&str; 4] = ["pending", "running", "stopping", "stopped"];
/// "Maximum 100 explicitly specified instance IDs" (API: DescribeInstanceStatus).
const IDS_PER_STATUS_CALL: usize = 100;
/// Servers by name or id a DescribeInstances. An answer is held whole, several times over, while it is read: about
/// 1.5 MB for 100 instances.
const SERVERS_PER_CALL: usize = 100;
/// The page of a list that only tags select: as much memory as two calls for so many servers. AWS recommends 1,000;
/// without a page size the call is not paginated and has a smaller token bucket
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>).
const PAGE: i32 = 200;
/// The largest page that every version of the API reference takes (API: DescribeVolumes, `MaxResults`).
const VOLUMES_A_PAGE: i32 = 500;
/// More at a time would not be faster: to read an answer takes a 128 MB function longer than to wait for it.
const CALLS_AT_A_TIME: usize = 2;
/// What DryRun answers when the request would have been taken.
const DRY_RUN_SUCCEEDED: &str = "DryRunOperation";

impl ReadInstances for Aws {
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure> {
        let calls = filters(selection).into_iter().map(|filters| self.describe(filters));
        let mut seen: Vec<Seen> = a_few_at_a_time(calls).await?.into_iter().flatten().collect();
        self.mark_one_time_spot(&mut seen).await?;
        Ok(seen.into_iter().map(|seen| seen.instance).collect())
    }

    async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, Failure> {
        // A filter, not InstanceIds: one id that EC2 does not know would fail the whole call.
        let calls =
            ids.chunks(SERVERS_PER_CALL).map(|ids| self.describe(vec![filter("instance-id", ids.to_vec())]));
        let seen = a_few_at_a_time(calls).await?.into_iter().flatten();
        Ok(seen.map(|seen| seen.instance).collect())
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, Failure> {
        let calls = ids.chunks(IDS_PER_STATUS_CALL).map(|ids| async move {
            let request = self.ec2.describe_instance_status().set_instance_ids(Some(ids.to_vec()));
            // By default EC2 leaves out instances that are not running.
            let answer = request.include_all_instances(true).send().await;
            let answer = answer.map_err(|error| self.failure("DescribeInstanceStatus", &error))?;
            let statuses = answer.instance_statuses().iter();
            let checked =
                statuses.filter_map(|status| Some((status.instance_id()?.to_owned(), checks(status))));
            Ok(checked.collect::<Vec<_>>())
        });
        Ok(a_few_at_a_time(calls).await?.into_iter().flatten().collect())
    }

    async fn volume_keys(&self, ids: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
        let calls = ids.chunks(VALUES_PER_CALL).map(|ids| self.encrypted(ids));
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, id) in a_few_at_a_time(calls).await?.into_iter().flatten() {
            keys.entry(key).or_default().insert(id);
        }
        Ok(keys)
    }
}

/// An instance in our own types, and its Spot request if it is a Spot instance.
struct Seen {
    instance: Instance,
    spot_request: Option<String>,
}

impl Aws {
    /// All pages and all reservations.
    async fn describe(&self, filters: Vec<Filter>) -> Result<Vec<Seen>, Failure> {
        let mut pages =
            self.ec2.describe_instances().set_filters(Some(filters)).into_paginator().page_size(PAGE).send();
        let mut seen = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure("DescribeInstances", &error))?;
            let instances = page.reservations().iter().flat_map(|reservation| reservation.instances());
            seen.extend(instances.filter_map(ours));
        }
        Ok(seen)
    }

    /// The key of each encrypted volume of these instances, and whose it is.
    async fn encrypted(&self, ids: &[String]) -> Result<Vec<(String, String)>, Failure> {
        let attached = filter("attachment.instance-id", ids.to_vec());
        let request = self.ec2.describe_volumes().filters(attached);
        let mut pages = request.into_paginator().page_size(VOLUMES_A_PAGE).send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure("DescribeVolumes", &error))?;
            for volume in page.volumes() {
                let Some(key) = volume.kms_key_id() else { continue };
                let owners = volume.attachments().iter().filter_map(|attached| attached.instance_id());
                // One volume may be attached to several instances (Multi-Attach), also to some that were not asked for.
                let asked = owners.filter(|owner| ids.iter().any(|id| id == owner));
                keys.extend(asked.map(|owner| (key.to_owned(), owner.to_owned())));
            }
        }
        Ok(keys)
    }

    /// Notes which instances belong to one-time Spot requests. No Spot instance, no call.
    async fn mark_one_time_spot(&self, seen: &mut [Seen]) -> Result<(), Failure> {
        let requests: Vec<String> = seen.iter().filter_map(|seen| seen.spot_request.clone()).collect();
        let calls = requests.chunks(VALUES_PER_CALL).map(|ids| async move {
            self.ec2
                .describe_spot_instance_requests()
                .filters(filter("spot-instance-request-id", ids.to_vec()))
                .send()
                .await
                .map_err(|error| self.failure("DescribeSpotInstanceRequests", &error))
        });
        let answers = a_few_at_a_time(calls).await?;
        let one_time: BTreeSet<&str> = answers
            .iter()
            .flat_map(|answer| answer.spot_instance_requests())
            .filter(|request| request.r#type() == Some(&SpotInstanceType::OneTime))
            .filter_map(|request| request.spot_instance_request_id())
            .collect();
        for Seen { instance, spot_request } in seen {
            instance.one_time_spot =
                spot_request.as_deref().is_some_and(|request| one_time.contains(request));
        }
        Ok(())
    }
}

/// The answers in the order of the calls, of which so many are under way at a time.
async fn a_few_at_a_time<T>(
    calls: impl IntoIterator<Item = impl Future<Output = Result<T, Failure>>>,
) -> Result<Vec<T>, Failure> {
    stream::iter(calls).buffered(CALLS_AT_A_TIME).try_collect().await
}

impl ChangeInstances for Aws {
    async fn start(&self, ids: &[String]) -> Result<(), Failure> {
        let answer = self.ec2.start_instances().set_instance_ids(Some(ids.to_vec())).send().await;
        answer.map(drop).map_err(|error| self.failure("StartInstances", &error))
    }

    async fn stop(&self, ids: &[String], kind: StopKind) -> Result<(), Failure> {
        let request = self.ec2.stop_instances().set_instance_ids(Some(ids.to_vec()));
        let request = if kind == StopKind::Force { request.force(true) } else { request };
        request.send().await.map(drop).map_err(|error| self.failure("StopInstances", &error))
    }
}

impl TryChanges for Aws {
    async fn try_start(&self, ids: &[String]) -> Result<(), Failure> {
        let request = self.ec2.start_instances().set_instance_ids(Some(ids.to_vec()));
        self.would_be_taken(request.dry_run(true).send().await, "StartInstances")
    }

    async fn try_stop(&self, ids: &[String]) -> Result<(), Failure> {
        let request = self.ec2.stop_instances().set_instance_ids(Some(ids.to_vec()));
        self.would_be_taken(request.dry_run(true).send().await, "StopInstances")
    }
}

impl Aws {
    /// A dry run never succeeds: it fails with its own code where the request would have been taken.
    fn would_be_taken<T, E>(
        &self,
        answer: Result<T, SdkError<E, HttpResponse>>,
        operation: &'static str,
    ) -> Result<(), Failure>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        match answer {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(DRY_RUN_SUCCEEDED) => Ok(()),
            Err(error) => Err(self.failure(operation, &error)),
        }
    }
}

/// The filters of each call: at most so many names a call, every tag, and live instances only. A terminated
/// instance keeps its tags for about an hour.
fn filters(selection: Selection<'_>) -> Vec<Vec<Filter>> {
    let mut every_call = vec![filter("instance-state-name", LIVE.map(str::to_owned).to_vec())];
    every_call.extend(
        selection.tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), vec![literal(value)])),
    );
    if selection.names.is_empty() {
        return if selection.is_empty() { Vec::new() } else { vec![every_call] };
    }
    let others = LIVE.len() + selection.tags.len();
    let names = selection.names.chunks(VALUES_PER_CALL.saturating_sub(others).clamp(1, SERVERS_PER_CALL));
    names
        .map(|names| {
            let mut filters = every_call.clone();
            filters.push(filter("tag:Name", names.iter().map(|name| literal(name)).collect()));
            filters
        })
        .collect()
}

fn filter(name: &str, values: Vec<String>) -> Filter {
    Filter::builder().name(name).set_values(Some(values)).build()
}

/// A filter's value that means itself: `*` and `?` are wildcards unless escaped.
fn literal(value: &str) -> String {
    value.replace('\\', "\\\\").replace('*', "\\*").replace('?', "\\?")
}

/// The instance in our own types; `None` if EC2 gave it no id or no state.
fn ours(described: &types::Instance) -> Option<Seen> {
    let tag = |key: &str| {
        let found = described.tags().iter().find(|tag| tag.key() == Some(key));
        found.and_then(|tag| tag.value()).map(str::to_owned)
    };
    let managed_by = described
        .operator()
        .filter(|operator| operator.managed() == Some(true))
        .map(|operator| operator.principal().unwrap_or("another AWS service").to_owned());
    let spot = described.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    let word = described.state()?.name()?;
    let state = state(word);
    let unknown_state = (state == InstanceState::Unknown).then(|| word.as_str().to_owned());
    let instance = Instance {
        id: described.instance_id()?.to_owned(),
        name: tag("Name").filter(|name| !name.is_empty()),
        state,
        unknown_state,
        launch_time: described.launch_time().and_then(|at| Timestamp::from_second(at.secs()).ok()),
        stopped_at: described.state_transition_reason().and_then(transition_time),
        state_reason: described.state_reason().and_then(|reason| {
            let code = reason.code().filter(|code| !code.is_empty())?;
            Some(Failure::of_state_reason(code, reason.message().unwrap_or_default()))
        }),
        hold: tag(hold::TAG),
        auto_scaling_group: tag("aws:autoscaling:groupName"),
        operator: managed_by,
        one_time_spot: false,
        instance_store_root: described.root_device_type() == Some(&DeviceType::InstanceStore),
        instance_type: described.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        availability_zone: described
            .placement()
            .and_then(|placement| placement.availability_zone())
            .unwrap_or_default()
            .to_owned(),
    };
    let spot_request = described.spot_instance_request_id().filter(|_| spot).map(str::to_owned);
    Some(Seen { instance, spot_request })
}

fn state(name: &InstanceStateName) -> InstanceState {
    match name {
        InstanceStateName::Pending => InstanceState::Pending,
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::ShuttingDown => InstanceState::ShuttingDown,
        InstanceStateName::Stopped => InstanceState::Stopped,
        InstanceStateName::Stopping => InstanceState::Stopping,
        InstanceStateName::Terminated => InstanceState::Terminated,
        _ => InstanceState::Unknown,
    }
}

/// The time in `User initiated (2026-11-21 07:01:02 GMT)`.
fn transition_time(reason: &str) -> Option<Timestamp> {
    let (_, inside) = reason.split_once('(')?;
    let inside = inside.split_once(')')?.0;
    let civil = inside.strip_suffix(" GMT").or_else(|| inside.strip_suffix(" UTC"))?;
    let at: DateTime = civil.trim().parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

fn checks(status: &InstanceStatus) -> StatusChecks {
    let state = status.instance_state().and_then(|state| state.name());
    StatusChecks {
        is_running: state == Some(&InstanceStateName::Running),
        instance: check(status.instance_status().and_then(|summary| summary.status())),
        system: check(status.system_status().and_then(|summary| summary.status())),
        attached_ebs: check(status.attached_ebs_status().and_then(|summary| summary.status())),
        application: check(status.application_status().and_then(|summary| summary.status())),
    }
}

fn check(status: Option<&SummaryStatus>) -> Check {
    match status {
        None => Check::Missing,
        Some(SummaryStatus::Ok) => Check::Ok,
        Some(SummaryStatus::NotApplicable) => Check::NotApplicable,
        Some(other) => Check::Not(other.as_str().to_owned()),
    }
}
