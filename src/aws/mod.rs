//! The ports' adapters: EC2, SES, CloudWatch, CloudWatch Logs and the clock. SDK types stop here.
//!
//! Owns the clients, made once at init on one connection pool, and the translation of every failure into
//! [`Failure`]. Decides nothing.

mod clock;
mod cloudwatch;
mod ec2;
mod logs;
mod requests;
mod ses;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use crate::model::Failure;
pub(crate) use clock::LambdaClock;
use requests::Requests;

/// The SDK's default is 3.1 s to connect and no limit to read.
const CONNECT: Duration = Duration::from_secs(3);
/// A DescribeInstances page of 1,000 instances takes a few seconds.
const READ: Duration = Duration::from_secs(20);

/// AWS, as the function reaches it.
#[derive(Debug)]
pub(crate) struct Aws {
    ec2: aws_sdk_ec2::Client,
    ses: aws_sdk_ses::Client,
    cloudwatch: aws_sdk_cloudwatch::Client,
    logs: aws_sdk_cloudwatchlogs::Client,
    log_group: Option<String>,
    clock: LambdaClock,
    requests: Requests,
}

impl Aws {
    /// Makes the clients. `log_group` is the phase log's; without one, lines go to stdout only. `ses_region` is SES's
    /// where it is not the function's.
    pub(crate) async fn connect(
        log_group: Option<String>,
        ses_region: Option<String>,
        clock: LambdaClock,
    ) -> Self {
        // ring, not aws-lc: its first handshake costs a tenth of the CPU, and a 128 MB function has a fourteenth
        // of a vCPU. Given up for it: post-quantum key exchange.
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http.build_https())
            .timeout_config(timeouts)
            .load()
            .await;
        Self::new(&config, log_group, ses_region, clock)
    }

    fn new(
        config: &SdkConfig,
        log_group: Option<String>,
        ses_region: Option<String>,
        clock: LambdaClock,
    ) -> Self {
        let requests = Requests::default();
        let ec2 = one_attempt(config).interceptor(requests.clone());
        // A lost answer must not become a second mail.
        let mut ses = aws_sdk_ses::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .interceptor(requests.clone());
        if let Some(region) = ses_region {
            ses.set_region(Some(Region::new(region)));
        }
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(config).interceptor(requests.clone());
        let cloudwatch = aws_sdk_cloudwatch::config::Builder::from(config).interceptor(requests.clone());
        Self {
            ec2: aws_sdk_ec2::Client::from_conf(ec2.build()),
            ses: aws_sdk_ses::Client::from_conf(ses.build()),
            cloudwatch: aws_sdk_cloudwatch::Client::from_conf(cloudwatch.build()),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs.build()),
            log_group,
            clock,
            requests,
        }
    }
}

/// The SDK would retry throttles and 5xx (a missing capacity too) unseen, past our token buckets.
fn one_attempt(config: &SdkConfig) -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Builder::from(config).retry_config(RetryConfig::disabled())
}

/// Our own failure for any of the SDK's. A failure without a code of AWS is one without an answer of AWS.
fn failure<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> Failure
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let status = error.raw_response().map(|answer| answer.status().as_u16());
    match error.code() {
        Some(code) => {
            let failure =
                Failure::of_aws(operation, code, error.message().unwrap_or("AWS gave no message"), status);
            if let Some(whole) = &failure.whole {
                tracing::info!(operation, code, "{whole}");
            }
            failure
        }
        None => Failure::unreachable(operation, &DisplayErrorContext(&error).to_string()),
    }
}

#[cfg(test)]
mod tests;
