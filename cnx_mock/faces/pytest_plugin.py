"""The pytest plugin. It is imported in every pytest run of every project that has installed cnx-mock, so it imports
nothing but pytest and the standard library until a test asks for a fixture."""

from argparse import ArgumentTypeError
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cnx_mock.faces.sandbox import Sandbox
    from cnx_mock.faces.server import MockServer

_SANDBOX = pytest.StashKey["Sandbox"]()

_START = "2026-01-01T00:00:00Z"

_BASE = {"name": "pytest", "world": {"clock": {"start": _START}}, "provisioning": {"polls": 1}}
"""What every test's sandbox starts from: a fixed instant, so that bodies are the same in every run; and the first
read of a new resource says provisioning, the second running, so that a loop that polls ends at once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the plugin."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-seed", type=_seed, default=0, metavar="N", help="seed of everything drawn by chance")
    group.addoption("--cnx-scenario", metavar="NAME|PATH", help="scenario for every test without a marker of its own")


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentTypeError(f"{text!r} is no whole number of at most 18 digits")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "cnx_scenario(*scenarios): run the test's `cnx` sandbox under these CloudNexus scenarios, stacked"
    )


@pytest.fixture(scope="session")
def cnx_server(pytestconfig: pytest.Config) -> Iterator["MockServer"]:
    """The CloudNexus mock of this worker, on a free port; started when a test first asks for it."""
    from cnx_mock.faces.server import MockServer

    with MockServer(seed=pytestconfig.getoption("--cnx-seed")) as server:
        yield server


@pytest.fixture
def cnx(request: pytest.FixtureRequest, cnx_server: "MockServer") -> "Sandbox":
    """A fresh CloudNexus sandbox for this test: `cnx.url`, `cnx.api_key`, `cnx.inject(…)`, `cnx.requests`."""
    from cnx_mock.faces.control import ControlError

    marker = request.node.get_closest_marker("cnx_scenario")
    if marker and marker.kwargs:
        pytest.fail("cnx_scenario takes scenarios, and no keywords: cnx_scenario('flaky-network')", pytrace=False)
    default = request.config.getoption("--cnx-scenario")
    stories = marker.args if marker else [default] if default else []
    try:
        sandbox = cnx_server.sandbox([_BASE, *stories], name=request.node.nodeid)
    except (ControlError, LookupError, TypeError, ValueError) as error:
        pytest.fail(f"the scenario of this test cannot be used:\n{error}", pytrace=False)
    sandbox.enforced = marker is not None
    request.node.stash[_SANDBOX] = sandbox
    return sandbox


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed without meeting the faults that it asked for."""
    result = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None:
        try:
            sandbox.assert_fired()
        except AssertionError as error:
            pytest.fail(str(error), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failing test what the mock saw."""
    report = yield
    sandbox = item.stash.get(_SANDBOX, None)
    if sandbox is not None and report.failed:
        report.sections.append(("cnx-mock journal", _journal(sandbox)))
    return report


def _journal(sandbox: "Sandbox") -> str:
    """The sandbox's requests, a line each, with the rules that fired below."""
    lines = []
    try:
        entries = sandbox.requests
    except OSError as error:
        return f"(the journal could not be read: {error})"
    for entry in entries:
        query = f"?{entry.query}" if entry.query else ""
        status = "cut" if entry.status is None else entry.status
        committed = ", committed" if entry.committed else ""
        lines.append(f"#{entry.seq} {entry.method} {entry.path}{query} → {status} ({entry.operation}{committed})")
        lines += [f"     fired {fault.rule}: {fault.fault}" for fault in entry.faults]
        if entry.near_miss:
            lines.append(f"     nearly {entry.near_miss.rule}: {entry.near_miss.reason}")
    return "\n".join(lines) or "(no requests)"
