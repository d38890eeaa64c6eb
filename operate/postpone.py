"""`make postpone` and `make release`: the hold tag on all servers of an environment, and off again.

Owns which holds are ours: `until ` and a moment with its offset, as `make postpone` writes it. Any other text
(`forever`, a date) is somebody's own, and stays unless told. What a text means, the product itself says.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from operate import commands, lists
from operate.lists import Instance, ServerList
from operate.place import Place
from operate.problem import OperatingError
from operate.samconfig import SamConfig
from operate.stack import DEFAULT_NAME, parameters
from operate.tag import MOST_RESOURCES, doubts
from operate.terminal import Terminal

TAG = "ec2-start-stop:hold"
OURS = re.compile(r"until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
# The template's default of TimeZone.
DEFAULT_ZONE = "UTC"

Found = tuple[ServerList, Instance]


@dataclass(frozen=True)
class Change:
    """What is done to the tag of each server that wants it."""

    what: str
    """For the question; SERVERS stands for how many."""
    goal: str | None
    """The text that a server has afterwards."""
    wanted: Callable[[str | None], bool]
    write: Callable[[list[str]], None]
    told: Callable[[str | None], str]


@dataclass(frozen=True)
class Zone:
    """In which a time without an offset is read."""

    name: str
    remark: str = ""
    """What to say of it, if it is not known to be the stack's."""


def zone_of(config: SamConfig, where: Place) -> Zone:
    """samconfig.toml's TimeZone, else the deployed stack's, else the template's default, which is said."""
    if zone := config.parameters.get("TimeZone"):
        return Zone(zone)
    name = config.stack_name or DEFAULT_NAME
    try:
        return Zone(parameters(name, where.session)["TimeZone"])
    except (OperatingError, KeyError):
        said = "names no TimeZone" if config.exists else "is not there"
        return Zone(
            DEFAULT_ZONE,
            f"samconfig.toml {said}, and no stack {name} can be seen in {where}: "
            f"a time without an offset or a zone is read in {DEFAULT_ZONE}",
        )


def hold_until(text: str, zone: str, binary: str) -> str:
    """The tag's value: the end as a moment, so that it means the same wherever it is read."""
    read = understand(text, zone, binary)
    if read["standing"] == "over":
        raise OperatingError(f"UNTIL={text} is past ({read['end']}): name a time that is to come")
    return f"until {read['end']}"


def understand(text: str, zone: str, binary: str) -> dict[str, Any]:
    """What the function makes of UNTIL; refused if that has no end, whatever the zone."""
    if not text.strip():
        raise OperatingError("UNTIL is missing: UNTIL=2026-12-24T18:00, for example")
    (read,) = meanings([text], zone, binary)
    if read["end"] is None:
        raise OperatingError(
            f"UNTIL={text} is not understood: write 2026-12-24 (until that day has ended), "
            "2026-12-24T18:00, both in the stack's TimeZone, or with an offset or a zone behind it"
        )
    return read


def meanings(values: list[str], zone: str, binary: str) -> list[dict[str, Any]]:
    """What the function makes of values of the tag."""
    try:
        asked = commands.ask(binary, "hold", zone, *values)
    except (OSError, subprocess.SubprocessError) as error:
        raise OperatingError(
            f"{binary} cannot be run ({error}): Rust is needed, or a release's bootstrap in this folder"
        ) from error
    if asked.returncode:
        raise OperatingError(asked.stderr.strip())
    return json.loads(asked.stdout)


def of_environments(listed: list[ServerList], names: list[str], where: Place) -> list[ServerList]:
    """Their lists; refused if one is in another account or Region, where nobody is signed in."""
    here = lists.here(listed, where.account, where.region)
    for one in listed:
        if one.environment in names and one not in here:
            account = one.role.split(":")[4] if one.role else "the stack's account"
            raise OperatingError(
                f"{one.environment} is in {', '.join(filter(None, (account, one.region)))}: "
                "sign in there (AWS_PROFILE, AWS_REGION), then run this again"
            )
    return [one for one in listed if one.environment in names]


def name_of(count: int) -> str:
    return f"{count} server{'' if count == 1 else 's'}"


@dataclass(frozen=True)
class Holds:
    """The tag on the servers of some lists."""

    ec2: Any
    listed: list[ServerList]
    terminal: Terminal
    others: bool
    """Whether texts that are not ours may go."""
    may: Callable[[str], bool]
    """Whether what the sentence says may be done."""

    def put(self, until: str, is_over: Callable[[str], bool]) -> int:
        """Holds every server until then. 0: all are; 1: some are not; 2: nothing was changed."""

        def wanted(before: str | None) -> bool:
            return before is None or self._may_go(before) or is_over(before)

        def write(ids: list[str]) -> None:
            self.ec2.create_tags(Resources=ids, Tags=[{"Key": TAG, "Value": until}])

        def told(before: str | None) -> str:
            return f"has got {TAG}={until}" + (f" in place of {before}" if before else "")

        return self._change(Change(f"holds SERVERS as they are {until}", until, wanted, write, told))

    def take_off(self) -> int:
        """Takes the tag off. 0: no server has it any more; 1: some have; 2: nothing was changed."""

        def wanted(before: str | None) -> bool:
            return before is not None and self._may_go(before)

        def write(ids: list[str]) -> None:
            self.ec2.delete_tags(Resources=ids, Tags=[{"Key": TAG}])

        def told(before: str | None) -> str:
            return f"is held no more: {TAG}={before} was taken off"

        return self._change(Change("takes the hold off SERVERS", None, wanted, write, told))

    def _may_go(self, text: str) -> bool:
        return self.others or OURS.fullmatch(text) is not None

    def _change(self, change: Change) -> int:
        found, unclear = self._found()
        wanting = [one for one in found if _text(one) != change.goal and change.wanted(_text(one))]
        left = [one for one in found if _text(one) != change.goal and one not in wanting]
        if wanting and not self.may(change.what.replace("SERVERS", name_of(len(wanting)))):
            self.terminal.say("Nothing was changed.")
            return 2
        ids = [instance.id for _, instance in wanting]
        for begin in range(0, len(ids), MOST_RESOURCES):
            change.write(ids[begin : begin + MOST_RESOURCES])
        for one, instance in wanting:
            self._say(one, instance, change.told(_text((one, instance))))
        for one, instance in left:
            if text := _text((one, instance)):
                self._say(one, instance, f"stays: {TAG}={text} is somebody's own (OTHERS=1: it may go)")
                unclear.append(text)
        if not wanting:
            self.terminal.say("There was nothing to change.")
        return 1 if unclear else 0

    def _say(self, one: ServerList, instance: Instance, what: str) -> None:
        self.terminal.say(f"[{one}] {instance.name} ({instance.id}) {what}")

    def _found(self) -> tuple[list[Found], list[str]]:
        """Every server, and what keeps us from the others, which is said."""
        found: list[Found] = []
        unclear: list[str] = []
        for one in self.listed:
            instances = lists.instances(self.ec2, one)
            doubtful = doubts(one, instances)
            unclear += [f"[{one}] {what}: left as it is" for what in doubtful.values()]
            found += [(one, instance) for instance in instances if instance.name not in doubtful]
        for line in unclear:
            self.terminal.say(line)
        return found, unclear


def _text(found: Found) -> str | None:
    return found[1].tags.get(TAG)
