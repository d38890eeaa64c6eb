"""What the function calls things: its errors, and the codes of problems.

Owns the one place in Python that knows. The names are read out of the sources, without their tests.
"""

from __future__ import annotations

import functools
import re

from local.deploy import ROOT

SOURCES = ROOT / "src"
CODE = r"[A-Z][A-Za-z0-9]*(?:\.[A-Z][A-Za-z0-9]*)*"
# A Failure or a StateError that is made with a code or a name of our own.
GIVEN = rf'(?:\b(?:code|name): |of_aws\(\s*"\w+",\s*)"({CODE})"'


@functools.cache
def names() -> dict[str, list[str]]:
    """`errors`: what the function fails with. `codes`: what it tells apart, advises on, or gives itself."""
    modules = {
        str(file.relative_to(SOURCES)): file.read_text().split("#[cfg(test)]")[0]
        for file in sorted(SOURCES.rglob("*.rs"))
        if not {"tests", "tests.rs"} & set(file.relative_to(SOURCES).parts)
    }
    errors = re.findall(rf'=> "({CODE})"', modules["lambda/handler.rs"])
    codes = re.findall(rf'(?<!operation == )"({CODE})"', modules["model/failure.rs"])
    codes += [code for text in modules.values() for code in re.findall(GIVEN, text)]
    return {"errors": sorted(set(errors)), "codes": sorted(set(codes))}
