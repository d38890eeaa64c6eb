"""End to end: the evening check, by the real function in the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.accounts import HOME
from local.server import Server
from tests.system.conftest import System
from tests.system.test_accounts import MEMBER, ROLE, SERVERS, untrust

ALL = ["dev", "test", "preprod"]
TEXT, HTML, SUBJECT = "Message.Body.Text.Data", "Message.Body.Html.Data", "Message.Subject.Data"


def check(system: System, **more: Any) -> dict[str, Any]:
    execution = {
        "id": "arn:aws:states:eu-west-1:123456789012:execution:machine:evening",
        "name": "evening",
        "start_time": "2026-11-23T21:00:00Z",
    }
    event = {"check": True, "calendar": None, "environments": ALL, "execution": execution}
    answer, error = system.invoke(event | more)
    assert error is None, answer
    return answer


def findings(answer: dict[str, Any]) -> set[tuple[str, str]]:
    return {(finding["name"], finding["code"]) for finding in answer["findings"]}


def mails(system: System) -> list[dict[str, str]]:
    return [call.parameters for call in system.server.application.calls if call.operation == "SendEmail"]


def tried(system: System, operation: str) -> list[bool]:
    """Of each such call: whether it was a DryRun."""
    calls = [call for call in system.server.application.calls if call.operation == operation]
    return [call.parameters.get("DryRun") == "true" for call in calls]


def encrypt(system: System, name: str) -> str:
    """Gives the server a volume that a key of its own encrypts; the key's ARN."""
    ec2, kms = system.stack.client("ec2"), system.stack.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=1, Encrypted=True, KmsKeyId=key)
    ec2.attach_volume(VolumeId=volume["VolumeId"], InstanceId=system.fleet.ids[name], Device="/dev/sdh")
    return key


@pytest.mark.parametrize("state", ["stopped", "running"])
def test_where_nothing_is_wrong_no_mail_goes_out_and_nothing_is_changed(
    server: Server, tmp_path: Any, state: str
):
    system = System(server, tmp_path / "function.log", state)
    answer = check(system)
    assert answer["ok"] is True, answer
    assert answer["counts"] == {
        "servers": 20,
        "start_allowed": 20,
        "stop_allowed": 20,
        "held": 0,
        "would_fail": 0,
    }
    assert mails(system) == []
    for operation in ("StartInstances", "StopInstances"):
        assert tried(system, operation) and all(tried(system, operation))
    assert system.states(list(system.fleet.ids)) == {state}


def test_a_missing_and_a_denied_server_are_mailed(stopped: System):
    stopped.stack.client("ec2").terminate_instances(InstanceIds=[stopped.fleet.ids["test8"]])
    stopped.fail("StopInstances=UnauthorizedOperation:test13")
    answer = check(stopped)
    assert (answer["ok"], answer["status"]) == (False, "WOULD FAIL")
    assert findings(answer) == {("test8", "ServerMissing"), ("test13", "UnauthorizedOperation")}
    mail = stopped.mail()
    assert mail[SUBJECT].startswith("CHECK STATUS: WOULD FAIL")
    for body in (mail[TEXT], mail[HTML]):
        assert all(part in body for part in ("test8", "test13", "ServerMissing", "On stop: You are not"))
    assert json.loads(answer["cause"])["findings"] == answer["findings"]
    log = stopped.phase_log("evening")
    assert "[check] CHECK STATUS: WOULD FAIL" in log
    assert any("test8" in line and "ServerMissing" in line for line in log)


def test_a_sender_that_ses_has_not_verified_is_in_the_answer(stopped: System):
    stopped.stack.client("ses").delete_identity(Identity="start-stop@example.com")
    answer = check(stopped)
    assert findings(answer) == {("mail", "SenderUnverified")}
    assert answer["mail"] is None
    assert "MailRejected" in answer["mail_error"]


def test_a_recipient_that_ses_has_not_verified_is_mailed_to_the_others(stopped: System):
    stopped.stack.client("ses").delete_identity(Identity="oncall@example.com")
    assert findings(check(stopped)) == {("mail", "RecipientUnverified")}
    assert "oncall@example.com" in stopped.mail()[TEXT]


def test_a_key_that_is_enabled_is_proved_and_a_disabled_one_fails_its_server(stopped: System):
    key = encrypt(stopped, "test2")
    assert any("KMS keys" in what for what in check(stopped)["proved"])
    stopped.stack.client("kms").disable_key(KeyId=key.split("/")[1])
    answer = check(stopped)
    assert findings(answer) == {("test2", "KeyNotUsable")}
    assert f"{key} of a volume is Disabled" in answer["findings"][0]["message"]


def test_a_key_that_may_not_be_looked_at_is_said(stopped: System):
    key = encrypt(stopped, "test2")
    stopped.fail("DescribeKey=AccessDeniedException")
    answer = check(stopped)
    assert answer["ok"] is True
    assert any(key in what and "KmsKeyArns" in what for what in answer["not_proved"])


def test_a_role_that_cannot_be_assumed_is_a_finding_of_its_environment(server: Server, tmp_path: Any):
    system = System(server, tmp_path / "function.log", "stopped", SERVERS)
    answer = check(system)
    assert answer["ok"] is True, answer
    assert any(ROLE in what for what in answer["proved"])
    assert {call.place for call in server.application.calls if call.operation == "StartInstances"} >= {
        HOME,
        MEMBER,
    }
    untrust(MEMBER)
    # A new run assumes the role anew.
    name = {"id": "arn", "name": "next-evening", "start_time": "2026-11-24T21:00:00Z"}
    assert findings(check(system, execution=name)) == {("preprod", "RoleNotAssumed")}


def test_a_calendar_that_could_not_be_read_is_a_finding(stopped: System):
    error = {"Error": "Ssm.InvalidDocumentException", "Cause": "said SSM"}
    assert findings(check(stopped, calendar=error)) == {("calendar", "CalendarUnreadable")}


def test_what_ec2_did_not_answer_is_not_proved(stopped: System):
    stopped.fail("DescribeInstances=InternalError")
    answer = check(stopped)
    assert (answer["ok"], answer["status"]) == (False, "NOT PROVED")
    assert stopped.mail()[SUBJECT].startswith("CHECK STATUS: NOT PROVED")
