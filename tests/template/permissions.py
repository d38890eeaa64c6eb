"""What the deployed stack's roles allow, judged as IAM does it for the few kinds of statement that we use.

Owns the reading of policies and the judgement. Only Allow statements and the condition operators named here
are understood: anything else is an error, never an allowance.
"""

from __future__ import annotations

import ast
import fnmatch
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Need:
    """One thing that somebody must be allowed to do."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Statement:
    """One Allow statement of a policy."""

    actions: list[str]
    resources: list[str]
    conditions: dict[str, dict[str, Any]]

    def allows(self, need: Need) -> bool:
        return (
            need.action in self.actions
            and any(fnmatch.fnmatchcase(need.resource, pattern) for pattern in self.resources)
            and all(
                _holds(operator, key, wanted, need.context)
                for operator, keys in self.conditions.items()
                for key, wanted in keys.items()
            )
        )


def _holds(operator: str, key: str, wanted: Any, context: dict[str, str]) -> bool:
    if operator != "StringEquals":
        raise ValueError(f"the condition operator {operator} is not understood")
    return context.get(key) in _list(wanted)


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def statements(iam: Any, role: str) -> list[Statement]:
    """Every statement of a role's inline policies; a managed policy would be an error."""
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    return [
        Statement(_list(s["Action"]), _list(s["Resource"]), s.get("Condition", {}))
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
        for s in _document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    ]


def _document(policy: Any) -> Iterator[dict[str, Any]]:
    """moto keeps a role's own policies as Python's text of them, those of AWS::IAM::Policy as JSON."""
    if isinstance(policy, str):
        policy = json.loads(policy) if policy.startswith('{"') else ast.literal_eval(policy)
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        yield statement


def role_of(iam: Any, logical_id: str) -> str:
    """The role's name in the stack."""
    names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    (name,) = [name for name in names if f"-{logical_id}-" in name]
    return name
