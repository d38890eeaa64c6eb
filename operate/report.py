"""An execution's report, as lines for a terminal. Owns the words; the report itself is the function's."""

from __future__ import annotations

import json
from typing import Any

# What SES and our own errors say is shorter; what is longer is a program's insides, whole in the output.
LONGEST_SENTENCE = 500


def report(described: dict[str, Any]) -> dict[str, Any] | None:
    """The report: the execution's output or, when it failed, its cause; none if that is no JSON object."""
    try:
        found = json.loads(_text(described))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def report_lines(described: dict[str, Any]) -> list[str]:
    """All of it; a cause that is only text, or that was cut, as it is."""
    lines = [f"{described['name']}: {described['status']} {described.get('error', '')}".rstrip()]
    found = report(described)
    if found is None:
        return [*lines, *_text(described).splitlines()]
    if "errorMessage" in found:
        return [*lines, found["errorMessage"]]
    if found.get("status") == "SCHEDULED":
        when = f"scheduled for {found['at']} by the schedule {found['schedule']}"
        return [*lines, when, "make status shows it, and the command that takes it back"]
    if mail := mail_error(found):
        lines.append(f"{found.get('status', 'It ended')}, but the mail was not sent: {mail}")
    if "findings" in found:
        return [*lines, *check_lines(described)]
    if "counts" in found:
        counts = ", ".join(f"{word} {n}" for word, n in found["counts"].items())
        lines.append(f"{found.get('subject', '')}; {counts}")
    lines += server_lines(found.get("servers") or [], wanted_environments(described))
    lines += [
        f"  {problem.get('name', '?')} ({problem.get('code', '?')}): {problem.get('message', '')}"
        for problem in found.get("problems") or []
    ]
    return [*lines, *(f"  {remark}" for remark in found.get("remarks") or [])]


def check_lines(described: dict[str, Any]) -> list[str]:
    """What an evening check has come to: what would fail, what was proved and what was not."""
    found = report(described) or {}
    counts = ", ".join(f"{word.replace('_', ' ')} {n}" for word, n in found.get("counts", {}).items())
    lines = ["; ".join(filter(None, (found.get("subject", "It told nothing."), counts)))]
    lines += [finding_line(finding) for finding in found.get("findings") or []]
    if left_out := found.get("findings_in_all", 0) - len(found.get("findings") or []):
        lines.append(f"  and {left_out} more, which are in the mail")
    lines += [f"  proved: {what}" for what in found.get("proved") or []]
    return [*lines, *(f"  not proved: {what}" for what in found.get("not_proved") or [])]


def finding_line(finding: dict[str, Any]) -> str:
    place = " ".join(filter(None, (finding.get("environment"), finding.get("tier"))))
    whose = f"{place}  {finding['name']}" if place and place != finding["name"] else finding["name"]
    return f"  ! {whose} ({finding['code']}): {finding['message']}"


def mail_error(found: dict[str, Any]) -> str:
    """Why the mail was not sent; empty if it was."""
    error = found.get("mail_error")
    if not error:
        return ""
    if isinstance(error, str):
        return error
    told = sentence(error.get("Cause", ""))
    shown = told if len(told) <= LONGEST_SENTENCE else f"{told[:LONGEST_SENTENCE]} …"
    return f"{error.get('Error', 'unknown')}: {shown}"


def sentence(cause: str) -> str:
    """A Lambda's error comes as JSON with its sentence inside."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return told.get("errorMessage", cause) if isinstance(told, dict) else cause


def wanted_environments(described: dict[str, Any]) -> list[str]:
    """Those that the execution's input names; none if it is of all, or cannot be read."""
    try:
        told = json.loads(described.get("input") or "{}")
    except ValueError:
        return []
    return told.get("environments") or [] if isinstance(told, dict) else []


def server_lines(servers: list[dict[str, Any]], wanted: list[str]) -> list[str]:
    """A line a server; those of environments that the run was not about in one together."""
    others = [server for server in servers if wanted and server["environment"] not in wanted]
    lines = [server_line(server) for server in servers if server not in others]
    if others:
        environments = dict.fromkeys(server["environment"] for server in others)
        lines.append(f"  {len(others)} not in this run: {', '.join(environments)}")
    return lines


def server_line(server: dict[str, Any]) -> str:
    before, after = server["initial_state"] or "not looked at", server["end_state"] or "unknown"
    problem = f" ({server['problem']})" if server.get("problem") else ""
    who = f"{server['environment']} {server['tier']}  {server['name']}"
    return f"  {who}: {before} → {after}, {server['action']}{problem}"


def verdict(described: dict[str, Any]) -> str:
    """One run in few words, for a table of runs."""
    if described["status"] == "RUNNING":
        return "is running"
    found = report(described) or {}
    words = found.get("subject") or found.get("status") or described.get("error") or ""
    return f"{words}, mail not sent" if found.get("mail_error") else words


def _text(described: dict[str, Any]) -> str:
    return described.get("output") or described.get("cause") or ""
