"""`make prove`: reads the command line, asks, proves, tells, deletes; gives the exit code.

0: all as expected and nothing left. 1: not so. 2: nothing was created. 130: interrupted, everything deleted.
"""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operate.problem import OperatingError
from operate.terminal import Terminal
from prove import leave, plan, steps, table
from prove.checks import NOT, Check
from prove.site import Site
from prove.stage import ROOT
from prove.world import Aws, World

BUILD = ROOT / "build" / "prove"


class NotReadyError(Exception):
    """What a person has to put right first."""


def main(
    arguments: list[str],
    world: World | None = None,
    ask: Callable[[str], str] | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    say = say or _print
    options = _options(arguments)
    try:
        world = world or (_embedded() if options.embedded else Aws())
    except OperatingError as error:
        say(f"make prove: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    try:
        return _main(options, world, ask or Terminal().ask, say)
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130
    finally:
        world.close()


def _embedded() -> World:
    """Imported here: who proves on AWS needs no moto."""
    from prove.embedded import begin

    return begin()


def _main(
    options: argparse.Namespace, world: World, ask: Callable[[str], str], say: Callable[[str], None]
) -> int:
    try:
        if options.delete:
            return _delete(world, options.delete, say)
        if options.predict and isinstance(world, Aws):
            raise NotReadyError("only the embedded AWS predicts: --embedded")
        sender = options.sender or world.sender
        account = _account(world, sender)
    except (NotReadyError, ClientError, BotoCoreError) as error:
        say(f"make prove: {error}")
        return 2
    stack = plan.new_name()
    for line in plan.lines(stack, account, world.session.region_name, sender):
        say(line)
    if not _agreed(ask):
        say("Nothing was created.")
        return 2
    checks: list[Check] = []
    trouble = _prove(Site(world, stack, sender, BUILD / stack, say), checks, say)
    code = _delete(world, stack, say)
    if options.predict and trouble is None:
        table.write_predicted(checks)
    _tell(BUILD / f"{stack}.md", checks, trouble, say)
    if isinstance(trouble, KeyboardInterrupt):
        return 130
    return code or (0 if trouble is None and table.is_as_expected(checks) else 1)


def _print(line: str) -> None:
    """A terminal that was closed must not keep anything from being deleted."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def _agreed(ask: Callable[[str], str]) -> bool:
    try:
        return ask("Type yes to go on: ") == "yes"
    except (EOFError, KeyboardInterrupt):
        return False


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m prove", description=__doc__)
    parser.add_argument("--sender", default="", help="an address that SES has verified; the reports' sender")
    parser.add_argument(
        "--embedded", action="store_true", help="prove against the embedded AWS: no account, minutes"
    )
    parser.add_argument(
        "--predict", action="store_true", help="keep what the embedded AWS showed (predicted.json)"
    )
    parser.add_argument(
        "--delete", default="", metavar="STACK", help="only delete what an earlier proof left"
    )
    return parser.parse_args(arguments)


def _account(world: World, sender: str) -> str:
    """The account's number, once everything is there that a proof needs."""
    if "@" not in sender:
        raise NotReadyError(
            "SENDER=you@example.com is needed: an address that SES has verified in this Region"
        )
    if lack := world.lacks():
        raise NotReadyError(lack)
    account = world.client("sts").get_caller_identity()["Account"]
    identities = [sender, *_domains(sender.split("@")[1])]
    told = world.client("ses").get_identity_verification_attributes(Identities=identities)
    verified = [a["VerificationStatus"] for a in told["VerificationAttributes"].values()]
    if "Success" not in verified:
        raise NotReadyError(
            f"SES has verified neither {' nor '.join(identities)} in {world.session.region_name}"
        )
    return account


def _domains(domain: str) -> list[str]:
    """A verified domain verifies those below it too."""
    labels = domain.split(".")
    return [".".join(labels[n:]) for n in range(len(labels) - 1)]


def _prove(site: Site, checks: list[Check], say: Callable[[str], None]) -> BaseException | None:
    """Fills `checks`; gives what broke it off. Whatever that was, everything must be deleted."""
    try:
        site.set_up()
        for step in steps.STEPS:
            for check in step(site):
                checks.append(check)
                if check.verdict == NOT:
                    say(f"  NOT as expected: {check.what}: {check.seen}, not {check.expected}")
    except (Exception, KeyboardInterrupt) as trouble:
        return trouble
    return None


def _delete(world: World, stack: str, say: Callable[[str], None]) -> int:
    """Whatever is left is said, also when this is interrupted."""
    if not stack.startswith(plan.PREFIX):
        say(f"make prove: {stack} is no stack of a proof: their names begin with {plan.PREFIX}")
        return 2
    try:
        found = leave.delete(world, stack, say)
    except KeyboardInterrupt:
        found = ["everything that was not deleted yet: the deletion was interrupted"]
    for line in leave.tell(stack, found):
        say(line)
    return 1 if found else 0


def _tell(file: Path, checks: list[Check], trouble: BaseException | None, say: Callable[[str], None]) -> None:
    """The table, here and in a file."""
    lines = table.lines(checks)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines) + "\n")
    for line in [*lines, ""]:
        say(line)
    if isinstance(trouble, KeyboardInterrupt):
        say("Interrupted: what stands above is not the whole table.")
    elif trouble:
        say(f"Broken off: {type(trouble).__name__}: {trouble}")
    say(table.summary(checks, whole=trouble is None))
    say(f"The table is in {file}.")
