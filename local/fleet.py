"""The servers of a servers.toml as instances of the embedded EC2.

Owns the seeding: one RunInstances each (moto pages by reservation), tags as a user has them, Name not first.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

from moto.ec2.models import ec2_backends

from local import accounts, clock, ec2
from local.faults import Fault, Wish
from local.server import Server

IMAGE = "ami-12c6146b"  # one of the images that moto brings
LIST = "list"  # what servers.toml calls one: [[list]]
FOUND_BY_TAGS = 3  # as many servers has a list that names none, unless its minimum is more


def lists(file: Path) -> list[dict[str, Any]]:
    """The lists of a servers.toml."""
    return tomllib.loads(file.read_text())[LIST]


def servers_of(given: dict[str, Any]) -> list[str]:
    """The Names of a list's servers; those that only tags select are called after environment and tier."""
    tags = given.get("tags", {})
    if "servers" in given or not tags:
        return given.get("servers", [])
    if "Name" in tags:
        return [tags["Name"]]
    minimum = given.get("minimum", "all")
    count = FOUND_BY_TAGS if minimum == "all" else max(minimum, FOUND_BY_TAGS)
    return [f"{given['environment']}-{given['tier']}-{n}" for n in range(1, count + 1)]


class Fleet:
    """The seeded instances, by Name."""

    def __init__(self, server: Server, client: Any) -> None:
        self.server = server
        self.client = client
        self.ids: dict[str, str] = {}
        self.places: dict[str, accounts.Place] = {}
        """Where each server is."""
        self.elsewhere: dict[str, tuple[str, accounts.Place]] = {}
        """The role and the place of each environment that is not."""

    def seed(self, file: Path, state: str = "stopped") -> None:
        """Creates the servers of every list, in this state since last night."""
        places = accounts.places(file)
        self.elsewhere = {name: (accounts.tables(file)[name]["role_arn"], places[name]) for name in places}
        for given in lists(file):
            place = places.get(given["environment"], accounts.HOME)
            tags = {"Environment": given["environment"], "Tier": given["tier"]} | given.get("tags", {})
            for name in servers_of(given):
                self.create(name, tags, state, place)

    def create(
        self, name: str, tags: dict[str, str], state: str = "stopped", place: accounts.Place = accounts.HOME
    ) -> str:
        tags = {"Owner": "platform", **tags, "ec2-start-stop": "true", "Name": name}
        created = self.client_of(place).run_instances(
            ImageId=IMAGE,
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
            ],
        )
        instance_id = created["Instances"][0]["InstanceId"]
        self.ids[name] = instance_id
        self.places[name] = place
        self.put(name, state)
        return instance_id

    def client_of(self, place: accounts.Place) -> Any:
        return self.client if place == accounts.HOME else accounts.client(self.server.url, "ec2", place)

    def instance(self, name: str) -> Any:
        place = self.places[name]
        return ec2_backends[place.account][place.region].get_instance(self.ids[name])

    def habit(self, name: str) -> ec2.Habit:
        """The instance's behaviour, to be changed."""
        return ec2.habit_of(self.ids[name])

    def put(self, name: str, state: str) -> None:
        """Sets a state as if it had been so since last night."""
        instance = self.instance(name)
        ec2.pretend_launched(instance, hours_ago=24)
        instance._state = ec2.InstanceState(state, ec2.CODES[state])
        instance.__dict__["_up_since"] = clock.CLOCK.now() - 12 * 3600
        if state == "stopped":
            stopped_at = clock.CLOCK.utc() - dt.timedelta(hours=12)
            instance._reason = f"User initiated ({stopped_at:%Y-%m-%d %H:%M:%S} GMT)"
            instance.state_reason = ec2.StateReason(
                "Client.UserInitiatedShutdown: User initiated shutdown", "Client.UserInitiatedShutdown"
            )

    def state(self, name: str) -> str:
        return self.instance(name)._state.name

    def break_as(self, wish: Wish) -> None:
        """Adds the fault that a person asked for."""
        named = self.ids | self._named_for(wish.operation)
        if wish.server is not None and wish.server not in named:
            raise ValueError(
                f"FAULT: there is no server {wish.server}, and no environment elsewhere of that name"
            )
        instance_id = named[wish.server] if wish.server else None
        self.server.application.faults.add(Fault(wish.operation, wish.code, instance_id, wish.times))

    def _named_for(self, operation: str) -> dict[str, str]:
        """What a call to an environment elsewhere names: its role, or the place itself."""
        return {
            name: role if operation == "AssumeRole" else str(place)
            for name, (role, place) in self.elsewhere.items()
        }
