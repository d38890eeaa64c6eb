"""A phase that changed something, waited or asked twice is no sample of a phase with nothing to do."""

from __future__ import annotations

from urllib.parse import urlencode

from bench.nothing_to_do import trouble

READY = {"next_phase": True, "outcome": "ready", "servers": {"total": 2, "ready": 2, "changed": 0}}


def by_name(*names: str, **more: str) -> bytes:
    values = {f"Filter.1.Value.{place}": name for place, name in enumerate(names, 1)}
    return urlencode({"Action": "DescribeInstances", "Filter.1.Name": "tag:Name"} | values | more).encode()


def checks(*ids: str) -> bytes:
    named = {f"InstanceId.{place}": one for place, one in enumerate(ids, 1)}
    return urlencode({"Action": "DescribeInstanceStatus"} | named).encode()


def test_one_look_at_every_server_is_a_sample():
    assert trouble(READY, [by_name("a", "b"), checks("i-1", "i-2")]) == ""


def test_the_next_page_and_the_next_batch_are_no_second_look():
    pages = [by_name("a", "b"), by_name("a", "b", NextToken="more"), by_name("c")]
    assert trouble(READY, [*pages, checks("i-1"), checks("i-2")]) == ""


def test_a_phase_that_looked_again_has_waited_and_is_no_sample():
    assert "a by DescribeInstances" in trouble(READY, [by_name("a", "b"), by_name("a")])
    assert "i-1 by DescribeInstanceStatus" in trouble(
        READY, [by_name("a"), checks("i-1"), checks("i-1", "i-2")]
    )


def test_a_phase_that_changed_something_is_no_sample():
    changed = READY | {"servers": {"total": 2, "ready": 2, "changed": 1}}
    assert "something to do" in trouble(changed, [by_name("a")])
    start = urlencode({"Action": "StartInstances", "InstanceId.1": "i-1"}).encode()
    assert "StartInstances" in trouble(READY, [by_name("a"), start])


def test_a_phase_that_is_not_done_is_no_sample():
    assert trouble(READY | {"outcome": "degraded"}, [by_name("a")])
    assert trouble({"errorType": "Throttled"}, [by_name("a")])


def test_a_phase_that_asked_nothing_is_no_sample():
    assert trouble(READY, []) == "it asked EC2 nothing"
