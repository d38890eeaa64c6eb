"""make doctor and make tag with environments in other accounts and Regions."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import accounts
from local.accounts import Place
from local.deploy import ROOT
from local.fleet import Fleet
from local.server import Server
from operate import check_places, lists
from operate.command import main
from operate.samconfig import SamConfig

SERVERS = ROOT / "docs" / "accounts.toml"
MEMBER = Place("210987654321", "us-east-2")
ROLES = accounts.roles(SERVERS)


@pytest.fixture
def fleet(server: Server, session) -> Fleet:
    made = Fleet(server, session.client("ec2"))
    made.seed(SERVERS)
    return made


def environments_here(place: Place) -> list[str]:
    return lists.environments(lists.here(lists.read(SERVERS), *place))


def test_without_tables_all_lists_are_here(servers: Path):
    listed = lists.read(servers)
    assert lists.here(listed, *accounts.HOME) == listed
    assert list(check_places.check(listed, listed, SamConfig(True))) == []


def test_each_place_has_its_own_lists():
    assert environments_here(accounts.HOME) == ["dev"]
    assert environments_here(Place(accounts.HOME.account, "eu-central-1")) == ["test"]
    assert environments_here(MEMBER) == ["preprod"]


def test_doctor_looks_at_home_only_says_so_and_misses_no_server_there(fleet, tmp_path, capsys):
    config = tmp_path / "samconfig.toml"
    config.write_text(
        f'[default.deploy.parameters]\nparameter_overrides = ["MemberRoleArns={",".join(ROLES)}"]\n'
    )
    main(["doctor", "--commands", "true", "--servers", str(SERVERS), "--samconfig", str(config)])
    told = capsys.readouterr().out
    assert "dev db: 1 of 1 servers found" in told
    assert "preprod db" not in told
    assert "the 2 roles of other places are among MemberRoleArns" in told
    assert "not looked at: the servers of preprod, in another account or Region" in told


def test_a_role_that_the_stack_may_not_assume_is_found_before_the_deployment():
    listed = lists.read(SERVERS)
    found = check_places.check(listed, listed, SamConfig(True, parameters={"MemberRoleArns": ROLES[0]}))
    assert [one.text for one in found if one.state == "wrong"] == [
        f"preprod: put {ROLES[1]} into MemberRoleArns in samconfig.toml"
    ]


def test_tag_signed_in_to_a_member_tags_its_servers_and_nobody_elses(fleet, tmp_path, monkeypatch, capsys):
    there = accounts.client(fleet.server.url, "ec2", MEMBER)
    names = ["preprod-db1", "preprod-app1", "preprod-app2"]
    there.delete_tags(Resources=[fleet.ids[name] for name in names], Tags=[{"Key": "ec2-start-stop"}])
    signed_in = there._request_signer._credentials
    monkeypatch.setenv("AWS_REGION", MEMBER.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", signed_in.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", signed_in.secret_key)
    files = ["--servers", str(SERVERS), "--samconfig", str(tmp_path / "samconfig.toml")]
    assert main(["tag", "--apply", *files]) == 0
    told = capsys.readouterr().out
    assert "account 210987654321, us-east-2" in told and "Tagged 3 servers." in told


def test_who_starts_everything_is_told_every_place(servers):
    assert lists.elsewhere(lists.read(servers)) == ""
    told = ", test in 123456789012, eu-central-1; preprod in 210987654321, us-east-2"
    assert lists.elsewhere(lists.read(SERVERS)) == told
