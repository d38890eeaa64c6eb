//! What a KMS key's own word means. Pure.

use crate::model::Failure;
use crate::model::failure::Kind;
use crate::ports::Key;

/// The one state in which a key does anything ("Key states of AWS KMS keys", KMS's guide).
const ENABLED: &str = "Enabled";
/// KMS knows no such key.
const NOT_FOUND: &str = "NotFoundException";

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyWord {
    /// It works for whoever may use it.
    Enabled,
    /// It may not be looked at; AWS's code.
    Hidden(String),
    /// It works for nobody.
    Unusable(Failure),
    /// KMS did not answer.
    Unknown(Failure),
}

pub(super) fn word(arn: &str, seen: &Result<Key, Failure>) -> KeyWord {
    match seen {
        Ok(key) if key.state == ENABLED => KeyWord::Enabled,
        Ok(key) => KeyWord::Unusable(Failure::key_not_usable(arn, &key.state)),
        Err(failure) if failure.code == NOT_FOUND => {
            KeyWord::Unusable(Failure::key_not_usable(arn, "not there any more"))
        }
        Err(failure) if failure.kind == Kind::Denied => KeyWord::Hidden(failure.code.clone()),
        Err(failure) => KeyWord::Unknown(failure.clone()),
    }
}
