//! Why there is no answer: the function's errors and their stable names.

use crate::lambda::asked;
use crate::lambda::payload::PayloadError;
use crate::model::Failure;
use crate::model::failure::{self, Kind};
use crate::phase::run::PhaseError;
use crate::servers::mistake::ServersFileError;

/// An error's message as the caller gets it; EC2's encoded authorization messages alone can be longer.
const MESSAGE_CHARACTERS: usize = 1_000;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandlerError {
    /// The payload cannot be used; nothing was started or stopped.
    #[error(transparent)]
    InvalidPayload(#[from] PayloadError),
    /// The execution's input cannot be used; nothing was started or stopped.
    #[error(transparent)]
    InvalidInput(#[from] asked::Refusal),
    /// The file of `SERVERS_FILE` cannot be used.
    #[error(transparent)]
    InvalidServersFile(#[from] ServersFileError),
    /// A setting of the function is missing or wrong.
    #[error("{0}")]
    Misconfigured(String),
    /// The role by which the environment is reached cannot be assumed.
    #[error("{}", .0.sentence())]
    RoleNotAssumed(Failure),
    /// The environment's Region is switched off in its account.
    #[error("{}", .0.sentence())]
    RegionNotEnabled(Failure),
    /// AWS says that the function may not.
    #[error("{0}. Give the function's role that permission, or correct its credentials")]
    AccessDenied(Failure),
    /// AWS asks for fewer requests, again and again. Transient.
    #[error("{0}. This goes away by itself; if not, ask for higher API limits")]
    Throttled(Failure),
    /// AWS does not answer, or has an internal error. Transient.
    #[error("{0}. If it stays, look at AWS Health and at the function's network")]
    AwsUnreachable(Failure),
    /// AWS answered something that is none of these.
    #[error("{0}")]
    AwsFailure(Failure),
    /// SES did not take the mail.
    #[error("the mail could not be sent to {to}: {error}")]
    MailRejected {
        /// The recipients.
        to: String,
        /// What SES said.
        error: Box<Failure>,
    },
    /// The program has a defect.
    #[error("the function panicked: {0}. This is a defect: please report it")]
    Panicked(String),
    /// Our own answer could not be written as JSON.
    #[error("the answer could not be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl HandlerError {
    /// The stable names that the state machine matches in `ErrorEquals`.
    pub(crate) const NAMES: [&'static str; 12] = [
        "InvalidPayload",
        "InvalidInput",
        "InvalidServersFile",
        "Misconfigured",
        "AccessDenied",
        "Throttled",
        "AwsUnreachable",
        "AwsFailure",
        "MailRejected",
        "Panicked",
        failure::ROLE_NOT_ASSUMED,
        failure::REGION_NOT_ENABLED,
    ];

    /// Its stable name.
    pub(crate) fn name(&self) -> &'static str {
        let [
            payload,
            input,
            file,
            settings,
            denied,
            throttled,
            unreachable,
            failure,
            mail,
            panicked,
            role,
            region,
        ] = Self::NAMES;
        match self {
            Self::InvalidPayload(_) => payload,
            Self::InvalidInput(_) => input,
            Self::InvalidServersFile(_) => file,
            Self::Misconfigured(_) => settings,
            Self::RoleNotAssumed(_) => role,
            Self::RegionNotEnabled(_) => region,
            Self::AccessDenied(_) => denied,
            Self::Throttled(_) => throttled,
            Self::AwsUnreachable(_) => unreachable,
            Self::AwsFailure(_) => failure,
            Self::MailRejected { .. } => mail,
            Self::Panicked(_) | Self::Unwritable(_) => panicked,
        }
    }

    /// What the caller is told: bounded, because the state machine carries it to the report.
    pub(crate) fn message(&self) -> String {
        self.to_string().chars().take(MESSAGE_CHARACTERS).collect()
    }
}

impl From<Failure> for HandlerError {
    fn from(error: Failure) -> Self {
        match error.kind {
            Kind::Denied if error.code == failure::ROLE_NOT_ASSUMED => Self::RoleNotAssumed(error),
            Kind::Denied if error.code == failure::REGION_NOT_ENABLED => Self::RegionNotEnabled(error),
            Kind::Denied => Self::AccessDenied(error),
            Kind::Throttled => Self::Throttled(error),
            Kind::Outage => Self::AwsUnreachable(error),
            _ => Self::AwsFailure(error),
        }
    }
}

impl From<PhaseError> for HandlerError {
    fn from(error: PhaseError) -> Self {
        match error {
            PhaseError::Aws(error) => error.into(),
            PhaseError::Progress(error) => error.into(),
        }
    }
}
