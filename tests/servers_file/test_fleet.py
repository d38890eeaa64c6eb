"""The servers that `make run` creates for a servers.toml: those of a list by tags too."""

from __future__ import annotations

from pathlib import Path

import boto3

from local.fleet import Fleet, servers_of

LIST = {"environment": "staging", "tier": "mq"}


def test_a_list_of_names_has_its_names():
    assert servers_of({**LIST, "servers": ["a", "b"]}) == ["a", "b"]
    assert servers_of({**LIST, "servers": ["a"], "tags": {"Service": "broker"}}) == ["a"]
    assert servers_of({**LIST, "servers": []}) == []


def test_a_list_by_tags_has_servers_enough_for_its_minimum():
    by_tags = {**LIST, "tags": {"Service": "broker"}}
    assert servers_of(by_tags) == ["staging-mq-1", "staging-mq-2", "staging-mq-3"]
    assert len(servers_of({**by_tags, "minimum": "all"})) == 3
    assert len(servers_of({**by_tags, "minimum": 1})) == 3
    assert len(servers_of({**by_tags, "minimum": 5})) == 5


def test_a_list_by_the_tag_name_has_the_server_of_that_name():
    assert servers_of({**LIST, "tags": {"Name": "broker"}}) == ["broker"]


def test_they_carry_the_tags_that_select_them(server, tmp_path: Path):
    file = tmp_path / "servers.toml"
    file.write_text(
        '[[list]]\nnumber = 0\nenvironment = "staging"\ntier = "app"\n'
        'tags = { Service = "broker", Tier = "mq" }\n'
    )
    ec2 = boto3.client(
        "ec2",
        endpoint_url=server.url,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    fleet = Fleet(server, ec2)
    fleet.seed(file)
    filters = [{"Name": "tag:Service", "Values": ["broker"]}, {"Name": "tag:Tier", "Values": ["mq"]}]
    found = [one["Instances"][0] for one in ec2.describe_instances(Filters=filters)["Reservations"]]
    assert sorted(one["InstanceId"] for one in found) == sorted(fleet.ids.values())
    assert len(found) == 3
