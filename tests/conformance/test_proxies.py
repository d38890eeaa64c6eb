"""The embedded AWS is reached without the proxy that the shell names."""

from __future__ import annotations

import os

import pytest
from botocore.exceptions import ProxyConnectionError

from local import proxies
from local.deploy import client
from local.server import Server

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def shell(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell behind a proxy that does not answer; what it had before comes back afterwards."""
    for name in proxies.NAMES:
        monkeypatch.setenv(name, "")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)


def test_a_client_of_the_embedded_aws_uses_no_proxy(server):
    with pytest.raises(ProxyConnectionError):
        client(server.url, "sts").get_caller_identity()
    proxies.bypass()
    assert client(server.url, "sts").get_caller_identity()["Account"]


@pytest.mark.parametrize("name", proxies.NAMES)
def test_what_needed_no_proxy_before_still_needs_none(monkeypatch, name):
    monkeypatch.setenv(name, "acme.test, localhost")
    proxies.bypass()
    assert {os.environ[each] for each in proxies.NAMES} == {"acme.test,localhost,127.0.0.1"}


def test_no_proxy_for_anything_stays_so(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    proxies.bypass()
    assert os.environ["NO_PROXY"] == "*"
