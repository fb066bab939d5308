"""Whether a client hammers: a simple rule of the sweep's own."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cnx_mock.text.units import parse_instant
from cnx_mock.world.clock import SECOND

Hammers = Callable[[Sequence[Mapping[str, Any]]], list[str]]
"""What is to be said of a run's retries, one line a finding; entries are as `GET /_mock/requests` shows them, each with
the `sandbox` that it is of, in order of arrival."""

AT_ONCE = 3
"""Retries without a pause from which on it is no accident."""
PAUSE = 50_000
"""Microseconds below which a client has not paused: sending again takes that long on a busy machine."""


def hammers(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Requests that came before their Retry-After, and requests that were retried at once again and again."""
    wishes: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for entry in entries:
        wishes.setdefault((entry["sandbox"], entry["method"], entry["path"], entry["request_body"]), []).append(entry)
    return [line for same in wishes.values() for line in (*_early(same), *_at_once(same))]


def _early(same: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{two['method']} {two['path']} was called again {_wait(one, two) / SECOND:.1f} s after a {one['status']} that "
        f"said Retry-After {_retry_after(one) // SECOND} s"
        for one, two in pairwise(same)
        if _wait(one, two) + PAUSE < _retry_after(one)
    ][:1]


def _at_once(same: Sequence[Mapping[str, Any]]) -> list[str]:
    longest = count = 0
    for one, two in pairwise(same):
        failed = one["status"] is None or one["status"] >= 500 or one["status"] == 429
        count = count + 1 if failed and _wait(one, two) < PAUSE else 0
        longest = max(longest, count)
    first = same[0]
    return [f"{first['method']} {first['path']} was retried {longest} times at once"] if longest >= AT_ONCE else []


def _retry_after(entry: Mapping[str, Any]) -> int:
    """In microseconds; 0 where the answer does not say."""
    value = next((value for name, value in entry["response_headers"] if name.lower() == "retry-after"), "")
    return int(value) * SECOND if value.isascii() and value.isdigit() else 0


def _wait(one: Mapping[str, Any], two: Mapping[str, Any]) -> int:
    """Microseconds from the end of one request to the start of the next."""
    ended = parse_instant(one["wall"]) + int((one["duration_ms"] or 0) * 1000)
    return max(0, parse_instant(two["wall"]) - ended)
