"""Other accounts and Regions: where a servers.toml has its environments, their roles, and what STS says.

Owns the places of environments, the member accounts' stacks (member.yaml), who may assume a role, when a
session ends, and Regions that are switched off. moto keeps accounts apart by the access keys that its STS
gives away; whom it gives them to is judged here, by the role's own trust. Not here: what a role allows
(tests/template).
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from moto.iam.models import get_account_id_from, iam_backends
from moto.sts.models import AssumedRole, sts_backends

from local import clock
from local.runtime_api import ACCOUNT, REGION

ROOT = Path(__file__).parent.parent
PARTITION = "aws"
SESSION = {"seconds": 3600.0}
"""How long a session lasts, simulated: an hour, the most for a role that assumes a role."""
REGIONS_OFF: set[Place] = set()
"""Where AWS takes no credentials, because the account has not enabled the Region."""
ENDS: dict[str, dt.datetime] = {}
"""When the session of an access key ends."""


class Place(NamedTuple):
    """An account's Region."""

    account: str
    region: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


HOME = Place(ACCOUNT, REGION)


def tables(file: Path) -> dict[str, dict[str, str]]:
    """The `[environment.NAME]` of a servers.toml that are elsewhere."""
    all_tables = tomllib.loads(file.read_text()).get("environment", {})
    return {name: table for name, table in all_tables.items() if "role_arn" in table}


def places(file: Path) -> dict[str, Place]:
    """Where the environments are that are not at home."""
    return {
        name: Place(table["role_arn"].split(":")[4], table.get("region", REGION))
        for name, table in tables(file).items()
    }


def roles(file: Path) -> list[str]:
    """The roles that the hub must be allowed to assume."""
    return sorted({table["role_arn"] for table in tables(file).values()})


def client(url: str, service: str, place: Place) -> Any:
    """A boto3 client of an administrator there."""
    session = sts_backends[ACCOUNT][PARTITION].assume_role(
        region_name=place.region,
        role_session_name="administrator",
        role_arn=f"arn:aws:iam::{place.account}:role/administrator",
        policy="",
        duration=43_200,
        external_id="",
    )
    ENDS.pop(session.access_key_id)
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=place.region,
        aws_access_key_id=session.access_key_id,
        aws_secret_access_key=session.secret_access_key,
        aws_session_token=session.session_token,
    )


def deploy_members(url: str, file: Path, hub_role: str, **parameters: str) -> None:
    """Creates member.yaml in each account that the file's roles are of, as docs/accounts.md says."""
    body = (ROOT / "member.yaml").read_text()
    for number, role in enumerate(roles(file)):
        ours = [table for table in tables(file).values() if table["role_arn"] == role]
        given = {
            "HubRoleArn": hub_role,
            "ExternalId": ours[0]["external_id"],
            "RoleName": role.rsplit("/", 1)[1],
            "Regions": ",".join(sorted({table.get("region", REGION) for table in ours})),
        } | parameters
        cloudformation = client(url, "cloudformation", Place(role.split(":")[4], REGION))
        cloudformation.create_stack(
            StackName=f"ec2-start-stop-member-{number}",
            TemplateBody=body,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )


def place_of(access_key: str, region: str) -> Place:
    """The account of an access key; moto takes one that it does not know for the hub's."""
    return Place(get_account_id_from(access_key), region)


def refusal(caller: str, place: Place, service: str, parameters: dict[str, str]) -> str | None:
    """The code with which AWS refuses a call of this caller before it looks at what is asked."""
    if caller in ENDS and clock.CLOCK.utc() >= ENDS[caller].replace(tzinfo=dt.UTC):
        return "RequestExpired" if service == "ec2" else "ExpiredToken"
    if place in REGIONS_OFF:
        return "AuthFailure"
    if parameters.get("Action") == "AssumeRole" and not _is_trusted(parameters):
        return "AccessDenied"
    return None


def _is_trusted(asked: dict[str, str]) -> bool:
    """Whether the role's trust lets the function's role in. No other caller assumes roles here."""
    role = _role(asked["RoleArn"])
    if role is None:
        return False
    document = role.assume_role_policy_document
    trust = json.loads(document) if isinstance(document, str) else document
    context = {"sts:ExternalId": asked.get("ExternalId")}
    return any(
        statement["Principal"].get("AWS") == _function_role()
        and all(
            context.get(key) == wanted
            for key, wanted in statement.get("Condition", {}).get("StringEquals", {}).items()
        )
        for statement in trust["Statement"]
    )


def _role(arn: str) -> Any:
    account = arn.split(":")[4]
    found = [role for role in iam_backends[account][PARTITION].roles.values() if role.arn == arn]
    return found[0] if found else None


def _function_role() -> str | None:
    roles = iam_backends[ACCOUNT][PARTITION].roles.values()
    return next((role.arn for role in roles if "-FunctionRole-" in role.name), None)


def clear() -> None:
    """As at first: sessions last an hour, and all Regions are on."""
    SESSION["seconds"] = 3600.0
    REGIONS_OFF.clear()
    ENDS.clear()


_made = AssumedRole.__init__


def install() -> None:
    """Lets sessions end in simulated time."""

    def made(self: AssumedRole, *given: Any, **named: Any) -> None:
        _made(self, *given, **named)
        self.expiration = clock.CLOCK.utc() + dt.timedelta(seconds=SESSION["seconds"])
        ENDS[self.access_key_id] = self.expiration

    AssumedRole.__init__ = made
