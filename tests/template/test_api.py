"""The optional API, as far as it can be shown without API Gateway: moto deploys no OpenAPI.

Shown: nothing is open, what the model refuses, what reaches Step Functions. cfn-lint reads the rest.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import ValidationError, validate

from local.deploy import ROOT, translate
from tests.parameters import REQUIRED

RESOURCES = translate(ROOT / "template.yaml", REQUIRED | {"Api": "on"})["Resources"]
BODY = RESOURCES["ExecutionsApi"]["Properties"]["Body"]
MODEL = BODY["components"]["schemas"]["Execution"]
METHODS = {
    (method, path): operation
    for path, operations in BODY["paths"].items()
    for method, operation in operations.items()
    if method
    in ("get", "post", "put", "patch", "delete", "options", "head", "x-amazon-apigateway-any-method")
}


def integration(method: str, path: str) -> dict[str, Any]:
    return METHODS[method, path]["x-amazon-apigateway-integration"]


def test_nothing_of_the_api_is_created_unless_it_is_asked_for():
    kinds = ("AWS::ApiGateway::",)
    of_api = [r for r in RESOURCES.values() if r["Type"].startswith(kinds)] + [RESOURCES["ApiRole"]]
    assert len(of_api) >= 4
    assert {resource.get("Condition") for resource in of_api} == {"HasApi"}


def test_there_are_three_methods_every_one_signed_and_none_for_cors():
    assert set(METHODS) == {
        ("post", "/executions"),
        ("get", "/executions/{id}"),
        ("delete", "/executions/{id}"),
    }
    assert all(operation["security"] == [{"sigv4": []}] for operation in METHODS.values())
    assert BODY["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_each_method_does_one_thing_of_step_functions():
    actions = {
        method: integration(method, path)["uri"]["Fn::Sub"].rsplit("/", 1)[1] for method, path in METHODS
    }
    assert actions == {"post": "StartExecution", "get": "DescribeExecution", "delete": "StopExecution"}


def test_a_run_is_named_after_the_request_so_that_no_name_comes_twice():
    template = integration("post", "/executions")["requestTemplates"]["application/json"]["Fn::Sub"]
    filled = template.replace("$util.escapeJavaScript($input.json('$'))", '{\\"action\\":\\"start\\"}')
    sent = json.loads(filled)
    assert sent["name"] == "api-$context.requestId"
    assert json.loads(sent["input"]) == {"action": "start"}


def test_a_run_is_looked_up_and_ended_in_this_machine_only():
    for method in ("get", "delete"):
        template = integration(method, "/executions/{id}")["requestTemplates"]["application/json"]["Fn::Sub"]
        asked = json.loads(template.replace("$util.escapeJavaScript($input.params('id'))", "ID"))
        assert asked["executionArn"].endswith(":execution:${StateMachine.Name}:ID")


def test_api_gateway_may_assume_its_role_without_a_source_account_which_it_does_not_send():
    """With the condition every path answers 500; so the role must reach nothing but the one machine."""
    properties = RESOURCES["ApiRole"]["Properties"]
    (trust,) = properties["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert "Condition" not in trust
    (policy,) = properties["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert "StateMachine" in json.dumps(statement["Resource"])
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            assert action in ("states:StartExecution", "states:DescribeExecution", "states:StopExecution")


@pytest.mark.parametrize(
    "body", [{"action": "start"}, {"action": "stop", "environments": ["dev"], "dry_run": True}], ids=str
)
def test_the_model_takes_what_the_machine_takes(body: dict[str, Any]):
    validate(body, MODEL)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "restart"},
        {"action": "start", "dry_run": "yes"},
        {"action": "start", "environments": []},
        {"action": "start", "environments": ["dev", "dev"]},
        {"action": "start", "environments": ["dev'\""]},
        {"action": "start", "extra": 1},
        ["start"],
    ],
    ids=str,
)
def test_the_model_refuses_the_rest(body: Any):
    with pytest.raises(ValidationError):
        validate(body, MODEL)
