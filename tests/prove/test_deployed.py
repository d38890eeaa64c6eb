"""What is deployed on AWS: the servers' stack, the directory that sam gets, and its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from local.deploy import ROOT, translate
from prove import plan, stage
from prove.world import Aws

FLEET = ROOT / "prove" / "fleet.yaml"
SAM = """#!/bin/sh
echo "$@" >> "$SAM_LOG"
while [ $# -gt 0 ]; do
  [ "$1" = --build-dir ] && mkdir -p "$2/Function" && echo binary > "$2/Function/bootstrap" \\
    && chmod 755 "$2/Function/bootstrap" && echo "the shipped lists" > "$2/Function/servers.toml"
  shift
done
"""


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stage.prepare(tmp_path_factory.mktemp("stage") / "it", plan.servers_toml("the-stack"))


@pytest.fixture
def sam_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sam that writes down what it is asked, and builds a file."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sam").write_text(SAM)
    (tmp_path / "bin" / "sam").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("SAM_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def aws() -> Aws:
    return Aws(boto3.Session(region_name="eu-west-1"))


def test_the_servers_stack_passes_cloudformations_linter():
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "eu-west-1", "--", FLEET]
    told = subprocess.run(command, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_the_staged_template_has_our_code_our_lists_and_our_state_machine(staged: Path):
    required = {"MailSender": "a@example.com", "MailRecipients": plan.RECIPIENT}
    resources = translate(staged, required)["Resources"]
    variables = resources["Function"]["Properties"]["Environment"]["Variables"]
    assert variables["SERVERS_FILE"] == "/var/task/servers.toml"
    assert "CodeUri: code\n" in staged.read_text()
    assert "the-stack-dev-db" in (staged.parent / "code" / "servers.toml").read_text()
    shown = json.dumps(json.loads((staged.parent / "statemachine.asl.json").read_text()))
    assert all(environment in shown for environment in ("dev", "test", "preprod"))


def test_the_rest_of_the_template_is_the_products_own(staged: Path):
    ours = set(staged.read_text().splitlines())
    shipped = set((ROOT / "template.yaml").read_text().splitlines())
    assert shipped - ours == {"      CodeUri: ."}


def test_a_template_that_no_longer_has_what_is_replaced_is_an_error():
    with pytest.raises(RuntimeError, match="CodeUri: ."):
        stage.own("Resources: {}")


def test_sam_builds_the_product_and_our_lists_stay(aws: Aws, staged: Path, sam_log: Path):
    code = staged.parent / "code"
    aws.build(code)
    (asked,) = sam_log.read_text().splitlines()
    assert asked.startswith("build --config-file ")
    assert f"--template-file {ROOT}/template.yaml" in asked
    assert (code / "bootstrap").stat().st_mode & 0o111
    assert "the-stack-dev-db" in (code / "servers.toml").read_text()


def test_sam_deploys_under_the_proofs_name_with_nobodys_settings(aws: Aws, staged: Path, sam_log: Path):
    aws.deploy("the-stack", staged, {"MailSender": "a@example.com", "ServerTagValue": "the-stack"})
    (asked,) = sam_log.read_text().splitlines()
    for part in (
        f"deploy --config-file {staged.parent}/samconfig.toml --template-file {staged}",
        "--stack-name the-stack --s3-prefix the-stack --resolve-s3 --capabilities CAPABILITY_IAM",
        "--no-confirm-changeset --region eu-west-1",
        "--parameter-overrides MailSender=a@example.com ServerTagValue=the-stack",
    ):
        assert part in asked
    assert (staged.parent / "samconfig.toml").read_text() == "version = 0.1\n"


def test_a_sam_that_fails_breaks_the_proof_off(aws: Aws, staged: Path, sam_log: Path):
    (sam_log.parent / "bin" / "sam").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(subprocess.CalledProcessError):
        aws.deploy("the-stack", staged, {})


def test_without_sam_nothing_begins(aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "sam is not on the PATH" in aws.lacks()


def test_no_other_server_of_the_account_can_be_meant():
    """Names and permission tag carry a name that no other stack has."""
    assert plan.new_name() != plan.new_name()
    names = [server.name("s") for server in plan.SERVERS]
    assert len(set(names)) == 6
    fleet = FLEET.read_text()
    for server in plan.SERVERS:
        assert f"${{Product}}-{server.short}" in fleet
    assert fleet.count("Key: ec2-start-stop, Value: !Ref Product") == 5


def test_the_bill_is_the_sum_of_its_lines_and_stays_in_cents():
    assert plan.cents() == pytest.approx(sum(100 * cost.quantity * cost.price for cost in plan.COSTS))
    assert 5 < plan.cents() < 30
