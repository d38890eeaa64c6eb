"""The checks of `make doctor` that need no account: samconfig.toml, the state machine, the Region."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from operate import commands
from operate.finding import Finding, ok, unknown, wrong
from operate.samconfig import SamConfig

ADDRESSES = ("MailSender", "MailRecipients", "AlarmMail")
# Reserved for examples by RFC 2606: nobody reads them.
EXAMPLES = ("example.com", "example.net", "example.org", "example")


def settings(config: SamConfig) -> Iterator[Finding]:
    """The file is there and its addresses are somebody's."""
    if not config.exists:
        yield wrong("there is no samconfig.toml: make samconfig.toml, and put your values in")
        return
    for text in config.lost:
        yield wrong(
            f"sam does not take {text} whole: a value ends at a blank, unless it has quotes of its own, "
            "for example \"MailRecipients='a@acme.test, b@acme.test'\""
        )
    for name in ADDRESSES:
        given = [address.strip() for address in config.parameters.get(name, "").split(",") if address.strip()]
        examples = [address for address in given if is_example(address)]
        if examples:
            yield wrong(f"{name} is {', '.join(examples)}: put a real address into samconfig.toml")
        elif given:
            yield ok(f"{name} is {', '.join(given)}")
        elif name != "AlarmMail":
            yield wrong(f"samconfig.toml gives no {name}, which the template needs")


def is_example(address: str) -> bool:
    domain = address.rpartition("@")[2].lower()
    return any(domain == example or domain.endswith(f".{example}") for example in EXAMPLES)


def region_agrees(region: str, config: SamConfig) -> Finding:
    """`sam deploy` takes samconfig.toml's Region, whatever the shell says."""
    if not config.exists:
        return ok(f"Region {region}")
    if not config.region:
        return ok(f"Region {region}; samconfig.toml names none")
    if config.region != region:
        return wrong(
            f"your shell's Region is {region}; samconfig.toml, and so make deploy, has {config.region}: "
            f"export AWS_REGION={config.region}, or put {region} into samconfig.toml"
        )
    return ok(f"Region {region}, in your shell and in samconfig.toml")


def machine_is_fresh(render: str, machine: Path) -> Finding:
    """The state machine is what servers.toml renders to."""
    return _is_fresh(render, machine, f"{machine.name} is not the rendering of servers.toml")


def template_is_fresh(render: str, template: Path) -> Finding:
    """The schedules in the template are those of servers.toml."""
    return _is_fresh(render, template, f"the schedules in {template.name} are not those of servers.toml")


def _is_fresh(render: str, file: Path, stale: str) -> Finding:
    try:
        wanted = commands.ask(render, where=file.parent)
    except (OSError, subprocess.SubprocessError) as error:
        return unknown(f"{file.name}: {render} cannot be run: {error}")
    if wanted.returncode != 0:
        return wrong(f"servers.toml cannot be rendered: {wanted.stderr.strip() or wanted.returncode}")
    if not file.exists() or file.read_text() != wanted.stdout:
        return wrong(f"{stale}: make statemachine")
    return ok(f"{file.name} is the rendering of servers.toml")
