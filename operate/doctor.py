"""`make doctor`: what would go wrong after the deployment, found in seconds before it.

Owns the order of the checks. Each check is a function that gives findings and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operate import check_files, check_mail, check_places, check_servers, lists, place
from operate.finding import Finding, ok, unknown, wrong
from operate.problem import OperatingError
from operate.samconfig import SamConfig


def examine(config: SamConfig, commands: str, machine: Path, servers: Path) -> Iterator[Finding]:
    """All findings, as they come. `commands` are the product's own; the template lies beside the machine."""
    yield from check_files.settings(config)
    yield check_files.machine_is_fresh(f"{commands} render servers.toml", machine)
    template = machine.with_name("template.yaml")
    yield check_files.template_is_fresh(f"{commands} render-template servers.toml {template.name}", template)
    try:
        where = place.here(config)
    except OperatingError as error:
        yield wrong(str(error))
        yield unknown("Region, servers, mail and keys, because AWS cannot be asked")
        return
    yield ok(f"signed in: {where}")
    yield check_files.region_agrees(where.region, config)
    try:
        listed = lists.read(servers)
    except OperatingError as error:
        yield wrong(str(error))
    else:
        here = lists.here(listed, where.account, where.region)
        yield from asked("the servers", lambda: check_servers.check(where.session, here, config))
        yield from check_places.check(listed, here, config)
    yield from asked("the mail", lambda: check_mail.check(where.session, config))


def asked(what: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check's findings; if AWS refuses the question, that."""
    try:
        yield from check()
    except (ClientError, BotoCoreError) as error:
        yield unknown(f"{what}: {error}")
