"""When schedules fire, held against an engine that is not ours; and the template that they are rendered into.

aws-croniter knows EventBridge's cron expressions in UTC. Its dialect differs: wider in LW and ranges across
the week's end, of which EventBridge Scheduler's guide says nothing, so that `check` refuses them; narrower
in years with a step; and it finds no day for L alone in day-of-week, which the guide calls the
last day of the week.
"""

from __future__ import annotations

import datetime
import json
import subprocess
from pathlib import Path

import pytest
from aws_croniter import AwsCroniter

from local.deploy import ROOT, deploy, translate
from local.rendering import BINARY, LONGEST_RENDERING, rendered_template
from local.server import Server
from tests.lint import with_definition_as_object
from tests.parameters import REQUIRED

CORE = ROOT / "target" / "core" / "debug" / "ec2-start-stop"
# A leap day, the end of a year, and a month that begins on a Sunday lie ahead.
BEGINS = ["2027-12-30T10:11:12", "2026-01-31T23:59:30", "2026-10-31T00:00:00"]
EXPRESSIONS = [
    "0 7 ? * MON-FRI *",
    "0 7 ? * 2-6 *",
    "1/10 * * * ? *",
    "0/15 8-18 ? * TUE,THU *",
    "*/20 */5 * * ? *",
    "30 6-20/7 1,15,28-31 * ? *",
    "0 12 L * ? *",
    "0 12 15W * ? *",
    "0 12 1W * ? *",
    "0 12 30W * ? *",
    "0 12 ? * 6L *",
    "0 12 ? * 3#2 *",
    "0 12 ? * 1#5 *",
    "0 0 29 2 ? *",
    "0 0 1 JAN ? 2027,2030-2040",
    "0 0 1 JAN-DEC/3 ? 2027-2040",
    "59 23 31 12 ? *",
    "5 4 ? MAR-MAY,DEC SUN 2026,2028",
]
SCHEDULES = """
[[schedule]]
name = "weekday-mornings"
action = "start"
environments = ["dev", "test"]
expression = "cron(0 7 ? * MON-FRI *)"
time_zone = "Asia/Seoul"
enabled = true
calendar = "arn:aws:ssm:eu-west-1:210987654321:document/holidays"

[[schedule]]
name = "nights"
action = "stop"
expression = "rate(12 hours)"

[[schedule]]
name = "role"
action = "check"
expression = "at(2035-12-24T18:00:00)"
enabled = true
"""


@pytest.fixture(scope="module")
def built() -> Path:
    subprocess.run(
        [*BINARY, "--version"], cwd=ROOT, check=True, capture_output=True, timeout=LONGEST_RENDERING
    )
    return CORE


@pytest.fixture
def servers(tmp_path: Path, servers_file: Path) -> Path:
    """The tests' servers with three schedules."""
    file = tmp_path / "servers.toml"
    file.write_text(servers_file.read_text() + SCHEDULES)
    return file


def ours(binary: Path, expression: str, begin: str) -> list[str]:
    done = subprocess.run(
        [binary, "next", f"cron({expression})", "UTC", f"{begin}Z"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip().removeprefix("next ").split(", ")


def theirs(expression: str, begin: str) -> list[str]:
    now = datetime.datetime.fromisoformat(begin).replace(tzinfo=datetime.UTC)
    return [f"{at:%a %Y-%m-%d %H:%M UTC}" for at in AwsCroniter(expression).get_next(now, n=3)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_fires_when_another_engine_of_eventbridges_dialect_says(built: Path, expression: str):
    for begin in BEGINS:
        assert ours(built, expression, begin) == theirs(expression, begin), begin


@pytest.mark.parametrize(
    "expression", ["0 7 * * * *", "0 7 ? * ? *", "60 7 * * ? *", "0 24 * * ? *", "0 7 ? * 8 *"]
)
def test_what_both_engines_refuse(built: Path, expression: str):
    done = subprocess.run([built, "next", f"cron({expression})", "UTC"], capture_output=True, timeout=60)
    assert done.returncode == 1
    with pytest.raises(ValueError):  # noqa: PT011 (its own errors are of this kind)
        AwsCroniter(expression)


def deployed(server: Server, servers: Path, folder: Path) -> dict[str, dict]:
    """The embedded AWS's schedules by their description."""
    stack = deploy(
        server, REQUIRED | {"TimeZone": "Europe/Madrid"}, folder / "never-run", folder / "log", servers
    )
    scheduler = stack.client("scheduler")
    found = [scheduler.get_schedule(Name=one["Name"]) for one in scheduler.list_schedules()["Schedules"]]
    return {one["Description"]: one for one in found}


def test_the_stack_has_each_schedule_as_the_file_says_it(server: Server, servers: Path, tmp_path: Path):
    found = deployed(server, servers, tmp_path)
    assert len(found) == 6
    mornings = found["weekday-mornings of servers.toml: starts servers"]
    assert (mornings["State"], mornings["ScheduleExpressionTimezone"]) == ("ENABLED", "Asia/Seoul")
    assert json.loads(mornings["Target"]["Input"]) == {
        "action": "start",
        "environments": ["dev", "test"],
        "calendar": "arn:aws:ssm:eu-west-1:210987654321:document/holidays",
    }
    nights = found["nights of servers.toml: stops servers"]
    assert (nights["State"], nights["ScheduleExpressionTimezone"]) == ("DISABLED", "Europe/Madrid")
    check = found["role of servers.toml: checks the account"]
    assert json.loads(check["Target"]["Input"]) == {"check": True}


def test_a_schedule_of_the_file_has_the_target_that_the_templates_own_have(
    server: Server, servers: Path, tmp_path: Path
):
    found = deployed(server, servers, tmp_path)
    targets = [{**one["Target"], "Input": ""} for one in found.values()]
    targets = [{key: value for key, value in target.items() if key != "Id"} for target in targets]
    assert all(target == targets[0] for target in targets)
    assert {json.dumps(one["FlexibleTimeWindow"]) for one in found.values()} == {'{"Mode": "OFF"}'}


def test_what_the_root_has_of_schedules_is_not_deployed_for_other_servers(
    server: Server, servers_file: Path, tmp_path
):
    assert len(deployed(server, servers_file, tmp_path)) == 3


def test_no_schedule_takes_the_logical_id_of_something_else(servers: Path):
    plain = translate(ROOT / "template.yaml", REQUIRED)
    full = translate(ROOT / "template.yaml", REQUIRED, text=rendered_template(servers))
    assert len(full["Resources"]) == len(plain["Resources"]) + 3
    for name in [*plain["Resources"], *plain["Parameters"], *plain["Conditions"]]:
        assert not name.startswith("Scheduled"), name


def test_cfn_lint_finds_nothing_in_a_template_with_schedules(servers: Path, tmp_path: Path):
    template = tmp_path / "template.json"
    template.write_text(json.dumps(with_definition_as_object(rendered_template(servers)), default=str))
    linted = subprocess.run(
        [ROOT / ".venv" / "bin" / "cfn-lint", "--regions", "eu-west-1", "--", template],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")
