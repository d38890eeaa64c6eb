"""One WSGI application in front of moto: Lambda invocations, EC2 faults, a log of every AWS call.

Owns the routes. `/_runtime/…` is the Runtime API of the Lambda processes, which get what is invoked; the rest
is moto's.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import boto3
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local import (
    accounts,
    calendars,
    clock,
    cloudformation,
    cloudwatch,
    ec2,
    error_texts,
    events,
    logs,
    proxies,
    scheduler,
    stepfunctions,
)
from local.faults import Fault, Faults
from local.runtime_api import Answer, Lambda

INVOKE = re.compile(r"^/2015-03-31/functions/(.+)/invocations$")
SIGNED_FOR = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")


@dataclass
class Call:
    """An AWS call that somebody made of the embedded AWS."""

    at: float
    service: str
    operation: str
    parameters: dict[str, str]
    caller: str = ""
    """The access key it was signed with: the function's, our own clients', the interpreter's, or a role's."""
    place: accounts.Place = accounts.HOME
    """The account of that key, and the Region that was asked."""


class Application:
    """The WSGI application."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.lambdas = Lambda()
        self.faults = Faults()
        self.calls: list[Call] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/_runtime/") or INVOKE.match(path):
            return _respond(start_response, self._ours(environ, path), "application/json")
        call = self._logged(environ, path)
        ids = {value for key, value in call.parameters.items() if key.startswith("InstanceId.")}
        # A fault may be one role's, or one account's in one Region.
        others = frozenset({call.parameters.get("RoleArn", ""), str(call.place)})
        fault = self.faults.due(call.operation, ids, others, call.parameters.get("DryRun") == "true")
        if code := accounts.refusal(call.caller, call.place, call.service, call.parameters):
            fault = Fault(call.operation, code)
        if cloudwatch.OPERATION.match(path):
            return _respond(start_response, self._cloudwatch(environ, call, fault), "application/cbor")
        if fault:
            answer, content_type = _refusal(fault, call, environ.get("CONTENT_TYPE", ""))
            return _respond(start_response, answer, content_type)
        return self.moto(environ, start_response)

    def _cloudwatch(self, environ: dict[str, Any], call: Call, fault: Fault | None) -> Answer:
        if fault:
            return cloudwatch.refusal(fault.code, fault.message(call.service, _subject(call)), fault.status)
        return cloudwatch.answer(
            self.moto, environ, call.operation, cloudwatch.decode(_body(environ)), call.place
        )

    def _ours(self, environ: dict[str, Any], path: str) -> Answer:
        method, body = environ["REQUEST_METHOD"], _body(environ)
        if path.startswith("/_runtime/"):
            worker = self.lambdas.worker(path.split("/")[2])
            return worker.handle(method, path, body) if worker else (410, {}, b"")
        name = urllib.parse.unquote(INVOKE.match(path)[1])
        kind = environ.get("HTTP_X_AMZ_INVOCATION_TYPE", "RequestResponse")
        status, headers, answer = self.lambdas.invoke(name, body, kind)
        return status, {"x-amzn-RequestId": str(uuid.uuid4()), **headers}, answer

    def _logged(self, environ: dict[str, Any], path: str) -> Call:
        """The call by its service and operation; the body stays readable for moto."""
        body = _body(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        signed = SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
        parameters: dict[str, str] = {}
        if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            parameters = dict(urllib.parse.parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        target = environ.get("HTTP_X_AMZ_TARGET", "").split(".")[-1]
        if target:
            parameters = {"body": body.decode("utf-8", "replace")}
        if in_cbor := cloudwatch.OPERATION.match(path):
            target = in_cbor[1]
            parameters = {"body": json.dumps(cloudwatch.decode(body), default=str)}
        operation = parameters.get("Action") or target or f"{environ['REQUEST_METHOD']} {path}"
        caller, region, service = signed.groups() if signed else ("", accounts.HOME.region, "")
        if service == "scheduler" and operation.startswith("POST /schedules/"):
            operation, name = "CreateSchedule", operation.rsplit("/", 1)[1]
            parameters = {"body": body.decode("utf-8", "replace"), "Name": name}
        place = accounts.place_of(caller, region)
        call = Call(clock.CLOCK.now(), service, operation, parameters, caller, place)
        self.calls.append(call)
        return call


def _body(environ: dict[str, Any]) -> bytes:
    return environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))


