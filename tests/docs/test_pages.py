"""What the pages name is there: links, the template's parameters and permissions. Owns no page's wording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.deploy import ROOT, translate
from local.rendering import rendered
from tests.parameters import REQUIRED

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
WIDTH = 120


@pytest.fixture(scope="module")
def template(servers_file: Path) -> dict[str, Any]:
    return translate(ROOT / "template.yaml", REQUIRED, rendered(servers_file))


def anchors(page: Path) -> set[str]:
    """A page's headings as GitHub makes anchors of them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def relative_links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if not target.startswith("http") and not target.startswith(
            "../../"
        ):  # GitHub's own pages, from the root
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def section(page: str, heading: str) -> str:
    """The text under a heading of the second level."""
    return re.split(r"^## ", (ROOT / page).read_text().split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]


def granted(value: Any) -> Iterator[str]:
    """Every action of every policy below a value; a role's own trust is none."""
    if isinstance(value, dict):
        if "Effect" in value:
            actions = value["Action"]
            yield from [actions] if isinstance(actions, str) else actions
        for key, item in value.items():
            if key != "AssumeRolePolicyDocument":
                yield from granted(item)
    elif isinstance(value, list):
        for item in value:
            yield from granted(item)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path):
    for path, anchor in relative_links(page):
        assert path.exists(), path
        assert not anchor or anchor in anchors(path), f"{path.name}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_is_wider_than_a_reader_of_the_source_wants(page: Path):
    # A table's row cannot be broken.
    lines = [line for line in page.read_text().splitlines() if not line.startswith("|")]
    assert [line for line in lines if len(line) > WIDTH] == []


def default_in_words(parameter: dict[str, Any]) -> str:
    if "Default" not in parameter:
        return "no default"
    return f"`{parameter['Default']}`" if parameter["Default"] != "" else "empty"


def test_the_page_on_deploying_has_every_parameter_with_its_default_and_no_other(template):
    told = re.findall(r"^- \*\*(\w+)\*\* \((.+?)\):", section("docs/deploy.md", "Parameters"), re.MULTILINE)
    assert dict(told) == {name: default_in_words(p) for name, p in template["Parameters"].items()}


def test_the_page_on_deploying_has_every_environment_variable_of_the_function_and_no_other(template):
    rows = re.findall(
        r"^\| (`[A-Z].+?) \|", section("docs/deploy.md", "What the function is told"), re.MULTILINE
    )
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    given = template["Resources"]["Function"]["Properties"]["Environment"]["Variables"]
    assert sorted(told) == sorted(given)


def test_the_page_on_deploying_has_every_partition_that_the_template_knows(template):
    told = re.findall(
        r"^\| `([a-z-]+)` \|", section("docs/deploy.md", "Partitions, and Regions without SES"), re.M
    )
    assert sorted(told) == sorted(template["Mappings"]["Partitions"])


def test_the_page_on_security_has_every_permission_that_the_template_grants_and_no_other(template):
    told = section("SECURITY.md", "What it can touch")
    actions = set(re.findall(r"`([a-z0-9]+:[A-Z]\w+)`", told)) - {"ses:FromAddress", "aws:RequestedRegion"}
    assert actions == set(granted(template["Resources"]))
