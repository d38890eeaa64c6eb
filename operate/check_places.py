"""The checks of `make doctor` on environments in other accounts and Regions. Nobody is signed in there."""

from __future__ import annotations

from collections.abc import Iterator

from operate.finding import Finding, ok, unknown, wrong
from operate.lists import ServerList
from operate.samconfig import SamConfig


def check(listed: list[ServerList], here: list[ServerList], config: SamConfig) -> Iterator[Finding]:
    """Each role is one that the stack may assume; who is elsewhere is said, because it is not looked at."""
    may = set(filter(None, config.parameters.get("MemberRoleArns", "").replace(" ", "").split(",")))
    roles = {one.role: one.environment for one in listed if one.role}
    for role, environment in roles.items():
        if role not in may:
            yield wrong(f"{environment}: put {role} into MemberRoleArns in samconfig.toml")
    if roles and set(roles) <= may:
        yield ok(f"the {len(roles)} roles of other places are among MemberRoleArns")
    for environment in dict.fromkeys(one.environment for one in listed if one not in here):
        yield unknown(f"the servers of {environment}, in another account or Region: a dry run looks there")
