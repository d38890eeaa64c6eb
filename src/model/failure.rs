//! What an AWS error code means for one server: what the phase does next, and what a person should do.
//!
//! The only place that tells codes apart. EC2 has no modelled errors, so a code is a string; the list
//! follows EC2's "Error codes for the Amazon EC2 API"
//! (<https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html>).

use crate::model::Action;
use crate::ports::AwsError;

/// A listed server that no live instance has.
pub const MISSING: &str = "ServerMissing";
/// Patience ended before the server was as wanted.
pub const NOT_IN_TIME: &str = "NotInTime";
/// The start was accepted and the instance fell back to `stopped`, and EC2 gave no code.
pub const BOUNCED: &str = "StartBounced";
/// The hold tag's value is neither `forever` nor a date.
pub const BAD_HOLD: &str = "HoldTagUnreadable";
/// The instance was terminated while the phase ran.
pub const TERMINATED: &str = "ServerTerminated";
/// The instance reached the wanted state and then left it without being asked.
pub const WENT_BACK: &str = "ServerWentBack";
/// EC2 answered that stop protection (`DisableApiStop`) is on.
pub const STOP_PROTECTED: &str = "OperationNotPermitted";

/// What a phase does with a failed StartInstances or StopInstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reaction {
    /// Too many requests: wait and send the same request again. Never a server's fault.
    SlowDown,
    /// Nobody knows whether EC2 took the request: look, and ask again only if nothing moves.
    Look,
    /// One of the servers spoils the request: halve it down to that one.
    Isolate,
}

/// What a phase does with one server whose own request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// No capacity now: ask again, with growing pauses, until patience ends.
    Capacity,
    /// It passes by itself (its state forbids the request just now, AWS had an error): look, and ask again.
    Passing,
    /// It is protected from being stopped: leave it alone.
    Protected,
    /// A person has to change something: no use in asking again.
    Person,
}

/// How to react to a failed request that named one or more servers.
pub fn reaction(error: &AwsError) -> Reaction {
    match error.code.as_str() {
        code if is_throttle(code) => Reaction::SlowDown,
        code if is_outage(code) => Reaction::Look,
        _ => Reaction::Isolate,
    }
}

/// Whether the code says "too many requests", in the words of any of the services used.
pub fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "RequestLimitExceeded"
            | "EC2ThrottledException"
            | "Throttling"
            | "ThrottlingException"
            | "RequestThrottled"
            | "TooManyRequestsException"
    )
}

/// Whether the code says "you may not", in the words of any of the services used.
pub fn is_denied(code: &str) -> bool {
    matches!(
        code,
        "UnauthorizedOperation"
            | "AccessDenied"
            | "AccessDeniedException"
            | "AuthFailure"
            | "InvalidClientTokenId"
            | "ExpiredToken"
            | "ExpiredTokenException"
            | "RequestExpired"
            | "OptInRequired"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClientException"
            | "MissingAuthenticationToken"
    )
}

/// Whether the code says that AWS itself did not work, or did not answer.
pub fn is_outage(code: &str) -> bool {
    matches!(
        code,
        AwsError::UNREACHABLE | "InternalError" | "InternalFailure" | "Unavailable" | "ServiceUnavailable"
    )
}

/// Whether a state reason explains a start that fell back to stopped.
pub fn explains_failed_start(code: &str) -> bool {
    code.starts_with("Server.")
        || matches!(
            code,
            "Client.InternalError" | "Client.VolumeLimitExceeded" | "Client.InvalidSnapshot.NotFound"
        )
}

/// What a failure that is one server's own means.
pub fn cause(code: &str) -> Cause {
    match code {
        "InsufficientInstanceCapacity"
        | "Server.InsufficientInstanceCapacity"
        | "InsufficientCapacityOnHost"
        | "InsufficientHostCapacity"
        | "InsufficientCapacity" => Cause::Capacity,
        // NotFound of an instance that a describe has just shown is EC2's eventual consistency.
        "IncorrectInstanceState" | "IncorrectState" | "InvalidInstanceID.NotFound" => Cause::Passing,
        code if is_outage(code) => Cause::Passing,
        STOP_PROTECTED => Cause::Protected,
        _ => Cause::Person,
    }
}

