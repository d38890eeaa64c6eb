"""Whole pictures of the previewed mails, as programs show them: `make pictures`, `make readme-picture`.

`make preview` has written each page with a script that says how high it is at the width of its query; a
picture is as high as its mail. Beside what Apple Mail and Gmail show (light and dark) stands what is left of
a mail in Gmail without its style sheet, and in Outlook for Windows (tests/mails/preview.rs drops the rest).
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

PHONE, DESK = 375, 1200
LOOKS = ((PHONE, "light"), (PHONE, "dark"), (DESK, "light"), (DESK, "dark"))
# Gmail's apps without a Google account are on phones, Outlook for Windows is on desks.
REDUCED = {"-without-style-sheet": PHONE, "-outlook": DESK}
README = "readme"
# Two mails of 520 pixels beside each other, and what is around them.
README_WIDTH = 1100
# Chromium draws no picture higher than this (Skia's largest texture).
HIGHEST = 16_384


@dataclass(frozen=True)
class Picture:
    """One page at one width."""

    page: Path
    into: Path
    width: int
    scheme: str = "light"


def main(folder: Path, chromium: list[str], readme: Path | None) -> None:
    wanted = pictures(folder) if readme is None else [of_readme(folder, readme)]
    with ThreadPoolExecutor(2) as workers:
        for line in workers.map(lambda picture: draw(picture, folder, chromium), wanted):
            print(line)


def of_readme(folder: Path, into: Path) -> Picture:
    return Picture(folder / f"pages/{README}.htm", into, README_WIDTH)


def pictures(folder: Path) -> list[Picture]:
    found = []
    for page in sorted((folder / "pages").glob("*.htm")):
        widths = [width for ending, width in REDUCED.items() if page.stem.endswith(ending)]
        looks = [(width, "light") for width in widths] or LOOKS
        if page.stem != README:
            found += [
                Picture(page, folder / f"{page.stem}-{width}-{scheme}.png", width, scheme)
                for width, scheme in looks
            ]
    return found


def draw(picture: Picture, folder: Path, chromium: list[str]) -> str:
    """Draws a page as high as it is."""
    height = height_of(picture, folder, chromium)
    if height > HIGHEST:
        raise SystemExit(f"{picture.into} would be {height} pixels high; Chromium draws {HIGHEST}")
    light = "1" if picture.scheme == "light" else "0"
    browse(
        picture,
        height,
        folder,
        [*chromium, f"--screenshot={picture.into}", f"--blink-settings=preferredColorScheme={light}"],
    )
    return f"{picture.into}: {picture.width} x {height}"


def height_of(picture: Picture, folder: Path, chromium: list[str]) -> int:
    told = re.search(r'data-height="(\d+)"', browse(picture, 600, folder, [*chromium, "--dump-dom"]))
    if told is None:
        raise SystemExit(f"{picture.page} does not say how high it is")
    return int(told.group(1))


def browse(picture: Picture, height: int, folder: Path, command: list[str]) -> str:
    """A profile each, because two browsers cannot share one."""
    command = [
        *command,
        f"--user-data-dir={folder / '.chromium' / picture.into.name}",
        f"--window-size={picture.width},{height}",
        "--force-device-scale-factor=1",
        f"{picture.page.resolve().as_uri()}?{picture.width}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise SystemExit(f"{shlex.join(command)}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]), shlex.split(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)
