"""The stack in AWS's three partitions: every ARN, console link and service name is the partition's own.

Not shown: the state machine's definition, which its own tests read, and what AWS makes of it (docs/proof.md).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.deploy import ROOT, deploy, translate
from local.runtime_api import ACCOUNT, REGION
from local.server import Server
from tests.parameters import REQUIRED

TEMPLATE = translate(ROOT / "template.yaml", REQUIRED)
# A Region, its console's domain (as in many public links), and the end of a service's name.
PARTITIONS = {
    "aws": ("eu-west-1", "console.aws.amazon.com", "amazonaws.com"),
    "aws-us-gov": ("us-gov-west-1", "console.amazonaws-us-gov.com", "amazonaws.com"),
    "aws-cn": ("cn-north-1", "console.amazonaws.cn", "amazonaws.com.cn"),
}


def in_partition(value: Any, partition: str) -> Any:
    """The value with a partition's pseudo parameters put in; what is not known stays in angle brackets."""
    region, _, suffix = PARTITIONS[partition]
    known = {
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::AccountId": ACCOUNT,
        "AWS::URLSuffix": suffix,
    }
    match value:
        case {"Ref": name}:
            return known.get(name, f"<{name}>")
        case {"Fn::If": ["HasSesRegion", _, own]}:
            return in_partition(own, partition)
        case {"Fn::Select": _}:
            return "<a part>"
        case {"Fn::FindInMap": [name, first, second]}:
            return TEMPLATE["Mappings"][name][in_partition(first, partition)][second]
        case {"Fn::Sub": [text, more]}:
            names = known | {name: in_partition(item, partition) for name, item in more.items()}
            return re.sub(r"\$\{([^}]+)\}", lambda found: names.get(found[1], f"<{found[1]}>"), text)
        case {"Fn::Sub": text}:
            return in_partition({"Fn::Sub": [text, {}]}, partition)
        case dict():
            return {key: in_partition(item, partition) for key, item in value.items()}
        case list():
            return [in_partition(item, partition) for item in value]
    return value


def texts(value: Any) -> list[str]:
    """Every string of a value, at any depth."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [value] if isinstance(value, str) else [text for item in items for text in texts(item)]


def everything(partition: str) -> list[str]:
    """Every string of the stack but those of the machine's definition."""
    resources = json.loads(json.dumps(TEMPLATE["Resources"]))
    del resources["StateMachine"]["Properties"]["DefinitionString"]
    return texts(in_partition([resources, TEMPLATE["Outputs"]], partition))


@pytest.mark.parametrize("partition", PARTITIONS)
def test_every_arn_is_of_the_stacks_own_partition(partition: str):
    found = [arn for text in everything(partition) for arn in re.findall(r"\barn:[^:]*:", text)]
    assert found
    assert set(found) == {f"arn:{partition}:"}


@pytest.mark.parametrize("partition", PARTITIONS)
def test_every_link_into_the_console_is_of_the_stacks_own_partition(partition: str):
    region, console, _ = PARTITIONS[partition]
    hosts = {
        host for text in everything(partition) for host in re.findall(r"https://([^/]*console[^/]*)/", text)
    }
    assert hosts == {f"{region}.{console}"}
    assert TEMPLATE["Outputs"]["ConsoleLink"] and TEMPLATE["Resources"]["FailedRuns"]


def test_every_link_to_an_execution_is_the_functions_own():
    region, console, _ = PARTITIONS["aws"]
    links = [
        link for text in everything("aws") for link in re.findall(r"https://\S+executions/details/", text)
    ]
    # As src/report/place.rs builds it (its test `an_executions_link_is_the_templates`).
    assert len(links) >= 2
    assert set(links) == {f"https://{region}.{console}/states/home?region={region}#/v2/executions/details/"}


def test_the_machine_is_given_the_partition_for_its_integrations():
    substitutions = TEMPLATE["Resources"]["StateMachine"]["Properties"]["DefinitionSubstitutions"]
    assert substitutions["Partition"] == {"Ref": "AWS::Partition"}


def test_ec2_may_use_the_volumes_keys_under_its_name_in_every_partition():
    policy = TEMPLATE["Resources"]["EncryptedVolumesPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = [one for one in policy["Statement"] if one["Action"] == "kms:CreateGrant"]
    allowed = statement["Condition"]["StringLike"]["kms:ViaService"]
    for region, _, suffix in PARTITIONS.values():
        assert any(
            re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), f"ec2.{region}.{suffix}")
            for pattern in allowed
        )


def test_the_function_is_told_where_it_runs_and_where_its_mail_goes(server: Server, tmp_path: Path):
    told = {
        "ACCOUNT_ID": ACCOUNT,
        "PARTITION": "aws",
        "CONSOLE_DOMAIN": "console.aws.amazon.com",
        "SES_REGION": REGION,
    }
    stack = deploy(server, REQUIRED, tmp_path / "never-run", tmp_path / "log")
    assert stack.outputs["ConsoleLink"].startswith(f"https://{REGION}.console.aws.amazon.com/states/home?")
    (function,) = stack.client("lambda").list_functions()["Functions"]
    assert told.items() <= function["Environment"]["Variables"].items()


def test_another_region_for_ses_reaches_the_function(server: Server, tmp_path: Path):
    stack = deploy(server, REQUIRED | {"SesRegion": "eu-central-1"}, tmp_path / "never-run", tmp_path / "log")
    (function,) = stack.client("lambda").list_functions()["Functions"]
    assert function["Environment"]["Variables"]["SES_REGION"] == "eu-central-1"
