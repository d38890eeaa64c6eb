"""AWS's own words for the errors that the embedded AWS plays: sentence, HTTP status and length.

Owns the table error_texts.toml and the sentences that are put together (IAM's refusals, names of things).
Not here: which call fails with which code (local/faults.py), and how a service writes an error on the wire
(local/server.py). A code that the table lacks gets a sentence that says so: nobody shall take it for AWS's.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.ec2.exceptions import EC2ClientError, OperationDisableApiStopNotPermitted
from moto.ses import models as ses_models
from moto.ses.exceptions import MessageRejectedError

from local.runtime_api import ACCOUNT, REGION

TABLE: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "error_texts.toml").read_text(encoding="utf-8")
)
DENIALS = {"UnauthorizedOperation": 403, "AccessDenied": 403, "AccessDeniedException": 400}
CALLER = (
    f"arn:aws:sts::{ACCOUNT}:assumed-role/ec2-start-stop-FunctionRole-1A2B3C4D5E6F/"
    "ec2-start-stop-Function-1A2B3C4D5E6F"
)
# Public reports show 1,000 to 1,700 characters (hashicorp/terraform#23918, aws/aws-parallelcluster#372).
ENCODED_CHARACTERS = 1_208


@dataclass(frozen=True)
class Refused:
    """What was refused: the service, its operation, and what it named (an instance, an address, an ARN)."""

    service: str
    operation: str
    subject: str | None = None

    @property
    def action(self) -> str:
        """As IAM names it; CloudWatch's requests are signed for "monitoring"."""
        return f"{self.service.replace('monitoring', 'cloudwatch')}:{self.operation}"

    @property
    def instance(self) -> str:
        return self.subject or "i-0123456789abcdef0"


def text(code: str, refused: Refused) -> str:
    """The sentence that AWS gives with a code."""
    if code in DENIALS:
        return _denied(refused)
    if code == "IncorrectInstanceState":
        return incorrect_state(refused.instance, "stopped" if "Stop" in refused.operation else "started")
    if code == "MessageRejected":
        return not_verified([refused.subject or "start-stop@example.com"])
    if code not in TABLE:
        return f"{code}: a fault that was asked for; AWS's own sentence for it is not known here"
    return TABLE[code]["text"].replace("{instance}", refused.instance)


def status(code: str) -> int:
    """The HTTP status that a code comes with; 400 is the rule."""
    return DENIALS.get(code) or TABLE.get(code, {}).get("status", 400)


def incorrect_state(instance: str, verb: str) -> str:
    """Public: canonical/ubuntu-pro-client#1697, of a start."""
    return f"The instance '{instance}' is not in a state from which it can be {verb}."


def not_verified(identities: list[str]) -> str:
    """Public, in many reports; the Region stands in capitals."""
    failed = ", ".join(identities)
    return (
        "Email address is not verified. The following identities failed the check in region "
        f"{REGION.upper()}: {failed}"
    )


def encoded_message(seed: str) -> str:
    """Looks like EC2's encoded message and decodes to nothing; the same one for the same refusal."""
    digests = b"".join(hashlib.sha512(f"{seed} {part}".encode()).digest() for part in range(16))
    return base64.urlsafe_b64encode(digests).decode()[:ENCODED_CHARACTERS]


def _denied(refused: Refused) -> str:
    """Public: karpenter-provider-aws#7370 (EC2), dwyl/aws-ses-lambda#10 (SES, with its back-quotes),
    aws-sdk-js-v3#3262 (Step Functions). EC2's Describe calls know no resource; theirs is from memory."""
    action = refused.action
    why = f"because no identity-based policy allows the {action} action"
    if refused.service == "ses":
        identity = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/{refused.subject or 'start-stop@example.com'}"
        return f"User `{CALLER}' is not authorized to perform `{action}' on resource `{identity}'"
    if refused.service != "ec2":
        on = f" on resource: {refused.subject}" if refused.subject else ""
        # STS gives no reason (public: in every report of a trust that lets nobody in).
        because = "" if refused.service == "sts" else f" {why}"
        return f"User: {CALLER} is not authorized to perform: {action}{on}{because}"
    begin = f"You are not authorized to perform this operation. User: {CALLER} is not authorized to perform:"
    if refused.operation.startswith("Describe"):
        return f"{begin} {action} {why}"
    instance = f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{refused.instance}"
    encoded = encoded_message(f"{action} {instance}")
    return f"{begin} {action} on resource: {instance} {why}. Encoded authorization failure message: {encoded}"


def install() -> None:
    """Puts AWS's sentence where moto has another: stop protection, an identity that is not verified."""

    def protected(self: EC2ClientError, instance_id: str) -> None:
        sentence = text("OperationNotPermitted", Refused("ec2", "StopInstances", instance_id))
        EC2ClientError.__init__(self, "OperationNotPermitted", sentence)

    OperationDisableApiStopNotPermitted.__init__ = protected
    ses_models.MessageRejectedError = _rejected


def _rejected(moto_says: str) -> MessageRejectedError:
    before, unverified, address = moto_says.partition("Email address not verified ")
    return MessageRejectedError(not_verified([address]) if unverified else before)
