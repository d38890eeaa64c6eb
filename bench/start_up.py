"""The rows of a function's start: init, cold, warm, a small CPU share, memory, the artefact's size.

Owns these measurements. Samples of ours and of the other are taken in turn, so that what disturbs the machine
disturbs both. A phase that did not go as a phase with nothing to do goes is an error, never a sample.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import functions, many_servers, nothing_to_do
from bench.cpu_share import cpu_share_of, join
from bench.many_servers import FrontOfMany
from bench.process import FunctionProcess
from bench.table import Goal, Row
from bench.tls import TlsFront
from local.deploy import client
from local.fleet import LIST, Fleet
from local.server import Server

SAMPLES = 15
WARM_UP = 3
LAMBDA_MB = 128
MANY = 2000
MEGABYTE = 1_000_000

Run = Callable[[dict[str, str]], FunctionProcess]


@dataclass(frozen=True)
class Place:
    """Where functions run: the embedded AWS behind TLS, and their environment variables."""

    front: TlsFront
    environment: dict[str, str]

    @property
    def over_tls(self) -> dict[str, str]:
        """With the throw-away authority beside what a deployed function trusts."""
        return self.environment | {"AWS_CA_BUNDLE": str(self.front.authority)}


Measure = Callable[[Run, Place, dict[str, Any]], float]


def rows(server: Server) -> list[Row]:
    """All rows of this module."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        variables = functions.deployed(server, folder)
        few = _few_servers(server, variables, folder)
        many = _many_servers(server, variables, folder)
        return [
            *_times(few),
            _peak_memory("20 servers", few, at_most=9.0),
            _peak_memory(f"{MANY:,} servers", many, at_most=14.0),
            _artefact(),
        ]


def _times(place: Place) -> list[Row]:
    """Init, cold and warm, at full speed and at a small function's share."""
    init, share = "init: spawn to first `next`", f"first phase, TLS, CPU share of {LAMBDA_MB} MB"
    hello, baseline = ("hello world in Rust", functions.hello), ("baseline", functions.baseline)
    rows = (
        (init, _init, hello, 1.6),
        (init, _init, baseline, 1 / 60),
        ("cold: init and first phase, TLS", _cold, baseline, 1 / 30),
        (share, _first_phase_at_a_small_share, baseline, None),
        ("warm phase, nothing to do, TLS", _warm, baseline, None),
    )
    return [_row(*row, place) for row in rows]


def _row(what: str, measure: Measure, beside: tuple[str, Run], ratio: float | None, place: Place) -> Row:
    ours, theirs = _in_turn(measure, functions.ours, beside[1], place)
    return Row(what, ours, beside[0], theirs, "s", [Goal(ratio, of_ratio=True)] if ratio else [])


def _in_turn(measure: Measure, ours: Run, other: Run, place: Place) -> tuple[list[float], list[float]]:
    """Samples of both, one of each at a time; the first ones, which fill caches, do not count."""
    our_samples, other_samples = [], []
    for number in range(WARM_UP + SAMPLES):
        pair = (
            measure(ours, place, functions.our_event()),
            measure(other, place, functions.phase_event()),
        )
        if number >= WARM_UP:
            our_samples.append(pair[0])
            other_samples.append(pair[1])
    return our_samples, other_samples


def _init(run: Run, place: Place, _event: dict[str, Any]) -> float:
    """As deployed: nothing is trusted beside what the function brings."""
    with run(place.environment) as process:
        return process.init_seconds


def _cold(run: Run, place: Place, event: dict[str, Any]) -> float:
    with run(place.over_tls) as process:
        return process.init_seconds + _phase(process, place, event)


def _warm(run: Run, place: Place, event: dict[str, Any]) -> float:
    with run(place.over_tls) as process:
        _phase(process, place, event)
        return _phase(process, place, event)


def _first_phase_at_a_small_share(run: Run, place: Place, event: dict[str, Any]) -> float:
    """Lambda gives init a whole vCPU; the share counts from the first event on."""
    with cpu_share_of(LAMBDA_MB) as group, run(place.over_tls) as process:
        join(group, process.process.pid)
        return _phase(process, place, event)


def _phase(process: FunctionProcess, place: Place, event: dict[str, Any]) -> float:
    """The seconds of a phase that finds every server as wanted."""
    before = len(place.front.asked)
    seconds, answer = process.invoke(event)
    if trouble := nothing_to_do.trouble(answer, place.front.asked[before:]):
        raise RuntimeError(f"the phase did not go as the benchmark means it: {trouble}")
    return seconds


def _peak_memory(servers: str, place: Place, at_most: float) -> Row:
    """After two phases; memory differs little from run to run, so the fewest samples do."""
    pair: tuple[list[float], list[float]] = ([], [])
    for _ in range(7):
        for samples, run, event in (
            (pair[0], functions.ours, functions.our_event()),
            (pair[1], functions.baseline, functions.phase_event()),
        ):
            with run(place.over_tls) as process:
                _phase(process, place, event)
                _phase(process, place, event)
                samples.append(process.peak_megabytes())
    return Row(f"peak memory, a list of {servers}", pair[0], "baseline", pair[1], "MB", [Goal(at_most)])


def _artefact() -> Row:
    sizes = [[_zipped(binary)] for binary in (functions.OURS, functions.HELLO)]
    return Row("zipped artefact", sizes[0], "hello world in Rust", sizes[1], "MB", [Goal(2.6)])


def _zipped(binary: Path) -> float:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            archive.write(binary, "bootstrap")
        return file.tell() / MEGABYTE


def _few_servers(server: Server, variables: dict[str, str], folder: Path) -> Place:
    """The reference lists, every server running."""
    Fleet(server, client(server.url, "ec2")).seed(functions.SERVERS, "running")
    functions.create_streams(client(server.url, "logs"), variables["PHASE_LOG_GROUP"])
    front = TlsFront(server.url, folder)
    return Place(front, functions.environment(front.url, variables, functions.SERVERS, folder))


def _many_servers(server: Server, variables: dict[str, str], folder: Path) -> Place:
    """One list of as many servers, all running."""
    servers = _servers_file(folder, MANY)
    fleet = Fleet(server, client(server.url, "ec2"))
    front = FrontOfMany(server.url, folder)
    front.one_id = fleet.create(many_servers.ONE, {}, "running")
    return Place(front, functions.environment(front.url, variables, servers, folder))


def _servers_file(folder: Path, count: int) -> Path:
    """A servers.toml with so many servers in the first phase's list."""
    names = ", ".join(f'"{many_servers.name(number)}"' for number in range(count))
    file = folder / "many.toml"
    file.write_text(
        f'[[{LIST}]]\nnumber = {functions.FIRST_PHASE}\nenvironment = "dev"\ntier = "db"\n'
        f'name = "many servers"\nservers = [{names}]\nready = "status-checks"\ntimeout_minutes = 15\n'
        'settle_seconds = 0\nminimum = "all"\n'
    )
    return file
