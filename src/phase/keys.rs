//! Names the KMS keys of a server whose start fell back for lack of a grant: EC2 says only `Client.InternalError`.

use jiff::Timestamp;

use crate::model::failure::Kind;
use crate::ports::{Clock, ReadInstances};

use super::in_time::in_time;
use super::plan::{Plan, Standing};

/// Adds the keys to each failure that looks like a missing grant
/// (<https://repost.aws/knowledge-center/kms-iam-ec2-permission>). Keys that cannot be read before `until` leave it as
/// it is: without their names the problem is reported all the same.
pub(crate) async fn name_keys<W: ReadInstances + Clock>(world: &W, plan: &mut Plan, until: Timestamp) {
    let named = async {
        for server in &mut plan.servers {
            let Standing::Failed(failure) = &mut server.standing else { continue };
            let Some(id) = server.id.as_ref().filter(|_| failure.kind == Kind::Key) else { continue };
            let keys = world.volume_keys(std::slice::from_ref(id)).await.unwrap_or_default();
            if !keys.is_empty() {
                let keys = keys.into_keys().collect::<Vec<_>>().join(" and ");
                let advice = format!("{} Grant kms:CreateGrant on {keys}.", failure.advice);
                failure.advice = advice.into();
            }
        }
        Ok(())
    };
    let _ = in_time(world, until, "DescribeVolumes", named).await;
}
