"""The checks of `make doctor` on SES: the sender is verified and, in the sandbox, so are the recipients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate.finding import Finding, ok, wrong
from operate.samconfig import SamConfig

# SES takes no more identities in one call.
MOST_IDENTITIES = 100


def check(session: boto3.Session, config: SamConfig) -> Iterator[Finding]:
    sender = config.parameters.get("MailSender", "")
    recipients = [
        one.strip() for one in config.parameters.get("MailRecipients", "").split(",") if one.strip()
    ]
    region = config.parameters.get("SesRegion") or session.region_name
    sandbox = is_in_sandbox(session.client("sesv2", region_name=region), config)
    wanted = [sender, *recipients] if sandbox else [sender]
    addresses = list(dict.fromkeys(filter(None, wanted)))
    verified = verified_identities(session.client("ses", region_name=region), addresses)
    why = (
        "SES's sandbox accepts verified recipients only" if sandbox else "SES sends for verified senders only"
    )
    for address in addresses:
        known = [identity for identity in identities(address) if identity in verified]
        if known and address == sender and not may_send_by(known[0], sender, config):
            yield wrong(
                f"of {sender} SES has verified only {known[0]}, by which the function's role may not send "
                f"with SesSandbox=no: aws sesv2 create-email-identity --region {region} --email-identity "
                f"{sender.rpartition('@')[2]}"
            )
        elif known:
            yield ok(f"SES has verified {address}")
        else:
            yield wrong(
                f"SES has not verified {address} in {region}, and {why}: "
                f"aws sesv2 create-email-identity --region {region} --email-identity {address}"
            )
    if sandbox and config.parameters.get("SesSandbox", "yes") == "no":
        yield wrong(
            "SES has this account in its sandbox here, and SesSandbox is no: take it out of samconfig.toml"
        )


def is_in_sandbox(ses: Any, config: SamConfig) -> bool:
    """As SES says; if it may not be asked, as samconfig.toml says."""
    try:
        return not ses.get_account()["ProductionAccessEnabled"]
    except (ClientError, BotoCoreError):
        return config.parameters.get("SesSandbox", "yes") == "yes"


def may_send_by(identity: str, sender: str, config: SamConfig) -> bool:
    """Whether template.yaml's SendTheReport allows it: IAM is asked for the nearest verified identity."""
    return identity in identities(sender)[:2] or config.parameters.get("SesSandbox", "yes") != "no"


def identities(address: str) -> list[str]:
    """What SES may have verified for an address: itself, its domain, a domain above."""
    labels = address.rpartition("@")[2].split(".")
    return [address, *(".".join(labels[begin:]) for begin in range(len(labels) - 1))]


def verified_identities(ses: Any, addresses: list[str]) -> set[str]:
    """Which of the addresses' identities are verified."""
    candidates = sorted({identity for address in addresses for identity in identities(address)})
    verified: set[str] = set()
    for begin in range(0, len(candidates), MOST_IDENTITIES):
        some = candidates[begin : begin + MOST_IDENTITIES]
        told = ses.get_identity_verification_attributes(Identities=some)["VerificationAttributes"]
        verified |= {name for name, state in told.items() if state["VerificationStatus"] == "Success"}
    return verified
