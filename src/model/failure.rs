//! What went wrong: code, message, what it means for the loop, and what a person can do.
//!
//! The only place that tells codes apart. A failure is classified once, when it is found: by [`Failure::of_aws`] in an
//! adapter, by [`Failure::of_state_reason`] where EC2 says why an instance changed, or by one of our own below. Its
//! wire form is code and message. EC2 has no modelled errors, so a code is a string; the list follows EC2's "Error
//! codes for the Amazon EC2 API" (<https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html>).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Action;

/// The most characters of AWS's own text in a failure. EC2's `UnauthorizedOperation` carries 1,000 to 1,700 characters
/// of encoded message, and 180 of them burst a state's payload.
const MESSAGE_CHARACTERS: usize = 300;
/// What stands before the encoded part.
const ENCODED: &str = "Encoded authorization failure message:";

/// What a failure means for the loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Too many requests: wait and send the same again. Never a server's fault.
    Throttled,
    /// AWS did not answer or had an error of its own: nobody knows whether it took the request.
    Outage,
    /// AWS says "you may not".
    Denied,
    /// No capacity now: ask again, with growing pauses, until patience ends.
    Capacity,
    /// It passes by itself: look, and ask again.
    Passing,
    /// The server is protected from being stopped: leave it alone.
    Protected,
    /// Usually a KMS key that the function may not use.
    Key,
    /// A person, or the server's own system, shut it down.
    ShutDown,
    /// There is no such server.
    Absent,
    /// A person has to change something: no use in asking again.
    Final,
}

/// What EC2 took of a run's requests for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Nothing: the run did not have to ask, or was refused.
    Nothing,
    /// Its start, or its stop.
    Request,
    /// The forced stop too, which is the last that EC2 offers.
    ForcedStop,
}

