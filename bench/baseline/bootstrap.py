"""The loop that Lambda's Python runtime runs around a handler, on the standard library alone.

AWS's own runtime client imports more, so this one flatters the baseline.
"""

from __future__ import annotations

import http.client
import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))  # noqa: PTH120 - pathlib would be one import more

import function

BASE = "/2018-06-01/runtime/invocation"


def main() -> None:
    host, _, prefix = os.environ["AWS_LAMBDA_RUNTIME_API"].removeprefix("http://").partition("/")
    base = f"/{prefix}{BASE}" if prefix else BASE
    while True:
        request_id, event = next_event(host, base)
        answer = json.dumps(function.handler(event))
        call(host, "POST", f"{base}/{request_id}/response", answer)


def next_event(host: str, base: str) -> tuple[str, dict]:
    answer, body = call(host, "GET", f"{base}/next")
    if answer.status != 200:
        sys.exit(0)
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(body)


def call(
    host: str, method: str, path: str, body: str | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(host)
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer, answer.read()


main()
