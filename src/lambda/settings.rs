//! The function's settings, from its environment variables and servers.toml: read once, at init.
//!
//! Owns their names and checks. What is wrong is said by every invocation that needs it, under a name that the state
//! machine knows: an init that fails would only be told in the function's log. What is only about the mail keeps no
//! phase from running, and a bad servers.toml no mail from being sent.

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::lambda::address::{MOST_RECIPIENTS, is_address};
use crate::lambda::error::HandlerError;
use crate::muting::{LONGEST_WINDOW, Muting};
use crate::report::Place;
use crate::servers;
use crate::servers::file::ServerLists;
use crate::servers::mistake::ServersFileError;
use crate::servers::zone;

/// What the function is set up with.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// servers.toml, or what is wrong with it.
    pub lists: Result<ServerLists, ServersFileError>,
    /// The zone of dates in hold tags and of times in mails.
    pub zone: TimeZone,
    /// Where it runs: the stack, whose name is a dimension of the metrics, and what links into the console need.
    pub place: Place,
    /// Who sends the report and who gets it, or what is wrong with that.
    pub mail: Result<Addresses, String>,
    /// Whether SES has the account in its sandbox.
    pub ses_sandbox: bool,
    /// How alarms are muted, if they are.
    pub muting: Option<Muting>,
    /// Whether CloudWatch makes metrics of the records (`METRICS = on`).
    pub metrics: bool,
    /// Whether EventBridge's client is in this build.
    pub can_put_events: bool,
}

/// The mail's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// Who sends the report.
    pub sender: String,
    /// Who gets it.
    pub recipients: Vec<String>,
}

/// Reads the settings; `variable` gives an environment variable's value.
///
/// # Errors
/// [`HandlerError::Misconfigured`].
pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, HandlerError> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let zone = variable("TIME_ZONE").unwrap_or_else(|| "UTC".to_owned());
    Ok(Settings {
        lists: lists(variable("SERVERS_FILE")),
        // The stack's schedules have the same zone, and EventBridge Scheduler's reading of it counts.
        zone: zone::named(&zone)
            .map_err(|why| HandlerError::Misconfigured(format!("TIME_ZONE is {zone}: {why}")))?,
        place: place(variable),
        mail: addresses(variable("MAIL_SENDER"), variable("MAIL_RECIPIENTS")),
        // As the template's parameter, whose default is yes: a new account is in it.
        ses_sandbox: variable("SES_SANDBOX").as_deref() != Some("no"),
        muting: muting(variable)?,
        metrics: variable("METRICS").as_deref() == Some("on"),
        can_put_events: CAN_PUT_EVENTS,
    })
}