/// The advice for a code, a sentence that a person can act on.
pub fn advice(code: &str, action: Action) -> &'static str {
    match code {
        "InsufficientInstanceCapacity" | "Server.InsufficientInstanceCapacity" | "InsufficientCapacity" => {
            "AWS has no capacity for this instance type in this zone: try later, change the type, or reserve capacity."
        }
        "InsufficientCapacityOnHost" | "InsufficientHostCapacity" => {
            "The Dedicated Host is full: free it, or allocate another one."
        }
        "IncompatibleHostRequirements" => {
            "No Dedicated Host fits this instance: allocate one of its type in its zone."
        }
        "VcpuLimitExceeded" => {
            "The account's vCPU quota for this instance family is used up: ask for more in Service Quotas."
        }
        "InstanceLimitExceeded" => "The account's instance quota is used up: ask for more in Service Quotas.",
        "InvalidInstanceID.NotFound" => {
            "EC2 does not know this instance: was it terminated, or is this the wrong Region?"
        }
        "InvalidInstanceID.Malformed" => "EC2 does not accept this instance id: report this as a defect.",
        "IncorrectInstanceState" | "IncorrectState" => {
            "Its state did not allow the request until patience ended: look at it in the console."
        }
        "IncorrectSpotRequestState" => {
            "Its Spot request is cancelled or closed: start it by a new Spot request."
        }
        "UnsupportedOperation" | "Unsupported" => {
            "EC2 does not support this for this instance (Spot, instance store or its type): take it off the list."
        }
        "UnsupportedHibernationConfiguration" => {
            "It is not enabled for hibernation: this must be set at launch."
        }
        STOP_PROTECTED => {
            "Stop protection is on: switch it off if this server should be stopped by schedule."
        }
        "UnauthorizedOperation" | "AccessDenied" | "AuthFailure" => {
            "The function may not do this: give the server the tag that the template's policy demands, or extend the policy."
        }
        "OptInRequired" | "PendingVerification" | "Blocked" => {
            "AWS has blocked this account or Region: see AWS Support."
        }
        "Client.InternalError" => {
            "Usually an encrypted volume's KMS key: the function's role needs kms:CreateGrant on it (parameter KmsKeyArns, and the key's own policy)."
        }
        "Client.VolumeLimitExceeded" => {
            "The account's EBS volume quota is used up: ask for more in Service Quotas."
        }
        "Client.InvalidSnapshot.NotFound" => "A snapshot that it needs is gone: restore the volume.",
        "Server.InternalError"
        | "InternalError"
        | "InternalFailure"
        | "Unavailable"
        | "ServiceUnavailable" => {
            "AWS had an internal error: try again; if it stays, see AWS Health and Support."
        }
        "Server.SpotInstanceShutdown" | "Server.SpotInstanceTermination" => {
            "EC2 took the Spot capacity back: start it later."
        }
        "Server.ScheduledStop" => "AWS stopped it for a scheduled event: see its Events in the console.",
        MISSING => "No live instance has this Name tag: correct the tag or servers.toml.",
        NOT_IN_TIME => match action {
            Action::Start => {
                "It was asked and did not get ready in time: look at its status checks and system log."
            }
            Action::Stop => {
                "It was asked and did not stop in time: its operating system may hang; look at it, then force the stop."
            }
        },
        BOUNCED => {
            "The start was accepted, but it fell back to stopped: look at its state transition reason."
        }
        BAD_HOLD => {
            "Write the tag as a date (2026-12-24), a date and time with offset, or forever; until then it is held."
        }
        TERMINATED => "It was terminated while this ran: restore it, or take it off the list.",
        WENT_BACK => "It was as wanted and then changed again: find out who or what changed it (CloudTrail).",
        AwsError::UNREACHABLE => {
            "AWS did not answer: try again; if it stays, look at the function's network."
        }
        _ if is_throttle(code) => {
            "AWS asked for fewer requests: this goes away by itself; if not, ask for higher EC2 API limits."
        }
        _ => "Look the code up in EC2's error codes.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes that a person meets most.
    const KNOWN_CODES: &[&str] = &[
        "InsufficientInstanceCapacity",
        "InsufficientCapacityOnHost",
        "InsufficientHostCapacity",
        "IncompatibleHostRequirements",
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "InvalidInstanceID.NotFound",
        "InvalidInstanceID.Malformed",
        "IncorrectInstanceState",
        "IncorrectSpotRequestState",
        "UnsupportedOperation",
        "Unsupported",
        "UnsupportedHibernationConfiguration",
        STOP_PROTECTED,
        "UnauthorizedOperation",
        "AuthFailure",
        "OptInRequired",
        "PendingVerification",
        "Blocked",
        "Client.InternalError",
        "Client.VolumeLimitExceeded",
        "Client.InvalidSnapshot.NotFound",
        "Server.InternalError",
        "Server.InsufficientInstanceCapacity",
        "Server.SpotInstanceShutdown",
        "Server.ScheduledStop",
        MISSING,
        NOT_IN_TIME,
        BOUNCED,
        BAD_HOLD,
        TERMINATED,
        WENT_BACK,
        AwsError::UNREACHABLE,
        "RequestLimitExceeded",
    ];

    #[test]
    fn every_known_code_has_advice_of_its_own() {
        for code in KNOWN_CODES {
            assert_ne!(advice(code, Action::Start), advice("Unheard.Of", Action::Start), "{code}");
        }
    }

    #[test]
    fn a_throttle_is_never_a_servers_fault() {
        let error = AwsError {
            operation: "StartInstances",
            code: "RequestLimitExceeded".into(),
            message: String::new(),
        };
        assert_eq!(reaction(&error), Reaction::SlowDown);
    }
}
