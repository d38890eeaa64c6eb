"""make postpone and make release: who is held, until when, and whose holds stay."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError

from local.fleet import Fleet
from local.run import BINARY
from local.runtime_api import ACCOUNT, REGION
from operate import lists, postpone
from operate.place import Place
from operate.problem import OperatingError
from operate.samconfig import SamConfig

COMMANDS = ("--commands", str(BINARY))
# One that nobody who runs this sees, and one long gone.
COMING = "2190-12-24T18:00"
UNTIL = f"until {COMING}:00+00:00"
GONE = "2020-12-24T18:00"


def put(make, *more: str) -> int:
    return make("postpone", "--environments", "dev", "--until", COMING, *COMMANDS, *more)


def held(fleet: Fleet) -> dict[str, str]:
    names = {instance_id: name for name, instance_id in fleet.ids.items()}
    found = fleet.client.describe_tags(Filters=[{"Name": "key", "Values": [postpone.TAG]}])["Tags"]
    return {names[tag["ResourceId"]]: tag["Value"] for tag in found}


def hold(fleet: Fleet, name: str, value: str) -> None:
    fleet.client.create_tags(Resources=[fleet.ids[name]], Tags=[{"Key": postpone.TAG, "Value": value}])


def test_a_server_without_a_hold_is_left_alone_by_release(make, fleet: Fleet, capsys):
    assert make("release", "--environments", "dev") == 0
    assert "There was nothing to change." in capsys.readouterr().out
    assert held(fleet) == {}


def test_every_server_of_the_environment_is_held_until_then_and_no_other_is(make, fleet: Fleet, capsys):
    assert put(make) == 0
    assert held(fleet) == dict.fromkeys(["test1", "test2", "test7"], UNTIL)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"This holds 3 servers as they are {UNTIL}, of dev in account 123456789012, eu-west-1."
    assert f"[dev db] test2 ({fleet.ids['test2']}) has got {postpone.TAG}={UNTIL}" in lines
    assert put(make) == 0
    assert "There was nothing to change." in capsys.readouterr().out


def test_release_takes_off_what_postpone_put_on(make, fleet: Fleet, capsys):
    put(make)
    assert make("release", "--environments", "dev,test") == 0
    assert held(fleet) == {}
    told = f"[dev app] test1 ({fleet.ids['test1']}) is held no more: {postpone.TAG}={UNTIL} was taken off"
    assert told in capsys.readouterr().out


def test_another_time_takes_the_place_of_the_one_before(make, fleet: Fleet, capsys):
    put(make)
    make("postpone", "--environments", "dev", "--until", "2180-01-01", *COMMANDS)
    assert set(held(fleet).values()) == {"until 2180-01-02T00:00:00+00:00"}
    assert f"in place of {UNTIL}" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["forever", "2180-01-01", "until 2180-01-01 Asia/Seoul", "ask Ann first"])
def test_a_hold_that_somebody_wrote_in_another_form_stays_unless_told(make, fleet: Fleet, capsys, text: str):
    hold(fleet, "test2", text)
    assert put(make) == 1
    assert held(fleet)["test2"] == text
    assert f"stays: {postpone.TAG}={text} is somebody's own (OTHERS=1: it may go)" in capsys.readouterr().out
    assert make("release", "--environments", "dev") == 1
    assert held(fleet) == {"test2": text}
    assert put(make, "--others") == 0
    assert held(fleet)["test2"] == UNTIL
    hold(fleet, "test2", text)
    assert make("release", "--environments", "dev", "--others") == 0
    assert held(fleet) == {}


def test_a_hold_that_is_over_is_replaced_whoever_wrote_it(make, fleet: Fleet):
    hold(fleet, "test2", "2020-12-24")
    assert put(make) == 0
    assert held(fleet)["test2"] == UNTIL


def test_a_name_of_two_instances_is_left_alone_and_said(make, fleet: Fleet, capsys):
    fleet.create("test2", {})
    assert put(make) == 1
    assert "[dev db] 2 instances have the Name test2: left as it is" in capsys.readouterr().out
    assert set(held(fleet)) == {"test1", "test7"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--environments", "dev", "--until", GONE), f"UNTIL={GONE} is past (2020-12-24T18:00:00+00:00)"),
        (
            ("--environments", "dev", "--until", "Christmas"),
            "UNTIL=Christmas is not understood: write 2026-12-24",
        ),
        (("--environments", "dev", "--until", "forever"), "UNTIL=forever is not understood"),
        (("--environments", "dev"), "UNTIL is missing"),
        (("--environments", "prod", "--until", COMING), "servers.toml has no environment prod"),
        (("--until", COMING), "ENV is missing: name the environments"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(make, fleet: Fleet, capsys, arguments, says: str):
    assert make("postpone", *arguments, *COMMANDS) == 2
    assert says in capsys.readouterr().err
    assert held(fleet) == {}


def test_a_time_without_a_zone_is_the_stacks(tmp_path, make, fleet: Fleet):
    text = '[default.deploy.parameters]\nparameter_overrides = ["TimeZone=Asia/Seoul"]\n'
    (tmp_path / "samconfig.toml").write_text(text)
    assert put(make) == 0
    assert set(held(fleet).values()) == {f"until {COMING}:00+09:00"}


class Deployed:
    """A session that sees one stack, if any, with this TimeZone."""

    region_name = REGION

    def __init__(self, stack: str = "", zone: str = "") -> None:
        self.stack, self.zone = stack, zone

    def client(self, service: str) -> Deployed:
        assert service == "cloudformation"
        return self

    def describe_stacks(self, StackName: str) -> dict:  # noqa: N803
        if StackName != self.stack:
            raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")
        found = [{"ParameterKey": "TimeZone", "ParameterValue": self.zone}] if self.zone else []
        return {"Stacks": [{"StackStatus": "CREATE_COMPLETE", "Parameters": found}]}


def zone_of(config: SamConfig, deployed: Deployed) -> postpone.Zone:
    return postpone.zone_of(config, Place(deployed, ACCOUNT, ""))


@pytest.mark.parametrize(
    "config", [SamConfig(), SamConfig(exists=True), SamConfig(exists=True, stack_name="nights")]
)
def test_where_samconfig_names_no_zone_it_is_the_deployed_stacks(config: SamConfig):
    deployed = Deployed(config.stack_name or "ec2-start-stop", "Europe/Madrid")
    assert zone_of(config, deployed) == postpone.Zone("Europe/Madrid")


@pytest.mark.parametrize(
    ("config", "said"), [(SamConfig(), "is not there"), (SamConfig(True), "names no TimeZone")]
)
@pytest.mark.parametrize("deployed", [Deployed(), Deployed("ec2-start-stop")])
def test_that_a_time_is_read_in_utc_because_no_zone_is_known_is_said(config: SamConfig, said: str, deployed):
    assert zone_of(config, deployed) == postpone.Zone(
        "UTC",
        f"samconfig.toml {said}, and no stack ec2-start-stop can be seen in account 123456789012, eu-west-1: "
        "a time without an offset or a zone is read in UTC",
    )


def test_the_zone_that_is_not_known_is_said_before_a_server_is_held(make, fleet: Fleet, capsys):
    assert put(make) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Note: samconfig.toml is not there,")
    assert lines[1].startswith("This holds 3 servers")


def test_without_the_products_commands_nothing_is_changed_and_it_is_said_what_is_needed(make, fleet, capsys):
    arguments = ("--environments", "dev", "--until", COMING, "--commands", "./no-bootstrap")
    assert make("postpone", *arguments) == 2
    assert "Rust is needed, or a release's bootstrap in this folder" in capsys.readouterr().err
    assert held(fleet) == {}


def test_who_says_no_changes_nothing(session: boto3.Session, fleet: Fleet, servers, screen):
    asked: list[str] = []
    listed = [one for one in lists.read(servers) if one.environment == "dev"]
    shown = screen("n")
    holds = postpone.Holds(session.client("ec2"), listed, shown, False, lambda what: bool(asked.append(what)))
    assert holds.put(UNTIL, lambda _: False) == 2
    assert asked == [f"holds 3 servers as they are {UNTIL}"]
    assert shown.lines == ["Nothing was changed."]
    assert held(fleet) == {}


def test_an_environment_in_another_account_or_region_is_refused_with_where_to_sign_in(where: Place):
    role = "arn:aws:iam::210987654321:role/ec2-start-stop-member"
    there = lists.ServerList("preprod", "db", ("test15",), role=role, region="eu-central-1")
    here = lists.ServerList("dev", "db", ("test2",))
    assert postpone.of_environments([here, there], ["dev"], where) == [here]
    with pytest.raises(OperatingError, match=r"preprod is in 210987654321, eu-central-1: sign in there"):
        postpone.of_environments([here, there], ["dev", "preprod"], where)


def test_what_postpone_writes_the_function_reads_as_a_hold():
    written = postpone.hold_until(COMING, "Europe/Madrid", str(BINARY))
    (read,) = postpone.meanings([written], "UTC", str(BINARY))
    assert postpone.OURS.fullmatch(written)
    assert (read["standing"], read["end"]) == ("held", "2190-12-24T17:00:00+00:00")