/// A failure, classified.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The API's name of the call that failed, if one did.
    pub operation: Option<&'static str>,
    /// AWS's error code, or one of ours.
    pub code: String,
    /// What happened: AWS's sentence, at most 300 characters of it and without its encoded part, or ours.
    pub message: String,
    /// AWS's whole text, where the message is only a part of it: for the phase log.
    pub whole: Option<String>,
    /// What it means for the loop.
    pub kind: Kind,
    /// What a person can do.
    pub advice: Cow<'static, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnTheWire<'a> {
    code: Cow<'a, str>,
    message: Cow<'a, str>,
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        OnTheWire { code: self.code.as_str().into(), message: self.message.as_str().into() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Failure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = OnTheWire::deserialize(deserializer)?;
        Ok(Self::classified(None, wire.code.into_owned(), wire.message.into_owned()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = self.operation {
            write!(f, "{operation}: ")?;
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{:?}]", self.kind)
    }
}

impl std::error::Error for Failure {}

impl Failure {
    /// A failed call, as the adapter got it. `status` is the HTTP status, where there was an answer: an unknown code
    /// with 500, 502, 503 or 504 is AWS's own trouble, as it is to the SDK.
    pub(crate) fn of_aws(operation: &'static str, code: &str, message: &str, status: Option<u16>) -> Self {
        let mut failure = Self::classified(Some(operation), code.to_owned(), message.to_owned());
        let unheard_of = known(code).is_none();
        if unheard_of && status.is_some_and(|status| matches!(status, 500 | 502 | 503 | 504)) {
            failure.kind = Kind::Outage;
            failure.advice = OUTAGE.into();
        }
        // The code has several reasons; only the text tells (Cloud Custodian, pull request 8007).
        if code == "OperationNotPermitted"
            && operation == "StopInstances"
            && message.contains("disableApiStop")
        {
            failure.kind = Kind::Protected;
            failure.advice = STOP_PROTECTED.into();
        }
        failure
    }

    /// A call without an answer of AWS.
    pub(crate) fn unreachable(operation: &'static str, message: &str) -> Self {
        Self::of_aws(operation, UNREACHABLE, message, None)
    }

    /// EC2's reason of an instance's last change of state, `StateReason` in the API.
    pub(crate) fn of_state_reason(code: &str, message: &str) -> Self {
        Self::classified(None, code.to_owned(), message.to_owned())
    }

    /// An error of the state machine, `$states.errorOutput`.
    pub(crate) fn of_state_machine(name: &str, cause: &str) -> Self {
        Self::classified(None, name.to_owned(), cause.to_owned())
    }

    /// A listed name that no live instance has.
    pub(crate) fn missing() -> Self {
        Self::ours(MISSING, String::new())
    }

    /// A list that selects by tags, and no instance carries them.
    pub(crate) fn nothing_selected(tags: &str) -> Self {
        Self::ours("NothingSelected", format!("no live instance carries {tags}"))
    }

    /// The list's minimum is not met, and no server of it failed.
    pub(crate) fn minimum_not_met(needed: usize, ready: usize, held: usize) -> Self {
        Self::ours("MinimumNotMet", format!("it needs {needed} ready, {ready} are, {held} held"))
    }

    /// The instance was terminated while the phase ran.
    pub(crate) fn terminated() -> Self {
        Self::ours("ServerTerminated", "it was terminated".to_owned())
    }

    /// The instance lives, but its tags do not match the list any more.
    pub(crate) fn no_longer_listed() -> Self {
        Self::ours("ServerNoLongerListed", "it no longer matches the list: its tags were changed".to_owned())
    }

    /// The start was accepted and the instance fell back to `stopped`, and EC2 gave no reason.
    pub(crate) fn bounced() -> Self {
        Self::ours("StartBounced", "it fell back to stopped".to_owned())
    }

    /// The instance reached the wanted state and then left it without being asked.
    pub(crate) fn went_back(what: &str) -> Self {
        Self::ours("ServerWentBack", what.to_owned())
    }

    /// Two lists select one instance.
    pub(crate) fn in_two_lists(first: &str, second: &str) -> Self {
        Self::ours("ServerInTwoLists", format!("it is in the lists {first} and {second}"))
    }

    /// The state machine's results are not those of servers.toml.
    pub(crate) fn stale_machine(what: String) -> Self {
        Self::ours("StateMachineStale", what)
    }

    /// Nobody said yes or no in time, and servers.toml says that the environment is then left alone.
    pub(crate) fn nobody_answered(action: Action) -> Self {
        Self::ours(
            "NobodyAnswered",
            format!("a yes to its {} was asked for, and nobody answered", action.word()),
        )
    }

    /// The hold tag's value cannot be read.
    pub(crate) fn bad_hold(value: &str) -> Self {
        Self::ours("HoldTagUnreadable", format!("its hold tag says \"{value}\""))
    }

    /// SES has not verified the report's sender, nor a domain of it.
    pub(crate) fn sender_unverified(address: &str) -> Self {
        Self::ours("SenderUnverified", format!("SES has not verified {address}, nor its domain"))
    }

    /// SES would take the mail by an identity that the function's role may not send by.
    pub(crate) fn sender_not_allowed(address: &str, identity: &str) -> Self {
        Self::ours(
            "SenderNotAllowed",
            format!(
                "of {address} SES has verified only {identity}, by which the function's role may not send"
            ),
        )
    }

    /// SES has not verified a recipient, and has the account in its sandbox.
    pub(crate) fn recipient_unverified(address: &str) -> Self {
        Self::ours("RecipientUnverified", format!("SES has not verified {address}, nor its domain"))
    }

    /// The KMS key of an encrypted volume cannot be used by anybody.
    pub(crate) fn key_not_usable(arn: &str, state: &str) -> Self {
        Self::ours("KeyNotUsable", format!("the KMS key {arn} of a volume is {state}"))
    }

    /// The Change Calendar could not be read; `which` says which one.
    pub(crate) fn calendar_unreadable(which: &str, what: &str) -> Self {
        Self::ours("CalendarUnreadable", format!("{which} could not be read: {what}"))
    }

    /// EC2 could not be asked within its limits, or within the time that there was.
    pub(crate) fn not_asked() -> Self {
        Self::ours("NotAsked", "EC2 was not asked in the time that there was".to_owned())
    }

    /// The server is not as wanted, and nobody kept why.
    pub(crate) fn not_as_wanted(what: &str) -> Self {
        Self::ours("NotAsWanted", what.to_owned())
    }

    /// Patience ended before the server was as wanted.
    pub(crate) fn not_in_time(action: Action, taken: Taken, why: &str) -> Self {
        let advice = match (action, taken) {
            (Action::Start, Taken::Request | Taken::ForcedStop) => {
                "The start was accepted and it did not get ready in time: look at its status checks and system log."
            }
            (Action::Stop, Taken::Request) => {
                "The stop was accepted and it did not stop in time: its operating system may hang; look at it, then force the stop."
            }
            (Action::Stop, Taken::ForcedStop) => {
                "The forced stop was accepted too and it did not stop in time: look at it in the console; if it stays stopping, ask AWS Support."
            }
            (Action::Start, Taken::Nothing) => {
                "This run did not have to start it, and it did not get ready: look at its status checks and system log."
            }
            (Action::Stop, Taken::Nothing) => {
                "This run did not ask it to stop: find out what it waits for in the console."
            }
        };
        Self { advice: advice.into(), ..Self::ours("NotInTime", why.to_owned()) }
    }

    /// The servers of a whole list could not be looked at. Where AWS says "you may not", it is called as the error of a
    /// run that ends by it is (`lambda/error.rs`): no tag of a server has to do with it.
    pub(crate) fn not_seen(cause: Self) -> Self {
        if !MAY_NOT.contains(&cause.code.as_str()) {
            return cause;
        }
        let advice = "The function may not read EC2: look at its role, an SCP or a permissions boundary.";
        Self { advice: advice.into(), ..Self::ours("AccessDenied", cause.to_string()) }
    }

    /// The role by which an environment in another account or Region is reached cannot be assumed; AWS's own trouble
    /// while it is asked for is none of that.
    pub(crate) fn role_not_assumed(role: &str, cause: Self) -> Self {
        if matches!(cause.kind, Kind::Throttled | Kind::Outage) {
            return cause;
        }
        let what = format!("the role {role} could not be assumed: {}: {}", cause.code, cause.message);
        Self::ours(ROLE_NOT_ASSUMED, what)
    }

    /// A Region, described in words, takes no credentials of an account where the role was assumed.
    pub(crate) fn region_not_enabled(place: &str, cause: &Self) -> Self {
        Self::ours(REGION_NOT_ENABLED, format!("AWS takes no credentials in {place}: {cause}"))
    }

    /// Whether it is what AWS says in a Region that is switched off for the account: credentials that are good
    /// elsewhere are not known there (turbot/steampipe-plugin-aws, issue 75; fog/fog-aws, issue 585).
    pub(crate) fn takes_no_credentials(&self) -> bool {
        matches!(self.code.as_str(), "AuthFailure" | "OptInRequired")
    }

    /// Whether the environment's account or Region as a whole cannot be reached.
    pub(crate) fn is_of_the_place(&self) -> bool {
        matches!(self.code.as_str(), ROLE_NOT_ASSUMED | REGION_NOT_ENABLED)
    }

    /// Whether a state reason explains a start that fell back to stopped; others linger from an earlier stop.
    pub(crate) fn explains_failed_start(&self) -> bool {
        self.code.starts_with("Server.")
            || matches!(
                self.code.as_str(),
                "Client.InternalError" | "Client.VolumeLimitExceeded" | "Client.InvalidSnapshot.NotFound"
            )
    }

    /// The same failure, told with more of what happened.
    #[must_use]
    pub(crate) fn because(mut self, what: &str) -> Self {
        self.message =
            if self.message.is_empty() { what.to_owned() } else { format!("{what}: {}", self.message) };
        self
    }

    /// What happened and what to do, as a problem tells it.
    pub(crate) fn sentence(&self) -> String {
        match self.message.trim_end_matches('.') {
            "" => self.advice.to_string(),
            what if what.ends_with('…') => format!("{what} {}", self.advice),
            what => format!("{what}. {}", self.advice),
        }
    }

    /// Whether AWS gave no answer at all: it may have done what it was asked for.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.code == UNREACHABLE
    }

    /// AWS's whole text, for the phase log.
    pub(crate) fn whole(&self) -> &str {
        self.whole.as_deref().unwrap_or(&self.message)
    }

    fn ours(code: &'static str, message: String) -> Self {
        Self::classified(None, code.to_owned(), message)
    }

    fn classified(operation: Option<&'static str>, code: String, message: String) -> Self {
        let (kind, advice) = known(&code).unwrap_or((Kind::Final, "Look the code up in AWS's error codes."));
        let short = shortened(&message);
        let whole = (short.len() < message.len()).then_some(message);
        Self { operation, code, message: short, whole, kind, advice: advice.into() }
    }
}

/// At most 300 characters, and nothing of an encoded part.
fn shortened(message: &str) -> String {
    let plain = message.split(ENCODED).next().unwrap_or_default().trim_end();
    match plain.char_indices().nth(MESSAGE_CHARACTERS - 1) {
        Some((end, _)) if plain.chars().count() > MESSAGE_CHARACTERS => {
            format!("{}…", plain[..end].trim_end())
        }
        _ => plain.to_owned(),
    }
}

/// Whether the code says "too many requests", in the words of any of the services used: the throttling codes of the
/// SDK's own classifier (aws-runtime, `retries/classifiers.rs`), and EC2's.
pub(crate) fn is_throttle(code: &str) -> bool {
    known(code).is_some_and(|(kind, _)| kind == Kind::Throttled)
}

/// The code of a call that got no answer: no connection, a time-out, an unreadable answer.
const UNREACHABLE: &str = "AwsUnreachable";
/// The code of a listed name that no live instance has.
pub(crate) const MISSING: &str = "ServerMissing";
/// The codes of an environment whose account or Region cannot be reached.
pub(crate) const ROLE_NOT_ASSUMED: &str = "RoleNotAssumed";
pub(crate) const REGION_NOT_ENABLED: &str = "RegionNotEnabled";
const OUTAGE: &str = "AWS had an internal error: try again; if it stays, see AWS Health and Support.";
const STOP_PROTECTED: &str =
    "Stop protection is on: switch it off if this server should be stopped by schedule.";
const BLOCKED: &str = "AWS has blocked this account or Region: see AWS Support.";
const NO_CAPACITY: &str = "AWS has no capacity for this instance type in this zone: try later, change the type, or reserve capacity.";

/// Codes that are told apart: what they mean for the loop, and what a person can do.
type Known = (&'static [&'static str], Kind, &'static str);

/// Every code that is told apart, ours too.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    TABLES.iter().flat_map(|table| table.iter()).flat_map(|(codes, ..)| codes.iter().copied())
}

