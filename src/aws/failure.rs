//! What becomes of an error of the SDK: our own failure.
//!
//! Owns the one translation. In another account or Region the error may be about the place: about its role, which the
//! first call assumes, or about a Region that is switched off.

use std::error::Error;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::model::{Elsewhere, Failure};

use super::clients::Aws;

impl Aws {
    /// Our own failure for any of the SDK's, of a call to EC2 or CloudWatch.
    pub(super) fn failure<E>(&self, operation: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let failure = failure(operation, error);
        let Some(place) = &self.place else { return failure };
        if let Some(refused) = of_the_role(place, error) {
            return refused;
        }
        if failure.takes_no_credentials() {
            return Failure::region_not_enabled(&place.words(self.home()), &failure);
        }
        failure
    }
}

/// Our own failure for any of the SDK's. A failure without a code of AWS is one without an answer of AWS.
pub(super) fn failure<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    let Some(code) = error.code() else {
        return Failure::unreachable(operation, &DisplayErrorContext(error).to_string());
    };
    let failure = Failure::of_aws(operation, code, error.message().unwrap_or("AWS gave no message"), status);
    if let Some(whole) = &failure.whole {
        tracing::info!(operation, code, "{whole}");
    }
    failure
}

/// What STS said, if the call never left because there were no credentials for it.
fn of_the_role(place: &Elsewhere, error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>() {
            return Some(Failure::role_not_assumed(&place.role, failure("AssumeRole", refused)));
        }
        cause = error.source();
    }
    None
}
