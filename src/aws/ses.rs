//! SES: sends the report, and says which identities are verified.

use std::collections::BTreeSet;

use aws_sdk_ses::types::{Body, Content, Destination, Message, VerificationStatus};

use crate::model::Failure;
use crate::ports::{Mail, ReadIdentities, SendMail};

use super::clients::Aws;
use super::failure::failure;

/// "You can specify up to 100 identities at a time" (API: GetIdentityVerificationAttributes).
const IDENTITIES_PER_CALL: usize = 100;

impl SendMail for Aws {
    async fn send(&self, from: &str, to: &[String], mail: &Mail) -> Result<String, Failure> {
        let invalid = |error: aws_sdk_ses::error::BuildError| {
            Failure::of_aws("SendEmail", "InvalidParameterValue", &error.to_string(), None)
        };
        let content = |text: &str| Content::builder().charset("UTF-8").data(text).build().map_err(invalid);
        let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
        let message = Message::builder().subject(content(&mail.subject)?).body(body).build();
        let answer = self
            .ses
            .send_email()
            .source(from)
            .destination(Destination::builder().set_to_addresses(Some(to.to_vec())).build())
            .message(message)
            .send()
            .await
            .map_err(|error| failure("SendEmail", &error))?;
        Ok(answer.message_id().to_owned())
    }
}

impl ReadIdentities for Aws {
    /// One call after the other: SES takes one of these a second.
    async fn verified(&self, identities: &[String]) -> Result<BTreeSet<String>, Failure> {
        let mut verified = BTreeSet::new();
        for identities in identities.chunks(IDENTITIES_PER_CALL) {
            let request =
                self.ses.get_identity_verification_attributes().set_identities(Some(identities.to_vec()));
            let answer =
                request.send().await.map_err(|error| failure("GetIdentityVerificationAttributes", &error))?;
            let told = answer.verification_attributes().iter();
            verified.extend(
                told.filter(|(_, told)| *told.verification_status() == VerificationStatus::Success)
                    .map(|(identity, _)| identity.clone()),
            );
        }
        Ok(verified)
    }
}
