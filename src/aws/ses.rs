//! SES: sends the report.

use aws_sdk_ses::types::{Body, Content, Destination, Message};

use crate::model::Failure;
use crate::ports::{Mail, SendMail};

use super::clients::Aws;
use super::failure::failure;

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
