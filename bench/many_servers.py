"""The embedded AWS with thousands of servers: one real instance's answer, said of each.

moto needs minutes to describe 2,000 instances. So it describes one, and that is repeated under every name and
id that is asked for: the function reads as much, of the same shape.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from bench.tls import Answer, TlsFront

ONE = "server-00000"
"""The Name of the one real instance."""

SETS = {"DescribeInstances": "reservationSet", "DescribeInstanceStatus": "instanceStatusSet"}
"""Where each answer lists its instances."""


def name(number: int) -> str:
    return f"server-{number:05}"


class FrontOfMany(TlsFront):
    """`one_id` is the id of the one real instance."""

    one_id = ""

    def _ask(self, headers: Any, body: bytes) -> Answer:
        asked = dict(urllib.parse.parse_qsl(body.decode()))
        answers = SETS.get(asked.get("Action", ""))
        if answers is None:
            return super()._ask(headers, body)
        numbers = self._numbers(asked)
        one = {key: ONE if value.startswith("server-") else value for key, value in asked.items()}
        one = {key: value for key, value in one.items() if not key.startswith("InstanceId.")}
        if len(one) < len(asked):
            one["InstanceId.1"] = self.one_id
        answer = super()._ask(headers, urllib.parse.urlencode(one).encode())
        return Answer(answer.status, answer.content_type, self._repeated(answer.body, answers, numbers))

    def _numbers(self, asked: dict[str, str]) -> list[int]:
        """Which servers are asked for, by name or by id."""
        names = [
            int(value.removeprefix("server-")) for value in asked.values() if value.startswith("server-")
        ]
        ids = [int(value[2:], 16) for key, value in asked.items() if key.startswith("InstanceId.")]
        return names or ids

    def _repeated(self, body: bytes, answers: str, numbers: list[int]) -> bytes:
        before, item, after = re.split(rf"</?{answers}>", body.decode(), maxsplit=2)
        items = (
            item.replace(ONE, name(number)).replace(self.one_id, f"i-{number:017x}") for number in numbers
        )
        return f"{before}<{answers}>{''.join(items)}</{answers}>{after}".encode()
