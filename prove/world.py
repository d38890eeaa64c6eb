"""What differs between AWS and the embedded AWS, and nothing else.

`World` is what the steps know. `Aws` is the real one: sam deploys, time is real, everything can be judged.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from operate import place
from prove.stage import ROOT

# Between two looks; EC2 and Step Functions let an account ask far more often.
PAUSE_SECONDS = 2.0
# KMS is eventually consistent: a disabled key may serve for some seconds more.
KEY_SECONDS = 60.0


class NotInTimeError(Exception):
    """Something did not come about; the text says what."""


class World(ABC):
    """Where the product is deployed to."""

    session: Any
    """Gives clients, and its region_name."""
    sender: str = ""
    """Who sends the reports if nobody is named."""
    unjudged: frozenset[str] = frozenset()
    """What cannot be judged here: some of `notices`, `metrics`, `reports`, `seconds`."""

    def client(self, service: str) -> Any:
        return self.session.client(service)

    @abstractmethod
    def now(self) -> float:
        """Seconds since the epoch."""

    @abstractmethod
    def sleep(self, seconds: float) -> None: ...

    @abstractmethod
    def lacks(self) -> str:
        """What is not there that building and deploying need; nothing if all is."""

    @abstractmethod
    def build(self, code: Path) -> None:
        """Puts the function's binary into the directory of its code."""

    @abstractmethod
    def deploy(self, stack: str, template: Path, parameters: dict[str, str]) -> None:
        """Deploys the product."""

    @abstractmethod
    def fleet_is_there(self, stack: str) -> None:
        """The product and the servers are there, the servers are stopped."""

    @abstractmethod
    def disable_key(self, key: str, instance_id: str) -> None:
        """From now on the instance cannot be started: EC2 gets no key for its volume."""

    def wait(self, come_about: Callable[[], bool], otherwise: str, patience_seconds: float) -> None:
        """Until it has come about; looks every few seconds."""
        deadline = self.now() + patience_seconds
        while not come_about():
            if self.now() > deadline:
                raise NotInTimeError(f"{otherwise} within {patience_seconds / 60:.0f} minutes")
            self.sleep(PAUSE_SECONDS)

    def close(self) -> None:  # noqa: B027
        """Leaves the world as it was."""


def patient_session() -> boto3.Session:
    """A proof of an hour must not end because the network was away for some seconds."""
    inner = botocore.session.get_session()
    inner.set_default_client_config(Config(retries={"mode": "standard", "total_max_attempts": 10}))
    return place.session(core=inner)


class Aws(World):
    """A real account, with the credentials of the environment."""

    def __init__(self, session: boto3.Session | None = None) -> None:
        self.session = session or patient_session()

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def lacks(self) -> str:
        found = shutil.which("sam")
        return "" if found else "sam is not on the PATH: make prove brings it (operate/requirements.txt)"

    def build(self, code: Path) -> None:
        built = code.parent / "built"
        self._sam(
            code.parent,
            *("build", "--build-in-source", "--template-file", str(ROOT / "template.yaml")),
            *("--build-dir", str(built)),
        )
        own_lists = (code / "servers.toml").read_text()
        shutil.copytree(built / "Function", code, dirs_exist_ok=True)
        (code / "servers.toml").write_text(own_lists)

    def deploy(self, stack: str, template: Path, parameters: dict[str, str]) -> None:
        given = [f"{name}={value}" for name, value in parameters.items()]
        self._sam(
            template.parent,
            *("deploy", "--template-file", str(template), "--stack-name", stack, "--s3-prefix", stack),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
            *("--region", self.session.region_name, "--parameter-overrides", *given),
        )

    def fleet_is_there(self, stack: str) -> None:
        """IAM itself refuses what is not tagged."""

    def disable_key(self, key: str, instance_id: str) -> None:
        self.client("kms").disable_key(KeyId=key)
        self.sleep(KEY_SECONDS)

    def _sam(self, directory: Path, command: str, *arguments: str) -> None:
        """With settings of its own: the samconfig.toml beside the template is for the person's own stack."""
        settings = directory / "samconfig.toml"
        settings.write_text("version = 0.1\n")
        subprocess.run(
            ["sam", command, "--config-file", str(settings), *arguments],
            cwd=ROOT,
            # The template's default; the Makefile would read the person's samconfig.toml.
            env=os.environ | {"ARCHITECTURE": "x86_64"},
            check=True,
        )
