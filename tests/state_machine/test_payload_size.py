"""How many servers one run carries: a state's payload has at most 262,144 bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local.server import Server
from local.state_machine_lab import FunctionError, run
from tests.state_machine.test_paths import (
    DEV_DB,
    MACHINE,
    Script,
    answer,
    each_phase,
    mail_of,
    phases_of,
    result_of,
)

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
PAYLOAD_BYTES = 262_144
LISTS = 6


def servers(count: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A phase of so many servers, all of them started."""
    state = {"InstanceId": "i-0bad14933fffa49b9", "State": "stopped", "is_running": False}
    names = [f"server-{number:04}" for number in range(count)]
    actions = {name: {"action": "started", "seconds": 97} for name in names}
    return lambda payload: answer(payload, initial_state=dict.fromkeys(names, state), actions=actions)


def joined(running_server: Server, per_list: int) -> list[dict[str, Any]]:
    """What the Parallel hands on when each list has so many servers."""
    result = run(running_server, MACHINE, {"action": "start"}, Script(each_phase(servers(per_list))))
    assert result.status == "SUCCEEDED"
    return mail_of(result)["results"]


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":")).encode())


def test_1200_servers_are_handed_on_whole_and_each_takes_less_than_150_bytes(running_server: Server):
    few, many = joined(running_server, 100), joined(running_server, 200)
    assert not any("shortened" in environment for environment in many)
    assert (size(many) - size(few)) / (100 * LISTS) < 150
    assert size(many) < PAYLOAD_BYTES


def test_3000_servers_are_handed_on_as_counts_and_the_run_succeeds(running_server: Server):
    many = joined(running_server, 500)
    assert all(environment["shortened"] for environment in many)
    assert size(many) < PAYLOAD_BYTES


def test_an_answer_that_no_payload_holds_fails_its_own_environment_only(running_server: Server):
    script = Script({DEV_DB: [servers(2500)]})
    result = run(running_server, MACHINE, {"action": "start"}, script)
    assert result.status == "FAILED"
    assert {"test app", "preprod app"} <= set(phases_of(result))
    assert result_of(result, "dev")["error"]["Error"] == "States.DataLimitExceeded"


def test_errors_after_3000_initial_states_were_known_still_fit_a_payload(running_server: Server):
    def dies_after_asking(payload: dict[str, Any]) -> Any:
        known = servers(1000)(payload)["initial_state"]
        if "resume" in payload:
            raise FunctionError("AwsFailure", "x" * 10_000)
        return answer(payload, "in_progress", resume={"initial_state": known})

    script = Script(each_phase(dies_after_asking))
    results = mail_of(run(running_server, MACHINE, {"action": "start"}, script))["results"]
    assert size(results) < PAYLOAD_BYTES
    assert all(result["shortened"] for result in results)
    assert {result["error"]["Error"] for result in results} == {"AwsFailure"}
