"""What moto's CloudFormation lacks for our template.

Owns the resources that moto does not create from a stack, or creates in the wrong place: state machines
(in the interpreter's backend, with DefinitionSubstitutions), schedules, and those on which nothing acts here.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.scheduler.models import scheduler_backends
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

PLACEHOLDER = re.compile(r"\$\{[A-Za-z0-9_]+\}")


class Schedule(CloudFormationModel):
    """AWS::Scheduler::Schedule."""

    def __init__(self, name: str, arn: str) -> None:
        self.arn = arn
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::Schedule"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return self.arn

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> Schedule:
        properties = cloudformation_json["Properties"]
        schedule = scheduler_backends[account_id][region_name].create_schedule(
            name=properties.get("Name", resource_name),
            description=properties.get("Description"),
            schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone=properties.get("ScheduleExpressionTimezone", "UTC"),
            flexible_time_window=properties["FlexibleTimeWindow"],
            group_name=properties.get("GroupName", "default"),
            kms_key_arn=None,
            start_date=properties.get("StartDate"),
            end_date=properties.get("EndDate"),
            state=properties.get("State", "ENABLED"),
            target=properties["Target"],
            action_after_completion=properties.get("ActionAfterCompletion", "NONE"),
        )
        return cls(schedule.name, schedule.arn)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Schedule,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> Schedule:
        cls.delete_from_cloudformation_json(
            original_resource.physical_resource_id, cloudformation_json, account_id, region_name
        )
        return cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        scheduler_backends[account_id][region_name].delete_schedule("default", resource_name)


class ScheduleGroup(CloudFormationModel):
    """AWS::Scheduler::ScheduleGroup. With it go its schedules."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::ScheduleGroup"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
    ) -> ScheduleGroup:
        scheduler_backends[account_id][region_name].create_schedule_group(resource_name, [])
        return cls(resource_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
    ) -> None:
        scheduler_backends[account_id][region_name].delete_schedule_group(resource_name)


class Inert(CloudFormationModel):  # moto finds direct subclasses of its model only: hence two bases below
    """A resource on which nothing in the embedded AWS acts: it is accepted, and that is all."""

    TYPE = ""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def create_from_cloudformation_json(cls, resource_name: str, *_: Any, **__: Any) -> Inert:
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Inert, new_resource_name: str, *_: Any, **__: Any
    ) -> Inert:
        return cls(new_resource_name)

    @classmethod
    def delete_from_cloudformation_json(cls, *_: Any, **__: Any) -> None:
        """There is nothing to delete."""


INERT = {
    "AWS::CloudWatch::Alarm": "the embedded AWS has no metrics of functions and queues",
    "AWS::CloudWatch::Dashboard": "nobody looks at it here; tests/template reads its body",
    "AWS::Lambda::EventInvokeConfig": "an invocation is made once here: what fails is not tried again",
    "AWS::SNS::TopicPolicy": "moto's SNS lets everybody publish",
    "AWS::SNS::Subscription": "nobody reads SNS mails here",
}
"""Each kind, and why nothing acts on it."""

CLASSES = [type(kind, (Inert, CloudFormationModel), {"TYPE": kind}) for kind in INERT]
"""Held here: moto finds them as its model's subclasses."""


def install() -> None:
    """Puts the state machine's life right. Schedules are found by moto as a subclass of its model."""
    StateMachine.create_from_cloudformation_json = classmethod(_state_machine)
    StateMachine.delete_from_cloudformation_json = classmethod(_no_state_machine)


def _state_machine(
    cls: type, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str, **_: Any
) -> Any:
    properties = cloudformation_json["Properties"]
    definition = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    if left := PLACEHOLDER.findall(definition):
        raise ValueError(f"the template gives the definition no {', '.join(left)}")
    return stepfunctions_parser_backends[account_id][region_name].create_state_machine(
        properties.get("StateMachineName", resource_name),
        definition,
        properties.get("RoleArn", ""),
        loggingConfiguration=properties.get("LoggingConfiguration"),
        sm_type=properties.get("StateMachineType", "STANDARD"),
    )


def _no_state_machine(
    cls: type, resource_name: str, cloudformation_json: Any, account_id: str, region_name: str
) -> None:
    """`resource_name` is the machine's physical id: its ARN."""
    stepfunctions_parser_backends[account_id][region_name].delete_state_machine(resource_name)
