//! CloudWatch: alarms that watch instances, and the mute rules that keep them quiet.

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::error::ProvideErrorMetadata;
use aws_sdk_cloudwatch::operation::get_alarm_mute_rule::GetAlarmMuteRuleOutput;
use aws_sdk_cloudwatch::primitives::DateTime as SdkDateTime;
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, MuteTargets, Rule, Schedule};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::Failure;
use crate::ports::{Alarm, MuteAlarms, MuteRule};

use super::clients::Aws;

/// The largest page of DescribeAlarms and of ListAlarmMuteRules (API: `MaxRecords`).
const PAGE: i32 = 100;
/// The dimension by which EC2, the CloudWatch agent and most others name an instance.
const INSTANCE: &str = "InstanceId";
/// `at(yyyy-MM-ddThh:mm)`, a window that opens once; without a time zone of its own in UTC (API: PutAlarmMuteRule).
const AT: &str = "at(%Y-%m-%dT%H:%M)";
const DESCRIPTION: &str = "ec2-start-stop: these servers are off on purpose, or are being started";

impl MuteAlarms for Aws {
    async fn alarms(&self) -> Result<Vec<Alarm>, Failure> {
        let request = self.cloudwatch.describe_alarms().alarm_types(AlarmType::MetricAlarm);
        let mut pages = request.into_paginator().page_size(PAGE).send();
        let mut alarms = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure("DescribeAlarms", &error))?;
            alarms.extend(page.metric_alarms().iter().filter_map(ours));
        }
        Ok(alarms)
    }

    async fn mute_rules(&self, family: &str) -> Result<Vec<MuteRule>, Failure> {
        let mut rules = Vec::new();
        for name in self.names_of_mute_rules().await? {
            if MuteRule::number(family, &name).is_some() {
                rules.extend(self.mute_rule(name).await?);
            }
        }
        Ok(rules)
    }

    async fn put_mute_rule(&self, rule: &MuteRule) -> Result<(), Failure> {
        let minutes = rule.ends.duration_since(rule.begins).as_mins();
        let schedule = Schedule::builder()
            .expression(rule.begins.to_zoned(TimeZone::UTC).strftime(AT).to_string())
            .duration(format!("PT{minutes}M"))
            .build();
        let targets = MuteTargets::builder().set_alarm_names(Some(rule.alarms.iter().cloned().collect()));
        self.cloudwatch
            .put_alarm_mute_rule()
            .name(&rule.name)
            .description(DESCRIPTION)
            .rule(Rule::builder().schedule(schedule).build())
            .mute_targets(targets.build())
            .expire_date(SdkDateTime::from_secs(rule.ends.as_second()))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.failure("PutAlarmMuteRule", &error))
    }

    async fn delete_mute_rule(&self, name: &str) -> Result<(), Failure> {
        let answer = self.cloudwatch.delete_alarm_mute_rule().alarm_mute_rule_name(name).send().await;
        answer.map(drop).map_err(|error| self.failure("DeleteAlarmMuteRule", &error))
    }
}

impl Aws {
    /// All pages. A summary holds no name: it is what follows the last colon of the ARN.
    async fn names_of_mute_rules(&self) -> Result<Vec<String>, Failure> {
        let mut pages = self.cloudwatch.list_alarm_mute_rules().max_records(PAGE).into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure("ListAlarmMuteRules", &error))?;
            let arns = page.alarm_mute_rule_summaries().iter().filter_map(|rule| rule.alarm_mute_rule_arn());
            names.extend(
                arns.filter_map(|arn| arn.rsplit_once(":alarm-mute-rule:")).map(|(_, name)| name.to_owned()),
            );
        }
        Ok(names)
    }

    /// Nothing, if somebody deleted it meanwhile.
    async fn mute_rule(&self, name: String) -> Result<Option<MuteRule>, Failure> {
        match self.cloudwatch.get_alarm_mute_rule().alarm_mute_rule_name(&name).send().await {
            Ok(rule) => Ok(Some(our_rule(name, &rule))),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(self.failure("GetAlarmMuteRule", &error)),
        }
    }
}

/// The alarm by the instances that it watches; `None` if it watches none, as composite alarms do.
fn ours(alarm: &MetricAlarm) -> Option<Alarm> {
    let in_metric_math = alarm.metrics().iter().filter_map(|query| query.metric_stat()?.metric());
    let dimensions = alarm.dimensions().iter().chain(in_metric_math.flat_map(|metric| metric.dimensions()));
    let instance_ids: BTreeSet<String> = dimensions.filter_map(instance_id).map(str::to_owned).collect();
    if instance_ids.is_empty() {
        return None;
    }
    Some(Alarm { name: alarm.alarm_name()?.to_owned(), instance_ids })
}

fn instance_id(dimension: &Dimension) -> Option<&str> {
    dimension.value().filter(|_| dimension.name() == Some(INSTANCE))
}

/// A rule whose window a person has rewritten counts as over: it is put anew.
fn our_rule(name: String, rule: &GetAlarmMuteRuleOutput) -> MuteRule {
    let expression = rule.rule().and_then(|rule| rule.schedule()).and_then(|schedule| schedule.expression());
    let begins = expression
        .and_then(|expression| DateTime::strptime(AT, expression).ok())
        .and_then(|begins| begins.to_zoned(TimeZone::UTC).ok())
        .map(|begins| begins.timestamp());
    let ends = rule.expire_date().and_then(|ends| Timestamp::from_second(ends.secs()).ok());
    let (begins, ends) = begins.zip(ends).unwrap_or((Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH));
    let alarms = rule.mute_targets().map(|targets| targets.alarm_names()).unwrap_or_default();
    MuteRule { name, alarms: alarms.iter().cloned().collect(), begins, ends }
}
