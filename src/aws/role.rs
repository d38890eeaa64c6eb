//! The credentials of a role in another account, by STS's AssumeRole.
//!
//! The provider asks STS; the clients' cache of identities asks it again shortly before the credentials end, so
//! that a phase may be longer than they are. STS is asked in the stack's own Region: its credentials are good in all, and
//! where a Region is switched off in the member account its STS would not answer (IAM's guide, "Manage AWS STS in an AWS
//! Region").

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_types::SdkConfig;

use crate::model::Elsewhere;

/// "Minimum length of 2. Maximum length of 64" (API: sts:AssumeRole, `RoleSessionName`).
const SESSION_CHARACTERS: usize = 64;
/// What stands before a run's name that would be too short.
const BEFORE_SHORT: &str = "run-";

/// The role's credentials, in a session that is named after the run: CloudTrail then tells in the member account which
/// run it was. Nothing is asked yet. `config` is the stack's own.
pub(super) fn credentials(config: &SdkConfig, place: &Elsewhere, run: &str) -> SharedCredentialsProvider {
    let request = aws_sdk_sts::Client::new(config)
        .assume_role()
        .role_arn(&place.role)
        .role_session_name(session_name(run))
        .set_external_id(place.external_id.clone());
    SharedCredentialsProvider::new(AssumedRole { request })
}

#[derive(Debug)]
struct AssumedRole {
    request: AssumeRoleFluentBuilder,
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl AssumedRole {
    async fn assume(&self) -> Result<Credentials, CredentialsError> {
        let answer = self.request.clone().send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials().ok_or_else(|| CredentialsError::unhandled("STS gave none"))?;
        let end = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        let (id, secret) = (given.access_key_id(), given.secret_access_key());
        Ok(Credentials::new(id, secret, Some(given.session_token().to_owned()), Some(end), "AssumeRole"))
    }
}

/// The run's name in STS's alphabet, `[\w+=,.@-]*`, and in its length. An execution's name has up to 80 characters.
fn session_name(run: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' };
    let name: String = run.chars().map(plain).take(SESSION_CHARACTERS).collect();
    if name.len() < 2 { format!("{BEFORE_SHORT}{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sessions_name_is_the_runs_name() {
        assert_eq!(session_name("start-20261123T060000Z"), "start-20261123T060000Z");
    }

    #[test]
    fn a_sessions_name_has_the_letters_and_the_length_that_sts_takes() {
        assert_eq!(session_name("früh um 7"), "fr-h-um-7");
        assert_eq!(session_name(&"é".repeat(80)), "-".repeat(64));
        assert_eq!((session_name("x"), session_name("")), ("run-x".to_owned(), "run-".to_owned()));
    }
}
