"""The lists of servers.toml and the instances that they name. What is valid, the function says."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from operate.problem import OperatingError

FILE = Path(__file__).parent.parent / "servers.toml"
LISTS_KEY = "list"
# EC2 takes no more values of one filter.
MOST_VALUES = 200
LIVE = ["pending", "running", "stopping", "stopped"]


@dataclass(frozen=True)
class ServerList:
    """One environment's one tier."""

    environment: str
    tier: str
    servers: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict, hash=False)
    role: str = ""
    """By which the stack reaches it, if it is in another account or Region."""
    region: str = ""

    def __str__(self) -> str:
        return f"{self.environment} {self.tier}"

    def is_in(self, account: str, region: str) -> bool:
        """Whether a role of this account, and this Region, are what its environment's table names."""
        return f":{account}:role/" in self.role and self.region in ("", region)


@dataclass
class Instance:
    """A live instance that a list names."""

    id: str
    name: str
    tags: dict[str, str]


def read(file: Path = FILE) -> list[ServerList]:
    try:
        found = tomllib.loads(file.read_text())
        places = found.get("environment", {})
        return [_list(given, places.get(given["environment"], {})) for given in found[LISTS_KEY]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise OperatingError(f"{file.name} cannot be read: {error}. make statemachine says more") from error


def _list(given: dict[str, Any], place: dict[str, str]) -> ServerList:
    servers, tags = tuple(given.get("servers", [])), given.get("tags", {})
    role, region = place.get("role_arn", ""), place.get("region", "")
    return ServerList(given["environment"], given["tier"], servers, tags, role, region)


def here(lists: list[ServerList], account: str, region: str) -> list[ServerList]:
    """Those that a table puts into this very place; if none does, those at the stack's own."""
    return [one for one in lists if one.is_in(account, region)] or [one for one in lists if not one.role]


def environments(lists: Iterable[ServerList]) -> list[str]:
    """In the file's order, each once."""
    return list(dict.fromkeys(listed.environment for listed in lists))


def how_many(lists: list[ServerList]) -> str:
    """How many servers the lists name, in words; who is selected by tags alone is not counted, but said."""
    named = sum(len(listed.servers) for listed in lists)
    words = f"{named} server{'' if named == 1 else 's'}"
    if any(not listed.servers and listed.tags for listed in lists):
        words += ", and those that are selected by tags,"
    return words


def elsewhere(lists: Iterable[ServerList]) -> str:
    """Which environments are in other accounts and Regions, in words that follow where the stack is."""
    places = {one.environment: (one.role.split(":")[4], one.region) for one in lists if one.role}
    told = [
        f"{name} in {', '.join(filter(None, (account, region)))}"
        for name, (account, region) in places.items()
    ]
    return f", {'; '.join(told)}" if told else ""


def instances(ec2: Any, listed: ServerList) -> list[Instance]:
    """The live instances of a list: by Name, literally, and by all its tags."""
    by_tags = [{"Name": f"tag:{key}", "Values": [_literal(value)]} for key, value in listed.tags.items()]
    if not listed.servers and not by_tags:
        return []
    found: dict[str, Instance] = {}
    for names in _chunks([_literal(name) for name in listed.servers]) if listed.servers else [[]]:
        filters = [{"Name": "instance-state-name", "Values": LIVE}, *by_tags]
        if names:
            filters.append({"Name": "tag:Name", "Values": names})
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
            for reservation in page["Reservations"]:
                for instance in reservation["Instances"]:
                    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
                    found[instance["InstanceId"]] = Instance(
                        instance["InstanceId"], tags.get("Name", ""), tags
                    )
    return sorted(found.values(), key=lambda instance: (instance.name, instance.id))


def volume_keys(ec2: Any, ids: list[str]) -> Iterator[tuple[str, str]]:
    """The instance and the KMS key of every encrypted volume."""
    for chunk in _chunks(ids):
        filters = [{"Name": "attachment.instance-id", "Values": chunk}]
        for page in ec2.get_paginator("describe_volumes").paginate(Filters=filters):
            for volume in page["Volumes"]:
                if key := volume.get("KmsKeyId"):
                    yield from ((attached["InstanceId"], key) for attached in volume["Attachments"])


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(values), MOST_VALUES):
        yield values[begin : begin + MOST_VALUES]


def _literal(value: str) -> str:
    """EC2 reads * and ? in a filter as wildcards unless a backslash stands before."""
    return "".join(f"\\{letter}" if letter in "*?\\" else letter for letter in value)
