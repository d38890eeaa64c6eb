"""`make release-files`: what a release has beside its zips.

Owns the notes, the bill of materials and the checksums. Notes are the changelog's part of the version in
Cargo.toml. The bill of materials (SBOM, CycloneDX 1.5) names the crates that are compiled into the function,
with licence and checksum: what Cargo says of Cargo.lock, and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from operate.package import DIST, ROOT
from operate.problem import OperatingError

NOTES = ROOT / "build" / "notes.md"
# What Lambda runs; only crates of these platforms are in a binary.
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# Downloads the crates that are not there yet, to read their licences.
LONGEST_METADATA = 300


def main() -> int:
    try:
        metadata = cargo_metadata()
        root = root_of(metadata)
        notes_of_version = notes((ROOT / "CHANGELOG.md").read_text(), root["version"])
        zips = sorted(DIST.glob(f"ec2-start-stop-{root['version']}-*.zip"))
        if not zips:
            raise OperatingError(f"there is no zip of {root['version']} in dist/: make package first")
    except OperatingError as error:
        print(f"make release-files: {error}", file=sys.stderr)
        return 2
    NOTES.parent.mkdir(exist_ok=True)
    NOTES.write_text(notes_of_version)
    materials = DIST / f"ec2-start-stop-{root['version']}.cdx.json"
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    materials.write_text(json.dumps(bill_of_materials(metadata, lock), indent=2) + "\n")
    (DIST / "SHA256SUMS").write_text(checksums([*zips, materials]))
    print(f"== build/notes.md, dist/{materials.name}, dist/SHA256SUMS of {len(zips)} zips")
    return 0


def notes(changelog: str, version: str) -> str:
    """The changelog's part of a version, which has a date: `## 1.2.0 (2026-11-27)`."""
    heading = re.search(rf"^## {re.escape(version)} \((.+)\)$", changelog, re.MULTILINE)
    if heading is None:
        raise OperatingError(f"CHANGELOG.md has no heading '## {version} (<date>)'")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        raise OperatingError(f"CHANGELOG.md calls {version} '{heading[1]}': a release has a date there")
    text = re.split(r"^## ", changelog[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not text:
        raise OperatingError(f"CHANGELOG.md says nothing of {version}")
    return text + "\n"


def cargo_metadata() -> dict[str, Any]:
    filters = [f"--filter-platform={target}" for target in TARGETS]
    command = ["cargo", "metadata", "--locked", "--format-version", "1", *filters]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST_METADATA, check=False
        )
    except OSError as error:
        raise OperatingError(f"cargo does not run: {error.strerror}") from None
    if done.returncode:
        raise OperatingError(done.stderr.strip())
    return json.loads(done.stdout)


def root_of(metadata: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in metadata["packages"] if one["id"] == metadata["resolve"]["root"])


def compiled_in(metadata: dict[str, Any]) -> set[str]:
    """The ids of the crates that the product needs to run; not those of its tests and build scripts."""
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found: set[str] = set()
    ahead = [metadata["resolve"]["root"]]
    while ahead:
        for needed in nodes[ahead.pop()]["deps"]:
            is_normal = any(kind["kind"] is None for kind in needed["dep_kinds"])
            if is_normal and needed["pkg"] not in found:
                found.add(needed["pkg"])
                ahead.append(needed["pkg"])
    return found


def bill_of_materials(metadata: dict[str, Any], lock: dict[str, Any]) -> dict[str, Any]:
    root = root_of(metadata)
    sums = {(one["name"], one["version"]): one.get("checksum") for one in lock["package"]}
    inside = compiled_in(metadata)
    crates = sorted((one["name"], one["version"], one) for one in metadata["packages"] if one["id"] in inside)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(root) | {"type": "application"}},
        "components": [
            component(crate) | {"hashes": [{"alg": "SHA-256", "content": sums[name, version]}]}
            for name, version, crate in crates
        ],
    }


def component(crate: dict[str, Any]) -> dict[str, Any]:
    purl = f"pkg:cargo/{crate['name']}@{crate['version']}"
    # Old crates write MIT/Apache-2.0 for what SPDX calls MIT OR Apache-2.0.
    licence = re.sub(r"\s*/\s*", " OR ", crate["license"])
    return {
        "type": "library",
        "bom-ref": purl,
        "name": crate["name"],
        "version": crate["version"],
        "purl": purl,
        "licenses": [{"expression": licence}],
    }


def checksums(files: list[Path]) -> str:
    """As `sha256sum --check` reads them."""
    return "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files)


if __name__ == "__main__":
    sys.exit(main())
