"""Each parameter refuses what it cannot use, and takes its default and good examples.

CloudFormation matches a pattern against the whole value, and against each item of a list.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from local.deploy import ROOT

TEMPLATE = yaml_parse((ROOT / "template.yaml").read_text())
PARAMETERS: dict[str, dict[str, Any]] = TEMPLATE["Parameters"]
ADDRESSES = tomllib.loads((ROOT / "tests" / "addresses.toml").read_text())
# SES's limit for one mail, all its recipients together (API: SendEmail).
MOST_RECIPIENTS = 50
ROLE = "arn:aws:iam::210987654321:role/ec2-start-stop-member"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

GOOD = {
    "Calendar": ["", "holidays", "arn:aws:ssm:eu-west-1:210987654321:document/holidays"],
    "UnreadableCalendar": ["go-on", "do-nothing"],
    "ClosedCalendarMail": ["mail", "silence"],
    "StartSchedule": ["cron(0 7 ? * MON-FRI *)", "rate(1 day)", "at(2026-12-24T07:00:00)"],
    "StopSchedule": ["cron(30 18 ? * * *)"],
    "StartEnabled": ["ENABLED", "DISABLED"],
    "StopEnabled": ["ENABLED", "DISABLED"],
    "TimeZone": [
        "UTC",
        "Asia/Seoul",
        "America/Argentina/Buenos_Aires",
        "Etc/GMT+3",
        "America/Port-au-Prince",
    ],
    "MailSender": ADDRESSES["good"],
    "MailRecipients": [
        *ADDRESSES["good"],
        "a@example.com,b@example.com",
        "a@example.com, b@sub.example.com",
        ",".join(ADDRESSES["good"]),
    ],
    "SesSandbox": ["yes", "no"],
    "SesRegion": ["", "eu-west-1", "us-gov-west-1", "ap-southeast-4"],
    "AlarmMail": ["", *ADDRESSES["good"]],
    "ServerTagValue": ["true", "team-a/dev"],
    "InstanceIds": ["", "i-12345678", "i-0123456789abcdef0,i-12345678"],
    "KmsKeyArns": ["", KEY, f"{KEY},{KEY}"],
    "LicenseManager": ["yes", "no"],
    "PermissionsBoundary": [
        "",
        "arn:aws:iam::123456789012:policy/teams/boundary",
        "arn:aws-us-gov:iam::aws:policy/PowerUserAccess",
    ],
    "RolePath": ["/", "/teams/platform/"],
    "MemberRoleArns": ["", ROLE, f"{ROLE},{ROLE.replace('role/', 'role/teams/a/')}"],
    "MemorySize": ["128", "1024"],
    "Architecture": ["x86_64", "arm64"],
    "LogRetentionDays": ["7", "365"],
    "ShowDashboard": ["on", "off"],
    "MuteAlarms": ["on", "off"],
    "MuteHours": ["1", "64", "360"],
    "Api": ["on", "off"],
}
BAD = {
    "Calendar": ["ab", "a b", "it's", "x" * 201],
    "UnreadableCalendar": ["", "maybe"],
    "ClosedCalendarMail": ["", "no"],
    "StartSchedule": ["", "7:00", "cron(0 7 * *)", "0 7 ? * MON-FRI *", "rate(0 days)", "at(tomorrow)"],
    "StopSchedule": ["19h", "cron()"],
    "StartEnabled": ["true", ""],
    "StopEnabled": ["enabled"],
    "TimeZone": ["", "Europe/", "GMT 1", "Europe/Madrid;"],
    "MailSender": [*ADDRESSES["bad"], "a@example.com,b@example.com"],
    "MailRecipients": [
        *ADDRESSES["bad"],
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "a@example.com,  b@example.com",
        "a@example.com,,b@example.com",
        ",a@example.com",
        "a@example.com, ",
    ],
    "SesSandbox": ["", "true"],
    "SesRegion": ["eu-west", "EU-WEST-1", "eu-west-1a", "*", "Frankfurt"],
    "AlarmMail": [*filter(None, ADDRESSES["bad"]), "a@example.com,b@example.com"],
    "ServerTagValue": ["", "*", "two words"],
    "InstanceIds": ["test1", "i-xyz", "*", "i-12345678,*"],
    "KmsKeyArns": ["*", "alias/mine", KEY.replace("key/", "alias/"), f"{KEY},*"],
    "LicenseManager": ["", "Yes"],
    "PermissionsBoundary": ["boundary", "*", "arn:aws:iam::123456789012:role/boundary"],
    "RolePath": ["", "teams", "/teams", "teams/", "//"],
    "MemberRoleArns": ["*", "ec2-start-stop-member", ROLE.replace("role/", "user/"), f"{ROLE},*"],
    "MemorySize": ["64", "4096", "big"],
    "Architecture": ["x86", "arm"],
    "LogRetentionDays": ["0", "8", "ever"],
    "ShowDashboard": ["yes", ""],
    "MuteAlarms": ["true", ""],
    "MuteHours": ["0", "361", "a night"],
    "Api": ["true", ""],
}


def accepts(parameter: dict[str, Any], value: str) -> bool:
    """As CloudFormation validates a value."""
    if parameter["Type"] == "Number":
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            return False
        low, high = parameter.get("MinValue", float("-inf")), parameter.get("MaxValue", float("inf"))
        if not low <= float(value) <= high:
            return False
    allowed = parameter.get("AllowedValues")
    if allowed is not None and value not in [str(v) for v in allowed]:
        return False
    items = value.split(",") if parameter["Type"] == "CommaDelimitedList" else [value]
    return all(re.fullmatch(parameter.get("AllowedPattern", r"[\s\S]*"), item) for item in items)


def test_every_parameter_has_examples_a_description_and_a_place_in_the_console():
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    placed = [name for group in groups for name in group["Parameters"]]
    assert sorted(placed) == sorted(PARAMETERS) == sorted(GOOD) == sorted(BAD)
    assert all(parameter["Description"] for parameter in PARAMETERS.values())


def test_a_pattern_comes_with_a_sentence_that_says_what_is_expected():
    assert all(("AllowedPattern" in p) == ("ConstraintDescription" in p) for p in PARAMETERS.values())


def test_defaults_are_accepted_by_their_own_rules():
    for name, parameter in PARAMETERS.items():
        if "Default" in parameter:
            assert accepts(parameter, str(parameter["Default"])), name


def test_nothing_is_scheduled_muted_or_open_by_default():
    off = {"StartEnabled": "DISABLED", "StopEnabled": "DISABLED", "MuteAlarms": "off", "Api": "off"}
    assert {name: PARAMETERS[name]["Default"] for name in off} == off


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in GOOD.items() for value in values]
)
def test_a_good_value_is_accepted(name: str, value: str):
    assert accepts(PARAMETERS[name], value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_wrong_value_is_refused(name: str, value: str):
    assert not accepts(PARAMETERS[name], value)


@pytest.mark.parametrize("bad", ADDRESSES["bad"])
def test_one_wrong_recipient_among_good_ones_is_refused(bad: str):
    assert not accepts(PARAMETERS["MailRecipients"], f"{bad},b@example.com")
    if not bad.startswith(" "):  # behind a comma one blank is no fault
        assert not accepts(PARAMETERS["MailRecipients"], f"a@example.com,{bad}")
        assert not accepts(PARAMETERS["MailRecipients"], f"a@example.com, {bad},b@example.com")


def test_as_many_recipients_as_ses_takes_are_accepted_and_not_one_more():
    recipients = [f"person{number}@example.com" for number in range(MOST_RECIPIENTS + 1)]
    for separator in (",", ", "):
        assert accepts(PARAMETERS["MailRecipients"], separator.join(recipients[:-1]))
        assert not accepts(PARAMETERS["MailRecipients"], separator.join(recipients))


def test_one_grammar_of_an_address_is_written_in_all_three_parameters():
    patterns = {
        name: PARAMETERS[name]["AllowedPattern"] for name in ("MailSender", "MailRecipients", "AlarmMail")
    }
    address = patterns["MailSender"].removeprefix("^").removesuffix("$")
    assert patterns["AlarmMail"] == f"^({address})?$"
    assert patterns["MailRecipients"] == f"^{address}(, ?{address}){{0,{MOST_RECIPIENTS - 1}}}$"
