//! What a phase needs of the world, in our own types.
//!
//! Owns the traits and the values that cross them. Reading and changing are different ports. The
//! adapters are in `aws`; the tests' fakes are written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Elsewhere, Failure, Instance, StatusChecks, StopKind};

/// Which instances a list means: names and tags narrow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection<'a> {
    /// Name tags, literally.
    pub names: &'a [String],
    /// Tags that an instance must carry, literally.
    pub tags: &'a BTreeMap<String, String>,
}

impl Selection<'_> {
    /// Whether it means no instance at all. To EC2 an empty filter means every instance: it is never sent.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.tags.is_empty()
    }
}

/// Reads instances.
pub(crate) trait ReadInstances {
    /// All live instances (not terminated, not shutting down) that the selection means, all pages.
    async fn instances(&self, selection: Selection<'_>) -> Result<Vec<Instance>, Failure>;
    /// These instances, whatever their state and tags; an id that EC2 does not know is left out.
    async fn instances_by_id(&self, ids: &[String]) -> Result<Vec<Instance>, Failure>;
    /// The status checks of these instances, whatever their state; an id that EC2 leaves out is left out.
    async fn status_checks(&self, ids: &[String]) -> Result<BTreeMap<String, StatusChecks>, Failure>;
    /// The ARNs of the KMS keys of these instances' encrypted volumes, and whose volumes they are. No instance, no call.
    async fn volume_keys(&self, ids: &[String]) -> Result<BTreeMap<String, BTreeSet<String>>, Failure>;
}

/// Changes instances. One call is one request to EC2: no hidden retries.
pub(crate) trait ChangeInstances {
    /// StartInstances.
    async fn start(&self, ids: &[String]) -> Result<(), Failure>;
    /// StopInstances.
    async fn stop(&self, ids: &[String], kind: StopKind) -> Result<(), Failure>;
}

/// Asks EC2 whether a change would be allowed, and changes nothing: DryRun.
pub(crate) trait TryChanges {
    /// Whether EC2 would take StartInstances.
    async fn try_start(&self, ids: &[String]) -> Result<(), Failure>;
    /// Whether EC2 would take StopInstances.
    async fn try_stop(&self, ids: &[String]) -> Result<(), Failure>;
}

/// A CloudWatch metric alarm, cut down to which instances it watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alarm {
    /// Its name: unique in account and Region.
    pub name: String,
    /// The values of its `InstanceId` dimensions, those of the metrics in its metric math too.
    pub instance_ids: BTreeSet<String>,
}

/// A CloudWatch alarm mute rule: one window in which alarms take no action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MuteRule {
    /// Its name: unique in account and Region.
    pub name: String,
    /// The names of the alarms. To CloudWatch a rule without any means every alarm: it is never sent.
    pub alarms: BTreeSet<String>,
    /// When the window begins, to the minute.
    pub begins: Timestamp,
    /// When it ends and the rule expires, to the minute.
    pub ends: Timestamp,
}

impl MuteRule {
    /// The number of a rule by its name, if it is of this family: the family and a number, nothing else.
    pub(crate) fn number(family: &str, name: &str) -> Option<u32> {
        let digits =
            name.strip_prefix(family).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse().ok()
    }
}

/// Mutes alarms.
pub(crate) trait MuteAlarms {
    /// All metric alarms that watch an instance, all pages.
    async fn alarms(&self) -> Result<Vec<Alarm>, Failure>;
    /// The mute rules of one family: `family` and a number.
    async fn mute_rules(&self, family: &str) -> Result<Vec<MuteRule>, Failure>;
    /// PutAlarmMuteRule: makes the rule, or puts it in the place of the one of its name.
    async fn put_mute_rule(&self, rule: &MuteRule) -> Result<(), Failure>;
    /// DeleteAlarmMuteRule: its alarms are heard at once. A rule that is not there is no error.
    async fn delete_mute_rule(&self, name: &str) -> Result<(), Failure>;
}

/// Writes the phase log.
pub(crate) trait PhaseLog {
    /// Adds lines to the run's stream, in order.
    async fn write(&self, stream: &str, lines: &[LogLine]) -> Result<(), Failure>;
}

/// A line of the phase log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogLine {
    /// When it happened.
    pub at: Timestamp,
    /// Environment and tier: the phases of a run share its stream.
    pub phase: String,
    /// The server's key, if it is about one server.
    pub server: Option<String>,
    /// What happened, as a person would tell it.
    pub text: String,
}

/// A mail with both bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The subject, one line.
    pub subject: String,
    /// The body for terminals and old phones.
    pub text: String,
    /// The body for everyone else.
    pub html: String,
}

/// Sends the report.
pub(crate) trait SendMail {
    /// Sends one mail to all recipients and returns SES's message id.
    async fn send(&self, from: &str, to: &[String], mail: &Mail) -> Result<String, Failure>;
}

/// Says which mail identities may be used.
pub(crate) trait ReadIdentities {
    /// Those of these addresses and domains that SES has verified.
    async fn verified(&self, identities: &[String]) -> Result<BTreeSet<String>, Failure>;
}

/// A KMS key, as DescribeKey shows it: what it says of itself, and nothing of who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// KMS's word, `Enabled` for example.
    pub state: String,
}

/// Reads KMS keys.
pub(crate) trait ReadKeys {
    /// The key of this ARN.
    async fn key(&self, arn: &str) -> Result<Key, Failure>;
}

/// The source of our own events.
pub(crate) const EVENT_SOURCE: &str = "ec2-start-stop";

/// An event of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BusEvent {
    /// What kind of event it is.
    pub detail_type: &'static str,
    /// Its detail, a JSON object.
    pub detail: String,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
    /// When it happened.
    pub at: Timestamp,
}

/// Tells whoever listens.
pub(crate) trait PutEvents {
    /// Puts one event on the account's default bus.
    async fn put_event(&self, event: &BusEvent) -> Result<(), Failure>;
}

/// Requests to AWS, every attempt of the SDK counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    /// All of them.
    pub made: u64,
    /// Those that failed because there were too many.
    pub throttled: u64,
}

/// Leaves the machine's trail.
pub(crate) trait Trail {
    /// The requests since this was last asked.
    fn calls(&self) -> Calls;
    /// Writes one record, one line.
    fn record(&self, record: &serde_json::Value);
}

/// Time and chance.
pub(crate) trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, duration: Duration);
    /// A number in 0.0 ..= 1.0 that differs from call to call: jitter.
    fn chance(&self) -> f64;
}

/// Reaches environments in other accounts and Regions.
pub(crate) trait Reach {
    /// The world as it is there: instances and alarms are the place's, everything else stays. It makes no call: the
    /// first one that the place is asked assumes the role, in a session that is named after the run.
    async fn reach(&self, place: Option<&Elsewhere>, run: &str) -> impl Deref<Target = Self>;
}

/// All that a phase needs.
pub(crate) trait World: ReadInstances + ChangeInstances + TryChanges + Clock {}

impl<T: ReadInstances + ChangeInstances + TryChanges + Clock> World for T {}
