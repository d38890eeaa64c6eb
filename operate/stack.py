"""The deployed stack: its outputs, and clients for its Region. Owns nothing that changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operate import place
from operate.problem import OperatingError

DEFAULT_NAME = "ec2-start-stop"


@dataclass
class Stack:
    """A deployed stack."""

    name: str
    outputs: dict[str, str]
    session: boto3.Session

    def client(self, service: str) -> Any:
        return self.session.client(service)

    def executions(self, **wanted: Any) -> list[dict[str, Any]]:
        """The state machine's runs, the latest first."""
        machine = self.outputs["StateMachineArn"]
        return self.client("stepfunctions").list_executions(stateMachineArn=machine, **wanted)["executions"]


def find(name: str, session: boto3.Session | None = None) -> Stack:
    """The product's stack of this name, in the Region and account of the environment."""
    session = session or place.session()
    status, outputs = describe(name, session)
    if "StateMachineArn" not in outputs:
        raise OperatingError(
            f"the stack {name} is {status} and has no output StateMachineArn: "
            "deploy it whole (make deploy), or name another one: STACK=…"
        )
    return Stack(name, outputs, session)


def describe(name: str, session: boto3.Session) -> tuple[str, dict[str, str]]:
    """A stack's status and its outputs."""
    found = _described(name, session)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return found["StackStatus"], outputs


def parameters(name: str, session: boto3.Session) -> dict[str, str]:
    """What a stack was deployed with, the template's defaults too."""
    found = _described(name, session).get("Parameters", [])
    return {one["ParameterKey"]: one.get("ParameterValue", "") for one in found}


def _described(name: str, session: boto3.Session) -> dict[str, Any]:
    try:
        return session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        raise OperatingError(
            f"there is no stack {name} that you may see in {session.region_name}: {error}. "
            "Deploy it (make deploy), or name another one: STACK=…"
        ) from error
    except BotoCoreError as error:
        raise OperatingError(f"AWS cannot be asked: {error}") from error