fn known(code: &str) -> Option<(Kind, &'static str)> {
    let mut all = TABLES.iter().flat_map(|table| table.iter());
    all.find(|(codes, ..)| codes.contains(&code)).map(|(_, kind, advice)| (*kind, *advice))
}

const TABLES: [&[Known]; 4] = [AWS_ITSELF, REFUSALS, STATE_REASONS, OURS];

/// AWS asks for fewer requests, or does not work.
const AWS_ITSELF: &[Known] = &[
    (
        &[
            "RequestLimitExceeded",
            "EC2ThrottledException",
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "TransactionInProgressException",
            "BandwidthLimitExceeded",
            "LimitExceededException",
            "SlowDown",
            "PriorRequestNotComplete",
        ],
        Kind::Throttled,
        "AWS asked for fewer requests: this goes away by itself; if not, ask for higher EC2 API limits.",
    ),
    (
        &[UNREACHABLE],
        Kind::Outage,
        "AWS did not answer: try again; if it stays, look at the function's network.",
    ),
    (
        &[
            "InternalError",
            "InternalFailure",
            "ServerInternal",
            "Unavailable",
            "ServiceUnavailable",
            "RequestTimeout",
            "RequestTimeoutException",
        ],
        Kind::Outage,
        OUTAGE,
    ),
];