/// What the template tells of the stack (`ACCOUNT_ID` and others; docs/deploy.md).
fn place(variable: impl Fn(&str) -> Option<String>) -> Place {
    let region = variable("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned());
    let stack = variable("STACK_NAME").unwrap_or_else(|| "local".to_owned());
    Place {
        account: variable("ACCOUNT_ID"),
        partition: variable("PARTITION"),
        console_domain: variable("CONSOLE_DOMAIN"),
        log_group: variable("PHASE_LOG_GROUP"),
        ..Place::new(&region, &stack)
    }
}

/// The file beside the binary, unless `SERVERS_FILE` names another one.
fn lists(file: Option<String>) -> Result<ServerLists, ServersFileError> {
    let path = file.map_or_else(servers::beside_the_binary, PathBuf::from);
    let bytes = std::fs::read(&path)
        .map_err(|error| ServersFileError::Unreadable(format!("{}: {error}", path.display())))?;
    ServerLists::read(&bytes)
}

fn addresses(sender: Option<String>, recipients: Option<String>) -> Result<Addresses, String> {
    let sender = sender.ok_or("MAIL_SENDER is not set")?.trim().to_owned();
    let recipients = recipients.ok_or("MAIL_RECIPIENTS is not set")?;
    let recipients: Vec<String> =
        recipients.split(',').map(|to| to.trim().to_owned()).filter(|to| !to.is_empty()).collect();
    if !(1..=MOST_RECIPIENTS).contains(&recipients.len()) {
        return Err(format!(
            "MAIL_RECIPIENTS: 1 to {MOST_RECIPIENTS} are expected, found {}",
            recipients.len()
        ));
    }
    if let Some(bad) = recipients.iter().chain([&sender]).find(|address| !is_address(address)) {
        return Err(format!("\"{bad}\" in MAIL_SENDER or MAIL_RECIPIENTS is not a mail address"));
    }
    Ok(Addresses { sender, recipients })
}

/// Whether CloudWatch's client is in this build. Without the SDK there is no function, and the tests bring their own.
const CAN_MUTE: bool = cfg!(any(feature = "muting", not(feature = "aws")));

/// Whether EventBridge's client is in this build; without the SDK, the tests bring their own.
const CAN_PUT_EVENTS: bool = cfg!(any(feature = "events", not(feature = "aws")));

/// Without `MUTE_ALARMS = on` no alarm is touched.
fn muting(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Muting>, HandlerError> {
    match variable("MUTE_ALARMS").as_deref() {
        None | Some("off") => return Ok(None),
        Some("on") if CAN_MUTE => {}
        Some("on") => {
            return Err(HandlerError::Misconfigured(
                "MUTE_ALARMS is on, and this build has no feature `muting`".to_owned(),
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers.toml");

    fn with(settings: &[(&str, &str)]) -> Result<Settings, HandlerError> {
        read(|name| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn mailing(sender: &str, recipients: &str) -> Result<Addresses, String> {
        let given = [("MAIL_SENDER", sender), ("MAIL_RECIPIENTS", recipients)];
        with(&given).expect("the mail is no trouble of the rest").mail
    }

    #[test]
    fn the_lists_are_those_of_the_file_that_is_named() {
        let settings = with(&[("SERVERS_FILE", FIXTURE)]).expect("a good file");
        assert_eq!(settings.lists.expect("a good file").lists.len(), 6);
        assert_eq!(settings.zone, TimeZone::UTC);
    }

    #[test]
    fn a_file_that_is_not_there_is_no_trouble_of_the_rest() {
        let settings = with(&[("SERVERS_FILE", "/nowhere.toml")]).expect("the rest is good");
        assert!(settings.lists.expect_err("no file").to_string().contains("/nowhere.toml"));
    }

    #[test]
    fn ses_has_the_account_in_its_sandbox_unless_it_is_told_otherwise() {
        assert!(with(&[]).expect("defaults").ses_sandbox);
        assert!(with(&[("SES_SANDBOX", "yes")]).expect("yes").ses_sandbox);
        assert!(!with(&[("SES_SANDBOX", "no")]).expect("no").ses_sandbox);
    }

    #[test]
    fn a_zone_that_is_none_is_refused() {
        assert_eq!(with(&[("TIME_ZONE", "Middle/Earth")]).expect_err("no zone").name(), "Misconfigured");
    }

    #[test]
    fn a_zone_is_spelt_as_the_schedules_need_it_and_the_right_spelling_is_said() {
        assert_eq!(
            with(&[("TIME_ZONE", "Europe/Madrid")]).expect("a zone").zone.iana_name(),
            Some("Europe/Madrid")
        );
        let refused = with(&[("TIME_ZONE", "europe/madrid")]).expect_err("another spelling");
        assert!(refused.message().contains("TIME_ZONE is europe/madrid"), "{}", refused.message());
        assert!(refused.message().contains("write Europe/Madrid"), "{}", refused.message());
    }

    #[test]
    fn cloudwatch_makes_no_metrics_unless_it_is_asked_for() {
        for off in
            [&[][..], &[("METRICS", "off")], &[("METRICS", "")], &[("METRICS", "ON")], &[("METRICS", "yes")]]
        {
            assert!(!with(off).expect("no metrics").metrics, "{off:?}");
        }
        assert!(with(&[("METRICS", "on")]).expect("metrics").metrics);
    }

    #[test]
    fn several_recipients_are_separated_by_commas() {
        let mail = mailing("from@example.com", "a@example.com, b@example.com").expect("good addresses");
        assert_eq!(mail.recipients, ["a@example.com", "b@example.com"]);
    }

    #[test]
    fn a_bad_address_is_named_and_only_the_mails_trouble() {
        let refused = mailing("from@example.com", "a@example.com,ops@example.com.").expect_err("a full stop");
        assert!(refused.contains("\"ops@example.com.\""), "{refused}");
        assert!(mailing("from", "a@example.com").expect_err("no address").contains("\"from\""));
        assert!(mailing("", "a@example.com").expect_err("none").contains("MAIL_SENDER is not set"));
        assert!(mailing("from@example.com", "").expect_err("none").contains("MAIL_RECIPIENTS is not set"));
    }

    #[test]
    fn fifty_recipients_are_taken_and_fifty_one_are_not() {
        let many = |count: usize| vec!["a@example.com"; count].join(",");
        assert!(mailing("from@example.com", &many(MOST_RECIPIENTS)).is_ok());
        assert!(mailing("from@example.com", &many(MOST_RECIPIENTS + 1)).is_err());
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
}
