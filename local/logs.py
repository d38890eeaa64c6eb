"""CloudWatch Logs in simulated time.

Owns one correction: moto refuses events that lie more than two hours ahead of real time, and simulated time
runs ahead of it.
"""

import datetime as dt

from moto.logs import models

from local import clock


def install() -> None:
    models.utcnow = _now


def _now() -> dt.datetime:
    """As moto's utcnow: UTC without a zone."""
    return clock.CLOCK.utc().replace(tzinfo=None)