def _respond(start_response: Callable[..., Any], answer: Answer, content_type: str) -> list[bytes]:
    status, headers, body = answer
    all_headers = [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers.items()]
    start_response(f"{status} {'OK' if status < 400 else 'Error'}", all_headers)
    return [body]


def _subject(call: Call) -> str | None:
    """What a call names first: EC2 stops at the first instance that it refuses; machines have ARNs."""
    for name in ("InstanceId.1", "Destination.ToAddresses.member.1", "RoleArn"):
        if name in call.parameters:
            return call.parameters[name]
    body = json.loads(call.parameters.get("body") or "{}")
    return body.get("stateMachineArn") or body.get("executionArn")


def _refusal(fault: Fault, call: Call, content_type: str) -> tuple[Answer, str]:
    """An error as its service writes it: in EC2's XML, in that of the other query services, or in JSON."""
    message = fault.message(call.service, _subject(call))
    if content_type.startswith(("application/x-amz-json", "application/json")):
        return _json_error(fault, message), content_type
    if call.service == "ec2":
        return _ec2_error(fault, message), "text/xml;charset=UTF-8"
    return _query_error(fault, message), "text/xml"


def _ec2_error(fault: Fault, message: str) -> Answer:
    error = f"<Error><Code>{fault.code}</Code><Message>{escape(message)}</Message></Error>"
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors>{error}</Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
    )
    return fault.status, {}, body.encode()


def _query_error(fault: Fault, message: str) -> Answer:
    """SES's own; its fault is the sender's or the receiver's."""
    whose = "Receiver" if fault.status >= 500 else "Sender"
    error = f"<Type>{whose}</Type><Code>{fault.code}</Code><Message>{escape(message)}</Message>"
    body = (
        '<ErrorResponse xmlns="http://ses.amazonaws.com/doc/2010-12-01/">'
        f"<Error>{error}</Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return fault.status, {}, body.encode()


def _json_error(fault: Fault, message: str) -> Answer:
    """Step Functions and CloudWatch Logs; errors that every service has come with a longer name."""
    common = fault.code in ("AccessDeniedException", "ThrottlingException", "ExpiredTokenException")
    name = f"com.amazon.coral.service#{fault.code}" if common else fault.code
    key = "Message" if fault.code == "AccessDeniedException" else "message"
    return (
        fault.status,
        {"x-amzn-RequestId": str(uuid.uuid4())},
        json.dumps({"__type": name, key: message}).encode(),
    )


class Server:
    """The embedded AWS, listening on 127.0.0.1 until it is stopped."""

    def __init__(self, port: int = 0) -> None:
        default_user_config["lambda"] = {"use_docker": False}
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        stepfunctions.install()
        ec2.install()
        cloudformation.install()
        logs.install()
        calendars.install()
        scheduler.install()
        error_texts.install()
        accounts.install()
        self.application = Application()
        events.install(self.application.lambdas)
        self._server = make_server(
            "127.0.0.1", port, self.application, threaded=True, request_handler=MotoRequestHandler
        )
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self.application.lambdas.address = f"127.0.0.1:{self.port}"
        os.environ["MOTO_PORT"] = str(self.port)  # where the interpreter sends its own AWS calls
        proxies.bypass()
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self._scheduler = scheduler.Scheduler(self._client)

    def _client(self, service: str) -> Any:
        """Signed with a key of EventBridge Scheduler's own."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=accounts.HOME.region,
            aws_access_key_id="scheduler",
            aws_secret_access_key="scheduler",
        )

    def stop(self) -> None:
        self._scheduler.stop()
        self.application.lambdas.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
