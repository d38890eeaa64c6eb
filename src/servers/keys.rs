//! The keys of servers.toml, and in plain words what each may be.
//!
//! Owns names, words and limits; docs/servers.schema.json tells editors the same, and a test holds the two together.

/// The branches of the state machine's Parallel: more would not be read in the console any more.
pub(super) const MOST_ENVIRONMENTS: usize = 20;
/// The tiers of one branch.
pub(super) const MOST_TIERS: usize = 6;
/// Environments and tiers stand in state names, which have at most 80 characters
/// (<https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>).
pub(super) const LONGEST_NAME: usize = 24;
/// An execution of hours is a mistake in the file: a whole day at most.
pub(super) const LONGEST_MINUTES: u64 = 24 * 60;
/// "A filter value has at most 255 characters" (EC2 refuses longer ones; ansible-collections/amazon.aws, issue 2393).
pub(super) const LONGEST_FILTER: usize = 255;
/// "Maximum key length – 128 Unicode characters" and "maximum number of tags per resource – 50"
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>).
pub(super) const LONGEST_TAG_KEY: usize = 128;
pub(super) const MOST_TAGS: usize = 50;
/// More than any server costs an hour, in any currency: what is more is a mistake, and its sums could not be told.
pub(super) const HIGHEST_AMOUNT: f64 = 100_000_000.0;
/// What a list must say before it may be stopped by force, unless nothing starts after it.
pub(super) const ACCEPTS_DATA_LOSS: &str = "data loss";

/// Whether a character is not seen and changes how others are: zero-width ones, and those of writing direction. The
/// two joiners are not among them, which some scripts need (<https://www.unicode.org/reports/tr9/>, tr36).
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Names of schedules stand in logical ids and descriptions of the template.
pub(super) const LONGEST_SCHEDULE_NAME: usize = 40;
/// Far below CloudFormation's 500 resources of a template, of which the product's own are about forty
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
pub(super) const MOST_SCHEDULES: usize = 100;

/// How to write a list, where it was written as a single table.
pub(super) const IN_TWO_BRACKETS: &str = "write [[list]], in two brackets, above each list";

/// A key of one of the file's tables.
pub(super) struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What is expected behind it; stands after "write".
    pub expected: &'static str,
    /// A value that could stand there.
    pub example: &'static str,
}

const fn key(name: &'static str, expected: &'static str, example: &'static str) -> Key {
    Key { name, expected, example }
}

pub(super) const TIERS: Key = key(
    "tiers",
    "1 to 6 tiers in the order of their start, each of 1 to 24 letters, digits, - and _, in quotes",
    "[\"db\", \"app\"]",
);
pub(super) const LISTS: Key = key("list", "[[list]] above each list", "[[list]]");
pub(super) const ENVIRONMENTS: Key = key(
    "environment",
    "[environment.NAME] above the keys of an environment that is elsewhere, or that a person is asked about",
    "[environment.preprod]",
);
pub(super) const SCHEDULES: Key = key("schedule", "[[schedule]] above each schedule", "[[schedule]]");
/// The keys outside of any table.
pub(super) const OF_FILE: [&Key; 4] = [&TIERS, &LISTS, &ENVIRONMENTS, &SCHEDULES];

pub(super) const ROLE_ARN: Key = key(
    "role_arn",
    "the ARN of the role that member.yaml has made there, in quotes",
    "\"arn:aws:iam::210987654321:role/ec2-start-stop-member\"",
);
pub(super) const EXTERNAL_ID: Key = key(
    "external_id",
    "2 to 1224 letters, digits and any of _ + = , . @ : / -, in quotes",
    "\"start-stop-of-preprod\"",
);
pub(super) const REGION: Key = key("region", "a Region, in quotes", "\"eu-central-1\"");
pub(super) const APPROVE: Key =
    key("approve", "which actions wait for a person's yes: start, stop or both, in quotes", "[\"stop\"]");
pub(super) const APPROVE_MINUTES: Key =
    key("approve_minutes", "a whole number from 1 to 1440 without quotes", "60");
pub(super) const APPROVE_SILENCE: Key = key(
    "approve_silence",
    "what happens if nobody answers: leave alone or go on, in quotes",
    "\"leave alone\"",
);
/// For how long a yes is waited for where the file does not say.
pub(super) const USUAL_APPROVE_MINUTES: u64 = 60;
/// The keys of an environment's table.
pub(super) const OF_ENVIRONMENT: [&Key; 6] =
    [&ROLE_ARN, &EXTERNAL_ID, &REGION, &APPROVE, &APPROVE_MINUTES, &APPROVE_SILENCE];

