"""Both state machines of AWS-Start-Stop-Automation, as its page documents them.

Written from the facts of that page: docs/state_machine.md and docs/JSON_payload.md of
https://github.com/michaelmaratita/AWS-Start-Stop-Automation. Two machines, each with a Parallel of three
branches, an invocation a phase, a pause of 60 s between the tiers of a start, and one mail. No Catch, no
`resume`, no `execution`; the second tier's `next_phase` is the string "next_phase.$". Only the ARN is ours.
"""

from __future__ import annotations

from typing import Any

# Environment, its word in the headings, and the numbers of its two lists.
ENVIRONMENTS = (("dev", "development", 0, 3), ("test", "test", 1, 4), ("preprod", "preproduction", 2, 5))
RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 1,
        "MaxAttempts": 3,
        "BackoffRate": 2,
        "JitterStrategy": "FULL",
    }
]
WORDS = {"start": "START", "stop": "SHUTDOWN"}
STATES = {
    "dap_state": "dev_app",
    "tap_state": "test_app",
    "pap_state": "preprod_app",
    "ddb_state": "dev_db",
    "tdb_state": "test_db",
    "pdb_state": "preprod_db",
}
INITIAL = "{% $states.input.initial_state %}"
ANSWERED = "{% $states.result.Payload.initial_state %}"
EMPTY = {"empty": True}


def machine(action: str, function: str, long_names: bool = False) -> dict[str, Any]:
    """The one that starts or the one that stops; `long_names`: its mail as docs/start_stop_code.md has it."""
    asks = f"Did all servers {action}?"
    good, bad = "Send Success Email", "Send Failure Email"
    conditions = [f"($states.input.{action}_{environment}) = (true)" for environment, *_ in ENVIRONMENTS]
    server_type = "application" if action == "start" else "database"
    conditions += [f'($states.input.{e}_server_type) = ("{server_type}")' for e, *_ in ENVIRONMENTS]
    return {
        "StartAt": "Lower Environments",
        "States": {
            "Lower Environments": {
                "Type": "Parallel",
                "Branches": [branch(action, function, *given) for given in ENVIRONMENTS],
                "Next": asks,
            },
            asks: {
                "Type": "Choice",
                "Choices": [{"Next": good, "Condition": f"{{% ({' and '.join(conditions)}) %}}"}],
                "Default": bad,
            },
            good: mail(function, f"{WORDS[action]} STATUS: SUCCESS", long_names) | {"Next": "Success"},
            "Success": {"Type": "Succeed"},
            bad: mail(function, f"{WORDS[action]} STATUS: ABORTED", long_names) | {"Next": "Fail"},
            "Fail": {"Type": "Fail"},
        },
        "QueryLanguage": "JSONata",
    }


def branch(action: str, function: str, environment: str, word: str, app: int, db: int) -> dict[str, Any]:
    """One environment: its first tier, a choice, its second tier."""
    start = action == "start"
    (first, first_number), (second, second_number) = (
        (("db", db), ("app", app)) if start else (("app", app), ("db", db))
    )
    verb = "starting" if start else "stopping"
    one, two = f"{verb} {word} {first} servers", f"{verb} {word} {second} servers"
    failure = f"{environment} {first} failure"
    output = {
        f"{action}_{environment}": "{% $states.result.Payload.next_phase %}",
        f"{environment}_server_type": "application" if start else "database",
        f"{environment}_{first}_initial_state": INITIAL,
        f"{environment}_{second}_initial_state": ANSWERED,
    }
    pause = {"Wait": {"Type": "Wait", "Seconds": 60, "Next": two}} if start else {}
    phase = {"action": action, "send_mail": False}
    return {
        "StartAt": one,
        "States": {
            one: task(
                function, phase | {"phase_number": first_number, "next_phase": True, "cw_log_phase": one}
            )
            | {"Output": "{% $states.result.Payload %}", "Next": f"Did {first} {action}?"},
            f"Did {first} {action}?": {
                "Type": "Choice",
                "Choices": [
                    {
                        "Next": "Wait" if start else two,
                        "Condition": "{% ($states.input.next_phase) = (true) %}",
                    }
                ],
                "Default": failure,
            },
            **pause,
            two: task(
                function,
                phase | {"phase_number": second_number, "next_phase": "next_phase.$", "cw_log_phase": two},
            )
            | {"Output": output, "End": True},
            failure: {
                "Type": "Pass",
                "Output": {
                    f"{environment}_{first}_initial_state": INITIAL,
                    f"{environment}_{second}_initial_state": EMPTY,
                },
                "End": True,
            },
        },
    }


def mail(function: str, subject: str, long_names: bool) -> dict[str, Any]:
    """The last task: the subject, and the six states as the branches gave them."""
    states = {
        f"{list_}_initial_state" if long_names else short: f"{{% $states.input.{list_}_initial_state %}}"
        for short, list_ in STATES.items()
    }
    sent = task(function, {"send_mail": True, "subject": subject} | states)
    return sent | {"Output": "{% $states.result.Payload %}"}


def task(function: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function, "Payload": payload},
        "Retry": RETRY,
    }
