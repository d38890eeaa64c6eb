"""Deleting in AWS's time: stacks that are still being created, keys that go later. And the table."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from prove import leave, table
from prove.checks import MEASURED, NOT, OK, Check
from prove.site import Site
from prove.world import World


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Operation")


class Cloud(World):
    """A world whose CloudFormation goes through the given statuses, one a look."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.deletions: list[str] = []
        self.slept = 0.0

    def client(self, service: str) -> Any:
        return self

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        if not self.statuses:
            raise refusal("ValidationError")
        return {"Stacks": [{"StackStatus": self.statuses.pop(0)}]}

    def delete_stack(self, StackName: str) -> None:  # noqa: N803 (AWS's name)
        self.deletions.append(StackName)

    def now(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds

    def lacks(self) -> str:
        raise NotImplementedError

    build = deploy = fleet_is_there = disable_key = lacks


def test_a_stack_that_is_still_being_created_is_deleted_when_it_is_there():
    cloud = Cloud("CREATE_IN_PROGRESS", "CREATE_FAILED", "CREATE_COMPLETE", "CREATE_COMPLETE")
    leave._await_deletion(cloud, "s")
    assert cloud.deletions == ["s-fleet"]


def test_a_deletion_that_does_not_end_is_given_up():
    with pytest.raises(leave.NotInTimeError, match="the stacks were not deleted within 30 minutes"):
        leave._await_deletion(Cloud(*["DELETE_IN_PROGRESS"] * 3000), "s")


def test_a_stack_that_cannot_be_looked_at_is_not_taken_for_gone():
    cloud = Cloud()
    cloud.describe_stacks = lambda **_: (_ for _ in ()).throw(refusal("AccessDenied"))
    with pytest.raises(ClientError):
        leave._status(cloud, "s")


class Keys:
    """KMS that knows one key."""

    class exceptions:  # noqa: N801 (boto3's name)
        NotFoundException = KeyError

    def __init__(self, state: str) -> None:
        self.state = state

    def client(self, service: str) -> Any:
        return self

    def describe_key(self, KeyId: str) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        when = dt.datetime(2026, 12, 2, tzinfo=dt.UTC)
        return {"KeyMetadata": {"KeyState": self.state, "DeletionDate": when}}


def test_a_key_that_kms_deletes_later_is_told_with_its_date_and_is_nothing_left():
    said: list[str] = []
    assert leave._key_left(Keys("PendingDeletion"), "k", said.append) == []
    assert said == ["KMS deletes the key k on 2026-12-02; it costs nothing until then."]


def test_a_key_that_is_not_to_be_deleted_is_left():
    assert leave._key_left(Keys("Disabled"), "k", print) == ["the key k (Disabled)"]


class Offers:
    """EC2's offers of an instance type."""

    def client(self, service: str) -> Any:
        return self

    def describe_instance_type_offerings(self, **_: Any) -> dict[str, Any]:
        zones = ("us-west-2c", "us-west-2-lax-1a", "us-west-2b")
        return {"InstanceTypeOfferings": [{"Location": zone} for zone in zones]}


def test_no_local_zone_is_taken():
    assert Site(Offers(), "s", "a@example.com", Path(), print)._zone() == "us-west-2b"


def test_the_table_sets_what_is_seen_beside_what_the_embedded_aws_showed(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "PREDICTED", tmp_path / "predicted.json")
    here = [Check("stop", "end", "SUCCEEDED", "SUCCEEDED", OK), Check("stop", "time", "", "3 s", MEASURED)]
    table.write_predicted(here)
    there = [Check("stop", "end", "SUCCEEDED", "FAILED", NOT), Check("stop", "time", "", "4 s", MEASURED)]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.lines(there) if "|" in line]
    assert rows[2:] == [
        ["NOT", "end", "SUCCEEDED", "FAILED", "SUCCEEDED"],
        ["measured", "time", "", "4 s", "not kept"],
    ]


def test_a_table_without_a_check_is_not_as_expected():
    assert not table.is_as_expected([])
    assert table.summary([], whole=True) == "NOT as expected: no check was made."


def test_a_proof_that_was_broken_off_has_no_verdict_whatever_it_had_shown():
    good, bad = Check("s", "a", "1", "1", OK), Check("s", "b", "1", "2", NOT)
    assert table.summary([good], whole=False) == "Not proved; so far: 1 ok."
    assert table.summary([good, bad], whole=False) == "Not proved; so far: 1 ok, 1 NOT."
    assert table.summary([good, bad], whole=True) == "NOT as expected: 1 ok, 1 NOT."
    assert table.summary([], whole=False) == "Not proved; so far: no check was made."
