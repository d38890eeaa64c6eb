//! EC2: reading and changing instances.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    DeviceType, Filter, InstanceLifecycleType, InstanceStateName, InstanceStatus, SpotInstanceType,
    SummaryStatus,
};
use aws_sdk_ec2::{error::ProvideErrorMetadata, types};
use futures::future::try_join_all;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Aws, failure};
use crate::hold;
use crate::ports::{
    AwsError, ChangeInstances, Check, Instance, InstanceState, ReadInstances, Selection, StateReason,
    StatusChecks, StopKind,
};

/// "Maximum 200 values per filter"
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>).
const VALUES_PER_FILTER: usize = 200;
/// "Maximum 100 explicitly specified instance IDs" (API: DescribeInstanceStatus).
const IDS_PER_STATUS_CALL: usize = 100;
/// The page size that AWS recommends; without one the call is not paginated and has a smaller token bucket
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>).
const PAGE: i32 = 1000;
/// What DryRun answers when the request would have been taken.
const DRY_RUN_SUCCEEDED: &str = "DryRunOperation";

impl ReadInstances for Aws {
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, AwsError> {
        let seen = try_join_all(filters(selection).into_iter().map(|filters| self.describe(filters))).await?;
        let seen: Vec<types::Instance> = seen.into_iter().flatten().collect();
        let one_time = self.one_time_spot(&seen).await?;
        Ok(seen.iter().filter_map(|instance| ours(instance, &one_time)).collect())
    }

    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, AwsError> {
        let calls = ids.chunks(IDS_PER_STATUS_CALL).map(|ids| async move {
            self.ec2
                .describe_instance_status()
                .set_instance_ids(Some(ids.to_vec()))
                // By default EC2 leaves out instances that are not running.
                .include_all_instances(true)
                .send()
                .await
                .map_err(|error| failure("DescribeInstanceStatus", error))
        });
        let answers = try_join_all(calls).await?;
        let statuses = answers.iter().flat_map(|answer| answer.instance_statuses());
        Ok(statuses.filter_map(|status| Some((status.instance_id()?.to_owned(), checks(status)))).collect())
    }

    async fn volume_keys(&self, id: &str) -> Result<Vec<String>, AwsError> {
        let attached = filter("attachment.instance-id", vec![id.to_owned()]);
        let answer = self.ec2.describe_volumes().filters(attached).send().await;
        let volumes = answer.map_err(|error| failure("DescribeVolumes", error))?;
        let keys: BTreeSet<String> =
            volumes.volumes().iter().filter_map(|volume| volume.kms_key_id().map(str::to_owned)).collect();
        Ok(keys.into_iter().collect())
    }
}

impl Aws {
    /// All pages and all reservations.
    async fn describe(&self, filters: Vec<Filter>) -> Result<Vec<types::Instance>, AwsError> {
        let mut pages =
            self.ec2.describe_instances().set_filters(Some(filters)).into_paginator().page_size(PAGE).send();
        let mut instances = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failure("DescribeInstances", error))?;
            let reservations = page.reservations.unwrap_or_default();
            instances.extend(
                reservations.into_iter().flat_map(|reservation| reservation.instances.unwrap_or_default()),
            );
        }
        Ok(instances)
    }

    /// The ids of the one-time Spot requests among these instances' requests. No Spot instance, no call.
    async fn one_time_spot(&self, instances: &[types::Instance]) -> Result<BTreeSet<String>, AwsError> {
        let requests: Vec<String> = instances
            .iter()
            .filter(|instance| instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot))
            .filter_map(|instance| instance.spot_instance_request_id().map(str::to_owned))
            .collect();
        let calls = requests.chunks(VALUES_PER_FILTER).map(|ids| async move {
            self.ec2
                .describe_spot_instance_requests()
                .filters(filter("spot-instance-request-id", ids.to_vec()))
                .send()
                .await
                .map_err(|error| failure("DescribeSpotInstanceRequests", error))
        });
        let answers = try_join_all(calls).await?;
        let found = answers.iter().flat_map(|answer| answer.spot_instance_requests());
        Ok(found
            .filter(|request| request.r#type() == Some(&SpotInstanceType::OneTime))
            .filter_map(|request| request.spot_instance_request_id().map(str::to_owned))
            .collect())
    }
}

