"""The mails that SES was given, which of them it took, and how `make run` shows them."""

from __future__ import annotations

from pathlib import Path

from moto.ses.models import ses_backends

from local.deploy import ROOT
from local.runtime_api import ACCOUNT, REGION
from local.server import Server

SUBJECT = "Message.Subject.Data"
TEXT = "Message.Body.Text.Data"
HTML = "Message.Body.Html.Data"
Mail = dict[str, str]


def given(server: Server) -> list[Mail]:
    """Every one that SES was given, both bodies, as it was sent."""
    return [call.parameters for call in server.application.calls if call.operation == "SendEmail"]


def accepted(server: Server) -> list[Mail]:
    """Those of them that SES took."""
    taken = {
        (message.subject, message.body, tuple(message.destinations.get("ToAddresses", [])))
        for message in ses_backends[ACCOUNT][REGION].sent_messages
    }
    return [mail for mail in given(server) if (mail[SUBJECT], mail[HTML], addresses(mail)) in taken]


def addresses(mail: Mail) -> tuple[str, ...]:
    return tuple(value for key, value in mail.items() if key.startswith("Destination.ToAddresses"))


def show(sent: list[Mail], html: Path) -> None:
    """One mail, whose recipients may have got it by several calls; its HTML goes into a file."""
    mail = sent[-1]
    html.write_text(mail[HTML])
    to = ", ".join(address for one in sent for address in addresses(one))
    print(f"=== Mail to {to}: {mail[SUBJECT]}\n")
    print(mail[TEXT])
    print(f"\n=== Its HTML: {html.relative_to(ROOT) if html.is_relative_to(ROOT) else html}")
