"""Real traffic, and a pace of its own: what a client did is done on a socket, how long it waited is then said in the
journal, so that no test sleeps."""

from collections.abc import Callable
from math import ceil
from typing import Any

import pytest

from cnx_mock import Sandbox
from cnx_mock.audit.audit import Finding, findings
from cnx_mock.audit.call import calls_of
from cnx_mock.text.units import format_instant_ms, parse_duration, parse_instant

Judge = Callable[..., list[Finding]]


def paced(entries: list[dict[str, Any]], waits: tuple[str, ...]) -> list[dict[str, Any]]:
    """The entries as if the client had waited so long before each but the first."""
    ended = 0.0
    for entry, wait in zip(entries, ("0s", *waits), strict=True):
        began = ended + parse_duration(wait) if ended else parse_instant(entry["wall"])
        entry["wall"] = format_instant_ms(int(began))
        entry["duration_ms"] = ceil(entry["duration_ms"])  # a journal's times are whole milliseconds
        ended = parse_instant(entry["wall"]) + entry["duration_ms"] * 1000
    return entries


@pytest.fixture
def judged(sandbox: Sandbox) -> Judge:
    """What the audit says of the sandbox's client; `waits`, where given, are between its calls."""

    def judge(*waits: str, ignore: tuple[str, ...] = (), also: tuple[str, ...] = (), **limits: str) -> list[Finding]:
        entries = sandbox.call("GET", "/requests")["data"]
        named = {name.replace("_", "-"): value for name, value in limits.items()}
        return findings(calls_of(paced(entries, waits) if waits else entries), named, ignore, also)

    return judge


@pytest.fixture
def codes(judged: Judge) -> Callable[..., list[str]]:
    """The codes of what is found."""
    return lambda *waits, **more: [each.code for each in judged(*waits, **more)]
