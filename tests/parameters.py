"""The template's parameters that have no default."""

REQUIRED = {"MailSender": "start-stop@example.com", "MailRecipients": "platform@example.com"}
