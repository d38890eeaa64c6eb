"""`make package`: a folder in a zip that `sam deploy` takes as it is, without a compiler.

Owns what a release holds. The binary that is packed renders its state machine, so the two always agree.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Sequence
from pathlib import Path

from operate.problem import OperatingError

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
PAGE = Path(__file__).with_name("package.md")
# Taken as they are; the schema is for editors, and names the file that servers.toml names in its first line.
FILES = (
    "servers.toml",
    "samconfig.toml.example",
    "member.yaml",
    "LICENSE",
    "CHANGELOG.md",
    "docs/deployer-policy.json",
    "docs/servers.schema.json",
)
# e_machine in an ELF file's header, at byte 18 (elf.h: EM_X86_64, EM_AARCH64).
MACHINES = {b"\x3e\x00": "x86_64", b"\xb7\x00": "arm64"}
# What a binary may lack (docs/deploy.md, A smaller function), and the parameters that are off without it.
SWITCHED_BY = {"events": ("Events", "Chat"), "kms": (), "muting": ("MuteAlarms",)}
# The earliest that a zip can tell: the same files make the same zip.
LONG_AGO = (1980, 1, 1, 0, 0, 0)
# A command of the binary takes milliseconds.
LONGEST_COMMAND = 30


def main(arguments: list[str]) -> int:
    try:
        made = package(Path(arguments[0]), DIST)
    except OperatingError as error:
        print(f"make package: {error}", file=sys.stderr)
        return 2
    print(f"== {made.relative_to(ROOT)}: {made.stat().st_size / 1e6:.1f} MB")
    return 0


def package(binary: Path, dist: Path) -> Path:
    """Makes the folder and its zip anew; gives the zip."""
    architecture = architecture_of(binary)
    version, left_out = version_of(binary)
    name = f"ec2-start-stop-{version}-{architecture}{suffix(left_out)}"
    folder, archive = dist / name, dist / f"{name}.zip"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(binary, folder / "bootstrap")
    (folder / "bootstrap").chmod(0o755)
    for file in FILES:
        (folder / file).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / file, folder / file)
    shutil.copy(PAGE, folder / "DEPLOY.md")
    print(ask(binary, "check", str(folder / "servers.toml")), end="")
    machine = ask(binary, "render", str(folder / "servers.toml"))
    (folder / "statemachine.asl.json").write_text(machine)
    (folder / "template.yaml").write_text(template(architecture, left_out))
    rendered = ask(binary, "render-template", str(folder / "servers.toml"), str(folder / "template.yaml"))
    (folder / "template.yaml").write_text(rendered)
    write_zip(folder, archive)
    return archive


def architecture_of(binary: Path) -> str:
    try:
        with binary.open("rb") as file:
            header = file.read(20)
    except OSError as error:
        raise OperatingError(f"{binary}: {error.strerror}") from None
    machine = MACHINES.get(header[18:20]) if header.startswith(b"\x7fELF") else None
    if machine is None:
        raise OperatingError(f"{binary} is no Linux program for x86_64 or arm64")
    return machine


def version_here() -> str:
    """The version that this folder's sources are."""
    return tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["version"]


def version_of(binary: Path) -> tuple[str, list[str]]:
    """Its version, and the Cargo features that it was built without."""
    told = re.fullmatch(r"ec2-start-stop (\S+)(?: without (.+))?\n", ask(binary, "--version"))
    if told is None:
        raise OperatingError(f"{binary} is not ec2-start-stop's: its --version says something else")
    left_out = told[2].split(", ") if told[2] else []
    if needed := [feature for feature in left_out if feature not in SWITCHED_BY]:
        raise OperatingError(f"{binary} was built without {needed[0]}: it has the commands, not the function")
    return told[1], left_out


def suffix(left_out: Sequence[str]) -> str:
    """Of a release's name: nothing of the whole one, else what it lacks."""
    if not left_out:
        return ""
    return "-small" if set(left_out) == set(SWITCHED_BY) else f"-without-{'-'.join(left_out)}"


def ask(binary: Path, *command: str) -> str:
    """What the binary prints."""
    try:
        done = subprocess.run(
            [binary.resolve(), *command], capture_output=True, text=True, timeout=LONGEST_COMMAND, check=False
        )
    except OSError as error:
        raise OperatingError(
            f"{binary} does not run here ({error.strerror}): package it on a machine of its kind"
        ) from None
    if done.returncode:
        raise OperatingError(done.stderr.strip())
    return done.stdout


def template(architecture: str, left_out: Sequence[str] = ()) -> str:
    """The product's, of a folder that needs no build: it offers what the binary is for and can do."""
    text = replaced((ROOT / "template.yaml").read_text(), "BuildMethod: makefile", "SkipBuild: true")
    allowed = "    AllowedValues: [x86_64, arm64]\n    Default: x86_64\n"
    text = replaced(text, allowed, f"    AllowedValues: [{architecture}]\n    Default: {architecture}\n")
    for parameter in (name for feature in left_out for name in SWITCHED_BY[feature]):
        text = switched_off(text, parameter)
    return text


def switched_off(text: str, parameter: str) -> str:
    """The template with a parameter that is on or off, always off."""
    switch = rf'(?m)^(  {parameter}:\n    Type: String\n)    AllowedValues: \["on", "off"\]\n    Default: .*$'
    text, found = re.subn(switch, r'\1    AllowedValues: ["off"]\n    Default: "off"', text)
    if found != 1:
        raise OperatingError(f"template.yaml has the switch {parameter} {found} times; once is expected")
    return text


def replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise OperatingError(f"template.yaml has '{old.strip()}' {text.count(old)} times; once is expected")
    return text.replace(old, new)


def write_zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(str(file.relative_to(folder.parent)), LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # unzip gives the file its mode back; Lambda runs only what may be executed.
            entry.external_attr = file.stat().st_mode << 16
            made.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
