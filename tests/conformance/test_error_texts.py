"""The embedded AWS refuses in AWS's own words, length and form; a program that reads them reads AWS's."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local import error_texts
from local.error_texts import Refused
from local.faults import Fault
from local.fleet import Fleet
from local.runtime_api import REGION
from local.server import Server

IAM = r"arn:aws:sts::123456789012:assumed-role/\S+ is not authorized to perform: "


def client(server: Server, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"total_max_attempts": 1}),
    )


def refusal(call: Any, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response


@pytest.fixture
def instance(server: Server) -> str:
    fleet = Fleet(server, client(server, "ec2"))
    return fleet.create("web", {})


def test_a_refused_start_is_as_long_as_ec2s_and_names_the_instance_before_the_encoded_part(server, instance):
    server.application.faults.add(Fault("StartInstances", "UnauthorizedOperation"))
    told = refusal(client(server, "ec2").start_instances, InstanceIds=[instance])
    assert told["Error"]["Code"] == "UnauthorizedOperation"
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 403
    readable, encoded = told["Error"]["Message"].split(" Encoded authorization failure message: ")
    begin = "You are not authorized to perform this operation. User: "
    because = "because no identity-based policy allows the ec2:StartInstances action."
    resource = f"on resource: arn:aws:ec2:eu-west-1:123456789012:instance/{instance}"
    assert re.fullmatch(f"{re.escape(begin)}{IAM}ec2:StartInstances {resource} {because}", readable)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1000,1700}", encoded)


def test_each_refused_instance_has_an_encoded_part_of_its_own():
    parts = {error_texts.encoded_message(f"ec2:StartInstances i-{number}") for number in range(200)}
    assert len(parts) == 200


def test_a_refused_describe_names_no_resource_and_encodes_nothing(server):
    server.application.faults.add(Fault("DescribeInstances", "UnauthorizedOperation"))
    told = refusal(client(server, "ec2").describe_instances)["Error"]["Message"]
    assert told.endswith("because no identity-based policy allows the ec2:DescribeInstances action")


@pytest.mark.parametrize(
    ("code", "http", "words"),
    [
        ("InsufficientInstanceCapacity", 500, "We currently do not have sufficient"),
        ("RequestLimitExceeded", 503, "Request limit exceeded."),
        ("VcpuLimitExceeded", 400, "your current vCPU limit of 32"),
        ("IncorrectInstanceState", 400, "The instance '{}' is not in a state from which it can be started."),
        ("IncorrectSpotRequestState", 400, "You can't start the Spot Instance '{}' because"),
        ("InvalidInstanceID.NotFound", 400, "The instance ID '{}' does not exist"),
    ],
)
def test_a_refused_start_has_ec2s_sentence_and_status(server, instance, code: str, http: int, words: str):
    server.application.faults.add(Fault("StartInstances", code))
    told = refusal(client(server, "ec2").start_instances, InstanceIds=[instance])
    assert told["Error"]["Code"] == code
    assert told["ResponseMetadata"]["HTTPStatusCode"] == http
    assert words.format(instance) in told["Error"]["Message"]


def test_stop_protection_is_told_in_ec2s_words_whether_it_is_set_or_asked_for_as_a_fault(server):
    ec2 = client(server, "ec2")
    instance = Fleet(server, ec2).create("web", {}, "running")
    words = (
        f"The instance '{instance}' may not be stopped. "
        "Modify its 'disableApiStop' instance attribute and try again."
    )
    ec2.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
    assert refusal(ec2.stop_instances, InstanceIds=[instance])["Error"]["Message"] == words
    server.application.faults.add(Fault("StopInstances", "OperationNotPermitted"))
    assert refusal(ec2.stop_instances, InstanceIds=[instance])["Error"]["Message"] == words


MAIL = {
    "Source": "start-stop@example.com",
    "Destination": {"ToAddresses": ["platform@example.com"]},
    "Message": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}},
}


def test_ses_names_the_identity_that_is_not_verified_and_its_region_in_capitals(server):
    told = refusal(client(server, "ses").send_email, **MAIL)["Error"]
    assert told["Code"] == "MessageRejected"
    assert told["Message"] == (
        "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
        "start-stop@example.com"
    )


def test_ses_denies_by_the_recipients_identity_as_in_its_sandbox(server):
    server.application.faults.add(Fault("SendEmail", "AccessDenied"))
    told = refusal(client(server, "ses").send_email, **MAIL)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 403
    resource = "arn:aws:ses:eu-west-1:123456789012:identity/platform@example.com"
    assert told["Error"]["Message"].endswith(f"perform `ses:SendEmail' on resource `{resource}'")
    assert told["Error"]["Type"] == "Sender"


def test_step_functions_and_the_log_are_denied_in_json_with_the_resource_that_was_asked_for(server):
    machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:m"
    server.application.faults.add(Fault("ListExecutions", "AccessDeniedException"))
    told = refusal(client(server, "stepfunctions").list_executions, stateMachineArn=machine)
    assert told["Error"]["Code"] == "AccessDeniedException"
    assert f"states:ListExecutions on resource: {machine} because" in told["Error"]["Message"]
    server.application.faults.add(Fault("CreateLogStream", "AccessDeniedException"))
    logs = client(server, "logs")
    told = refusal(logs.create_log_stream, logGroupName="g", logStreamName="s")
    assert told["Error"]["Code"] == "AccessDeniedException"
    assert "logs:CreateLogStream" in told["Error"]["Message"]


def test_ec2s_error_is_written_in_ec2s_own_xml_with_its_marks_escaped(server, instance):
    server.application.faults.add(Fault("StartInstances", "InvalidInstanceID.Malformed"))
    request = urllib.request.Request(
        server.url,
        data=f"Action=StartInstances&Version=2016-11-15&InstanceId.1={instance}".encode(),
        headers={"Authorization": "AWS4-HMAC-SHA256 Credential=local/20261121/eu-west-1/ec2/aws4_request, x"},
    )
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=10)
    body = error.value.read().decode()
    assert re.search(
        r"<Response><Errors><Error><Code>\S+</Code><Message>[^<>]+</Message></Error></Errors>", body
    )
    assert re.search(r"<RequestID>[0-9a-f-]{36}</RequestID></Response>$", body)


def test_a_code_whose_sentence_is_not_known_says_so():
    told = error_texts.text("NoSuchCodeAnywhere", Refused("ec2", "StartInstances"))
    assert told.startswith("NoSuchCodeAnywhere: ") and "not known here" in told
    assert error_texts.status("NoSuchCodeAnywhere") == 400


def test_every_sentence_of_the_table_tells_its_source():
    for code, entry in error_texts.TABLE.items():
        assert entry["source"].split(":")[0] in ("public", "memory"), code
        assert set(entry) <= {"status", "text", "source"}
        assert "{" not in error_texts.text(code, Refused("ec2", "StartInstances", "i-1"))
