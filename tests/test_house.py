"""The house: every room of src/ is named in lib.rs, its arrows point inward, and no file is in a circle.

Run it alone with `-s` to see rooms, floors and circles.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SRC = Path(__file__).parents[1] / "src"
# From the inside out: a room knows only rooms of a lower number.
FLOOR = {
    "model": 0,
    "ports": 1,
    "servers": 2,
    "phase": 3,
    "report": 3,
    "aws": 3,
    "phase_log": 4,
    "muting": 4,
    "lambda": 5,
    "commands": 6,
    "function": 6,
}
TESTS = {"tests", "testkit"}
USE = re.compile(r"^\s*(?:pub(?:\(\w+\))? )?use ([^;]+);", re.MULTILINE)
RE_EXPORT = re.compile(r"pub(?:\(\w+\))? use [^;]+;")
INLINE = re.compile(r"\bcrate::(\w+)")


def product_files() -> list[Path]:
    found = [path.relative_to(SRC) for path in SRC.rglob("*.rs")]
    tests = [path for path in found if TESTS & {*path.parts, path.stem}]
    return sorted(set(found) - set(tests) - {Path("lib.rs"), Path("main.rs")})


def room(path: Path) -> str:
    return path.parts[0].removesuffix(".rs")


def module(path: Path) -> tuple[str, ...]:
    names = path.with_suffix("").parts
    return names[:-1] if names[-1] == "mod" else names


def code(path: Path) -> str:
    """The file without its tests and comments."""
    text = (SRC / path).read_text().split("#[cfg(test)]\nmod tests {")[0]
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def flat(use: str) -> list[list[str]]:
    """crate::{a::{b, c}, d} as its single paths."""
    begin = use.find("{")
    if begin < 0:
        return [re.sub(r"\s+as\s+\w+", "", use).strip().split("::")]
    head = use[:begin].rstrip(":").split("::")
    parts, depth, part = [], 0, ""
    for letter in use[begin + 1 : use.rindex("}")] + ",":
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [head + rest for part in parts if part for rest in flat(part)]


def targets(path: Path, modules: dict[tuple[str, ...], Path]) -> set[Path]:
    """The files that this one imports from; what a room's face (mod.rs) re-exports is no arrow of its own."""
    here = module(path)
    text = RE_EXPORT.sub("", code(path)) if path.name == "mod.rs" else code(path)
    paths = [names for use in USE.findall(text) for names in flat(" ".join(use.split()))]
    paths += [["crate", name] for name in INLINE.findall(text)]
    found = set()
    for names in paths:
        # Another crate, or one of this file's own children by its bare name.
        base = list(here)
        if names[0] not in ("crate", "super", "self") and (*here, names[0]) not in modules:
            continue
        while names and names[0] in ("crate", "super", "self"):
            base = {"crate": [], "super": base[:-1], "self": base}[names[0]]
            names = names[1:]
        whole = tuple(base) + tuple(names)
        longest = max((n for n in range(len(whole) + 1) if whole[:n] in modules), default=0)
        if longest and modules[whole[:longest]] != path:
            found.add(modules[whole[:longest]])
    return found


def arrows() -> dict[Path, set[Path]]:
    modules = {module(path): path for path in product_files()}
    return {path: targets(path, modules) for path in modules.values()}


def test_lib_names_every_room_in_a_line():
    page = (SRC / "lib.rs").read_text().split("#![")[0]
    assert {room(path) for path in product_files()} == set(FLOOR)
    for name in FLOOR:
        assert re.search(rf"`{name}`", page), f"lib.rs does not say what {name} is"


def test_a_room_knows_only_rooms_further_in():
    wrong = [
        f"{path} → {other}"
        for path, others in arrows().items()
        for other in others
        if room(path) != room(other) and FLOOR[room(other)] >= FLOOR[room(path)]
    ]
    assert wrong == []


def test_no_file_imports_itself_through_others():
    graph = arrows()
    try:
        floors: dict[Path, int] = {}
        for path in TopologicalSorter(graph).static_order():
            floors[path] = 1 + max((floors[other] for other in graph.get(path, ())), default=0)
    except CycleError as error:
        raise AssertionError(f"a circle: {[str(path) for path in error.args[1]]}") from None
    print(f"\n{len(FLOOR)} rooms, {len(graph)} files, {max(floors.values())} floors, 0 circles")


def test_who_reads_the_loop_reads_five_files():
    loop = Path("phase/run.rs")
    inside = {path.name for path in arrows()[loop] if room(path) == "phase"}
    assert {"look.rs", "decide.rs", "ask.rs", "plan.rs"} <= inside
    imports = len(re.findall(r"^use ", code(loop), re.MULTILINE))
    assert imports <= 15, f"{imports} imports"
    assert not re.search(r"muting|phase_log", code(loop)), "the loop names a watcher"
