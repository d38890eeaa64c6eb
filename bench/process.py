"""One Lambda process under a stopwatch.

Owns a Runtime API for a single process, and what can be told about that process: how long its init and each
invocation took, its peak memory. What it is and what it is asked is its caller's.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

# Real seconds; an answer takes far less.
LONGEST_ANSWER = 120.0
LAMBDA_TIMEOUT = 900.0


class FunctionProcess:
    """A running function. Its init is over when the constructor returns."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._asks: queue.Queue[float] = queue.Queue()
        self._events: queue.Queue[bytes] = queue.Queue()
        self._answers: queue.Queue[tuple[float, bytes]] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        runtime_api = f"http://127.0.0.1:{self._server.server_port}"
        spawned = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            env={**environment, "AWS_LAMBDA_RUNTIME_API": runtime_api},
            stdout=subprocess.DEVNULL,
        )
        self.init_seconds = self._asks.get(timeout=LONGEST_ANSWER) - spawned

    def invoke(self, event: dict[str, Any]) -> tuple[float, Any]:
        """Seconds from giving the event to having the answer, and the answer."""
        given = time.perf_counter()
        self._events.put(json.dumps(event).encode())
        answered, body = self._answers.get(timeout=LONGEST_ANSWER)
        self._asks.get(timeout=LONGEST_ANSWER)
        return answered - given, json.loads(body)

    def peak_megabytes(self) -> float:
        """The most resident memory so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    def __enter__(self) -> FunctionProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        process = self

        class Handler(BaseHTTPRequestHandler):
            """https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html"""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # an event leaves as one write

            def do_GET(self) -> None:  # noqa: N802 - the base class's name
                process._asks.put(time.perf_counter())
                event = process._events.get()
                deadline = int((time.time() + LAMBDA_TIMEOUT) * 1000)
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
                self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:bench")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self) -> None:  # noqa: N802 - the base class's name
                answered = time.perf_counter()
                body = self.rfile.read(int(self.headers["Content-Length"]))
                process._answers.put((answered, body))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
                """Requests are not told: telling takes time."""

        return Handler
