"""The embedded AWS behind TLS, answering fast.

Owns a throw-away certificate authority, an HTTPS listener that keeps connections open as AWS does, and a
memory of the embedded AWS's answers: moto takes longer to answer than either function takes to ask, so each
answer is moto's own, given again. What is measured is the function then, not moto.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import tempfile
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# What a Linux machine trusts: a function reads all of it, and our authority with it.
SYSTEM_ROOTS = [Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt")]
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
        folder = Path(tempfile.mkdtemp(dir=folder))
        self.roots = folder / "roots.pem"
        self._answers: dict[tuple[str, bytes], Answer] = {}
        self._asking = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(folder, self.roots))
        self._server = _Listener(("127.0.0.1", 0), self._handler(context))
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, headers: Any, body: bytes) -> Answer:
        """What is written to the log differs each time; what is asked of EC2 does not."""
        target = headers.get("X-Amz-Target", "")
        question = (target, b"" if target else body)
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


def _certificate(folder: Path, roots: Path) -> Path:
    """A CA and a certificate of it; `roots` becomes the system's roots and that CA."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "make bench, thrown away")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ca = _signed(ca_name, ca_key, ca_name, ca_key, x509.BasicConstraints(ca=True, path_length=0))
    leaf = _signed(name, key, ca_name, ca_key, address)
    system = next(file for file in SYSTEM_ROOTS if file.is_file()).read_bytes()
    roots.write_bytes(system + b"\n" + ca.public_bytes(serialization.Encoding.PEM))
    file = folder / "server.pem"
    unencrypted = serialization.NoEncryption()
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
        + leaf.public_bytes(serialization.Encoding.PEM)
    )
    return file


def _signed(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(
        now + dt.timedelta(days=1)
    )
    return builder.add_extension(extension, critical=True).sign(issuer_key, hashes.SHA256())
