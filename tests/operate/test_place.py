"""Which account and Region a command acts in, and that it says so first."""

from __future__ import annotations

import pytest

from local.runtime_api import REGION
from operate import place, samconfig
from operate.problem import OperatingError
from operate.samconfig import SamConfig


def test_aws_region_alone_is_enough(make, system, capsys):
    assert make("status") == 0
    assert f"Stack ec2-start-stop in account 123456789012, {REGION}." in capsys.readouterr().out


def test_aws_region_wins_over_the_profiles_region(make, system, shell, capsys):
    shell.write_text("[default]\nregion = us-east-1\n")
    assert make("status") == 0
    assert capsys.readouterr().out.startswith(f"Stack ec2-start-stop in account 123456789012, {REGION}.")


def test_samconfigs_region_is_the_default_and_wins_over_the_profiles(shell, monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    shell.write_text("[default]\nregion = us-east-1\n")
    assert place.session(SamConfig(region="eu-central-1")).region_name == "eu-central-1"
    assert place.session(SamConfig()).region_name == "us-east-1"


def test_without_any_region_it_is_said_which_variable_to_set(make, monkeypatch, capsys):
    monkeypatch.delenv("AWS_REGION")
    assert make("status") == 2
    assert capsys.readouterr().err == (
        "make status: no AWS Region is set: set AWS_REGION, for example export AWS_REGION=eu-west-1\n"
    )


def test_who_is_not_signed_in_is_told_how(make, monkeypatch, capsys):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert make("stop") == 2
    assert "you are not signed in to AWS" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["status", "doctor", "tag"])
def test_an_aws_that_does_not_answer_is_not_called_a_missing_sign_in(make, monkeypatch, capsys, command):
    # Port 9 is the discard service's, which nobody runs any more.
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert make(command) != 0
    told = "".join(capsys.readouterr())
    assert 'AWS cannot be reached (Could not connect to the endpoint URL: "http://127.0.0.1:9/")' in told
    assert "): look at AWS_ENDPOINT_URL" in told
    assert "signed in" not in told


def test_a_proxy_that_does_not_answer_is_not_called_a_wrong_endpoint(make, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://aws.test")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert make("status") == 2
    told = capsys.readouterr().err
    assert "proxy URL" in told
    assert "look at HTTP_PROXY and HTTPS_PROXY; what needs no proxy is named in NO_PROXY\n" in told


def test_a_profile_that_is_not_there_is_said(make, monkeypatch, capsys):
    monkeypatch.setenv("AWS_PROFILE", "acme")
    assert make("status") == 2
    assert "acme" in capsys.readouterr().err


def test_the_accounts_alias_is_said(session):
    session.client("iam").create_account_alias(AccountAlias="acme-dev")
    assert str(place.here(SamConfig())) == f"account 123456789012 (acme-dev), {REGION}"


def test_a_region_that_make_deploy_does_not_use_is_remarked(make, system, tmp_path, capsys):
    (tmp_path / "samconfig.toml").write_text('[default.deploy.parameters]\nregion = "eu-central-1"\n')
    assert make("status") == 0
    assert "make deploy goes to samconfig.toml's Region eu-central-1" in capsys.readouterr().out


def test_the_stacks_name_is_samconfigs_unless_another_is_given(make, tmp_path, capsys):
    (tmp_path / "samconfig.toml").write_text('[default.deploy.parameters]\nstack_name = "team-a"\n')
    assert make("status") == 2
    assert make("status", "--stack", "team-b") == 2
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"Stack {name} in account 123456789012, {REGION}." for name in ("team-a", "team-b")
    ]
    assert "there is no stack team-a" in told.err
    assert "make deploy" in told.err


def test_the_samconfig_example_can_be_read():
    given = samconfig.read(samconfig.FILE.with_name("samconfig.toml.example"))
    assert (given.stack_name, given.s3_prefix) == ("ec2-start-stop", "ec2-start-stop")
    assert given.parameters["MailRecipients"].count("@") == 2
    assert given.lost == []


def test_a_samconfig_that_is_no_toml_is_refused_by_its_name(make, tmp_path, capsys):
    (tmp_path / "samconfig.toml").write_text("stack_name = \n")
    assert make("status") == 2
    assert "samconfig.toml cannot be read" in capsys.readouterr().err
    with pytest.raises(OperatingError):
        samconfig.read(tmp_path / "samconfig.toml")
