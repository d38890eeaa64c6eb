"""`python -m operate start|stop|status|destroy`: reads the command line, prints, and gives the exit code."""

from __future__ import annotations

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from operate import destroy, execution
from operate.stack import OperatingError, Stack, find


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    try:
        return 0 if _do(options, find(options.stack)) else 1
    except (OperatingError, ClientError, BotoCoreError) as error:
        print(f"make {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted here; an execution that was started goes on.", file=sys.stderr)
        return 130


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m operate", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "destroy"])
    parser.add_argument("--stack", default="ec2-start-stop")
    parser.add_argument("--environments", default="", help="separated by commas; all if none is given")
    parser.add_argument("--dry-run", action="store_true")
    return parser.parse_args(arguments)


def _do(options: argparse.Namespace, stack: Stack) -> bool:
    if options.command == "destroy":
        return destroy.destroy(stack)
    if options.command == "status":
        print("\n".join(execution.status_lines(stack)))
        return True
    environments = [name.strip() for name in options.environments.split(",") if name.strip()]
    begun = execution.start(stack, options.command, environments, options.dry_run)
    print(f"Execution {begun.rsplit(':', 1)[1]} began; Ctrl-C ends following it, not the execution.")
    return execution.follow(stack, begun)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
