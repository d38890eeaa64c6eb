//! The SDK's configuration, from the environment variables that Lambda and the template set.
//!
//! Owns which of AWS's own variables count. The crate aws-config would read all of them and profiles' files too, and look
//! for credentials in places that a function does not have: 0.3 MB of the zipped artefact.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_http_client::HttpClientError;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_types::SdkConfig;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use super::clock::LambdaClock;

/// The SDK's default is 3.1 s to connect and no limit to read.
const CONNECT: Duration = Duration::from_secs(3);
/// A DescribeInstances page of 1,000 instances takes a few seconds.
const READ: Duration = Duration::from_secs(20);

/// Gives an environment variable's value. No closure: clients that are made later ask it too.
pub(crate) type Variable = fn(&str) -> Option<String>;

/// Of what all clients are made. `trusted` is whom TLS trusts.
///
/// # Errors
/// TLS cannot be set up.
pub(super) fn config(
    variable: Variable,
    trusted: TrustStore,
    clock: LambdaClock,
) -> Result<SdkConfig, HttpClientError> {
    // ring, not aws-lc: its first handshake costs a tenth of the CPU, and a 128 MB function has a fourteenth of a vCPU.
    // Given up for it: post-quantum key exchange.
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trusted).build()?);
    let on = |name: &str| variable(name).map(|value| value.trim().eq_ignore_ascii_case("true"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(variable("AWS_REGION").map(Region::new))
        .service_config(Endpoints(variable))
        .http_client(http.build_https())
        .retry_config(RetryConfig::standard())
        .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build())
        // A role's credentials end by the clock that the invocation runs by.
        .time_source(clock);
    config.set_credentials_provider(credentials(variable).map(SharedCredentialsProvider::new));
    config.set_sleep_impl(default_async_sleep());
    config.set_use_fips(on("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(on("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(config.build())
}

/// The function's own, as Lambda gives them: good as long as the process lives.
fn credentials(variable: Variable) -> Option<Credentials> {
    let given = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let (id, secret) = (given("AWS_ACCESS_KEY_ID")?, given("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret, given("AWS_SESSION_TOKEN"), None, "Lambda"))
}

/// Where a service listens, if not at its own address: `AWS_ENDPOINT_URL_EC2` for one, `AWS_ENDPOINT_URL` for all
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
struct Endpoints(Variable);

impl std::fmt::Debug for Endpoints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoints")
    }
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let Self(variable) = self;
        let service = key.service_id().to_uppercase().replace([' ', '-'], "_");
        let given = |name: &str| variable(name).filter(|address| !address.trim().is_empty());
        given(&format!("{}_{service}", key.env())).or_else(|| given(key.env()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(service: &str, variable: Variable) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("none");
        Endpoints(variable).load_config(key.build().expect("all that it needs"))
    }

    #[test]
    fn without_a_variable_a_service_is_at_its_own_address() {
        assert_eq!(endpoint("EC2", |_| None), None);
        assert_eq!(endpoint("EC2", |_| Some(String::new())), None);
    }

    #[test]
    fn an_address_for_one_service_goes_before_that_for_all() {
        let variable: Variable = |name| match name {
            "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS" => Some("https://logs.example.com".to_owned()),
            "AWS_ENDPOINT_URL" => Some("https://all.example.com".to_owned()),
            _ => None,
        };
        assert_eq!(endpoint("CloudWatch Logs", variable).as_deref(), Some("https://logs.example.com"));
        assert_eq!(endpoint("EC2", variable).as_deref(), Some("https://all.example.com"));
    }

    #[test]
    fn half_of_the_credentials_are_none() {
        let whole: Variable = |name| name.starts_with("AWS_").then(|| name.to_lowercase());
        let read = credentials(whole).expect("all are set");
        assert_eq!(
            (read.access_key_id(), read.session_token()),
            ("aws_access_key_id", Some("aws_session_token"))
        );
        assert!(credentials(|name| (name == "AWS_ACCESS_KEY_ID").then(String::new)).is_none());
        assert!(credentials(|name| (name == "AWS_SECRET_ACCESS_KEY").then(|| "s".to_owned())).is_none());
    }

    #[test]
    fn the_function_speaks_to_the_region_and_the_kind_of_endpoint_that_its_variables_name() {
        let read = |variable| config(variable, TrustStore::empty(), LambdaClock::REAL).expect("TLS");
        let plain = read(|_| None);
        assert_eq!((plain.use_fips(), plain.use_dual_stack()), (None, None));
        let named = read(|name| match name {
            "AWS_REGION" => Some("us-gov-west-1".to_owned()),
            "AWS_USE_FIPS_ENDPOINT" => Some("true".to_owned()),
            "AWS_USE_DUALSTACK_ENDPOINT" => Some("false".to_owned()),
            _ => None,
        });
        assert_eq!(named.region().map(Region::as_ref), Some("us-gov-west-1"));
        assert_eq!((named.use_fips(), named.use_dual_stack()), (Some(true), Some(false)));
    }
}
