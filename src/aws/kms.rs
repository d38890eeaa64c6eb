//! KMS: what a key says of itself. Who may use it stands in its policy and its grants, which nobody asks here.

use crate::model::Failure;
use crate::ports::{Key, ReadKeys};

use super::clients::Aws;

#[cfg(feature = "kms")]
impl ReadKeys for Aws {
    async fn key(&self, arn: &str) -> Result<Key, Failure> {
        let answer = self.kms.describe_key().key_id(arn).send().await;
        let answer = answer.map_err(|error| self.failure(DESCRIBE_KEY, &error))?;
        let state = answer.key_metadata().and_then(|key| key.key_state());
        let state =
            state.ok_or_else(|| Failure::unreachable(DESCRIBE_KEY, "KMS told no state of the key"))?;
        Ok(Key { state: state.as_str().to_owned() })
    }
}

/// A build without the client says so: a key that nobody looked at is none that works.
#[cfg(not(feature = "kms"))]
impl ReadKeys for Aws {
    async fn key(&self, _: &str) -> Result<Key, Failure> {
        Err(Failure::unreachable(DESCRIBE_KEY, "this build has no client of KMS"))
    }
}

const DESCRIBE_KEY: &str = "DescribeKey";
