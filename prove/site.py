"""The deployed product with its six servers, and few words to run it and look at it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from operate.execution import unique_name
from operate.stack import describe
from prove import plan, reading, stage
from prove.plan import SERVERS
from prove.world import World

# A stack of six instances takes about two minutes, the product's about three.
STACK_PATIENCE_SECONDS = 1200.0
# A start takes about six minutes; a list's own patience is twenty, and there are two tiers.
RUN_PATIENCE_SECONDS = 3000.0
# "usually within a few minutes" is all that CloudWatch and EventBridge promise.
ARRIVAL_PATIENCE_SECONDS = 600.0
# The last events of a history and of a log can be read a little after they happened.
SETTLING_SECONDS = 10.0
# IAM sees a new tag a little later than EC2.
TAG_SECONDS = 15.0
# eu-west-1a, us-gov-west-1b.
ZONE = re.compile(r"[a-z]+(-[a-z]+)+-\d[a-z]")


class Site:
    """The product under proof."""

    def __init__(
        self, world: World, stack: str, sender: str, directory: Path, say: Callable[[str], None]
    ) -> None:
        self.world, self.stack, self.sender, self.directory, self.say = world, stack, sender, directory, say
        self.fleet: dict[str, str] = {}
        self.product: dict[str, str] = {}
        self.runs: dict[str, reading.Run] = {}
        """By the title of the step that made it."""
        self.heard: list[str] = []
        """What the queue heard from the alarm topic."""

    def set_up(self) -> None:
        """Builds, creates both stacks, stops the servers, and lets the queue hear the topic."""
        self.say("Building …")
        template = stage.prepare(self.directory, plan.servers_toml(self.stack))
        self.world.build(template.parent / "code")
        self.say("Creating the six servers …")
        self._create_fleet()
        ec2 = self.world.client("ec2")
        ec2.stop_instances(InstanceIds=list(self.ids.values()))
        self.say("Deploying the product …")
        parameters = {
            "MailSender": self.sender,
            "MailRecipients": plan.RECIPIENT,
            "ServerTagValue": self.stack,
            "KmsKeyArns": self.fleet["KeyArn"],
            "ShowDashboard": "off",
            "LogRetentionDays": "7",
        }
        self.world.deploy(self.stack, template, parameters)
        _, self.product = describe(self.stack, self.world.session)
        self.world.wait(self.all_stopped, "the servers did not stop", STACK_PATIENCE_SECONDS)
        self.world.client("sns").subscribe(
            TopicArn=self.product["AlarmTopic"], Protocol="sqs", Endpoint=self.fleet["QueueArn"]
        )
        self.world.fleet_is_there(self.stack)

    def _create_fleet(self) -> None:
        cloudformation = self.world.client("cloudformation")
        name = plan.fleet_of(self.stack)
        given = {"Product": self.stack, "InstanceType": plan.INSTANCE_TYPE, "Zone": self._zone()}
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=(Path(__file__).parent / "fleet.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        )

        def created() -> bool:
            status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            if status not in ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"):
                raise RuntimeError(f"the stack {name} is {status}: {self._why(name)}")
            return status == "CREATE_COMPLETE"

        self.world.wait(created, f"the stack {name} was not created", STACK_PATIENCE_SECONDS)
        _, self.fleet = describe(name, self.world.session)

    def _why(self, stack: str) -> str:
        """The first reason that the stack's events give."""
        events = self.world.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
        return failed[-1].get("ResourceStatusReason", "no reason given") if failed else "no reason given"

    def _zone(self) -> str:
        """An availability zone that has the instance type: not every one does."""
        offers = self.world.client("ec2").describe_instance_type_offerings(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [plan.INSTANCE_TYPE]}],
        )["InstanceTypeOfferings"]
        if not offers:
            raise RuntimeError(
                f"{self.world.session.region_name} has no {plan.INSTANCE_TYPE}: take another Region"
            )
        # Local Zones (us-west-2-lax-1a) are offered too, but not to everybody.
        zones = [offer["Location"] for offer in offers if ZONE.fullmatch(offer["Location"])]
        return sorted(zones)[0]

    @property
    def ids(self) -> dict[str, str]:
        """The instances by short name."""
        return {server.short: self.fleet[server.output] for server in SERVERS}

    def described(self) -> dict[str, dict[str, Any]]:
        """What EC2 says of each server."""
        short = {instance_id: name for name, instance_id in self.ids.items()}
        told = self.world.client("ec2").describe_instances(InstanceIds=list(short))
        instances = [instance for r in told["Reservations"] for instance in r["Instances"]]
        return {short[instance["InstanceId"]]: instance for instance in instances}

    def states(self) -> dict[str, str]:
        return {name: instance["State"]["Name"] for name, instance in self.described().items()}

    def all_stopped(self) -> bool:
        return set(self.states().values()) == {"stopped"}

    def launched(self) -> dict[str, Any]:
        """When EC2 last started each server."""
        return {name: instance["LaunchTime"] for name, instance in self.described().items()}

    def run(self, step: str, action: str, **more: Any) -> reading.Run:
        """One whole run."""
        before = self.states()
        ended = self.end(step, self.begin(step, action, **more))
        ended.before = before
        return ended

    def begin(self, step: str, action: str, **more: Any) -> str:
        """Starts an execution; gives its ARN."""
        self.say(f"{step[0].upper()}{step[1:]} …")
        begun = self.world.client("stepfunctions").start_execution(
            stateMachineArn=self.product["StateMachineArn"],
            name=unique_name(action),
            input=json.dumps({"action": action, **more}),
        )
        return begun["executionArn"]

    def end(self, step: str, arn: str) -> reading.Run:
        """Waits until it has ended, and looks meanwhile when each server is ready."""
        step_functions = self.world.client("stepfunctions")
        ready_at: dict[str, float] = {}

        def ended() -> bool:
            self._note_ready(ready_at)
            return step_functions.describe_execution(executionArn=arn)["status"] != "RUNNING"

        self.world.wait(ended, f"the run of step '{step}' did not end", RUN_PATIENCE_SECONDS)
        self.world.sleep(SETTLING_SECONDS)
        run = reading.read(self.world, self.product, arn)
        run.ready_at, run.launched = ready_at, self.launched()
        self.runs[step] = run
        return run

    def _note_ready(self, ready_at: dict[str, float]) -> None:
        short = {instance_id: name for name, instance_id in self.ids.items()}
        told = self.world.client("ec2").describe_instance_status(InstanceIds=list(short))
        for status in told["InstanceStatuses"]:
            checks = (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"])
            if checks == ("ok", "ok"):
                ready_at.setdefault(short[status["InstanceId"]], self.world.now())

    def tag(self, short: str) -> None:
        """Gives a server the permission tag."""
        tags = [{"Key": "ec2-start-stop", "Value": self.stack}]
        self.world.client("ec2").create_tags(Resources=[self.ids[short]], Tags=tags)
        self.world.sleep(TAG_SECONDS)
