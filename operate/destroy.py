"""Takes a stack down and leaves nothing that is billed.

Owns the question before it, the stack's deletion, and what a deletion leaves: log groups that a service wrote
once more, and the code that sam put into its own bucket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from operate.stack import OperatingError, Stack

# Where `sam deploy` with resolve_s3 keeps what it uploads.
SAM_STACK = "aws-sam-cli-managed-default"


def destroy(stack: Stack, ask: Callable[[str], str] = input, say: Callable[[str], None] = print) -> bool:
    """Deletes the stack if the person types its name; whether it did."""
    running = stack.client("stepfunctions").list_executions(
        stateMachineArn=stack.outputs["StateMachineArn"], statusFilter="RUNNING"
    )["executions"]
    if running:
        raise OperatingError(f"{running[0]['name']} is still running: wait for it, or stop it first")
    say(f"This deletes the stack {stack.name} in {stack.session.region_name} with all its logs.")
    say("Servers stay as they are.")
    if ask(f"Type {stack.name} to go on: ").strip() != stack.name:
        say("Nothing was deleted.")
        return False
    cloudformation = stack.client("cloudformation")
    cloudformation.delete_stack(StackName=stack.name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack.name, WaiterConfig={"Delay": 5, "MaxAttempts": 120}
    )
    delete_log_groups(stack)
    delete_uploaded_code(stack)
    say(f"The stack {stack.name} is gone, and nothing of it is billed any more.")
    return True


def delete_log_groups(stack: Stack) -> None:
    """A service that wrote while the stack went may have made its group again."""
    logs = stack.client("logs")
    named = [stack.outputs["PhaseLogGroup"], stack.outputs["FunctionLogGroup"]]
    for name in [*named, f"/aws/vendedlogs/states/{stack.name}"]:
        try:
            logs.delete_log_group(logGroupName=name)
        except logs.exceptions.ResourceNotFoundException:
            continue


def delete_uploaded_code(stack: Stack) -> None:
    """All versions of what sam uploaded under the stack's name (samconfig.toml: s3_prefix)."""
    try:
        stacks = stack.client("cloudformation").describe_stacks(StackName=SAM_STACK)["Stacks"]
    except ClientError:
        return  # deployed through another bucket: that one's owner cleans it
    bucket = next(o["OutputValue"] for o in stacks[0]["Outputs"] if o["OutputKey"] == "SourceBucket")
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{stack.name}/"):
        if objects := [_version(v) for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})


def _version(found: dict[str, Any]) -> dict[str, str]:
    return {"Key": found["Key"], "VersionId": found["VersionId"]}
