"""samconfig.toml's parameters are read as sam reads them; what sam drops of them is kept apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from operate import check_files, samconfig
from operate.samconfig import SamConfig

CRON = "cron(30 6 ? * MON-FRI *)"
LONG = "ParameterKey=MailSender,ParameterValue"


@pytest.fixture
def read(tmp_path: Path):
    def read(overrides: str) -> SamConfig:
        file = tmp_path / "samconfig.toml"
        file.write_text(f"[default.deploy.parameters]\nparameter_overrides = {overrides}\n")
        return samconfig.read(file)

    return read


@pytest.mark.parametrize(
    "overrides",
    [
        f"""["MailSender=a@acme.test", "StartSchedule='{CRON}'"]""",
        f"""'MailSender="a@acme.test" StartSchedule="{CRON}"'""",
        f"""["{LONG}=a@acme.test", "StartSchedule='{CRON}'"]""",
        f"""'{LONG}=a@acme.test {LONG.replace("MailSender", "StartSchedule")}="{CRON}"'""",
        f"""{{ MailSender = "a@acme.test", StartSchedule = "{CRON}" }}""",
        f"""[{{ MailSender = "a@acme.test" }}, "StartSchedule={CRON.replace(" ", 2 * chr(92) + " ")}"]""",
    ],
)
def test_every_form_that_sam_takes_is_read(read, overrides):
    assert read(overrides) == SamConfig(True, parameters={"MailSender": "a@acme.test", "StartSchedule": CRON})


def test_no_parameters_at_all_are_none(read):
    assert read('""') == read("[]") == SamConfig(True)


def test_a_table_gives_numbers_and_lists_as_sam_does(read):
    assert read('{ MemorySize = 256, InstanceIds = ["i-0", "i-1"] }').parameters == {
        "MemorySize": "256",
        "InstanceIds": "i-0,i-1",
    }


def test_an_apostrophe_within_a_value_is_no_quote(read):
    assert read("""["MailSender=o'neil@acme.test"]""") == SamConfig(
        True, parameters={"MailSender": "o'neil@acme.test"}
    )


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("InstanceIds=i-0, i-1", {"InstanceIds": "i-0,"}),
        ("MailRecipients=a@acme.test, b@acme.test", {"MailRecipients": "a@acme.test,"}),
        (f"StartSchedule={CRON}", {"StartSchedule": "cron(30"}),
        ("ParameterKey=InstanceIds,ParameterValue=i-0, i-1", {"InstanceIds": "i-0,"}),
        ("KmsKeyArns=", {}),
        ("file://parameters.yaml", {}),
    ],
)
def test_what_sam_drops_is_not_read_and_make_doctor_says_it(read, text, taken):
    config = read(f'["{text}"]')
    assert (config.parameters, config.lost) == (taken, [text])
    found = next(check_files.settings(config))
    assert (found.state, found.text.partition(" whole")[0]) == ("wrong", f"sam does not take {text}")
