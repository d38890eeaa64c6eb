"""One check: what was expected, what was seen, and the verdict. The words of every step."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOT, MEASURED, UNJUDGED = "ok", "NOT", "measured", "not in the embedded AWS"


@dataclass(frozen=True)
class Check:
    """One line of the table."""

    step: str
    what: str
    expected: str
    seen: str
    verdict: str

    @property
    def key(self) -> str:
        return f"{self.step}: {self.what}"


@dataclass(frozen=True)
class Checker:
    """Makes the checks of one step."""

    step: str

    def same(self, what: str, expected: str, seen: str) -> Check:
        return Check(self.step, what, expected, seen, OK if seen == expected else NOT)

    def at_most(self, what: str, most: float, seen: list[float], unit: str, judged: bool) -> Check:
        """Of several measured values the longest counts; none at all is not ok."""
        told = f"{max(seen):.1f} {unit} (the longest of {len(seen)})" if seen else "nothing"
        as_expected = bool(seen) and (max(seen) <= most or not judged)
        verdict = (OK if judged else MEASURED) if as_expected else NOT
        return Check(self.step, what, f"at most {most:g} {unit}", told, verdict)

    def measured(self, what: str, seen: str) -> Check:
        return Check(self.step, what, "", seen, MEASURED)

    def unjudged(self, what: str, expected: str) -> Check:
        return Check(self.step, what, expected, UNJUDGED, UNJUDGED)
