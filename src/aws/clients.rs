//! AWS, as the function reaches it: the clients, on one connection pool.
//!
//! Owns how they are made: each when it is first used, because a client reads its service's endpoint rules and the
//! roots. `reach` makes those of other accounts and Regions.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_ec2::config::Region;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_smithy_http_client::HttpClientError;
use aws_smithy_http_client::tls::TrustStore;
use aws_types::SdkConfig;
use jiff::Timestamp;

use crate::model::Elsewhere;
use crate::ports::{Calls, Clock, Trail};

use super::clock::LambdaClock;
use super::config::{Variable, config};
use super::requests::Requests;

/// What was made for each place, and in which run: at most one set of clients a place.
pub(super) type Kept = Arc<Mutex<BTreeMap<Elsewhere, (String, Aws)>>>;

/// A client that is made when it is first used.
pub(super) type WhenUsed<C> = Arc<LazyLock<C, Box<dyn FnOnce() -> C + Send>>>;

/// AWS, as the function reaches it: at home, or with another account's or Region's EC2 and CloudWatch.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    pub(super) ec2: WhenUsed<aws_sdk_ec2::Client>,
    #[cfg(feature = "muting")]
    pub(super) cloudwatch: WhenUsed<aws_sdk_cloudwatch::Client>,
    #[cfg(feature = "kms")]
    pub(super) kms: WhenUsed<aws_sdk_kms::Client>,
    #[cfg(feature = "events")]
    pub(super) eventbridge: WhenUsed<aws_sdk_eventbridge::Client>,
    pub(super) ses: WhenUsed<aws_sdk_ses::Client>,
    pub(super) logs: WhenUsed<aws_sdk_cloudwatchlogs::Client>,
    pub(super) log_group: Option<String>,
    /// Of what all clients are made; its credentials are the function's own.
    pub(super) config: SdkConfig,
    /// The place of EC2 and CloudWatch, if it is not the stack's.
    pub(super) place: Option<Elsewhere>,
    /// What was made for other places.
    pub(super) kept: Kept,
    clock: LambdaClock,
    requests: Requests,
}

impl Aws {
    /// AWS as `variable`, the environment's, tells of it. `trusted` is whom TLS trusts.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(crate) fn connect(
        variable: Variable,
        trusted: TrustStore,
        clock: LambdaClock,
    ) -> Result<Self, HttpClientError> {
        let config = config(variable, trusted, clock)?;
        Ok(Self::new(&config, variable("PHASE_LOG_GROUP"), variable("SES_REGION"), clock))
    }

    /// `log_group` is the phase log's; without one, lines go to stdout only. `ses_region` is SES's where it is not the
    /// function's.
    pub(super) fn new(
        config: &SdkConfig,
        log_group: Option<String>,
        ses_region: Option<String>,
        clock: LambdaClock,
    ) -> Self {
        let requests = Requests::default();
        Self {
            ec2: ec2(config, &requests),
            #[cfg(feature = "muting")]
            cloudwatch: cloudwatch(config, &requests),
            #[cfg(feature = "kms")]
            kms: kms(config, &requests),
            #[cfg(feature = "events")]
            eventbridge: eventbridge(config, &requests),
            ses: ses(config, &requests, ses_region),
            logs: logs(config, &requests),
            log_group,
            config: config.clone(),
            place: None,
            kept: Kept::default(),
            clock,
            requests,
        }
    }

    /// The same with the EC2, KMS and CloudWatch of another place, of which `config` is.
    pub(super) fn at(&self, place: &Elsewhere, config: &SdkConfig) -> Self {
        Self {
            ec2: ec2(config, &self.requests),
            #[cfg(feature = "muting")]
            cloudwatch: cloudwatch(config, &self.requests),
            #[cfg(feature = "kms")]
            kms: kms(config, &self.requests),
            place: Some(place.clone()),
            kept: Kept::default(),
            ..self.clone()
        }
    }

    /// The stack's own Region.
    pub(super) fn home(&self) -> &str {
        self.config.region().map_or("", |region| region.as_ref())
    }
}

fn when_used<C>(
    config: &SdkConfig,
    requests: &Requests,
    make: impl FnOnce(&SdkConfig, Requests) -> C + Send + 'static,
) -> WhenUsed<C> {
    let (config, requests) = (config.clone(), requests.clone());
    Arc::new(LazyLock::new(Box::new(move || make(&config, requests))))
}

fn ec2(config: &SdkConfig, requests: &Requests) -> WhenUsed<aws_sdk_ec2::Client> {
    when_used(config, requests, |config, requests| {
        aws_sdk_ec2::Client::from_conf(one_attempt(config).interceptor(requests).build())
    })
}

#[cfg(feature = "muting")]
fn cloudwatch(config: &SdkConfig, requests: &Requests) -> WhenUsed<aws_sdk_cloudwatch::Client> {
    when_used(config, requests, |config, requests| {
        let config = aws_sdk_cloudwatch::config::Builder::from(config).interceptor(requests);
        aws_sdk_cloudwatch::Client::from_conf(config.build())
    })
}

fn ses(config: &SdkConfig, requests: &Requests, region: Option<String>) -> WhenUsed<aws_sdk_ses::Client> {
    when_used(config, requests, |config, requests| {
        // A lost answer must not become a second mail.
        let mut config = aws_sdk_ses::config::Builder::from(config)
            .retry_config(RetryConfig::disabled())
            .interceptor(requests);
        if let Some(region) = region {
            config.set_region(Some(Region::new(region)));
        }
        aws_sdk_ses::Client::from_conf(config.build())
    })
}

fn logs(config: &SdkConfig, requests: &Requests) -> WhenUsed<aws_sdk_cloudwatchlogs::Client> {
    when_used(config, requests, |config, requests| {
        let config = aws_sdk_cloudwatchlogs::config::Builder::from(config).interceptor(requests);
        aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
    })
}

#[cfg(feature = "kms")]
fn kms(config: &SdkConfig, requests: &Requests) -> WhenUsed<aws_sdk_kms::Client> {
    when_used(config, requests, |config, requests| {
        let config = aws_sdk_kms::config::Builder::from(config).interceptor(requests);
        aws_sdk_kms::Client::from_conf(config.build())
    })
}

#[cfg(feature = "events")]
fn eventbridge(config: &SdkConfig, requests: &Requests) -> WhenUsed<aws_sdk_eventbridge::Client> {
    when_used(config, requests, |config, requests| {
        let config = aws_sdk_eventbridge::config::Builder::from(config).interceptor(requests);
        aws_sdk_eventbridge::Client::from_conf(config.build())
    })
}

/// The SDK would retry throttles and 5xx (a missing capacity too) unseen, past our token buckets.
pub(super) fn one_attempt(config: &SdkConfig) -> aws_sdk_ec2::config::Builder {
    aws_sdk_ec2::config::Builder::from(config).retry_config(RetryConfig::disabled())
}

impl Clock for Aws {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    fn chance(&self) -> f64 {
        self.clock.chance()
    }
}

impl Trail for Aws {
    fn calls(&self) -> Calls {
        self.requests.calls()
    }

    /// CloudWatch takes metrics out of a line that is one JSON object; tracing would wrap it.
    #[allow(clippy::print_stdout, reason = "stdout is Lambda's log")]
    fn record(&self, record: &serde_json::Value) {
        println!("{record}");
    }
}
