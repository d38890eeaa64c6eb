"""make doctor: each thing that would go wrong after a deployment is found before it, with what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import boto3
import pytest
from moto.kms.models import kms_backends

from local.faults import Fault
from local.runtime_api import ACCOUNT, REGION
from operate import check_files, check_mail, check_servers, doctor, lists
from operate.samconfig import SamConfig

PARAMETERS = {"MailSender": "start-stop@acme.test", "MailRecipients": "ops@acme.test, oncall@acme.test"}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def config(**more: str) -> SamConfig:
    return SamConfig(True, "eu-west-1", "ec2-start-stop", "", PARAMETERS | more)


@pytest.fixture
def verified(session: boto3.Session) -> None:
    session.client("ses").verify_domain_identity(Domain="acme.test")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    file = tmp_path / "statemachine.asl.json"
    file.write_text("{}\n")
    file.with_name("template.yaml").write_text("{}\n")
    return file


RENDER = f"{sys.executable} -c \"print('{{}}')\""


def wrongs(findings) -> list[str]:
    return [finding.text for finding in findings if finding.state == "wrong"]


def test_nothing_is_wrong_with_what_is_right(fleet, verified, machine, servers):
    findings = list(doctor.examine(config(), RENDER, machine, servers))
    assert [finding.state for finding in findings] == ["ok"] * len(findings)
    told = "\n".join(map(str, findings))
    for words in (
        "account 123456789012",
        "Region eu-west-1",
        "dev db: 2 of 2",
        "test db: 1 of 1",
        "all 4 have",
    ):
        assert words in told


def test_the_exit_code_is_1_if_anything_is_wrong_and_the_last_line_says_what_to_do(make, capsys):
    assert make("doctor", "--commands", RENDER) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("WRONG  there is no samconfig.toml: make samconfig.toml")
    assert lines[-1].startswith("Put right what is WRONG")


def test_who_is_not_signed_in_is_told_so_and_nothing_of_aws_is_looked_at(machine, servers, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    *_, last_but_one, last = doctor.examine(config(), RENDER, machine, servers)
    assert "you are not signed in" in last_but_one.text
    assert last.state == "unknown"


@pytest.mark.parametrize("address", ["me@example.com", "me@mail.example.org"])
def test_addresses_of_the_examples_are_found(address):
    assert wrongs(check_files.settings(config(AlarmMail=address))) == [
        f"AlarmMail is {address}: put a real address into samconfig.toml"
    ]


def test_a_missing_sender_is_found():
    given = SamConfig(True, parameters={"MailRecipients": "ops@acme.test"})
    assert wrongs(check_files.settings(given)) == [
        "samconfig.toml gives no MailSender, which the template needs"
    ]


def test_a_region_that_is_not_samconfigs_is_found():
    assert check_files.region_agrees("us-east-1", config()).state == "wrong"
    assert check_files.region_agrees("us-east-1", SamConfig(True)).state == "ok"


def test_a_samconfig_that_is_not_there_is_not_said_to_name_no_region():
    assert check_files.region_agrees("us-east-1", SamConfig()).text == "Region us-east-1"
    assert check_files.region_agrees("us-east-1", SamConfig(True)).text.endswith("samconfig.toml names none")


def test_a_machine_that_is_not_the_rendering_is_found(machine):
    machine.write_text("{ }\n")
    assert "make statemachine" in check_files.machine_is_fresh(RENDER, machine).text
    machine.unlink()
    assert check_files.machine_is_fresh(RENDER, machine).state == "wrong"


def test_a_template_that_has_not_the_schedules_of_the_lists_is_found(machine):
    template = machine.with_name("template.yaml")
    assert check_files.template_is_fresh(RENDER, template).state == "ok"
    template.write_text("{ }\n")
    assert (
        "the schedules in template.yaml are not those" in check_files.template_is_fresh(RENDER, template).text
    )


def test_a_file_that_cannot_be_rendered_is_wrong_and_no_renderer_is_unknown(machine):
    failing = f"{sys.executable} -c \"import sys; sys.exit('line 3: a comma')\""
    assert "line 3: a comma" in check_files.machine_is_fresh(failing, machine).text
    assert check_files.machine_is_fresh("no-such-renderer", machine).state == "unknown"


def test_missing_and_doubled_servers_are_found(fleet, session, servers):
    fleet.create("test2", {"Environment": "dev", "Tier": "db"})
    fleet.client.terminate_instances(InstanceIds=[fleet.ids["test7"], fleet.ids["mq1"]])
    found = wrongs(check_servers.check(session, lists.read(servers), config()))
    assert found[0].startswith("dev db: no instance has the Name test7: ")
    assert found[1].startswith("dev db: test2 is the Name of 2 instances (i-")
    assert found[2].startswith("test db: no instance has the tags Environment=test, Tier=db: ")
    assert len(found) == 3


def test_a_server_without_the_tag_is_found_unless_its_id_is_allowed(fleet, session, servers):
    server = fleet.ids["test1"]
    fleet.client.delete_tags(Resources=[server], Tags=[{"Key": "ec2-start-stop"}])
    (found,) = wrongs(check_servers.check(session, lists.read(servers), config()))
    assert f"test1 ({server}): make tag" in found
    assert not wrongs(check_servers.check(session, lists.read(servers), config(InstanceIds=server)))


def test_a_customers_key_must_be_among_kms_key_arns_and_awss_own_need_not(fleet, session, servers):
    kms = session.client("kms")
    customers = kms.create_key()["KeyMetadata"]["Arn"]
    attach_encrypted(fleet.client, fleet.ids["test2"], customers)
    aws_own = kms.create_key()["KeyMetadata"]
    kms_backends[ACCOUNT][REGION].keys[aws_own["KeyId"]].key_manager = "AWS"  # moto's are all the customer's
    attach_encrypted(fleet.client, fleet.ids["test7"], aws_own["Arn"])
    (found,) = wrongs(check_servers.check(session, lists.read(servers), config()))
    assert found == f"{customers} encrypts volumes of test2: put it into KmsKeyArns in samconfig.toml"
    assert not wrongs(check_servers.check(session, lists.read(servers), config(KmsKeyArns=customers)))


def test_a_key_that_may_not_be_looked_at_is_said_and_is_not_called_wrong(fleet, session, servers):
    attach_encrypted(fleet.client, fleet.ids["test2"], KEY)
    findings = list(check_servers.check(session, lists.read(servers), config()))
    assert not wrongs(findings)
    assert any(finding.state == "unknown" and KEY in finding.text for finding in findings)


def attach_encrypted(ec2, instance_id: str, key: str) -> None:
    volume = ec2.create_volume(AvailabilityZone="eu-west-1a", Size=8, Encrypted=True, KmsKeyId=key)
    ec2.attach_volume(VolumeId=volume["VolumeId"], InstanceId=instance_id, Device="/dev/sdf")


def test_in_the_sandbox_sender_and_recipients_must_be_verified(session):
    session.client("ses").verify_email_identity(EmailAddress="ops@acme.test")
    found = wrongs(check_mail.check(session, config()))
    assert [text.split()[4] for text in found] == ["start-stop@acme.test", "oncall@acme.test"]
    assert found[0].endswith(
        "aws sesv2 create-email-identity --region eu-west-1 --email-identity start-stop@acme.test"
    )


def test_identities_are_looked_for_in_the_region_whose_ses_sends(session):
    boto3.client("ses", region_name="eu-central-1").verify_domain_identity(Domain="acme.test")
    assert len(wrongs(check_mail.check(session, config()))) == 3
    assert not wrongs(check_mail.check(session, config(SesRegion="eu-central-1")))


def test_outside_the_sandbox_the_sender_alone_must_be_verified(session):
    (found,) = wrongs(check_mail.check(session, config(SesSandbox="no")))
    assert "start-stop@acme.test" in found


def test_outside_the_sandbox_a_domain_above_the_senders_is_none_that_the_role_may_send_by(session):
    session.client("ses").verify_domain_identity(Domain="acme.test")
    below = {"MailSender": "start-stop@mail.acme.test", "MailRecipients": "ops@acme.test"}
    assert not wrongs(check_mail.check(session, config(**below)))
    (found,) = wrongs(check_mail.check(session, config(SesSandbox="no", **below)))
    assert "has verified only acme.test" in found and found.endswith("--email-identity mail.acme.test")
    session.client("ses").verify_domain_identity(Domain="mail.acme.test")
    assert not wrongs(check_mail.check(session, config(SesSandbox="no", **below)))


def test_a_verified_domain_covers_its_addresses_and_those_of_domains_below():
    assert check_mail.identities("a@mail.acme.test") == ["a@mail.acme.test", "mail.acme.test", "acme.test"]


def test_a_question_that_aws_refuses_is_said_and_fails_nothing(machine, servers, verified, server):
    server.application.faults.add(Fault("DescribeInstances", "UnauthorizedOperation"))
    findings = list(doctor.examine(config(), RENDER, machine, servers))
    assert any(f.state == "unknown" and "UnauthorizedOperation" in f.text for f in findings)
    assert not wrongs(findings)


def test_a_wildcard_in_a_name_is_a_letter_like_others():
    assert lists._literal("web-*?\\") == "web-\\*\\?\\\\"


def test_more_names_than_one_filter_takes_are_asked_for_in_several_calls(server, session):
    listed = lists.ServerList("dev", "app", tuple(f"web{n}" for n in range(401)))
    lists.instances(session.client("ec2"), listed)
    calls = [call for call in server.application.calls if call.operation == "DescribeInstances"]
    assert len(calls) == 3