impl ChangeInstances for Aws {
    async fn start(&self, ids: &[String], dry_run: bool) -> Result<(), AwsError> {
        let request = self.ec2.start_instances().set_instance_ids(Some(ids.to_vec())).dry_run(dry_run);
        let answer = request.send().await;
        taken(answer, "StartInstances")
    }

    async fn stop(&self, ids: &[String], kind: StopKind, dry_run: bool) -> Result<(), AwsError> {
        let request = self.ec2.stop_instances().set_instance_ids(Some(ids.to_vec())).dry_run(dry_run);
        let request = if kind == StopKind::Force { request.force(true) } else { request };
        let answer = request.send().await;
        taken(answer, "StopInstances")
    }
}

fn taken<T, E, R>(
    answer: Result<T, aws_sdk_ec2::error::SdkError<E, R>>,
    operation: &'static str,
) -> Result<(), AwsError>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match answer {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(DRY_RUN_SUCCEEDED) => Ok(()),
        Err(error) => Err(failure(operation, error)),
    }
}

/// The filters of each call: at most so many names a call, every tag, and live instances only. A terminated
/// instance keeps its tags for about an hour.
fn filters(selection: Selection<'_>) -> Vec<Vec<Filter>> {
    let live = ["pending", "running", "stopping", "stopped"].map(str::to_owned).to_vec();
    let mut every_call = vec![filter("instance-state-name", live)];
    every_call.extend(
        selection.tags.iter().map(|(key, value)| filter(&format!("tag:{key}"), vec![literal(value)])),
    );
    if selection.names.is_empty() {
        return if selection.is_empty() { Vec::new() } else { vec![every_call] };
    }
    let names = selection.names.chunks(VALUES_PER_FILTER);
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

/// The instance in our own types; `None` if EC2 gave it no id or no state that there is.
fn ours(instance: &types::Instance, one_time: &BTreeSet<String>) -> Option<Instance> {
    let tag = |key: &str| {
        let found = instance.tags().iter().find(|tag| tag.key() == Some(key));
        found.and_then(|tag| tag.value()).map(str::to_owned)
    };
    let managed_by = instance
        .operator()
        .filter(|operator| operator.managed() == Some(true))
        .map(|operator| operator.principal().unwrap_or("another AWS service").to_owned());
    let spot_request = instance.spot_instance_request_id();
    Some(Instance {
        id: instance.instance_id()?.to_owned(),
        name: tag("Name").filter(|name| !name.is_empty()),
        state: state(instance.state()?.name()?)?,
        launch_time: instance.launch_time().and_then(|at| Timestamp::from_second(at.secs()).ok()),
        stopped_at: instance.state_transition_reason().and_then(transition_time),
        state_reason: instance.state_reason().and_then(|reason| {
            let code = reason.code().filter(|code| !code.is_empty())?;
            Some(StateReason {
                code: code.to_owned(),
                message: reason.message().unwrap_or_default().to_owned(),
            })
        }),
        hold: tag(hold::TAG),
        auto_scaling_group: tag("aws:autoscaling:groupName"),
        operator: managed_by,
        one_time_spot: spot_request.is_some_and(|request| one_time.contains(request)),
        instance_store_root: instance.root_device_type() == Some(&DeviceType::InstanceStore),
        instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        availability_zone: instance
            .placement()
            .and_then(|placement| placement.availability_zone())
            .unwrap_or_default()
            .to_owned(),
    })
}

fn state(name: &InstanceStateName) -> Option<InstanceState> {
    Some(match name {
        InstanceStateName::Pending => InstanceState::Pending,
        InstanceStateName::Running => InstanceState::Running,
        InstanceStateName::ShuttingDown => InstanceState::ShuttingDown,
        InstanceStateName::Stopped => InstanceState::Stopped,
        InstanceStateName::Stopping => InstanceState::Stopping,
        InstanceStateName::Terminated => InstanceState::Terminated,
        _ => return None,
    })
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
    StatusChecks {
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
