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
    "check": 4,
    "muting": 4,
    "lambda": 5,
    "commands": 6,
    "function": 6,
}
TESTS = {"tests", "testkit"}
USE = re.compile(r"(pub(?:\(\w+\))? )?\buse ([^;]+);")
INLINE = re.compile(r"\b(?:crate|super)(?:::\w+)+")


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


Modules = dict[tuple[str, ...], Path]


def resolve(names: list[str], here: tuple[str, ...], modules: Modules) -> tuple[Path, list[str]] | None:
    """The file that a path leads to, and what is left of the path there; None: it is of another crate."""
    base = list(here)
    if names[0] in ("crate", "super", "self"):
        while names and names[0] in ("crate", "super", "self"):
            base = {"crate": [], "super": base[:-1], "self": base}[names[0]]
            names = names[1:]
    elif (*here, names[0]) not in modules:
        return None
    whole = tuple(base) + tuple(names)
    longest = max((n for n in range(len(whole) + 1) if whole[:n] in modules), default=0)
    return (modules[whole[:longest]], list(whole[longest:])) if longest else None


def imports(path: Path) -> list[tuple[bool, list[str]]]:
    """Every path that the file names, and whether it only hands it on (`pub use`, and not named again)."""
    text = code(path)
    rest = USE.sub("", text)
    found = [
        (bool(face) and not re.search(rf"\b{names[-1].replace('*', 'no name')}\b", rest), names)
        for face, use in USE.findall(text)
        for names in flat(" ".join(use.split()))
    ]
    found += [(False, names.split("::")) for names in INLINE.findall(rest)]
    children = re.findall(r"^(?:pub(?:\(\w+\))? )?mod (\w+);", rest, re.MULTILINE)
    return found + [(False, [child]) for child in children if re.search(rf"\b{child}::", rest)]


def arrows() -> dict[Path, set[Path]]:
    """Who imports from whom; what a room's face hands on is an arrow to the file that holds it."""
    modules = {module(path): path for path in product_files()}
    handed_on: dict[tuple[Path, str], Path] = {}
    for path in modules.values():
        for _, names in imports(path):
            if path.name == "mod.rs" and (target := resolve(names, module(path), modules)):
                handed_on[path, names[-1]] = target[0]
    graph: dict[Path, set[Path]] = {path: set() for path in modules.values()}
    for path in modules.values():
        for face, names in imports(path):
            if face or not (target := resolve(names, module(path), modules)):
                continue
            file, left = target
            file = handed_on.get((file, left[0]), file) if left else file
            graph[path] |= {file} - {path}
    return graph


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


def test_the_loop_names_its_steps_and_no_watcher():
    loop = Path("phase/run.rs")
    inside = {path.name for path in arrows()[loop] if room(path) == "phase"}
    assert {"look.rs", "decide.rs", "ask.rs", "pace.rs"} <= inside
    assert {room(path) for path in arrows()[loop]} <= {"model", "ports", "servers", "phase"}
    assert not re.search(r"muting|phase_log", code(loop)), "the loop names a watcher"


def test_the_readers_find_a_circle_through_a_face():
    """The test of this test: what report's face defines is not what it hands on."""
    modules = {("report",): Path("report/mod.rs"), ("report", "mail"): Path("report/mail.rs")}
    assert resolve(["super", "Row"], ("report", "mail"), modules) == (Path("report/mod.rs"), ["Row"])
    assert resolve(["mail", "Mail"], ("report",), modules) == (Path("report/mail.rs"), ["Mail"])
    assert resolve(["serde", "Serialize"], ("report",), modules) is None
