"""The three functions that are measured, and what they are asked.

Owns commands, environments and events, so that every row runs the same thing.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from bench.process import FunctionProcess
from local.deploy import ROOT
from local.fleet import lists, servers_of
from local.rendering import rendered
from local.run import set_up
from local.runtime_api import PASSED_ON, REGION
from local.server import Server

OURS = ROOT / "target" / "release" / "ec2-start-stop"
HELLO = ROOT / "target" / "hello" / "release" / "hello"
BASELINE = [sys.executable, str(ROOT / "bench" / "baseline" / "bootstrap.py")]
SERVERS = ROOT / "tests" / "servers.toml"
LOG_GROUP = "/ec2-start-stop/phases"
RUN = "bench"

FIRST_PHASE = 3
"""The development databases: what a start begins with."""


def phase_event(action: str = "start", number: int = FIRST_PHASE) -> dict[str, Any]:
    """What both functions are asked."""
    return {
        "phase_number": number,
        "next_phase": True,
        "action": action,
        "cw_log_phase": "starting development db servers",
        "send_mail": False,
    }


def our_event(action: str = "start") -> dict[str, Any]:
    """Ours also gets the execution: begun now, so that no server looks as if it had started it."""
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    execution = {"id": f"arn:aws:states:::{RUN}", "name": RUN, "start_time": now}
    return {**phase_event(action), "execution": execution}


def ours(environment: dict[str, str]) -> FunctionProcess:
    return FunctionProcess([str(OURS)], environment)


def hello(environment: dict[str, str]) -> FunctionProcess:
    return FunctionProcess([str(HELLO)], environment)


def baseline(environment: dict[str, str]) -> FunctionProcess:
    return FunctionProcess(BASELINE, environment)


def deployed(server: Server, folder: Path) -> dict[str, str]:
    """The function's environment variables, as template.yaml gives them once it is deployed."""
    stack = set_up(server, folder / "deployed.log", OURS, SERVERS, rendered(SERVERS))
    return dict(server.application.lambdas.functions[stack.outputs["FunctionName"]].environment)


def environment(url: str, variables: dict[str, str], servers: Path, folder: Path) -> dict[str, str]:
    """The environment variables of all three: Lambda's own, the template's, where AWS and the servers are.

    The baseline's lists go to `folder`.
    """
    names = folder / f"{servers.stem}.json"
    names.write_text(json.dumps({str(given["number"]): servers_of(given) for given in lists(servers)}))
    passed_on = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
    lambdas_own = {
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bench",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "function",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    here = {"AWS_ENDPOINT_URL": url, "SERVERS_FILE": str(servers), "SERVERS_JSON": str(names)}
    return passed_on | lambdas_own | variables | here


def create_streams(logs: Any, group: str) -> None:
    """The phase log's stream of each side: neither is measured creating it."""
    for stream in (RUN, "phases"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
