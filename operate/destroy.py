"""Takes a stack down and leaves nothing that is billed.

Owns the question before it, the stack's deletion, and what a deletion leaves: log groups that a service wrote
once more, and the code that sam put into its own bucket.
"""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from operate import place
from operate.problem import OperatingError
from operate.samconfig import SamConfig
from operate.stack import Stack
from operate.terminal import Terminal

# Where `sam deploy` with resolve_s3 keeps what it uploads.
SAM_STACK = "aws-sam-cli-managed-default"
# A stack of roles, log groups and a function goes in two or three minutes.
LONGEST_SECONDS = 15 * 60.0
QUIET_SECONDS = 60.0


def destroy(
    stack: Stack,
    where: place.Place,
    terminal: Terminal | None = None,
    config: SamConfig | None = None,
    pause_seconds: float = 3.0,
) -> bool:
    """Deletes the stack if the person types its name; whether it did."""
    terminal = terminal or Terminal()
    if running := stack.executions(statusFilter="RUNNING"):
        raise OperatingError(f"{running[0]['name']} is still running: wait for it, or stop it first")
    terminal.say(f"This deletes the stack {stack.name} with all its logs, in {where}.")
    terminal.say("Servers stay as they are.")
    if terminal.ask(f"Type {stack.name} to go on: ") != stack.name:
        terminal.say("Nothing was deleted.")
        return False
    delete_stack(stack, terminal, pause_seconds)
    delete_log_groups(stack)
    delete_uploaded_code(stack, code_prefix(stack, config or SamConfig()))
    terminal.say(f"The stack {stack.name} is gone, and nothing of it is billed any more.")
    return True


def delete_stack(stack: Stack, terminal: Terminal, pause_seconds: float) -> None:
    """Deletes it and waits, saying so."""
    cloudformation = stack.client("cloudformation")
    # A stack that is gone is found by its id only.
    stack_id = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack.name)
    began = last_said = time.monotonic()
    while (found := stack_state(cloudformation, stack_id))["StackStatus"] == "DELETE_IN_PROGRESS":
        now = time.monotonic()
        if now - began > LONGEST_SECONDS:
            raise OperatingError(f"the stack {stack.name} is still being deleted: look again in the console")
        line = f"  the stack is being deleted ({now - began:.0f} s)"
        terminal.live(line)
        if not terminal.is_live and now - last_said >= QUIET_SECONDS:
            terminal.say(line)
            last_said = now
        time.sleep(pause_seconds)
    if found["StackStatus"] != "DELETE_COMPLETE":
        reason = found.get("StackStatusReason", "CloudFormation's console says why")
        raise OperatingError(f"the stack {stack.name} is {found['StackStatus']}: {reason}")


def stack_state(cloudformation: Any, stack_id: str) -> dict[str, Any]:
    try:
        return cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return {"StackStatus": "DELETE_COMPLETE"}
        raise


def delete_log_groups(stack: Stack) -> None:
    """A service that wrote while the stack went may have made its group again."""
    logs = stack.client("logs")
    named = [stack.outputs["PhaseLogGroup"], stack.outputs["FunctionLogGroup"]]
    for name in [*named, f"/aws/vendedlogs/states/{stack.name}"]:
        try:
            logs.delete_log_group(logGroupName=name)
        except logs.exceptions.ResourceNotFoundException:
            continue


def code_prefix(stack: Stack, config: SamConfig) -> str:
    """Where sam put the stack's code: samconfig.toml's s3_prefix if that is this stack's, else its name."""
    is_this_one = config.stack_name == stack.name
    return config.s3_prefix if is_this_one and config.s3_prefix else stack.name


def delete_uploaded_code(stack: Stack, prefix: str) -> None:
    """All versions of what sam uploaded."""
    try:
        stacks = stack.client("cloudformation").describe_stacks(StackName=SAM_STACK)["Stacks"]
    except ClientError:
        return  # deployed through another bucket: that one's owner cleans it
    bucket = next(o["OutputValue"] for o in stacks[0]["Outputs"] if o["OutputKey"] == "SourceBucket")
    s3 = stack.client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        if objects := [_version(v) for v in page.get("Versions", []) + page.get("DeleteMarkers", [])]:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})


def _version(found: dict[str, Any]) -> dict[str, str]:
    return {"Key": found["Key"], "VersionId": found["VersionId"]}