pub(super) const NUMBER: Key = key("number", "a whole number from 0 to 4294967295 without quotes", "3");
pub(super) const ENVIRONMENT: Key =
    key("environment", "1 to 24 letters, digits, - and _, in quotes", "\"dev\"");
pub(super) const TIER: Key = key("tier", "one of the tiers, in quotes", "\"db\"");
pub(super) const NAME: Key = key("name", "a line for people, in quotes", "\"development db servers\"");
pub(super) const SERVERS: Key = key("servers", "Name tags, each in quotes", "[\"web1\", \"web2\"]");
pub(super) const TAGS: Key =
    key("tags", "the tags that an instance must carry", "{ Environment = \"dev\", Tier = \"db\" }");
pub(super) const READY: Key =
    key("ready", "running, status-checks or application, in quotes", "\"status-checks\"");
pub(super) const TIMEOUT: Key = key("timeout_minutes", "a whole number from 1 to 1440 without quotes", "15");
pub(super) const SETTLE: Key = key("settle_seconds", "a whole number from 0 to 86400 without quotes", "30");
pub(super) const MINIMUM: Key = key("minimum", "\"all\", or a whole number from 1 without quotes", "2");
pub(super) const MINIMUM_AFTER: Key =
    key("minimum_after_minutes", "a whole number from 1 without quotes, less than timeout_minutes", "10");
pub(super) const FORCE_STOP_AFTER: Key =
    key("force_stop_after_minutes", "a whole number from 1 without quotes, less than timeout_minutes", "10");
pub(super) const FORCE_STOP_ACCEPTS: Key =
    key("force_stop_accepts", "the words \"data loss\" if you accept that, or nothing", "\"data loss\"");
pub(super) const RATE: Key = key(
    "hourly_rate",
    "what one server costs an hour, with the currency",
    "{ amount = 0.0964, currency = \"USD\" }",
);
/// The keys of a list.
pub(super) const OF_LIST: [&Key; 14] = [
    &NUMBER,
    &ENVIRONMENT,
    &TIER,
    &NAME,
    &SERVERS,
    &TAGS,
    &READY,
    &TIMEOUT,
    &SETTLE,
    &MINIMUM,
    &MINIMUM_AFTER,
    &FORCE_STOP_AFTER,
    &FORCE_STOP_ACCEPTS,
    &RATE,
];

pub(super) const AMOUNT: Key = key("amount", "a number above 0, at most 100000000, without quotes", "0.0964");
pub(super) const CURRENCY: Key = key("currency", "three capital letters, in quotes", "\"USD\"");
/// The keys of a list's rate.
pub(super) const OF_RATE: [&Key; 2] = [&AMOUNT, &CURRENCY];

pub(super) const SCHEDULE_NAME: Key =
    key("name", "1 to 40 letters, digits, - and _, in quotes", "\"weekday-mornings\"");
pub(super) const SCHEDULE_ACTION: Key = key("action", "start, stop or check, in quotes", "\"start\"");
pub(super) const SCHEDULE_ENVIRONMENTS: Key =
    key("environments", "environments, each in quotes; leave it out for all", "[\"dev\", \"test\"]");
pub(super) const EXPRESSION: Key =
    key("expression", "cron(…), rate(…) or at(…), in quotes", "\"cron(0 7 ? * MON-FRI *)\"");
pub(super) const TIME_ZONE: Key = key("time_zone", "an IANA time zone, in quotes", "\"Europe/Madrid\"");
pub(super) const ENABLED: Key = key("enabled", "true or false, without quotes", "true");
pub(super) const CALENDAR: Key =
    key("calendar", "the name or the ARN of an SSM Change Calendar, in quotes", "\"holidays\"");
/// The keys of a schedule.
pub(super) const OF_SCHEDULE: [&Key; 7] =
    [&SCHEDULE_NAME, &SCHEDULE_ACTION, &SCHEDULE_ENVIRONMENTS, &EXPRESSION, &TIME_ZONE, &ENABLED, &CALENDAR];

/// Every key with the tables that it stands in, `list.number` for example.
pub(crate) fn names() -> Vec<String> {
    let within = |table: &str, keys: &[&Key]| -> Vec<String> {
        keys.iter().map(|key| format!("{table}{}", key.name)).collect()
    };
    [
        within("", &OF_FILE),
        within("list.", &OF_LIST),
        within("list.hourly_rate.", &OF_RATE),
        within("environment.NAME.", &OF_ENVIRONMENT),
        within("schedule.", &OF_SCHEDULE),
    ]
    .concat()
}
