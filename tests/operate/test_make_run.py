"""make run: what it refuses, what it says of a mail that was not sent and of a fault that never happened."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from local import run
from local.deploy import ROOT
from local.faults import OPERATIONS, Fault, Faults, parse
from local.fleet import Fleet
from local.runtime_api import REGION
from operate import package

VERSION = package.version_here()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--action", "restart"], "ACTION is restart; start, stop, check or both is expected"),
        (["--speed", "abc"], "SPEED is abc; a number from 1 to 600 is expected"),
        (["--speed", "100000"], "SPEED is 100000; a number from 1 to 600 is expected"),
        (["--speed", "nan"], "SPEED is nan; a number from 1 to 600 is expected"),
        (["--port", "abc"], "PORT is abc; a number from 0 (any free one) to 65535 is expected"),
        (["--port", "65536"], "PORT is 65536; a number from 0 (any free one) to 65535 is expected"),
        (["--approve", "maybe"], "APPROVE is maybe; yes, no or late is expected"),
        (["--binary", "nowhere"], "nowhere is not there: run cargo build, or make run"),
        (["--servers", "nowhere.toml"], "SERVERS is nowhere.toml, which is no file"),
        (["--input", "[]"], 'INPUT is []; a JSON object is expected, for example {"environments":["dev"]}'),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence_that_names_the_variable(arguments, sentence, capsys):
    assert run.main(arguments) == 2
    assert capsys.readouterr().err == f"make run: {sentence}\n"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("9.9.9 without events, kms, muting", "was built without events, kms, muting"),
        ("9.9.9", f"is version 9.9.9, and this folder is {VERSION}"),
    ],
)
def test_a_function_that_is_not_this_templates_is_refused(told, why, tmp_path, capsys):
    other = tmp_path / "bootstrap"
    other.write_text(f"#!/bin/sh\necho 'ec2-start-stop {told}'\n")
    other.chmod(0o755)
    assert run.main(["--binary", str(other)]) == 2
    assert capsys.readouterr().err == f"make run: {other} {why}: put another one there, or none\n"


def test_what_does_not_run_is_refused_in_a_sentence(tmp_path, capsys):
    (tmp_path / "bootstrap").write_text("no program")
    assert run.main(["--binary", str(tmp_path / "bootstrap")]) == 2
    assert "bootstrap is not the function (" in capsys.readouterr().err


def test_a_machine_that_is_not_the_rendering_is_refused(tmp_path, monkeypatch, capsys):
    shutil.copy(ROOT / "tests" / "servers.toml", tmp_path)
    machine = tmp_path / "statemachine.asl.json"
    machine.write_text("{}")
    monkeypatch.setattr(run, "MACHINE", machine)
    assert run.main([]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == f"make run: {machine.name} is not the rendering of servers.toml: make statemachine\n"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("start=foo", "nobody calls start"),
        ("StartInstance=Foo", "(did you mean StartInstances?)"),
        ("NoSuchCall=Foo:test2", "the calls are DescribeInstances, "),
        ("StartInstances=Badx3", "expected Operation=Code"),
        ("StartInstances=Bad*0", "expected Operation=Code"),
    ],
)
def test_a_fault_that_could_never_happen_is_refused(fault, words):
    with pytest.raises(ValueError) as refused:
        parse(fault)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["nginx1", "proxy", "linux1", "web1 (i-0bad14933fffa49b9)"])
def test_a_server_may_have_any_letters_in_its_name_and_times_stand_behind_a_star(name):
    (once,) = parse(f"StartInstances=Bad:{name}*3")
    assert (once.server, once.times) == (name, 3)
    (always,) = parse(f"StartInstances=Bad:{name}")
    assert always.server == name


def test_every_call_that_can_fail_is_one_that_the_product_makes():
    texts = [file.read_text() for file in (ROOT / "src").rglob("*.rs")]
    texts.append((ROOT / "statemachine.asl.json").read_text())
    text = "".join(texts).replace("_", "").lower()
    assert [operation for operation in OPERATIONS if operation.lower() not in text] == []


def test_a_fault_for_a_server_that_is_not_there_is_refused(system):
    with pytest.raises(ValueError, match="there is no server nobody"):
        system.fail("StartInstances=Bad:nobody")


def test_a_fault_may_be_an_environments_that_is_elsewhere_by_its_role_or_its_place(server, session):
    fleet = Fleet(server, session.client("ec2"))
    fleet.seed(ROOT / "docs" / "accounts.toml")
    for wish in parse("AssumeRole=AccessDenied:preprod,DescribeInstances=AuthFailure:test"):
        fleet.break_as(wish)
    due = server.application.faults.due
    assert due("AssumeRole", {"arn:aws:iam::210987654321:role/ec2-start-stop-member"})
    assert due("AssumeRole", {"arn:aws:iam::123456789012:role/ec2-start-stop-member"}) is None
    assert due("DescribeInstances", {"123456789012/eu-central-1"})
    assert due("DescribeInstances", {"123456789012/eu-west-1"}) is None
    with pytest.raises(ValueError, match="no environment elsewhere of that name"):
        fleet.break_as(parse("AssumeRole=AccessDenied:dev")[0])


def test_a_fault_that_no_call_met_is_said_by_call_and_server(server, capsys):
    fleet = Fleet(server, None)
    fleet.ids = {"test2": "i-2"}
    server.application.faults.add(Fault("StartInstances", "Bad"))
    server.application.faults.add(Fault("StopInstances", "Bad", "i-2"))
    server.application.faults.due("StartInstances", {"i-2"})
    assert run._tell_absent_faults(server, fleet)
    told = capsys.readouterr().out
    assert told == "=== The fault never happened: no call StopInstances for test2 was made.\n"


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (20, "choose a nearer time, or SPEED=120 or higher"),
        (100, "choose a nearer time, or SPEED=600 or higher"),
        (101, "choose a time within 100 h, and SPEED=600"),
    ],
)
def test_what_to_choose_for_a_time_that_is_too_far_away_does_help(hours, words):
    assert run.what_is_waited_for(hours * 3600) == words


def test_a_fault_that_happened_is_not_absent():
    faults = Faults()
    faults.add(Fault("StartInstances", "Bad", times=1))
    assert faults.due("StartInstances", set())
    assert faults.never_happened() == []


@pytest.fixture
def in_another_place(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "BUILD", tmp_path)
    monkeypatch.setattr(run, "ROOT", tmp_path)


def test_a_mail_that_ses_refused_is_said_not_to_be_sent_and_the_run_has_not_gone_well(
    system, in_another_place, capsys
):
    system.stack.client("ses").delete_identity(Identity=run.SENDER)
    assert not run.run(system.stack, system.server, "start", {"environments": ["dev"]})
    told = capsys.readouterr().out
    assert "SUCCEEDED" in told
    assert "=== Mail NOT sent: MailRejected: " in told
    assert "=== Mail to" not in told


def test_a_mail_that_ses_took_is_shown(system, in_another_place, capsys):
    assert run.run(system.stack, system.server, "start", {"environments": ["dev"]})
    told = capsys.readouterr().out
    assert "=== Mail to platform@example.com, oncall@example.com: START STATUS: SUCCESS" in told
    assert "NOT sent" not in told


def test_what_may_be_done_while_it_stays_up_is_printed_as_it_works(system, monkeypatch, capsys):
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run._serve(system.stack)
    told = capsys.readouterr().out
    port = system.stack.url.rsplit(":", 1)[1]
    # cargo-lambda asks [::1] unless told; the AWS CLI version 1 and boto3 read AWS_DEFAULT_REGION.
    invoke = f"--invoke-address 127.0.0.1 --invoke-port {port} --data-file (events/\\S+)"
    (event,) = re.findall(f"cargo lambda invoke {system.stack.outputs['FunctionName']} {invoke}", told)
    assert (ROOT / event).exists()
    assert f"AWS_REGION={REGION} AWS_DEFAULT_REGION={REGION}" in told


def test_each_line_of_the_log_is_told_once(system, in_another_place, capsys):
    run.run(system.stack, system.server, "start", {})
    told = [line[10:] for line in capsys.readouterr().out.splitlines() if line[7:10] == " s "]
    machine = system.stack.outputs["StateMachineArn"]
    runs = system.stack.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert sorted(line.strip() for line in told) == sorted(system.phase_log(runs[0]["name"]))


def test_a_fault_that_never_happens_gives_an_exit_code_and_a_closed_pipe_no_traceback():
    command = [sys.executable, "-m", "local", "--action", "start", "--speed", "400"]
    absent = subprocess.run(
        [*command, "--fault", "StopInstances=Bad"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},  # which has no · and no →
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert absent.returncode == 1, absent.stderr
    assert "The fault never happened: no call StopInstances was made." in absent.stdout
    piped = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    piped.stdout.readline()
    piped.stdout.close()
    assert "Traceback" not in piped.stderr.read()
    piped.stderr.close()
    piped.wait(timeout=60)


def test_a_bootstrap_that_is_there_is_the_function_and_the_renderer(tmp_path):
    bootstrap = shutil.copy(run.BINARY, tmp_path / "bootstrap")
    chosen = ["--binary", bootstrap, "--servers", "tests/servers.toml", "--action", "stop", "--speed", "400"]
    told = subprocess.run(
        [sys.executable, "-m", "local", *chosen],
        cwd=ROOT,
        env=os.environ | {"PATH": str(tmp_path)},  # where no cargo is
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert "SHUTDOWN STATUS: SUCCESS" in told.stdout


def test_behind_a_proxy_it_needs_no_no_proxy():
    nowhere = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    told = subprocess.run(
        [sys.executable, "-m", "local", "--action", "stop", "--speed", "400"],
        cwd=ROOT,
        env=os.environ | nowhere | {"NO_PROXY": "", "no_proxy": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (told.returncode, told.stderr) == (0, "")
