"""The whole proof against the embedded AWS: as it should be, with defects planted, and broken off."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from local import clock
from local.deploy import ROOT
from local.faults import Fault
from local.run import SENDER
from local.server import Server
from prove import plan, steps, table
from prove.checks import UNJUDGED
from prove.command import main
from prove.embedded import Embedded
from prove.site import Site
from prove.world import Aws
from tests.conftest import empty
from tests.prove.conftest import Proof, embedded, proof


def existing(world: Embedded) -> list[Any]:
    """What could still cost money or run."""
    reservations = world.client("ec2").describe_instances()["Reservations"]
    states = [instance["State"]["Name"] for r in reservations for instance in r["Instances"]]
    return [
        [state for state in states if state != "terminated"],
        world.client("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"],
        world.client("lambda").list_functions()["Functions"],
        world.client("logs").describe_log_groups()["logGroups"],
        world.client("stepfunctions").list_state_machines()["stateMachines"],
        world.client("sqs").list_queues().get("QueueUrls", []),
        world.client("sns").list_topics()["Topics"],
        world.client("iam").list_roles()["Roles"],
        world.client("kms").list_keys()["Keys"],
    ]


def plant(world: Embedded, fault: Fault) -> None:
    """Adds a fault as soon as the servers are there."""
    is_there = world.fleet_is_there

    def with_fault(stack: str) -> None:
        is_there(stack)
        world.server.application.faults.add(fault)

    world.fleet_is_there = with_fault


@dataclass
class Whole:
    """One whole proof, told once for the tests that only read it."""

    proof: Proof
    left: list[Any]
    predicted: dict[str, str]


@pytest.fixture(scope="module")
def whole(running_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    empty(running_server)
    directory = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prove.command.BUILD", directory)
        patch.setattr(table, "PREDICTED", directory / "predicted.json")
        (directory / "predicted.json").write_text("{}")
        world = embedded(running_server, directory)
        told = proof(world, "--predict")
        return Whole(told, existing(world), table.predicted())


def test_the_whole_table_is_as_expected_and_nothing_is_left(whole: Whole):
    assert whole.proof.rows("NOT") == []
    assert len(whole.proof.rows("ok")) > 70
    assert whole.proof.code == 0, whole.proof.text
    assert f"Nothing of {whole.proof.stack} is left that costs anything." in whole.proof.said
    assert not any(whole.left)


def test_what_the_embedded_aws_shows_is_what_the_table_on_aws_is_compared_with(whole: Whole):
    # If it differs on purpose: .venv/bin/python -m prove --embedded --predict
    assert whole.predicted == table.predicted()


def test_what_cannot_be_judged_here_is_said_so_and_has_no_number(whole: Whole):
    cells = [line.split("|") for line in whole.proof.rows(UNJUDGED)]
    assert {"Lambda: cold starts", "Lambda: billed", "notice: runs told of"} <= {c[2].strip() for c in cells}
    assert {c[4].strip() for c in cells} == {UNJUDGED}


def test_a_server_that_ec2_refuses_is_not_as_expected(world, prove, only):
    only(steps.ready, steps.refused)
    plant(world, Fault("StartInstances", "InsufficientInstanceCapacity"))
    told = prove()
    wrong = "\n".join(told.rows("NOT"))
    assert "EC2: servers up" in wrong, told.text
    assert "dev-db InsufficientInstanceCapacity" in wrong
    assert "NOT as expected: report: problems" in told.text
    assert told.code == 1
    assert not any(existing(world))


def test_a_mail_that_is_not_sent_is_not_as_expected(world, prove, only):
    only(steps.dry_run)
    plant(world, Fault("SendEmail", "MessageRejected"))
    told = prove()
    assert any("mail: accepted by SES for" in row and "no mail" in row for row in told.rows("NOT"))
    assert told.code == 1


def test_a_role_that_may_start_any_server_is_not_as_expected(world, prove, only):
    """The embedded IAM refuses what the deployed role's condition refuses; here it has none."""
    only(steps.dry_run)
    world.tags_of_the_role = lambda stack: {}
    told = prove()
    assert any(
        "report: problems" in row and "test-db UnauthorizedOperation" in row for row in told.rows("NOT")
    )
    assert told.code == 1


def test_ctrl_c_in_the_middle_of_a_run_deletes_everything_and_says_so(world, prove, monkeypatch):
    # Two short runs: at this speed an invocation has 45 real seconds, also on a busy machine.
    clock.set_speed(20)
    end = Site.end

    def interrupted(self: Site, step: str, arn: str) -> Any:
        if step == steps.REFUSED:
            self.world.wait(lambda: set(self.states().values()) != {"stopped"}, "nothing was started", 3600)
            raise KeyboardInterrupt
        return end(self, step, arn)

    monkeypatch.setattr(Site, "end", interrupted)
    told = prove()
    assert told.code == 130
    assert any("DRY RUN: START STATUS" in row for row in told.rows("ok"))
    assert "Interrupted: what stands above is not the whole table." in told.said
    assert any(line.startswith("Not proved; so far: ") for line in told.said)
    assert f"Nothing of {told.stack} is left that costs anything." in told.said
    assert not any(existing(world))


