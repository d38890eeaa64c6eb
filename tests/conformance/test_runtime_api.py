"""The embedded Lambda runs processes as the service does: concurrency, time-outs, deaths, errors."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import clock
from local.deploy import client
from local.runtime_api import Function

# A function in a few lines: what its event says is what it does.
HANDLER = """
import json, os, sys, time, urllib.request
base = os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
for _ in range(100):
    with urllib.request.urlopen(base + "next", timeout=60) as told:
        request, event = told.headers["Lambda-Runtime-Aws-Request-Id"], json.load(told)
        deadline = int(told.headers["Lambda-Runtime-Deadline-Ms"])
    if event["do"] == "exit":
        sys.exit(3)
    if event["do"] == "sleep":
        time.sleep(event["seconds"])
    way, answer = "response", {"pid": os.getpid(), "deadline": deadline}
    if event["do"] == "fail":
        way, answer = "error", {"errorType": "Ours", "errorMessage": "told to"}
    urllib.request.urlopen(base + request + "/" + way, data=json.dumps(answer).encode(), timeout=60).close()
"""


@pytest.fixture
def invoke(server, tmp_path: Path):
    script = tmp_path / "handler.py"
    script.write_text(HANDLER)
    command = [sys.executable, str(script)]
    function = Function("probe", command, {}, tmp_path / "log", timeout_seconds=1200, concurrency=3)
    server.application.lambdas.functions["probe"] = function
    service = client(server.url, "lambda")

    def invoke(name: str = "probe", **event):
        told = service.invoke(FunctionName=name, Payload=json.dumps(event))
        return json.loads(told["Payload"].read()), told.get("FunctionError")

    invoke.function = function
    return invoke


def test_invocations_one_after_the_other_share_a_process(invoke):
    first, second = invoke(do="answer")[0], invoke(do="answer")[0]
    assert first["pid"] == second["pid"]


def test_invocations_at_the_same_time_have_a_process_each(invoke):
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: invoke(do="sleep", seconds=0.3)[0]["pid"], range(3)))
    assert len(set(answers)) == 3


def test_the_deadline_is_in_simulated_time(invoke):
    left = invoke(do="answer")[0]["deadline"] / 1000 - clock.CLOCK.now()
    assert 0 < left <= 1200


def test_a_functions_error_has_its_name_and_the_header(invoke):
    answer, failed = invoke(do="fail")
    assert (answer["errorType"], failed) == ("Ours", "Unhandled")


def test_a_process_that_exits_is_an_exit_error_and_the_next_invocation_works(invoke):
    assert invoke(do="exit")[0]["errorType"] == "Runtime.ExitError"
    assert invoke(do="answer")[1] is None


def test_a_process_over_its_time_is_killed(invoke):
    answer, failed = invoke(do="sleep", seconds=30)
    assert (answer["errorType"], failed) == ("Sandbox.Timedout", "Unhandled")
    deadline = time.monotonic() + 5
    while invoke.function.workers:
        assert time.monotonic() < deadline, "it was not killed"
        time.sleep(0.01)


@pytest.mark.parametrize("name", ["arn:aws:lambda:eu-west-1:123456789012:function:probe", "probe:$LATEST"])
def test_a_function_is_found_by_its_arn_and_with_a_qualifier(invoke, name):
    assert invoke(name, do="answer")[1] is None


def test_an_unknown_function_is_not_found(server):
    service = client(server.url, "lambda")
    with pytest.raises(service.exceptions.ResourceNotFoundException):
        service.invoke(FunctionName="nobody", Payload="{}")