/// What EC2 refuses the function's role with.
const MAY_NOT: &[&str] = &["UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthFailure"];

/// What EC2 refuses a request with.
const REFUSALS: &[Known] = &[
    (&["InsufficientInstanceCapacity", "InsufficientCapacity"], Kind::Capacity, NO_CAPACITY),
    (
        &["ReservationCapacityExceeded"],
        Kind::Capacity,
        "The Capacity Reservation that it targets is full: free or enlarge it, or let the server start outside it.",
    ),
    (
        &["InsufficientCapacityOnHost", "InsufficientHostCapacity"],
        Kind::Capacity,
        "The Dedicated Host is full: free it, or allocate another one.",
    ),
    (
        &["IncompatibleHostRequirements"],
        Kind::Final,
        "No Dedicated Host fits this instance: allocate one of its type in its zone.",
    ),
    (
        &["VcpuLimitExceeded"],
        Kind::Final,
        "The account's vCPU quota for this instance family is used up: ask for more in Service Quotas.",
    ),
    (
        &["InstanceLimitExceeded"],
        Kind::Final,
        "The account's instance quota is used up: ask for more in Service Quotas.",
    ),
    // Of an instance that a describe has just shown: EC2's eventual consistency.
    (
        &["InvalidInstanceID.NotFound"],
        Kind::Passing,
        "EC2 does not know this instance: was it terminated, or is this the wrong Region?",
    ),
    (
        &["InvalidInstanceID.Malformed"],
        Kind::Final,
        "EC2 does not accept this instance id: report this as a defect.",
    ),
    (
        &["IncorrectInstanceState", "IncorrectState"],
        Kind::Passing,
        "Its state did not allow the request until patience ended: look at it in the console.",
    ),
    (
        &["IncorrectSpotRequestState"],
        Kind::Final,
        "Its Spot request is cancelled or closed: start it by a new Spot request.",
    ),
    (
        &["UnsupportedOperation", "Unsupported"],
        Kind::Final,
        "EC2 does not support this for this instance (Spot, instance store or its type): take it off the list.",
    ),
    (
        &["UnsupportedHibernationConfiguration"],
        Kind::Final,
        "It is not enabled for hibernation: this must be set at launch.",
    ),
    (
        &["OperationNotPermitted"],
        Kind::Final,
        "EC2 does not permit this for this instance; its own sentence says why.",
    ),
    (
        MAY_NOT,
        Kind::Denied,
        "The function may not do this: give the server the tag ec2-start-stop, or extend the policy.",
    ),
    (
        &[
            "InvalidClientTokenId",
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
            "MissingAuthenticationToken",
        ],
        Kind::Denied,
        "AWS does not accept the function's credentials or its clock: try again.",
    ),
    (&["OptInRequired"], Kind::Denied, BLOCKED),
    (&["PendingVerification", "Blocked"], Kind::Final, BLOCKED),
];

