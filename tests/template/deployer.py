"""What docs/deployer-policy.json allows, judged as IAM does it for the few kinds of statement in it.

Owns the judgement. Another condition operator than those named here is an error, never an allowance.
"""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from local.deploy import ROOT

POLICY = json.loads((ROOT / "docs" / "deployer-policy.json").read_text())
Context = dict[str, list[str]]


def allows(
    action: str, resource: str | None = None, context: Context | None = None, policy: dict[str, Any] = POLICY
) -> bool:
    """Whether somebody with this policy may do it; without a resource: to any."""
    return any(
        any(fnmatch.fnmatchcase(action, pattern) for pattern in statement["Action"])
        and (resource is None or any(fnmatch.fnmatchcase(resource, one) for one in resources(statement)))
        and (resource is None or holds(statement.get("Condition", {}), context or {}))
        for statement in policy["Statement"]
    )


def resources(statement: dict[str, Any]) -> list[str]:
    return _list(statement["Resource"])


def holds(conditions: dict[str, dict[str, Any]], context: Context) -> bool:
    """Whether every condition does, of a request with these keys."""
    return all(
        _holds(operator, _list(wanted), context.get(key))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, wanted: list[str], given: list[str] | None) -> bool:
    match operator:
        case "StringEquals":
            return given is not None and given[0] in wanted
        case "ForAllValues:StringEquals":  # a request without the key has no value that differs
            return all(value in wanted for value in given or [])
        case "Null":
            return [str(given is None).lower()] == wanted
    raise ValueError(f"the condition operator {operator} is not understood")


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
