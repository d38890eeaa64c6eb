"""`make machine-picture`: docs/machine.svg, the state machine as a person sees it in the console.

Owns the layout and the look. Left out, so that the picture can be read: what a Catch leads to (an
environment's result, or the failure mail). A way back, to wait or to ask again, is dashed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "machine.svg"
# In pixels of a picture that is shown at its own size or smaller.
WIDTH, HEIGHT, APART, BETWEEN, EDGE = 134, 40, 14, 34, 18
# Between boxes that hold others: room for the ways past them, and for the one back.
WIDE_APART = WIDTH + 40
# Between branches: room for the ways around a state.
BRANCHES_APART = 30
LETTERS_A_LINE = 19
# Fill and border of each type of state.
LOOKS = {
    "Task": ("#dbeafe", "#1d4ed8"),
    "Choice": ("#fef9c3", "#a16207"),
    "Wait": ("#f1f5f9", "#64748b"),
    "Pass": ("#f1f5f9", "#64748b"),
    "Parallel": ("#ffffff", "#64748b"),
    "Succeed": ("#dcfce7", "#15803d"),
    "Fail": ("#fee2e2", "#b91c1c"),
}

Steps = dict[str, list[str]]


@dataclass
class Box:
    """One state, and for a Parallel what is in it."""

    name: str
    kind: str
    width: float = WIDTH
    height: float = HEIGHT
    x: float = 0
    y: float = 0
    inside: list[Chart] = field(default_factory=list)


@dataclass
class Chart:
    """The boxes of one machine or branch, and the ways between them."""

    boxes: dict[str, Box]
    ways: list[tuple[str, str]]
    back: list[tuple[str, str]]
    width: float = 0
    height: float = 0


def draw(machine: dict[str, Any]) -> str:
    chart = laid_out(machine)
    size = f"{chart.width + 2 * EDGE:.0f} {chart.height + 2 * EDGE:.0f}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{size.split()[0]}"'
        ' font-family="Helvetica, Arial, sans-serif" font-size="12" text-anchor="middle">',
        "<title>The state machine of ec2-start-stop</title>",
        '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#475569"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        *shown(chart, EDGE, EDGE),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def laid_out(machine: dict[str, Any]) -> Chart:
    """Boxes in rows, each below all that lead to it."""
    steps = {name: followers(state) for name, state in machine["States"].items()}
    boxes = {name: box_of(name, state) for name, state in machine["States"].items()}
    back = list(ways_back(steps, machine["StartAt"]))
    ways = [(a, b) for a, following in steps.items() for b in following if (a, b) not in back]
    chart = Chart(boxes, ways, back)
    y = 0.0
    for row in rows(chart, machine["StartAt"]):
        place(row, chart)
        tallest = max(box.height for box in row)
        for box in row:
            box.y = y + (tallest - box.height) / 2
        y += tallest + BETWEEN
    left = min(box.x for box in boxes.values())
    for box in boxes.values():
        box.x -= left
    chart.width = max(box.x + box.width for box in boxes.values())
    chart.height = y - BETWEEN
    return chart


def box_of(name: str, state: dict[str, Any]) -> Box:
    box = Box(name, state["Type"], inside=[laid_out(branch) for branch in state.get("Branches", [])])
    if box.inside:
        box.width = sum(chart.width + BRANCHES_APART for chart in box.inside) + APART
        box.height = max(chart.height for chart in box.inside) + 2 * APART + 18
    return box


def followers(state: dict[str, Any]) -> list[str]:
    named = [choice["Next"] for choice in state.get("Choices", [])]
    named += [state[key] for key in ("Next", "Default") if key in state]
    return list(dict.fromkeys(named))


def ways_back(steps: Steps, start: str) -> Iterator[tuple[str, str]]:
    """What leads to a state that leads here."""
    done: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for following in steps[name]:
            if following in (*above, name):
                yield name, following
            elif following not in done:
                yield from follow(following, (*above, name))
        done.add(name)

    yield from follow(start, ())


def rows(chart: Chart, start: str) -> list[list[Box]]:
    """Each box one row below the lowest that leads to it."""
    depth = {start: 0}
    holders = [name for name, box in chart.boxes.items() if box.inside]
    for _ in chart.boxes:
        for a, b in chart.ways:
            if a in depth:
                depth[b] = max(depth.get(b, 0), depth[a] + 1)
        # What holds others stands side by side: neither is the later one.
        lowest = max((depth.get(name, 0) for name in holders), default=0)
        depth |= {name: lowest for name in holders if name in depth}
    # What only a Catch leads to stands with the other ends.
    depth = dict.fromkeys(chart.boxes, max(depth.values())) | depth
    found: list[list[Box]] = [[] for _ in range(2 * max(depth.values()) + 2)]
    for name, row in depth.items():
        # What holds others has a row of its own, so that the picture stays narrow.
        box = chart.boxes[name]
        found[2 * row if box.inside else 2 * row + 1].append(box)
    return [row for row in found if row]


def place(row: list[Box], chart: Chart) -> None:
    """Below those that lead to it, side by side."""
    for box in row:
        above = [chart.boxes[a] for a, b in chart.ways if b == box.name]
        middle = sum(b.x + b.width / 2 for b in above) / len(above) if above else 0
        box.x = middle - box.width / 2
    row.sort(key=lambda box: box.x)
    apart = WIDE_APART if row[0].inside else 2 * APART
    middle = sum(box.x + box.width / 2 for box in row) / len(row)
    x = middle - (sum(box.width for box in row) + apart * (len(row) - 1)) / 2
    for box in row:
        box.x = x
        x += box.width + apart


def shown(chart: Chart, x: float, y: float) -> Iterator[str]:
    for a, b in chart.ways:
        if is_in_the_way(chart, chart.boxes[a], chart.boxes[b]):
            yield around(chart.boxes[a], chart.boxes[b], x, y, 24)
        else:
            yield arrow(chart.boxes[a], chart.boxes[b], x, y)
    for a, b in chart.back:
        yield around(chart.boxes[a], chart.boxes[b], x, y, 12, ' stroke-dasharray="4 3"')
    for box in chart.boxes.values():
        yield from shown_box(box, x + box.x, y + box.y)


def shown_box(box: Box, x: float, y: float) -> Iterator[str]:
    fill, border = LOOKS[box.kind]
    round_ends = box.height / 2 if box.kind == "Choice" else 6
    yield (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{box.width:.0f}" height="{box.height:.0f}"'
        f' rx="{round_ends:.0f}" fill="{fill}" stroke="{border}"/>'
    )
    lines = broken(box.name)
    top = y + 20 if box.inside else y + box.height / 2 + 4 - 7 * (len(lines) - 1)
    for number, line in enumerate(lines):
        yield f'<text x="{x + box.width / 2:.0f}" y="{top + 14 * number:.0f}">{escape(line)}</text>'
    inside = x + APART
    for chart in box.inside:
        yield from shown(chart, inside, y + APART + 18)
        inside += chart.width + BRANCHES_APART


def broken(name: str) -> list[str]:
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LETTERS_A_LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def arrow(a: Box, b: Box, x: float, y: float) -> str:
    from_x, from_y = x + a.x + a.width / 2, y + a.y + a.height
    to_x, to_y = x + b.x + b.width / 2, y + b.y - 2
    bend_y = to_y - BETWEEN + 4
    return path(
        f"M{from_x:.0f} {from_y:.0f} V{bend_y:.0f} C{from_x:.0f} {to_y - 8:.0f} {to_x:.0f} {bend_y:.0f}"
        f" {to_x:.0f} {to_y:.0f}"
    )


def is_in_the_way(chart: Chart, a: Box, b: Box) -> bool:
    """Whether the way straight down from a would run behind a box."""
    x = a.x + a.width / 2
    return any(c.x < x < c.x + c.width and a.y < c.y and c.y + c.height < b.y for c in chart.boxes.values())


def around(a: Box, b: Box, x: float, y: float, room: float, more: str = "") -> str:
    """Past the right side of both."""
    from_x, from_y = x + a.x + a.width, y + a.y + a.height / 2
    to_x, to_y = x + b.x + b.width + 2, y + b.y + b.height / 2
    out = max(from_x, to_x) + room
    return path(
        f"M{from_x:.0f} {from_y:.0f} C{out:.0f} {from_y:.0f} {out:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}", more
    )


def path(course: str, more: str = "") -> str:
    return f'<path d="{course}" fill="none" stroke="#475569" marker-end="url(#end)"{more}/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(json.loads(Path(sys.argv[1]).read_text())))
    print(f"== {PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size / 1e3:.0f} kB")