/// Why EC2 says that an instance changed its state.
const STATE_REASONS: &[Known] = &[
    (&["Server.InsufficientInstanceCapacity"], Kind::Capacity, NO_CAPACITY),
    (&["Server.InternalError"], Kind::Passing, OUTAGE),
    (
        &["Client.InternalError"],
        Kind::Key,
        "Usually an encrypted volume's KMS key: the function's role needs kms:CreateGrant on it (parameter KmsKeyArns, and the key's own policy).",
    ),
    (
        &["Client.VolumeLimitExceeded"],
        Kind::Final,
        "The account's EBS volume quota is used up: ask for more in Service Quotas.",
    ),
    (
        &["Client.InvalidSnapshot.NotFound"],
        Kind::Final,
        "A snapshot that it needs is gone: restore the volume.",
    ),
    (
        &["Server.SpotInstanceShutdown", "Server.SpotInstanceTermination"],
        Kind::Final,
        "EC2 took the Spot capacity back: start it later.",
    ),
    (
        &["Server.ScheduledStop"],
        Kind::Final,
        "AWS stopped it for a scheduled event: see its Events in the console.",
    ),
    (
        &["Client.UserInitiatedShutdown"],
        Kind::ShutDown,
        "Somebody stopped it while this ran: CloudTrail says who (StopInstances).",
    ),
    (
        &["Client.InstanceInitiatedShutdown"],
        Kind::ShutDown,
        "Its own operating system shut it down: look at its system log.",
    ),
];

