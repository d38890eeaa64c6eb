"""Simulated time: it runs `speed` times as fast as real time, from an anchor on.

Owns the one clock that EC2, the interpreter and the Lambda processes share (they get it as LOCAL_CLOCK).
"""

from __future__ import annotations

import datetime as dt
import time


class Clock:
    """now = anchor + (real now - anchor) * speed, in seconds since the epoch."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"SPEED is {speed}; a number above 0 is expected")
        self.anchor_ms = int(time.time() * 1000)
        self.speed = speed

    @property
    def setting(self) -> str:
        """The value of LOCAL_CLOCK for the Lambda processes."""
        return f"{self.anchor_ms}:{self.speed:g}"

    def now(self) -> float:
        anchor = self.anchor_ms / 1000
        return anchor + (time.time() - anchor) * self.speed

    def utc(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now(), dt.UTC)

    def real(self, seconds: float) -> float:
        """How many real seconds so many simulated ones take."""
        return seconds / self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(self.real(seconds))


CLOCK = Clock()


def set_speed(speed: float) -> Clock:
    """Sets the process's clock anew; whoever reads CLOCK reads it through this module."""
    global CLOCK
    CLOCK = Clock(speed)
    return CLOCK
