"""Deletes everything that a proof has created, by the stack's name alone, and says what is left.

Owns the order, and that one failure does not keep the rest from being deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operate.destroy import SAM_STACK, delete_uploaded_code
from operate.stack import Stack
from prove import plan
from prove.world import NotInTimeError, World

DELETION_PATIENCE_SECONDS = 1800.0
AWS_ERRORS = (ClientError, BotoCoreError, NotInTimeError)
GONE = ("terminated", "shutting-down")


def delete(world: World, stack: str, say: Callable[[str], None]) -> list[str]:
    """Deletes it all; gives what is left, each with a name."""
    say(f"Deleting {stack} and {plan.fleet_of(stack)} …")
    key: list[str] = []
    for what, how in (
        ("its key's id", lambda: key.extend(_keys(world, stack))),
        ("its runs", lambda: _stop_runs(world, stack)),
        ("the product's stack", lambda: _begin_deletion(world, stack)),
        ("the servers' stack", lambda: _begin_deletion(world, plan.fleet_of(stack))),
        ("the stacks", lambda: _await_deletion(world, stack)),
        ("its logs", lambda: _delete_logs(world, stack)),
        ("its uploaded code", lambda: delete_uploaded_code(Stack(stack, {}, world.session), stack)),
    ):
        try:
            how()
        except AWS_ERRORS as error:
            say(f"  {what}: {error}")
    return left(world, stack, key, say)


def left(world: World, stack: str, keys: list[str], say: Callable[[str], None]) -> list[str]:
    """What is still there. What could not be looked at is perhaps there."""
    found: list[str] = []
    for what, look in (
        ("the stacks", _stacks_left),
        ("the servers and their volumes", _servers_left),
        ("the logs", _logs_left),
        ("the uploaded code", _code_left),
    ):
        try:
            found += look(world, stack)
        except AWS_ERRORS as error:
            found.append(f"perhaps {what}: {error}")
    for key in keys:
        try:
            found += _key_left(world, key, say)
        except AWS_ERRORS as error:
            found.append(f"perhaps the key {key}: {error}")
    return found


def tell(stack: str, found: list[str]) -> Iterator[str]:
    """The last words."""
    if not found:
        yield f"Nothing of {stack} is left that costs anything."
        return
    yield f"LEFT, and perhaps billed; delete it with make prove DELETE={stack}, or by hand:"
    for thing in found:
        yield f"  {thing}"


def _status(world: World, name: str) -> str:
    """A stack's status; DELETE_COMPLETE if there is none of this name."""
    try:
        return world.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return "DELETE_COMPLETE"
        raise


def _resources(world: World, name: str, kind: str) -> list[str]:
    """The physical ids of a stack's resources of one kind."""
    if _status(world, name) == "DELETE_COMPLETE":
        return []
    pages = world.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    found = [resource for resource in resources if resource["ResourceType"] == kind]
    return [resource["PhysicalResourceId"] for resource in found if resource.get("PhysicalResourceId")]


def _keys(world: World, stack: str) -> list[str]:
    return _resources(world, plan.fleet_of(stack), "AWS::KMS::Key")


def _key_left(world: World, key: str, say: Callable[[str], None]) -> list[str]:
    kms = world.client("kms")
    try:
        described = kms.describe_key(KeyId=key)["KeyMetadata"]
    except kms.exceptions.NotFoundException:
        return []
    if described["KeyState"] != "PendingDeletion":
        return [f"the key {key} ({described['KeyState']})"]
    say(f"KMS deletes the key {key} on {described['DeletionDate']:%Y-%m-%d}; it costs nothing until then.")
    return []


def _stop_runs(world: World, stack: str) -> None:
    step_functions = world.client("stepfunctions")
    for machine in _resources(world, stack, "AWS::StepFunctions::StateMachine"):
        running = step_functions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")[
            "executions"
        ]
        for execution in running:
            step_functions.stop_execution(executionArn=execution["executionArn"], error="ProofEnded")


def _begin_deletion(world: World, name: str) -> None:
    if _status(world, name) != "DELETE_COMPLETE":
        world.client("cloudformation").delete_stack(StackName=name)


def _await_deletion(world: World, stack: str) -> None:
    """Both stacks. One that could not be deleted while it was still being created is deleted now."""

    def ended(name: str) -> bool:
        status = _status(world, name)
        if status in ("DELETE_COMPLETE", "DELETE_FAILED"):
            return True
        if not status.endswith("_IN_PROGRESS"):
            _begin_deletion(world, name)
        return False

    names = (stack, plan.fleet_of(stack))
    world.wait(
        lambda: all([ended(name) for name in names]), "the stacks were not deleted", DELETION_PATIENCE_SECONDS
    )


def _log_groups(world: World, stack: str) -> list[str]:
    """CloudFormation's names begin with the stack's; Step Functions' own group is named in the template."""
    paginator = world.client("logs").get_paginator("describe_log_groups")
    prefixes = (f"{stack}-", f"/aws/vendedlogs/states/{stack}")
    pages = (page for prefix in prefixes for page in paginator.paginate(logGroupNamePrefix=prefix))
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def _delete_logs(world: World, stack: str) -> None:
    """A service that wrote while the stack went may have made its group again."""
    for name in _log_groups(world, stack):
        world.client("logs").delete_log_group(logGroupName=name)


def _stacks_left(world: World, stack: str) -> list[str]:
    statuses = {name: _status(world, name) for name in (stack, plan.fleet_of(stack))}
    return [
        f"the stack {name} ({status})" for name, status in statuses.items() if status != "DELETE_COMPLETE"
    ]


def _servers_left(world: World, stack: str) -> list[str]:
    ec2 = world.client("ec2")
    named = [{"Name": "tag:Name", "Values": [f"{stack}-*"]}]
    reservations = ec2.describe_instances(Filters=named)["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    alive = [i["InstanceId"] for i in instances if i["State"]["Name"] not in GONE]
    volumes = [volume["VolumeId"] for volume in ec2.describe_volumes(Filters=named)["Volumes"]]
    return [*(f"the server {i}" for i in alive), *(f"the volume {v}" for v in volumes)]


def _logs_left(world: World, stack: str) -> list[str]:
    return [f"the log group {name}" for name in _log_groups(world, stack)]


def _code_left(world: World, stack: str) -> list[str]:
    """Versions of objects in sam's bucket."""
    if _status(world, SAM_STACK) == "DELETE_COMPLETE":
        return []
    found: list[dict[str, Any]] = []
    for bucket in _resources(world, SAM_STACK, "AWS::S3::Bucket"):
        versions = world.client("s3").list_object_versions(Bucket=bucket, Prefix=f"{stack}/")
        found += versions.get("Versions", [])
    return [f"the object {version['Key']} in sam's bucket" for version in found]
