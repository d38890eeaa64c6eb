"""End to end: a stop that waits for a person's yes, as docs/approval.toml has it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.deploy import ROOT, STACK
from local.mails import given
from local.server import Server
from operate.approve import Question, questions
from tests.system.conftest import System

SERVERS = ROOT / "docs" / "approval.toml"
ASKED = ["preprod-db1", "preprod-app1", "preprod-app2"]
TEXT, SUBJECT = "Message.Body.Text.Data", "Message.Subject.Data"


def system_of(server: Server, tmp_path: Path, text: str) -> System:
    servers = tmp_path / "servers.toml"
    servers.write_text(text)
    return System(server, tmp_path / "function.log", "running", servers)


@pytest.fixture
def asking(server: Server, tmp_path: Path) -> System:
    return system_of(server, tmp_path, SERVERS.read_text())


def question(system: System, execution: str) -> Question:
    """The one that the run waits for."""
    step_functions = system.stack.client("stepfunctions")
    deadline = time.monotonic() + 30
    while not (found := questions(step_functions, execution)) or not mails(system):
        assert time.monotonic() < deadline, "nobody is asked"
        time.sleep(0.02)
    return found[0]


def say(system: System, asked: Question, output: Any) -> None:
    step_functions = system.stack.client("stepfunctions")
    step_functions.send_task_success(taskToken=asked.token, output=json.dumps(output))


def mails(system: System) -> list[dict[str, str]]:
    return given(system.server)


def rows(outcome: Any) -> list[str]:
    return sorted(row["name"] for row in outcome.output["servers"])


def test_who_is_not_concerned_is_not_asked(asking):
    assert asking.run("stop", environments=["dev"]).status == "SUCCEEDED"
    assert asking.run("stop", dry_run=True).status == "SUCCEEDED"
    assert not any("YOUR YES" in mail[SUBJECT] for mail in mails(asking))


def test_a_yes_lets_the_stop_go_on_and_the_mail_tells_whose_it_was(asking):
    execution = asking.begin("stop")
    asked = question(asking, execution)
    assert asking.named_in("StopInstances", "preprod-app1") == 0
    (mail,) = mails(asking)
    assert mail[SUBJECT].startswith("STOP OF preprod: YOUR YES IS NEEDED UNTIL ")
    assert asked.token in mail[TEXT]
    assert all(name in mail[TEXT] for name in ASKED)
    say(asking, asked, {"approved": True, "by": "Ana"})
    outcome = asking.end(execution)
    assert (outcome.status, outcome.output["status"]) == ("SUCCEEDED", "SUCCESS")
    assert asking.states(ASKED) == {"stopped"}
    assert "preprod: Ana said yes to the stop." in outcome.output["remarks"]


@pytest.mark.parametrize(
    "answer", [{"approved": False, "by": "Ana"}, {"approved": "true"}, {}, [], None, "yes", 1]
)
def test_whatever_is_no_clear_yes_leaves_the_environment_alone_and_is_no_failure(asking, answer):
    execution = asking.begin("stop")
    say(asking, question(asking, execution), answer)
    outcome = asking.end(execution)
    assert (outcome.status, outcome.output["status"]) == ("SUCCEEDED", "SUCCESS")
    assert asking.states(ASKED) == {"running"}
    assert asking.fleet.state("dev-app1") == "stopped"
    assert rows(outcome) == sorted([*ASKED, "dev-app1"])
    (remark,) = outcome.output["remarks"]
    assert remark.startswith("preprod was left alone: ")
    assert " said no" in remark


def test_a_failure_by_token_is_a_no(asking):
    execution = asking.begin("stop")
    asked = question(asking, execution)
    step_functions = asking.stack.client("stepfunctions")
    step_functions.send_task_failure(taskToken=asked.token, error="Refused", cause="not tonight")
    outcome = asking.end(execution)
    assert (outcome.status, outcome.output["status"]) == ("SUCCEEDED", "SUCCESS")
    assert asking.states(ASKED) == {"running"}
    (remark,) = outcome.output["remarks"]
    assert remark == "preprod was left alone: somebody said no by SendTaskFailure (not tonight)."


def test_silence_leaves_alone_degrades_the_run_and_a_late_answer_is_refused(asking):
    execution = asking.begin("stop")
    asked = question(asking, execution)
    outcome = asking.end(execution)
    assert (outcome.status, outcome.output["status"]) == ("SUCCEEDED", "DEGRADED")
    assert asking.states(ASKED) == {"running"}
    assert [problem["code"] for problem in outcome.output["problems"]] == ["NobodyAnswered"]
    assert rows(outcome) == sorted([*ASKED, "dev-app1"])
    with pytest.raises(ClientError, match="TaskTimedOut"):
        say(asking, asked, {"approved": True, "by": "Ana"})
    assert asking.states(ASKED) == {"running"}


def test_silence_goes_on_where_the_file_says_so(server, tmp_path):
    system = system_of(server, tmp_path, SERVERS.read_text().replace("leave alone", "go on"))
    outcome = system.run("stop")
    assert (outcome.status, outcome.output["status"]) == ("SUCCEEDED", "SUCCESS")
    assert system.states(ASKED) == {"stopped"}
    (remark,) = outcome.output["remarks"]
    assert remark == "preprod: nobody answered in time, and the stop went on, as servers.toml says."


def test_two_environments_are_asked_at_once_and_each_answer_is_its_own(server, tmp_path):
    text = SERVERS.read_text()
    table = text[text.index("[environment.preprod]") : text.index("[[list]]")]
    system = system_of(server, tmp_path, text.replace(table, table + table.replace("preprod", "dev")))
    execution = system.begin("stop")
    step_functions = system.stack.client("stepfunctions")
    deadline = time.monotonic() + 30
    while len(asked := questions(step_functions, execution)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for one in asked:
        say(system, one, {"approved": one.environment == "dev", "by": one.environment})
    outcome = system.end(execution)
    assert sorted(outcome.output["remarks"]) == [
        "dev: dev said yes to the stop.",
        "preprod was left alone: preprod said no.",
    ]
    assert (system.states(ASKED), system.fleet.state("dev-app1")) == ({"running"}, "stopped")


def test_where_nobody_can_be_asked_nothing_is_stopped_and_the_run_fails(asking):
    asking.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    outcome = asking.run("stop")
    assert (outcome.status, outcome.error) == ("FAILED", "ServersNotAsWanted")
    assert asking.states(ASKED) == {"running"}


def test_the_stacks_name_stands_in_the_commands_only_where_it_is_not_the_usual_one(asking):
    execution = asking.begin("stop")
    asked = question(asking, execution)
    name = execution.rsplit(":", 1)[1]
    text = mails(asking)[0][TEXT]
    assert f"make approve RUN={name} ENV=preprod ANSWER=yes" in text
    assert STACK == "ec2-start-stop" and "STACK=" not in text
    say(asking, asked, {"approved": False})
    asking.end(execution)
