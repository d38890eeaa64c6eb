"""Where a command acts: the account, the Region, who we are there. Owns how a Region is chosen."""

from __future__ import annotations

import os
from dataclasses import dataclass

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    ProfileNotFound,
    ProxyConnectionError,
)

from operate import samconfig
from operate.problem import OperatingError

# boto3 reads only the second one; the AWS CLI's version 2 and most other SDKs read the first.
REGION_VARIABLES = ("AWS_REGION", "AWS_DEFAULT_REGION")
# The alias is only for the eye: nobody waits for it long.
BRIEFLY = Config(connect_timeout=3, read_timeout=3, retries={"max_attempts": 0})


@dataclass(frozen=True)
class Place:
    """An account and a Region, with the session that acts there."""

    session: boto3.Session
    account: str
    alias: str
    remark: str = ""

    @property
    def region(self) -> str:
        return self.session.region_name

    def __str__(self) -> str:
        alias = f" ({self.alias})" if self.alias else ""
        return f"account {self.account}{alias}, {self.region}"


def session(
    config: samconfig.SamConfig | None = None, core: botocore.session.Session | None = None
) -> boto3.Session:
    """A session of AWS_REGION; without it of samconfig.toml's Region, without that of the profile's.

    `core` is one with settings of its own.
    """
    config = config or samconfig.read()
    chosen = next(filter(None, map(os.environ.get, REGION_VARIABLES)), config.region)
    try:
        made = boto3.Session(region_name=chosen or None, botocore_session=core)
    except ProfileNotFound as error:
        raise OperatingError(f"{error}: set AWS_PROFILE to one of ~/.aws/config") from error
    if not made.region_name:
        raise OperatingError("no AWS Region is set: set AWS_REGION, for example export AWS_REGION=eu-west-1")
    return made


def here(config: samconfig.SamConfig | None = None) -> Place:
    """The place, after asking AWS who we are."""
    config = config or samconfig.read()
    signed_in = session(config)
    try:
        account = signed_in.client("sts").get_caller_identity()["Account"]
    except (ConnectionError, HTTPClientError) as error:
        raise OperatingError(f"AWS cannot be reached ({error}): look at {_way(error)}") from error
    except (BotoCoreError, ClientError) as error:
        raise OperatingError(
            f"you are not signed in to AWS ({error}): sign in (for example aws sso login), or set AWS_PROFILE"
        ) from error
    return Place(signed_in, account, _alias(signed_in), remark(signed_in.region_name, config))


def _way(error: Exception) -> str:
    """What of the way to AWS did not work."""
    if isinstance(error, ProxyConnectionError):
        return "HTTP_PROXY and HTTPS_PROXY; what needs no proxy is named in NO_PROXY"
    return "AWS_ENDPOINT_URL" if os.environ.get("AWS_ENDPOINT_URL") else "your network and its proxy"


def remark(region: str, config: samconfig.SamConfig) -> str:
    """What to say if `make deploy` goes to another Region than this one."""
    if config.region in ("", region):
        return ""
    return f"make deploy goes to samconfig.toml's Region {config.region}, this command to {region}"


def _alias(signed_in: boto3.Session) -> str:
    try:
        aliases = signed_in.client("iam", config=BRIEFLY).list_account_aliases()["AccountAliases"]
    except (BotoCoreError, ClientError):
        return ""
    return aliases[0] if aliases else ""
