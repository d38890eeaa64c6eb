"""What `python -m operate COMMAND` does: reads the command line, prints, and gives the exit code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operate import (
    approve,
    destroy,
    doctor,
    exceptions,
    execution,
    lists,
    place,
    postpone,
    samconfig,
    status,
    tag,
)
from operate.problem import OperatingError
from operate.samconfig import SamConfig
from operate.stack import DEFAULT_NAME, Stack, find
from operate.suggest import did_you_mean
from operate.terminal import Terminal, leave_the_pipe

ROOT = Path(__file__).parent.parent
COMMANDS = [
    *("start", "stop", "approve", "check-account", "postpone", "release"),
    *("status", "log", "doctor", "tag", "destroy"),
]
# What an interrupt here does not interrupt.
STILL = {
    "start": " An execution that was begun goes on.",
    "stop": " An execution that was begun goes on.",
    "check-account": " A check that was begun goes on.",
    "destroy": " A deletion that was begun goes on.",
}


def main(arguments: list[str]) -> int:
    """1: it did not go well. 2: nothing was begun, or it could not be followed; the last line says why."""
    options = _options(arguments)
    try:
        return _do(options, samconfig.read(Path(options.samconfig)), Terminal())
    except (OperatingError, ClientError, BotoCoreError) as error:
        print(f"make {options.command}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        leave_the_pipe()
        # Who only looked has seen enough; who changed something, or is about to, does not know how it ended.
        return 0 if options.command in ("status", "log") else 2
    except KeyboardInterrupt:
        print(f"\nInterrupted.{STILL.get(options.command, '')}", file=sys.stderr)
        return 130


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--stack", default="", help="samconfig.toml's if none is given")
    parser.add_argument("--environments", default="", help="separated by commas; all if none is given")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--at", default="", help="begins then, for example 2026-12-24T18:00:00+01:00")
    parser.add_argument("--stop-after-hours", default="", help="then stops all its servers, after 1 to 168")
    parser.add_argument("--ignore-calendar", action="store_true")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--run", default="", help="whose log; the last run's if none is given")
    parser.add_argument("--answer", default="", help="yes or no, to a run that waits for one")
    parser.add_argument("--apply", action="store_true", help="really tag")
    parser.add_argument("--until", default="", help="postpone: until when")
    parser.add_argument("--others", action="store_true", help="other people's holds may go too")
    parser.add_argument("--commands", default="./bootstrap", help="the product's own commands")
    parser.add_argument("--servers", default=str(lists.FILE))
    parser.add_argument("--samconfig", default=str(samconfig.FILE))
    return parser.parse_args(arguments)


def _do(options: argparse.Namespace, config: SamConfig, terminal: Terminal) -> int:
    if options.command == "doctor":
        return _doctor(options, config, terminal)
    _understand(options)
    where = place.here(config)
    name = options.stack or config.stack_name or DEFAULT_NAME
    if options.command == "tag":
        terminal.say(f"The servers of {Path(options.servers).name} in {where}.")
        listed = lists.here(lists.read(Path(options.servers)), where.account, where.region)
        return 0 if tag.tag(where.session, listed, config, options.apply, terminal) else 1
    if options.command in ("postpone", "release"):
        return _hold(options, config, where, terminal)
    terminal.say(f"Stack {name} in {where}.")
    if where.remark:
        terminal.say(f"Note: {where.remark}.")
    stack = find(name, where.session)
    match options.command:
        case "status":
            lines = status.status_lines(stack, options.commands)
        case "log":
            lines = status.log_lines(stack, options.run)
        case "approve":
            lines = [approve.approve(stack, options.run, options.environments.strip(), options.answer)]
        case "destroy":
            return 0 if destroy.destroy(stack, where, terminal, config) else 2
        case "check-account":
            return _check(stack, options, terminal)
        case action:
            return _run(action, stack, where, options, terminal)
    for line in lines:
        terminal.say(line)
    return 0


def _understand(options: argparse.Namespace) -> None:
    """Refuses, before anybody needs to be signed in, what no account could make right."""
    match options.command:
        case "start" | "stop":
            _environments(options)
            exceptions.more_input(options)
        case "check-account":
            _environments(options)
        case "approve":
            approve.refuse_no_answer(options.run, options.environments.strip(), options.answer)
        case "postpone":
            _named(options)
            postpone.understand(options.until, postpone.DEFAULT_ZONE, options.commands)
        case "release":
            _named(options)


def _run(
    action: str, stack: Stack, where: place.Place, options: argparse.Namespace, terminal: Terminal
) -> int:
    environments = _environments(options)
    more = exceptions.more_input(options)
    otherwise = exceptions.words(more, options.dry_run)
    if environments or options.dry_run:
        for sentence in otherwise:
            terminal.say(sentence)
    elif not _may_touch_all(options, where, otherwise, terminal):
        terminal.say("Nothing was begun.")
        return 2
    if remark := exceptions.remark(stack, more):
        terminal.say(remark)
    return _follow(stack, execution.start(stack, action, environments, options.dry_run, more), terminal)


def _check(stack: Stack, options: argparse.Namespace, terminal: Terminal) -> int:
    """It changes nothing, so it asks nothing."""
    return _follow(stack, execution.start(stack, "check", _environments(options), dry_run=False), terminal)


def _follow(stack: Stack, begun: str, terminal: Terminal) -> int:
    name = begun.rsplit(":", 1)[1]
    terminal.say(f"Execution {name} began; Ctrl-C ends following it, not the execution.")
    return 0 if execution.follow(stack, begun, terminal) else 1


def _environments(options: argparse.Namespace) -> list[str]:
    """Those that were asked for; an unknown one is refused before a run fails of it and alarms people."""
    wanted = [name.strip() for name in options.environments.split(",") if name.strip()]
    if options.environments and not wanted:
        raise OperatingError("ENV names no environment: leave ENV= out for all of them")
    known = lists.environments(lists.read(Path(options.servers))) if wanted else []
    for name in wanted:
        if name not in known:
            raise OperatingError(
                f"servers.toml has no environment {name}{did_you_mean(name, known)}: "
                f"it has {', '.join(known)}"
            )
    return wanted


def _named(options: argparse.Namespace) -> list[str]:
    """The environments, of which there must be one."""
    if environments := _environments(options):
        return environments
    raise OperatingError("ENV is missing: name the environments, ENV=dev for example")


def _hold(options: argparse.Namespace, config: SamConfig, where: place.Place, terminal: Terminal) -> int:
    environments = _named(options)
    listed = postpone.of_environments(lists.read(Path(options.servers)), environments, where)

    def may(what: str) -> bool:
        sentence = f"This {what}, of {', '.join(environments)} in {where}."
        return _may(sentence, options, terminal)

    holds = postpone.Holds(where.session.client("ec2"), listed, terminal, options.others, may)
    if options.command == "release":
        return holds.take_off()
    zone = postpone.zone_of(config, where)
    if zone.remark:
        terminal.say(f"Note: {zone.remark}.")
    until = postpone.hold_until(options.until, zone.name, options.commands)

    def is_over(text: str) -> bool:
        (read,) = postpone.meanings([text], zone.name, options.commands)
        return read["standing"] == "over"

    return holds.put(until, is_over)


def _may(sentence: str, options: argparse.Namespace, terminal: Terminal) -> bool:
    """Says what is about to be done; on a terminal it asks."""
    if options.yes or not terminal.has_keyboard:
        terminal.say(sentence)
        return True
    return terminal.ask(f"{sentence} Go on? [y/N] ").lower() in ("y", "yes")


def _may_touch_all(
    options: argparse.Namespace, where: place.Place, otherwise: list[str], terminal: Terminal
) -> bool:
    """Says what a real run of everything touches, and what it does otherwise than a plain one; and asks."""
    listed = lists.read(Path(options.servers))
    environments = ", ".join(lists.environments(listed))
    what = f"This {options.command}s {lists.how_many(listed)} of {environments} in {where}"
    what += f"{lists.elsewhere(listed)}."
    return _may(" ".join([what, *otherwise]), options, terminal)


def _doctor(options: argparse.Namespace, config: SamConfig, terminal: Terminal) -> int:
    is_well = True
    machine = ROOT / "statemachine.asl.json"
    for finding in doctor.examine(config, options.commands, machine, Path(options.servers)):
        terminal.say(str(finding))
        is_well = is_well and finding.state != "wrong"
    terminal.say("Nothing is wrong." if is_well else "Put right what is WRONG, then run make doctor again.")
    return 0 if is_well else 1
