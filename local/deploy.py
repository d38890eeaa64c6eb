"""Deploys template.yaml into the embedded AWS: SAM, then CloudFormation, then moto. Offline, no credentials.

Owns the translation (what `sam deploy` does in the cloud) and the tie between a deployed function and the
binary that runs for it.
"""

from __future__ import annotations

import io
import json
import logging
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.rendering import rendered_template, without_schedules
from local.runtime_api import REGION, Function
from local.server import Server

ROOT = Path(__file__).parent.parent
STACK = "ec2-start-stop"
BUCKET, KEY = "artifacts", "code.zip"


def client(url: str, service: str) -> Any:
    """A boto3 client of the embedded AWS."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def translate(
    template: Path, parameters: dict[str, str], machine: str | None = None, text: str | None = None
) -> dict[str, Any]:
    """The CloudFormation template, with the state machine's definition inlined as an object.

    `machine` is the definition's text; without it, the file that the template names is read. `text` is the
    template's; without it, it is the file's without the user's schedules.
    """
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    # It warns of feature switches and metrics of AWS's own service.
    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    sam = yaml_parse(without_schedules(template.read_text()) if text is None else text)
    values = {name: str(p.get("Default", "")) for name, p in sam.get("Parameters", {}).items()} | parameters
    for resource in sam["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = {"Bucket": BUCKET, "Key": KEY}
        if resource["Type"] == "AWS::Serverless::StateMachine":
            definition = template.parent / properties.pop("DefinitionUri")
            properties["Definition"] = json.loads(machine or definition.read_text())
    session = boto3.Session(region_name=REGION)
    # The template uses none of AWS's managed policies.
    return Translator({}, Parser(), boto_session=session).translate(sam, parameter_values=values)


@dataclass
class Stack:
    """A deployed stack."""

    url: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return client(self.url, service)


def deploy(
    server: Server,
    parameters: dict[str, str],
    binary: Path,
    log: Path,
    servers: Path = ROOT / "servers.toml",
    machine: str | None = None,
) -> Stack:
    """Creates the stack and lets `binary` run for its functions, with this servers.toml and its machine.

    A function that is never run need not be there; the core renders then.
    """
    file = ROOT / "template.yaml"
    renderer = binary if binary.exists() else None
    template = translate(file, parameters, machine, rendered_template(servers, file, renderer))
    put_code(server.url)
    cloudformation = client(server.url, "cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(
        StackName=STACK, TemplateBody=json.dumps(template), Parameters=given, Capabilities=["CAPABILITY_IAM"]
    )
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"the stack is {stack['StackStatus']}: {stack.get('StackStatusReason', '')}")
    for function in client(server.url, "lambda").list_functions()["Functions"]:
        name = function["FunctionName"]
        variables = function.get("Environment", {}).get("Variables", {})
        server.application.lambdas.functions[name] = Function(
            name,
            [str(binary)],
            # moto keeps a Number parameter as a number.
            {"SERVERS_FILE": str(servers.resolve())}
            | {name: str(value) for name, value in variables.items()},
            log,
            timeout_seconds=function["Timeout"],
            memory_mb=function["MemorySize"],
        )
    return Stack(server.url, {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])})


def put_code(url: str) -> None:
    """moto wants the code object to be there, whatever it holds."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bootstrap", "")
    s3 = client(url, "s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=archive.getvalue())
