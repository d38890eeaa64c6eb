//! The function's settings, from its environment variables: read once, at init.
//!
//! Owns their names and checks. What is wrong is said by every invocation, under a name that the state machine
//! knows: an init that fails would only be told in the function's log.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::lambda::handler::{HandlerError, Settings};
use crate::muting::{LONGEST_WINDOW, Muting};
use crate::servers::file::ServerLists;

/// The shipped servers.toml; build.rs has checked it.
const SHIPPED: &str = include_str!("../../servers.toml");

/// Reads the settings; `variable` gives an environment variable's value.
///
/// # Errors
/// [`HandlerError::Misconfigured`] or [`HandlerError::InvalidServersFile`].
pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, HandlerError> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let text = match variable("SERVERS_FILE") {
        None => SHIPPED.to_owned(),
        Some(path) => std::fs::read_to_string(&path)
            .map_err(|error| HandlerError::Misconfigured(format!("SERVERS_FILE {path}: {error}")))?,
    };
    let zone = variable("TIME_ZONE").unwrap_or_else(|| "UTC".to_owned());
    let recipients = variable("MAIL_RECIPIENTS").unwrap_or_default();
    let recipients: Vec<String> =
        recipients.split(',').map(|to| to.trim().to_owned()).filter(|to| !to.is_empty()).collect();
    let sender = variable("MAIL_SENDER").map(|sender| sender.trim().to_owned());
    for address in recipients.iter().chain(&sender) {
        check_address(address)?;
    }
    Ok(Settings {
        lists: ServerLists::parse(&text)?,
        zone: TimeZone::get(&zone)
            .map_err(|error| HandlerError::Misconfigured(format!("TIME_ZONE: {error}")))?,
        region: variable("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned()),
        stack: variable("STACK_NAME").unwrap_or_else(|| "local".to_owned()),
        sender,
        recipients,
        muting: muting(variable)?,
    })
}

/// Without `MUTE_ALARMS = on` no alarm is touched.
fn muting(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Muting>, HandlerError> {
    match variable("MUTE_ALARMS").as_deref() {
        None | Some("off") => return Ok(None),
        Some("on") => {}
        Some(other) => {
            return Err(HandlerError::Misconfigured(format!(
                "MUTE_ALARMS is {other}; on or off is expected"
            )));
        }
    }
    let stack = variable("STACK_NAME").ok_or_else(|| {
        HandlerError::Misconfigured("STACK_NAME is not set; the mute rules are named after it".to_owned())
    })?;
    let hours = variable("MUTE_HOURS").unwrap_or_default();
    let window = hours.parse().ok().filter(|hours| (1..=LONGEST_WINDOW.as_hours()).contains(hours));
    let window = window.map(SignedDuration::from_hours).ok_or_else(|| {
        let most = LONGEST_WINDOW.as_hours();
        HandlerError::Misconfigured(format!(
            "MUTE_HOURS is \"{hours}\"; a number from 1 to {most} is expected"
        ))
    })?;
    Ok(Some(Muting { stack, window }))
}

/// One malformed recipient makes SES reject the whole mail (API: SendEmail), so it is refused by name before.
fn check_address(address: &str) -> Result<(), HandlerError> {
    let plain =
        !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
    let whole = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.contains('@')
            && domain.split('.').all(|label| !label.is_empty())
            && domain.contains('.')
    });
    if plain && whole {
        return Ok(());
    }
    Err(HandlerError::Misconfigured(format!(
        "\"{address}\" in MAIL_SENDER or MAIL_RECIPIENTS is not a mail address"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(settings: &[(&str, &str)]) -> Result<Settings, HandlerError> {
        read(|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn without_any_variable_the_shipped_lists_and_utc_are_used() {
        let settings = with(&[]).expect("defaults");
        assert_eq!(settings.lists.lists.len(), 6);
        assert_eq!(settings.zone, TimeZone::UTC);
    }

    #[test]
    fn no_alarm_is_muted_unless_it_is_asked_for() {
        assert_eq!(with(&[]).expect("defaults").muting, None);
        assert_eq!(with(&[("MUTE_ALARMS", "off"), ("MUTE_HOURS", "x")]).expect("off").muting, None);
        let on = [("MUTE_ALARMS", "on"), ("MUTE_HOURS", "64"), ("STACK_NAME", "nights")];
        let muting = with(&on).expect("on").muting.expect("muting");
        assert_eq!((muting.stack.as_str(), muting.window.as_hours()), ("nights", 64));
    }

    #[test]
    fn a_muting_that_cannot_work_is_refused() {
        for bad in [
            &[("MUTE_ALARMS", "yes")][..],
            &[("MUTE_ALARMS", "on"), ("MUTE_HOURS", "64")],
            &[("MUTE_ALARMS", "on"), ("STACK_NAME", "nights")],
            &[("MUTE_ALARMS", "on"), ("STACK_NAME", "nights"), ("MUTE_HOURS", "0")],
            &[("MUTE_ALARMS", "on"), ("STACK_NAME", "nights"), ("MUTE_HOURS", "361")],
        ] {
            assert_eq!(with(bad).expect_err("bad").name(), "Misconfigured", "{bad:?}");
        }
    }

    #[test]
    fn several_recipients_are_separated_by_commas() {
        let settings = with(&[("MAIL_RECIPIENTS", "a@example.com, b@example.com")]).expect("good addresses");
        assert_eq!(settings.recipients, ["a@example.com", "b@example.com"]);
    }

    #[test]
    fn a_malformed_recipient_is_refused_by_name() {
        for address in ["ops", "ops@", "@example.com", "ops@example", "a b@example.com", "a@b@example.com"] {
            let error = with(&[("MAIL_RECIPIENTS", address)]).expect_err(address);
            assert_eq!(error.name(), "Misconfigured");
            assert!(error.to_string().contains(address));
        }
    }

    #[test]
    fn a_servers_file_that_is_not_there_and_a_zone_that_is_none_are_refused() {
        assert_eq!(with(&[("SERVERS_FILE", "/nowhere.toml")]).expect_err("no file").name(), "Misconfigured");
        assert_eq!(with(&[("TIME_ZONE", "Middle/Earth")]).expect_err("no zone").name(), "Misconfigured");
    }
}
