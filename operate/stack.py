"""The deployed stack: its outputs, and clients for its Region. Owns nothing that changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class OperatingError(Exception):
    """What a person has to put right; the text says how."""


@dataclass
class Stack:
    """A deployed stack."""

    name: str
    outputs: dict[str, str]
    session: boto3.Session

    def client(self, service: str) -> Any:
        return self.session.client(service)


def find(name: str, session: boto3.Session | None = None) -> Stack:
    """The stack of this name, in the Region and account of the environment."""
    session = session or boto3.Session()
    try:
        stacks = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        raise OperatingError(
            f"there is no stack {name} that you may see in {session.region_name}: {error}. "
            "Deploy it (make deploy), or name another one: STACK=…"
        ) from error
    except BotoCoreError as error:
        raise OperatingError(f"AWS cannot be asked: {error}. Set AWS_REGION and sign in first.") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    return Stack(name, outputs, session)
