"""The embedded AWS behind TLS, answering fast.

Owns a throw-away certificate authority, an HTTPS listener that keeps connections open as AWS does, what was
asked, and a memory of the embedded AWS's answers: moto takes longer to answer than either function takes to
ask, so each answer is moto's own, given again. What is measured is the function then, not moto.
"""

from __future__ import annotations

import ssl
import tempfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

PASSED_ON = ("Content-Type", "X-Amz-Target", "Authorization", "X-Amz-Date")
# Real seconds; moto takes some for a page of 2,000 instances.
LONGEST_ANSWER = 60.0


@dataclass(frozen=True)
class Answer:
    """One answer of the embedded AWS."""

    status: int
    content_type: str
    body: bytes


class TlsFront:
    """Listens on 127.0.0.1, until the process ends, with a certificate of an authority made for it."""

    def __init__(self, behind: str, folder: Path) -> None:
        self.behind = behind
        self.authority = Path(tempfile.mkdtemp(dir=folder)) / "authority.pem"
        self.asked: list[bytes] = []
        """The body of every request to EC2, in order."""
        self._answers: dict[tuple[str, bytes], Answer] = {}
        self._asking = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _certificate(self.authority).configure_cert(context)
        self._server = _Listener(("127.0.0.1", 0), self._handler(context))
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, headers: Any, body: bytes) -> Answer:
        """What is written to the log differs each time; what is asked of EC2 does not."""
        target = headers.get("X-Amz-Target", "")
        question = (target, b"" if target else body)
        if not target:
            self.asked.append(body)
        if question not in self._answers:
            with self._asking:  # many slow answers at once would keep everybody waiting
                self._answers[question] = self._ask(headers, body)
        return self._answers[question]

    def _ask(self, headers: Any, body: bytes) -> Answer:
        passed_on = {name: headers[name] for name in PASSED_ON if name in headers}
        request = urllib.request.Request(self.behind, body, passed_on, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=LONGEST_ANSWER) as answer:
                return Answer(answer.status, answer.headers["Content-Type"], answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers["Content-Type"], error.read())

    def _handler(self, context: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            """One connection. The handshake is done here, in the connection's own thread."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1  # an answer leaves as one write

            def setup(self) -> None:
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def do_POST(self) -> None:  # noqa: N802 - the base class's name
                answer = front._answer(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
                """Requests are not told: telling takes time."""

        return Handler


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news: functions are killed when they are measured."""


def _certificate(file: Path) -> trustme.LeafCert:
    """A certificate of a new authority, whose own is written to `file`: AWS_CA_BUNDLE's form."""
    authority = trustme.CA()
    file.write_bytes(authority.cert_pem.bytes())
    return authority.issue_cert("127.0.0.1")
