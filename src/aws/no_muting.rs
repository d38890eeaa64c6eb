//! CloudWatch of a build without the feature `muting`: there is none. `MUTE_ALARMS = on` is refused before anything gets
//! here (`lambda::settings`).

use crate::model::Failure;
use crate::ports::{Alarm, MuteAlarms, MuteRule};

use super::clients::Aws;

fn none<T>(operation: &'static str) -> Result<T, Failure> {
    Err(Failure::unreachable(operation, "this build has no feature `muting`"))
}

impl MuteAlarms for Aws {
    async fn alarms(&self) -> Result<Vec<Alarm>, Failure> {
        none("DescribeAlarms")
    }

    async fn mute_rules(&self, _: &str) -> Result<Vec<MuteRule>, Failure> {
        none("ListAlarmMuteRules")
    }

    async fn put_mute_rule(&self, _: &MuteRule) -> Result<(), Failure> {
        none("PutAlarmMuteRule")
    }

    async fn delete_mute_rule(&self, _: &str) -> Result<(), Failure> {
        none("DeleteAlarmMuteRule")
    }
}