/// Ours.
const OURS: &[Known] = &[
    (
        &[ROLE_NOT_ASSUMED],
        Kind::Denied,
        "Deploy member.yaml in that account, name the role in the stack's MemberRoleArns, and give both the same external id (docs/accounts.md).",
    ),
    (
        &[REGION_NOT_ENABLED],
        Kind::Denied,
        "Enable the Region in that account, or correct the environment's region in servers.toml (docs/accounts.md).",
    ),
    (&[MISSING], Kind::Absent, "No live instance has this Name tag: correct the tag or servers.toml."),
    (
        &["NothingSelected"],
        Kind::Absent,
        "Correct the list's tags or the servers' (is this the right account and Region?); only servers = [] is empty on purpose.",
    ),
    (
        &["MinimumNotMet"],
        Kind::Final,
        "Release the held servers, or lower the list's minimum in servers.toml.",
    ),
    (
        &["ServerInTwoLists"],
        Kind::Final,
        "The order of tiers does not hold for it: correct the lists' tags, a server belongs in one.",
    ),
    (
        &["NobodyAnswered"],
        Kind::Final,
        "It was left alone: run it again and answer, or change approve_silence in servers.toml.",
    ),
    (
        &["StateMachineStale"],
        Kind::Final,
        "The state machine and servers.toml do not agree: make statemachine, then make deploy.",
    ),
    (&["ServerTerminated"], Kind::Final, "Restore it, or take it off the list."),
    (
        &["ServerNoLongerListed"],
        Kind::Final,
        "Give it back the tags that the list selects by, if it should be started and stopped.",
    ),
    (
        &["StartBounced"],
        Kind::Final,
        "The start was accepted: look at its state transition reason in the console.",
    ),
    (&["ServerWentBack"], Kind::Final, "Find out who or what changed it (CloudTrail)."),
    (
        &["HoldTagUnreadable"],
        Kind::Final,
        "Write the tag as a date (2026-12-24), a date and time with offset, or forever; until then it is held.",
    ),
    (
        &["NotAsked"],
        Kind::Final,
        "Run it again; if it happens again, the list is too long for EC2's limits in its timeout_minutes.",
    ),
    (
        &["NotAsWanted"],
        Kind::Final,
        "Its phase said why, and its state machine did not hand that on: look in the phase log.",
    ),
    (&["NotInTime"], Kind::Final, "Look at it in the console."),
    (
        &["SenderUnverified"],
        Kind::Final,
        "No report would go out: verify the address or its domain in SES, in the Region that sends (docs/deploy.md).",
    ),
    (
        &["SenderNotAllowed"],
        Kind::Final,
        "With SesSandbox=no the role may send by the address or its very domain: verify that one in SES too.",
    ),
    (
        &["RecipientUnverified"],
        Kind::Final,
        "SES's sandbox would refuse mail to it: verify it, or move the account out of the sandbox and set SesSandbox=no.",
    ),
    (
        &["KeyNotUsable"],
        Kind::Final,
        "The server would fall back to stopped: enable the key, or cancel its deletion.",
    ),
    (
        &["CalendarUnreadable"],
        Kind::Final,
        "Correct the calendar's name, or let the state machine's role read it (ssm:GetCalendarState).",
    ),
    (&["Unknown"], Kind::Final, "Step Functions gave no name: start a new run."),
    (
        &["RejectedLogEvents", "InvalidParameterException", "InvalidParameterValue"],
        Kind::Final,
        "CloudWatch Logs or SES did not take what was sent: please report it.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_told_apart_twice() {
        let all: Vec<&str> = codes().collect();
        let distinct: std::collections::BTreeSet<&str> = codes().collect();
        assert_eq!(all.len(), distinct.len());
    }

    #[test]
    fn a_throttle_is_never_a_servers_fault() {
        for code in ["RequestLimitExceeded", "ThrottledException", "SlowDown", "BandwidthLimitExceeded"] {
            assert_eq!(
                Failure::of_aws("StartInstances", code, "", Some(503)).kind,
                Kind::Throttled,
                "{code}"
            );
        }
    }

    #[test]
    fn a_5xx_with_a_code_that_nobody_knows_is_awss_own_trouble_and_no_capacity_is_not() {
        let kind = |code, status| Failure::of_aws("StartInstances", code, "", status).kind;
        for status in [500, 502, 503, 504] {
            assert_eq!(kind("Unheard.Of", Some(status)), Kind::Outage);
        }
        assert_eq!(kind("Unheard.Of", Some(400)), Kind::Final);
        assert_eq!(kind("Unheard.Of", None), Kind::Final);
        assert_eq!(kind("InsufficientInstanceCapacity", Some(500)), Kind::Capacity);
        assert_eq!(kind("ServerInternal", Some(500)), Kind::Outage);
        assert_eq!(kind("RequestTimeout", Some(400)), Kind::Outage);
    }

    #[test]
    fn only_a_stop_whose_message_names_the_protection_is_held() {
        let kind =
            |operation, message| Failure::of_aws(operation, "OperationNotPermitted", message, Some(400)).kind;
        let protected = "The instance 'i-1' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.";
        assert_eq!(kind("StopInstances", protected), Kind::Protected);
        assert_eq!(kind("StopInstances", "You cannot stop this instance."), Kind::Final);
        assert_eq!(kind("StartInstances", protected), Kind::Final);
    }

    #[test]
    fn refusal_and_bounce_have_one_classification_and_a_missing_grant_stays_final() {
        let bounce = |code| Failure::of_state_reason(code, "").kind;
        assert_eq!(bounce("Server.InternalError"), Kind::Passing);
        assert_eq!(bounce("Server.InsufficientInstanceCapacity"), Kind::Capacity);
        assert_eq!(bounce("Client.InternalError"), Kind::Key);
        assert_eq!(bounce("Client.UserInitiatedShutdown"), Kind::ShutDown);
        assert_eq!(
            Failure::of_aws("StartInstances", "ReservationCapacityExceeded", "", Some(400)).kind,
            Kind::Capacity
        );
    }

    #[test]
    fn a_message_has_three_hundred_characters_at_most_and_nothing_encoded() {
        let denied = format!("You are not authorized. {ENCODED} {}", "x".repeat(1_500));
        let failure = Failure::of_aws("StartInstances", "UnauthorizedOperation", &denied, Some(403));
        assert_eq!(failure.message, "You are not authorized.");
        assert_eq!(failure.whole(), denied);
        let long = Failure::of_aws("StartInstances", "Odd", &"ö".repeat(400), Some(400));
        assert_eq!(long.message.chars().count(), MESSAGE_CHARACTERS);
        assert!(long.sentence().contains("ö… Look"), "{}", long.sentence());
        let short = Failure::of_aws("StartInstances", "Odd", "ö", Some(400));
        assert_eq!((short.message.as_str(), short.whole.as_deref()), ("ö", None));
    }

    #[test]
    fn a_failure_comes_back_from_the_wire_as_it_went() {
        let failure = Failure::of_state_reason("Server.InternalError", "Internal error on launch");
        let wire = serde_json::to_string(&failure).expect("plain text");
        assert_eq!(wire, r#"{"code":"Server.InternalError","message":"Internal error on launch"}"#);
        assert_eq!(serde_json::from_str::<Failure>(&wire).expect("what was written"), failure);
    }

    #[test]
    fn a_role_that_is_refused_is_named_and_an_outage_while_it_is_asked_for_passes() {
        let role = "arn:aws:iam::210987654321:role/member";
        let asked = |code, status| {
            let cause = Failure::of_aws("AssumeRole", code, "said STS", Some(status));
            Failure::role_not_assumed(role, cause)
        };
        let refused = asked("AccessDenied", 403);
        assert_eq!((refused.code.as_str(), refused.kind), (ROLE_NOT_ASSUMED, Kind::Denied));
        assert!(refused.message.contains(role) && refused.message.contains("AccessDenied: said STS"));
        assert!(refused.sentence().contains("MemberRoleArns"), "{}", refused.sentence());
        assert_eq!(asked("Throttling", 400).kind, Kind::Throttled);
        assert_eq!(asked("InternalFailure", 500).kind, Kind::Outage);
    }

    #[test]
    fn what_was_never_asked_or_was_forced_already_is_not_told_to_be_forced() {
        let advice = |taken| Failure::not_in_time(Action::Stop, taken, "").advice;
        assert!(advice(Taken::Request).contains("force the stop"));
        assert!(!advice(Taken::Nothing).contains("force"));
        assert!(!advice(Taken::ForcedStop).contains("force the stop"));
    }
}
