"""What one check of `make doctor` found. Owns the three answers and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`unknown` is what could not be looked at: it is said, and fails nothing."""

    state: str
    text: str

    def __str__(self) -> str:
        mark = {"ok": "ok   ", "wrong": "WRONG", "unknown": "?    "}[self.state]
        return f"{mark}  {self.text}"


def ok(text: str) -> Finding:
    return Finding("ok", text)


def wrong(text: str) -> Finding:
    return Finding("wrong", text)


def unknown(text: str) -> Finding:
    return Finding("unknown", f"not looked at: {text}")