def test_an_error_while_it_is_set_up_deletes_everything_and_is_told(world, prove):
    def refused(*_: Any) -> None:
        raise RuntimeError("sam says no")

    world.deploy = refused
    told = prove()
    assert told.code == 1
    assert "Broken off: RuntimeError: sam says no" in told.said
    assert not any(existing(world))


def test_what_could_not_be_deleted_is_said_by_name(world, prove):
    world.server.application.faults.add(Fault("DeleteStack", "AccessDenied"))
    world.deploy = lambda *_: (_ for _ in ()).throw(RuntimeError("sam says no"))
    told = prove()
    assert told.code == 1
    left = told.said[told.said.index(next(line for line in told.said if line.startswith("LEFT"))) :]
    assert f"  the stack {plan.fleet_of(told.stack)} (CREATE_COMPLETE)" in left
    assert sum("the server i-" in line for line in left) == 6
    assert any(line.startswith("  the key ") for line in left)

    world.server.application.faults.clear()
    assert prove("--delete", told.stack).code == 0
    assert not any(existing(world))


def test_what_could_not_be_looked_at_is_perhaps_left(world, prove):
    fault = Fault("DescribeInstances", "ExpiredToken")
    world.deploy = lambda *_: world.server.application.faults.add(fault)
    told = prove()
    assert told.code == 1
    assert any(line.startswith("  perhaps the servers") and "ExpiredToken" in line for line in told.said)


def test_a_closed_terminal_keeps_nothing_from_being_deleted(world, prove, only, monkeypatch):
    def closed(*_: Any, **__: Any) -> None:
        raise OSError("the terminal is gone")

    only(steps.ready)
    monkeypatch.setattr("builtins.print", closed)
    assert main(["--sender", SENDER], world, ask=lambda _: "yes") == 0
    assert not any(existing(world))


@pytest.mark.parametrize("ends", [EOFError, KeyboardInterrupt])
def test_a_question_without_an_answer_is_a_no(world, ends):
    def ask(_: str) -> str:
        raise ends

    assert main(["--sender", SENDER], world, ask, lambda _: None) == 2
    assert not any(existing(world))


def test_without_any_input_nothing_is_created(world, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert main(["--sender", SENDER], world, say=lambda _: None) == 2
    assert not any(existing(world))


def test_an_interrupt_before_anything_is_created_is_no_traceback(world, monkeypatch):
    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("prove.command._account", interrupt)
    said: list[str] = []
    assert main(["--sender", SENDER], world, say=said.append) == 130
    assert said == ["Interrupted."]


def test_a_sender_below_a_verified_domain_will_do(world, prove):
    world.client("ses").verify_domain_identity(Domain="example.org")
    assert prove(sender="start-stop@mail.example.org", answer="no").said[-1] == "Nothing was created."


def test_a_no_creates_nothing(world, prove):
    told = prove(answer="y")
    assert (told.code, told.said[-1]) == (2, "Nothing was created.")
    assert not any(existing(world))


def test_a_sender_that_ses_has_not_verified_is_refused_before_anything_is_created(world, prove):
    told = prove(sender="nobody@example.org")
    assert told.code == 2
    assert "SES has verified neither nobody@example.org nor example.org" in told.text
    assert not any(existing(world))


def test_without_a_sender_and_without_a_region_nothing_begins_on_aws():
    said: list[str] = []
    aws = Aws(boto3.Session(region_name="eu-west-1"))
    assert main([], aws, say=said.append) == 2
    assert "SENDER=" in said[-1]
    assert main(["--predict"], aws, say=said.append) == 2
    assert "only the embedded AWS predicts" in said[-1]


def test_aws_region_alone_is_enough(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert Aws().session.region_name == "eu-central-1"


def test_a_profile_that_is_not_there_is_said_in_a_sentence():
    """In a shell of its own: who proves on AWS loads no embedded AWS, which would fall over the profile."""
    done = subprocess.run(
        [sys.executable, "-m", "prove", "--sender", SENDER],
        cwd=ROOT,
        env=os.environ | {"AWS_PROFILE": "acme", "AWS_REGION": "eu-west-1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "profile (acme) could not be found: set AWS_PROFILE" in done.stdout


def test_only_a_proofs_own_stack_is_deleted(world, prove):
    told = prove("--delete", "ec2-start-stop")
    assert told.code == 2
    assert [call.operation for call in world.server.application.calls if "Delete" in call.operation] == []


@pytest.mark.parametrize("word", ["account 123456789012", "eu-west-1", "US cents", "KMS key", "t3.nano"])
def test_the_question_names_the_account_the_region_the_things_and_the_cents(prove, word):
    assert word in prove(answer="no").text
