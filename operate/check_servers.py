"""The checks of `make doctor` on EC2: the listed servers are there, and may be touched."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import lists
from operate.finding import Finding, ok, unknown, wrong
from operate.lists import Instance, ServerList
from operate.samconfig import SamConfig

TAG = "ec2-start-stop"
# The template's default of ServerTagValue.
DEFAULT_VALUE = "true"


def tag_value(config: SamConfig) -> str:
    return config.parameters.get("ServerTagValue", DEFAULT_VALUE)


def check(session: boto3.Session, listed: list[ServerList], config: SamConfig) -> Iterator[Finding]:
    ec2 = session.client("ec2")
    found = {str(one): lists.instances(ec2, one) for one in listed}
    for one in listed:
        yield from presence(one, found[str(one)])
    everyone = list({instance.id: instance for group in found.values() for instance in group}.values())
    yield from permission(everyone, config)
    yield from keys(session, everyone, config)


def presence(listed: ServerList, found: list[Instance]) -> Iterator[Finding]:
    """Each name once; a list by tags has at least one."""
    if not listed.servers and not listed.tags:
        yield ok(f"{listed}: no servers listed")
        return
    times = Counter(instance.name for instance in found)
    missing = [name for name in listed.servers if not times[name]]
    if missing:
        also = " that also has the list's tags" if listed.tags else ""
        yield wrong(
            f"{listed}: no instance{also} has the Name {', '.join(missing)}: "
            "correct servers.toml, or the Name tag in this account and Region"
        )
    for name in listed.servers:
        if times[name] > 1:
            ids = ", ".join(instance.id for instance in found if instance.name == name)
            yield wrong(
                f"{listed}: {name} is the Name of {times[name]} instances ({ids}): rename all but one"
            )
    if not listed.servers and not found:
        wanted = ", ".join(f"{key}={value}" for key, value in listed.tags.items())
        yield wrong(f"{listed}: no instance has the tags {wanted}: correct servers.toml, or tag the servers")
    elif not missing and (not listed.servers or max(times.values()) == 1):
        yield ok(f"{listed}: {len(found)} of {len(listed.servers) or len(found)} servers found")


def permission(found: list[Instance], config: SamConfig) -> Iterator[Finding]:
    """The tag that the function's role asks for, or the id among InstanceIds."""
    value = tag_value(config)
    by_id = set(filter(None, config.parameters.get("InstanceIds", "").replace(" ", "").split(",")))
    refused = [one for one in found if one.tags.get(TAG) != value and one.id not in by_id]
    if refused:
        names = ", ".join(f"{one.name} ({one.id})" for one in refused)
        yield wrong(
            f"without the tag {TAG}={value} the function may not touch {names}: make tag, then APPLY=1"
        )
    elif found:
        yield ok(f"all {len(found)} have the tag {TAG}={value}, or their id among InstanceIds")


def keys(session: boto3.Session, found: list[Instance], config: SamConfig) -> Iterator[Finding]:
    """A start needs a grant on every customer-managed key of an encrypted volume."""
    given = set(filter(None, config.parameters.get("KmsKeyArns", "").replace(" ", "").split(",")))
    names = {one.id: one.name for one in found}
    users: dict[str, set[str]] = defaultdict(set)
    for instance_id, key in lists.volume_keys(session.client("ec2"), list(names)):
        users[key].add(names[instance_id])
    absent = sorted(set(users) - given)
    for key in absent:
        whose = ", ".join(sorted(users[key]))
        try:
            metadata = session.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        except (ClientError, BotoCoreError) as error:
            yield unknown(f"{key}, which encrypts volumes of {whose}, is not among KmsKeyArns: {error}")
            continue
        # AWS's own key of the account (aws/ebs) needs no permission of the role.
        if metadata["KeyManager"] == "CUSTOMER":
            yield wrong(f"{key} encrypts volumes of {whose}: put it into KmsKeyArns in samconfig.toml")
    if users and not absent:
        yield ok(f"the {len(users)} KMS keys of encrypted volumes are among KmsKeyArns")
