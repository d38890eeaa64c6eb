"""`make tag`: gives the listed servers the tag without which the function may not touch them.

Owns nothing else of a server. Changes nothing unless told to, leaves a name alone that two instances have.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import boto3

from operate import lists
from operate.check_servers import TAG, tag_value
from operate.lists import Instance, ServerList
from operate.samconfig import SamConfig
from operate.terminal import Terminal

# CreateTags takes 1,000 resources at most.
MOST_RESOURCES = 500


def tag(
    session: boto3.Session, listed: list[ServerList], config: SamConfig, apply: bool, terminal: Terminal
) -> bool:
    """Tags who lacks it; whether every listed server was found once."""
    ec2, value = session.client("ec2"), tag_value(config)
    wanting: list[tuple[ServerList, Instance]] = []
    unclear: list[str] = []
    for one in listed:
        found = lists.instances(ec2, one)
        doubtful = doubts(one, found)
        unclear += [f"[{one}] {what}: not tagged" for what in doubtful.values()]
        wanting += [(one, i) for i in found if i.name not in doubtful and i.tags.get(TAG) != value]
    if apply:
        write(ec2, [instance.id for _, instance in wanting], value)
    verb = "has got" if apply else "would get"
    for one, instance in wanting:
        before = f" in place of {instance.tags[TAG]}" if TAG in instance.tags else ""
        terminal.say(f"[{one}] {instance.name} ({instance.id}) {verb} {TAG}={value}{before}")
    for line in [*unclear, conclusion(len(wanting), apply)]:
        terminal.say(line)
    return not unclear


def doubts(listed: ServerList, found: list[Instance]) -> dict[str, str]:
    """By Name, what keeps us from tagging."""
    times = Counter(instance.name for instance in found)
    if listed.servers:
        return {
            name: f"{times[name] or 'no'} instances have the Name {name}"
            for name in listed.servers
            if times[name] != 1
        }
    return {"": "no instance has the list's tags"} if listed.tags and not found else {}


def write(ec2: Any, ids: list[str], value: str) -> None:
    for begin in range(0, len(ids), MOST_RESOURCES):
        ec2.create_tags(Resources=ids[begin : begin + MOST_RESOURCES], Tags=[{"Key": TAG, "Value": value}])


def conclusion(count: int, apply: bool) -> str:
    if not count:
        return "There was nothing to tag."
    servers = f"{count} server{'' if count == 1 else 's'}"
    return (
        f"Tagged {servers}." if apply else f"Nothing was changed: {servers} would be tagged. APPLY=1 does it."
    )
