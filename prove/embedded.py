"""The embedded AWS as a world: moto behind local.server, simulated time, and a function that runs for real.

Owns what AWS does by itself and the embedded one does not: IAM's refusal of a server without the tag that the
deployed role asks for, and a start that falls back because its volume's key is disabled.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance
from moto.kms.models import Key

from local import clock, ec2
from local.cloudformation import Inert
from local.deploy import client, put_code, translate
from local.faults import Fault, Faults
from local.runtime_api import ACCOUNT, REGION, Function
from local.server import Server
from prove.stage import ROOT
from prove.world import World

# Between two looks at the embedded AWS; at 400 times real time that is eight seconds.
SHORTEST_SLEEP = 0.02
TAG = "aws:ResourceTag/"
SENDER = "start-stop@example.com"


class QueuePolicy(Inert, CloudFormationModel):
    """moto's SQS takes messages from everybody."""

    TYPE = "AWS::SQS::QueuePolicy"


def install() -> None:
    """Puts two things right: a key's policy is text, and what is terminated does not come back as stopped."""
    if getattr(Instance.terminate, "for_good", False):
        return
    create, terminate = Key.create_from_cloudformation_json.__func__, Instance.terminate

    def key(cls: type, name: str, given: dict[str, Any], *where: str, **more: Any) -> Any:
        properties = given["Properties"]
        as_text = properties | {"KeyPolicy": json.dumps(properties["KeyPolicy"])}
        return create(cls, name, given | {"Properties": as_text}, *where, **more)

    def for_good(self: Instance, *given: Any, **more: Any) -> Any:
        self.__dict__["_under_way"] = None
        return terminate(self, *given, **more)

    for_good.for_good = True
    Key.create_from_cloudformation_json = classmethod(key)
    Instance.terminate = for_good


class Session:
    """As boto3's, of the embedded AWS."""

    region_name = REGION

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str) -> Any:
        return client(self.url, service)


class TaggedServers(Faults):
    """Start and stop are refused of a server without the tags that the function's role asks for."""

    def __init__(self, tags: dict[str, str]) -> None:
        super().__init__()
        self.tags = tags

    def due(self, operation: str, instance_ids: set[str], *about_the_call: Any) -> Fault | None:
        if operation in ("StartInstances", "StopInstances"):
            for instance_id in instance_ids:
                instance = ec2_backends[ACCOUNT][REGION].get_instance(instance_id)
                carried = {tag["key"]: tag["value"] for tag in instance.get_tags()}
                if not self.tags.items() <= carried.items():
                    return Fault(operation, "UnauthorizedOperation", instance_id)
        return super().due(operation, instance_ids, *about_the_call)


def begin() -> Embedded:
    """An embedded AWS of its own, with a sender that SES has verified; a minute takes a second."""
    clock.set_speed(60)
    world = Embedded(
        Server(), ROOT / "target" / "debug" / "ec2-start-stop", ROOT / "build" / "prove" / "function.log"
    )
    world.close = world.server.stop
    world.client("ses").verify_email_identity(EmailAddress=SENDER)
    return world


class Embedded(World):
    """The embedded AWS of one server."""

    sender = SENDER
    # Nothing evaluates alarms and metrics here, Lambda writes no REPORT, and a request of some
    # milliseconds is seconds of simulated time.
    unjudged = frozenset({"notices", "metrics", "reports", "seconds"})

    def __init__(self, server: Server, binary: Path, log: Path) -> None:
        install()
        self.server, self.binary, self.log = server, binary, log
        self.session = Session(server.url)
        self.faults = server.application.faults

    def now(self) -> float:
        return clock.CLOCK.now()

    def sleep(self, seconds: float) -> None:
        clock.CLOCK.sleep(max(seconds, SHORTEST_SLEEP * clock.CLOCK.speed))

    def lacks(self) -> str:
        return (
            "" if self.binary.exists() else f"{self.binary.name} is not built: run cargo build, or make run"
        )

    def build(self, code: Path) -> None:
        """Nothing: the function's process is the binary that cargo has built."""

    def deploy(self, stack: str, template: Path, parameters: dict[str, str]) -> None:
        translated = translate(template, parameters)
        put_code(self.server.url)
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        self.client("cloudformation").create_stack(
            StackName=stack,
            TemplateBody=json.dumps(translated),
            Parameters=given,
            Capabilities=["CAPABILITY_IAM"],
        )
        for function in self.client("lambda").list_functions()["Functions"]:
            self._run(function, template.parent / "code")

    def _run(self, function: dict[str, Any], code: Path) -> None:
        """Lets the binary run for a deployed function; its code lies in our directory, not in /var/task."""
        variables = function["Environment"]["Variables"] | {"SERVERS_FILE": code / "servers.toml"}
        self.server.application.lambdas.functions[function["FunctionName"]] = Function(
            function["FunctionName"],
            [str(self.binary)],
            {name: str(value) for name, value in variables.items()},
            self.log,
            timeout_seconds=function["Timeout"],
            memory_mb=function["MemorySize"],
        )

    def fleet_is_there(self, stack: str) -> None:
        self.server.application.faults = TaggedServers(self.tags_of_the_role(stack))

    def tags_of_the_role(self, stack: str) -> dict[str, str]:
        """What the deployed role's own statement on StartInstances asks for."""
        iam = self.client("iam")
        for role in (role["RoleName"] for role in iam.list_roles()["Roles"]):
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
                # moto gives some of a stack's policies as Python writes a dictionary.
                read = ast.literal_eval(document) if isinstance(document, str) else document
                for statement in read["Statement"]:
                    if "ec2:StartInstances" in statement["Action"]:
                        asked = statement.get("Condition", {}).get("StringEquals", {})
                        return {k.removeprefix(TAG): v for k, v in asked.items() if k.startswith(TAG)}
        raise RuntimeError(f"no role of {stack} may start servers")

    def disable_key(self, key: str, instance_id: str) -> None:
        self.client("kms").disable_key(KeyId=key)
        habit = ec2.habit_of(instance_id)
        habit.start_ends = "stopped"
        habit.reason = ("Client.InternalError", "Client.InternalError: Client error on launch")

    def close(self) -> None:
        self.server.application.faults = self.faults
