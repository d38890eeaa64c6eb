"""The baseline's state machine: per environment one tier, a fixed Wait, the other tier; then the mail."""

from __future__ import annotations

from typing import Any

BETWEEN_TIERS_SECONDS = 60
# Phase numbers of each environment: its databases, its applications (tests/servers.toml).
ENVIRONMENTS = {"dev": (3, 0), "test": (4, 1), "preprod": (5, 2)}


def definition(function: str, action: str) -> dict[str, Any]:
    """The machine of one action."""
    branches = [
        _branch(function, action, numbers if action == "start" else numbers[::-1])
        for numbers in ENVIRONMENTS.values()
    ]
    mail = {"send_mail": True, "action": action}
    return {
        "QueryLanguage": "JSONata",
        "StartAt": "Environments",
        "States": {
            "Environments": {"Type": "Parallel", "Branches": branches, "Next": "Send mail"},
            "Send mail": {**_task(function, mail), "Next": "Done"},
            "Done": {"Type": "Succeed"},
        },
    }


def _branch(function: str, action: str, numbers: tuple[int, int]) -> dict[str, Any]:
    phases = [
        {
            "phase_number": number,
            "next_phase": True,
            "action": action,
            "cw_log_phase": f"phase {number}",
            "send_mail": False,
        }
        for number in numbers
    ]
    went_well = "{% $states.input.next_phase %}"
    return {
        "StartAt": "First tier",
        "States": {
            "First tier": {**_task(function, phases[0]), "Next": "Go on?"},
            "Go on?": {
                "Type": "Choice",
                "Choices": [{"Condition": went_well, "Next": "Wait"}],
                "Default": "End here",
            },
            "Wait": {"Type": "Wait", "Seconds": BETWEEN_TIERS_SECONDS, "Next": "Second tier"},
            "Second tier": {**_task(function, phases[1]), "End": True},
            "End here": {"Type": "Pass", "End": True},
        },
    }


def _task(function: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Output": "{% $states.result.Payload %}",
    }
