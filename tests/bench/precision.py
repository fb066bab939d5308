"""`make bench ARGS=--precision`: how exactly the mock is slow, and what calls that hang cost everybody else.

A latency of 100 ms at 64 connections, beside the same server without the rule at the same pace: more calls a second
would measure a queue. 1,000 calls that hang at once: what others get meanwhile, and what each takes of the memory.
"""

import json
import os
import resource
import selectors
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from tests.bench.stage import Failure, Mock, Wrk, machine, mock_command, resident, running, two_cores, wrk_path

CONNECTIONS, LATENCY_MS, PERIOD = 64, 100, 0.151
"""Each connection calls once a period (in seconds, and no whole number of milliseconds, so that calls come at every
part of one), and the connections one after the other within it."""

HANGING = 1_000

WIDTHS = (16, 8, 16, 8, 16, 8, 9)


@dataclass
class Times:
    """How long calls took, in milliseconds."""

    median: float
    p99: float

    @classmethod
    def of(cls, taken: list[float]) -> "Times":
        return cls(median(taken) * 1000, quantiles(taken, n=100)[98] * 1000)


def measure(rounds: int, seconds: int) -> None:
    """Measure and print everything, each round with a server of its own."""
    server_core, load_core = two_cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    print(machine(server_core, load_core))
    print(f"{rounds} rounds of {seconds} s for each measurement")
    latencies(rounds, seconds, server_core)
    hangs(rounds, seconds, server_core, load_core)


# ---- latency


def latencies(rounds: int, seconds: int, core: int | None) -> None:
    """Print what a latency adds, round by round and in the median."""
    print(
        f"\nlatency: {LATENCY_MS}ms, {CONNECTIONS} connections, {CONNECTIONS / PERIOD:.0f} calls a second (all in ms)"
    )
    names = zip(("without: median", "p99", "with: median", "p99", "added: median", "p99", "least"), WIDTHS, strict=True)
    print(" " * 8 + "".join(f"{name:>{width}}" for name, width in names))
    added: list[tuple[float, float]] = []
    for number in range(rounds):
        with running(mock_command(core), "cnx-mock") as ready:
            mock = Mock(ready["url"], ready["api_key"])
            instance = mock.fresh()
            taken(mock, instance, 1)  # warms up
            without = Times.of(taken(mock, instance, seconds))
            mock.call(
                "PUT",
                "/_mock/rules/slow",
                {"match": {"operation": "instances.get"}, "fault": {"latency": f"{LATENCY_MS}ms"}},
            )
            slow = taken(mock, instance, seconds)
        late = Times.of(slow)
        added.append((late.median - without.median, late.p99 - without.p99))
        figures = [without.median, without.p99, late.median, late.p99, *added[-1], min(slow) * 1000]
        print(
            f"round {number + 1:<2}"
            + "".join(f"{each:>{width}.2f}" for each, width in zip(figures, WIDTHS, strict=True))
        )
    middle, tail = (median(each) for each in zip(*added, strict=True))
    print(
        f"added beyond {LATENCY_MS} ms: {middle - LATENCY_MS:+.2f} at the median (wanted: -0 to +1), "
        f"{tail - LATENCY_MS:+.2f} at p99 (wanted: up to +10)"
    )


def request(mock: Mock, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {mock.key}\r\n\r\n".encode()


def opened(mock: Mock, stack: ExitStack) -> socket.socket:
    at = urlsplit(mock.url)
    wire = stack.enter_context(socket.create_connection((at.hostname or "127.0.0.1", at.port or 80), timeout=10))
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def taken(mock: Mock, instance: str, seconds: int) -> list[float]:
    """How long each of many calls took, in seconds. The load spins, so that its own waits are not measured."""
    message, found = request(mock, f"/v1/instances/{instance}"), []
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        begin = time.perf_counter()
        due = []
        for number in range(CONNECTIONS):
            wire = opened(mock, stack)
            selector.register(wire, selectors.EVENT_READ, number)
            due.append((begin + 0.1 + PERIOD * number / CONNECTIONS, wire))
        sent: dict[int, float] = {}
        received: defaultdict[int, bytes] = defaultdict(bytes)
        end = begin + 0.1 + seconds
        while sent or time.perf_counter() < end:
            now = time.perf_counter()
            for number, (when, wire) in enumerate(due):
                if when <= now < end and number not in sent:
                    due[number] = (when + PERIOD, wire)
                    sent[number] = time.perf_counter()
                    wire.sendall(message)
            for key, _ in selector.select(0):
                received[key.data] += key.fileobj.recv(65536)  # type: ignore[union-attr]
                if received[key.data].endswith(b"}"):  # nothing before the body's end does
                    found.append(time.perf_counter() - sent.pop(key.data))
                    if not received.pop(key.data).startswith(b"HTTP/1.1 200 "):
                        raise Failure("a call was refused")
    return found


# ---- hangs


def hangs(rounds: int, seconds: int, server_core: int | None, load_core: int | None) -> None:
    """Print what hanging calls cost, round by round and in the median."""
    print(f"\n{HANGING:,} calls hang at once")
    print(f"{'':8}{'others/s before':>16}{'meanwhile':>12}{'afterwards':>12}{'ratio':>8}{'KB each':>10}")
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        with running(mock_command(server_core), "cnx-mock") as ready:
            mock = Mock(ready["url"], ready["api_key"])
            wrk = Wrk(wrk_path(), load_core, 32, mock.key)
            called = f"{mock.url}/v1/instances/{mock.fresh()}"
            wrk.get(called, 1)  # warms up
            before = wrk.get(called, seconds).rate
            used = resident(ready["pid"])
            with hanging(mock):
                each = (resident(ready["pid"]) - used) / HANGING / 1000
                meanwhile = wrk.get(called, seconds).rate
            afterwards = wrk.get(called, seconds).rate
        ratio = meanwhile / ((before + afterwards) / 2)
        found.append((ratio, each))
        print(f"round {number + 1:<2}{before:>16,.0f}{meanwhile:>12,.0f}{afterwards:>12,.0f}{ratio:>8.2f}{each:>10.1f}")
    ratio, each = (median(column) for column in zip(*found, strict=True))
    print(f"others get {ratio:.0%} of what they get without (wanted: all), each takes {each:.1f} KB (wanted: under 50)")


@contextmanager
def hanging(mock: Mock) -> Iterator[None]:
    """While this lasts, many calls to another sandbox hang."""
    other = Mock(mock.url, json.loads(mock.call("POST", "/_mock/sandboxes", {})[2])["api_key"])
    other.call("PUT", "/_mock/rules/hang", {"fault": {"connection": "hang"}})
    with ExitStack() as stack:
        for _ in range(HANGING):
            opened(other, stack).sendall(request(other, "/v1/instances"))
        while (rule := stated(other))["fired"] < HANGING:
            if rule["matched"] > HANGING:
                raise Failure(f"{rule} is more than was called")
        yield
    other.call("POST", "/_mock/reset")


def stated(mock: Mock) -> dict[str, Any]:
    return dict(json.loads(mock.call("GET", "/_mock/rules/hang")[2]))
