//! Names the KMS keys of a server whose start fell back for lack of a grant.
//!
//! EC2 says only `Client.InternalError`; the keys are on the server's volumes. Owns when to look and the sentence.

use crate::model::Problem;
use crate::ports::ReadInstances;

/// The state reason's code of a start whose caller may not create a grant on the key of an encrypted volume
/// (<https://repost.aws/knowledge-center/kms-iam-ec2-permission>).
const NO_GRANT: &str = "Client.InternalError";

/// Adds the keys to each problem that looks like a missing grant. Keys that cannot be read leave the problem as it is.
pub async fn name_keys<W: ReadInstances>(world: &W, problems: &mut [Problem]) {
    for problem in problems.iter_mut().filter(|problem| problem.code == NO_GRANT) {
        let Some(id) = &problem.id else { continue };
        let keys = world.volume_keys(id).await.unwrap_or_default();
        if !keys.is_empty() {
            problem.message.push_str(&format!(" Grant kms:CreateGrant on {}.", keys.join(" and ")));
        }
    }
}
