"""The Lambda Runtime API: each function is its own real process, one for each invocation at the same time.

Owns processes, deadlines and the way errors are told, as the service does it: a process is killed at its
time-out (`Sandbox.Timedout`), one that exits is `Runtime.ExitError`, a function's error has the header
X-Amz-Function-Error.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import re
import subprocess
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import clock

ACCOUNT, REGION = "123456789012", "eu-west-1"
# The last two set a process's clock: tests/dates.py.
PASSED_ON = ("PATH", "HOME", "LD_LIBRARY_PATH", "RUST_BACKTRACE", "LD_PRELOAD", "CLOCK_AHEAD")
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Job:
    """One invocation."""

    payload: bytes
    deadline: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    done: threading.Event = field(default_factory=threading.Event)
    body: bytes = b"null"
    error: bool = False

    def finish(self, body: bytes, error: bool) -> None:
        if not self.done.is_set():
            self.body, self.error = body, error
            self.done.set()

    def fail(self, name: str, message: str) -> None:
        text = f"RequestId: {self.id} Error: {message}"
        self.finish(json.dumps({"errorType": name, "errorMessage": text}).encode(), error=True)


class Worker:
    """One process of a function, and the invocation it is at."""

    numbers = itertools.count(1)

    def __init__(self, function: Function, address: str) -> None:
        self.id = f"{function.name}-{next(self.numbers)}"
        self.function = function
        self.inbox: queue.Queue[Job | None] = queue.Queue()
        self.job: Job | None = None
        function.workers[self.id] = self  # before the process can ask for work
        environment = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        environment |= {
            "AWS_LAMBDA_RUNTIME_API": f"http://{address}/_runtime/{self.id}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self.id,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "function",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": f"http://{address}",
            "LOCAL_CLOCK": clock.CLOCK.setting,
        }
        environment |= function.environment
        with function.log.open("ab") as log:
            self.process = subprocess.Popen(function.command, env=environment, stdout=log, stderr=log)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        status = self.process.wait()
        self.function.forget(self)
        jobs = [self.job] if self.job else []
        while not self.inbox.empty():
            jobs.append(self.inbox.get_nowait())
        self.inbox.put(None)
        for job in filter(None, jobs):
            job.fail("Runtime.ExitError", f"Runtime exited with error: exit status {status}")

    def handle(self, method: str, path: str, body: bytes) -> Answer:
        """The process's own requests."""
        if method == "GET" and path.endswith("/runtime/invocation/next"):
            job = self.inbox.get()
            if job is None:
                return 410, {}, b""
            self.job = job
            headers = {
                "Lambda-Runtime-Aws-Request-Id": job.id,
                "Lambda-Runtime-Deadline-Ms": str(int(job.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            }
            return 200, headers, job.payload
        answer = re.search(r"/runtime/invocation/([^/]+)/(response|error)$", path)
        job = self.job
        if answer and job and answer[1] == job.id:
            self.job = None
            self.function.release(self)
            job.finish(body, error=answer[2] == "error")
            return 202, {}, b'{"status":"OK"}'
        return 400, {}, b"{}"


class Function:
    """A function and its processes."""

    def __init__(
        self,
        name: str,
        command: list[str],
        environment: dict[str, str],
        log: Path,
        timeout_seconds: int = 900,
        memory_mb: int = 128,
        concurrency: int = 50,
    ) -> None:
        self.name, self.command, self.environment, self.log = name, command, environment, log
        self.timeout_seconds, self.memory_mb, self.concurrency = timeout_seconds, memory_mb, concurrency
        self.arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        self.idle: list[Worker] = []
        self.workers: dict[str, Worker] = {}
        self.stopped = False
        self.lock = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)

    def forget(self, worker: Worker) -> None:
        with self.lock:
            self.workers.pop(worker.id, None)
            if worker in self.idle:
                self.idle.remove(worker)

    def release(self, worker: Worker) -> None:
        with self.lock:
            self.idle.append(worker)

    def invoke(self, payload: bytes, address: str) -> Job | None:
        """The finished invocation; None when all concurrency is in use, or none is given any more."""
        with self.lock:
            worker = self.idle.pop() if self.idle else None
            if self.stopped or (worker is None and len(self.workers) >= self.concurrency):
                return None
            worker = worker or Worker(self, address)
        job = Job(payload, clock.CLOCK.now() + self.timeout_seconds)
        worker.inbox.put(job)
        if not job.done.wait(clock.CLOCK.real(self.timeout_seconds)):
            job.fail("Sandbox.Timedout", f"Task timed out after {self.timeout_seconds}.00 seconds")
            worker.process.kill()
        return job

    def stop(self) -> None:
        """Ends its processes, and lets no invocation that comes meanwhile start one."""
        with self.lock:
            self.stopped = True
            workers = list(self.workers.values())
        for worker in workers:
            worker.process.kill()
            worker.process.wait(timeout=10)


class Lambda:
    """All functions, as the Invoke API sees them."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.address = ""

    def worker(self, worker_id: str) -> Worker | None:
        found = (function.workers.get(worker_id) for function in self.functions.values())
        return next(filter(None, found), None)

    def invoke(self, identifier: str, payload: bytes, kind: str) -> Answer:
        """Invoke by name, ARN, or either with a qualifier."""
        name = re.sub(r"^(arn:[^:]+:lambda:[^:]+:[^:]+:function:)?([^:]+)(:.*)?$", r"\2", identifier)
        function = self.functions.get(name)
        if function is None:
            return _refusal(404, "ResourceNotFoundException", f"Function not found: {name}")
        if kind == "Event":
            threading.Thread(target=function.invoke, args=(payload, self.address), daemon=True).start()
            return 202, {}, b""
        job = function.invoke(payload, self.address)
        if job is None:
            return _refusal(429, "TooManyRequestsException", "Rate Exceeded.")
        headers = {"X-Amz-Executed-Version": "$LATEST"}
        if job.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        return 200, headers, job.body

    def stop(self) -> None:
        for function in self.functions.values():
            function.stop()


def _refusal(status: int, name: str, message: str) -> Answer:
    body: dict[str, Any] = {"Type": "User", "Message": message}
    return status, {"x-amzn-ErrorType": name}, json.dumps(body).encode()
