//! The ports' adapters: EC2, SES, KMS, CloudWatch, CloudWatch Logs, EventBridge, the clock, and the roles of other accounts. SDK types
//! stop here. Decides nothing.
//!
//! `clients` holds what the adapters call by, `failure` what becomes of an error of the SDK; a file an adapter.

mod clients;
mod clock;
#[cfg(feature = "muting")]
mod cloudwatch;
mod config;
mod ec2;
#[cfg(feature = "events")]
mod eventbridge;
mod failure;
mod kms;
mod logs;
#[cfg(not(feature = "events"))]
mod no_events;
#[cfg(not(feature = "muting"))]
mod no_muting;
mod reach;
mod requests;
mod role;
mod ses;
mod trust;

pub(crate) use clients::Aws;
pub(crate) use clock::LambdaClock;
pub(crate) use config::Variable;
pub(crate) use trust::trust;

#[cfg(test)]
mod tests;
