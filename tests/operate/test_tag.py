"""make tag: who lacks the tag gets it, when told to, and nobody else."""

from __future__ import annotations

import pytest

from local.fleet import Fleet


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """All listed servers without the tag, and one that no list names."""
    fleet.create("other", {})
    fleet.client.delete_tags(Resources=list(fleet.ids.values()), Tags=[{"Key": "ec2-start-stop"}])
    return fleet


def tagged(fleet: Fleet) -> dict[str, str]:
    filters = [{"Name": "key", "Values": ["ec2-start-stop"]}]
    names = {instance_id: name for name, instance_id in fleet.ids.items()}
    found = fleet.client.describe_tags(Filters=filters)["Tags"]
    return {names[tag["ResourceId"]]: tag["Value"] for tag in found}


def test_unless_told_it_only_shows_what_it_would_do(make, fleet, capsys):
    assert make("tag") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "The servers of servers.toml in account 123456789012, eu-west-1."
    assert f"[dev db] test2 ({fleet.ids['test2']}) would get ec2-start-stop=true" in lines
    assert lines[-1] == "Nothing was changed: 4 servers would be tagged. APPLY=1 does it."
    assert tagged(fleet) == {}


def test_told_to_it_tags_the_listed_servers_and_nobody_else(make, fleet, capsys):
    assert make("tag", "--apply") == 0
    assert tagged(fleet) == dict.fromkeys(["test1", "test2", "test7", "mq1"], "true")
    assert "Tagged 4 servers." in capsys.readouterr().out
    assert make("tag", "--apply") == 0
    assert "There was nothing to tag." in capsys.readouterr().out


def test_the_value_is_the_stacks(make, fleet, tmp_path):
    text = '[default.deploy.parameters]\nparameter_overrides = ["ServerTagValue=team-a"]\n'
    (tmp_path / "samconfig.toml").write_text(text)
    assert make("tag", "--apply") == 0
    assert set(tagged(fleet).values()) == {"team-a"}


def test_a_name_of_two_instances_or_of_none_is_left_alone_and_said(make, fleet, capsys):
    fleet.client.terminate_instances(InstanceIds=[fleet.ids["test1"]])
    first = fleet.ids["test2"]
    second = fleet.create("test2", {})
    fleet.client.delete_tags(Resources=[second], Tags=[{"Key": "ec2-start-stop"}])
    assert make("tag", "--apply") == 1
    told = capsys.readouterr().out
    assert "[dev app] no instances have the Name test1: not tagged" in told
    assert "[dev db] 2 instances have the Name test2: not tagged" in told
    fleet.ids |= {"first": first}
    assert set(tagged(fleet)) == {"test7", "mq1"}
