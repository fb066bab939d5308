"""How the fixtures make their sandboxes. Every pytest run imports this, so it imports nothing but pytest and the
standard library until a test asks for a fixture."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cnx_mock.pytest_plugin.options import chosen_readings, chosen_seed
from cnx_mock.pytest_plugin.scenarios import in_own_folders

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.python_api.sandbox_maker import SandboxMaker

_START = "2026-01-01T00:00:00Z"

_BASE = {"name": "pytest", "world": {"clock": {"start": _START}}, "provisioning": {"polls": 1}}
"""What every test's sandbox starts from. The clock starts at a fixed instant, so that bodies are the same in every run.
A new resource is provisioning at its first read and running at its second, so that a loop that polls ends at once."""

_NO_READINGS: Mapping[str, str] = {}


def new_sandbox(
    config: pytest.Config,
    server: "SandboxMaker",
    name: str,
    story: Any,
    *,
    rules: Sequence[Any] = (),
    readings: Mapping[str, str] = _NO_READINGS,
) -> "Sandbox":
    """Return a fresh sandbox under a story: a scenario, a list of them to stack, or None. `rules` come before its own.
    `readings` come before those of the whole suite; what the story says of readings comes before both. Fails the test
    if it cannot be made."""
    given = story if isinstance(story, list) else [] if story is None else [story]
    chosen = {**chosen_readings(config), **readings}
    read = [{"name": "reading", "world": {"readings": chosen}}] if chosen else []
    swept = [{"name": "sweep", "rules": list(rules)}] if rules else []
    key = str(config.getini("cnx_key")) or None
    with short_failure("no sandbox: "), real_files():
        scenarios = [_BASE, *read, *swept, *(in_own_folders(each, config) for each in given)]
        return server.sandbox(scenarios, name=name, seed=chosen_seed(config), key=key)


@contextmanager
def wide_sandbox(request: pytest.FixtureRequest, server: "SandboxMaker", story: Any) -> "Iterator[Sandbox]":
    """Make the sandbox of a module or of the session. At the end, what was asked for must have happened in it."""
    node = request.node
    sandbox = new_sandbox(request.config, server, node.nodeid or "session", story)
    sandbox.enforced = any(True for _ in node.iter_markers("cnx_scenario"))
    yield sandbox
    assert_fired(sandbox)


def assert_fired(sandbox: "Sandbox") -> None:
    """Fail the test if an injected rule never fired, or if what the scenario expects has not happened."""
    with short_failure("cannot find out whether the injected rules fired: "):
        try:
            sandbox.assert_fired()
        except AssertionError as error:
            raise pytest.fail.Exception(str(error), pytrace=False) from None


@contextmanager
def real_files() -> Iterator[None]:
    """Let go of the fake file system of pyfakefs, if the test has one: scenarios, certificates and our own files are
    real ones."""
    patcher = getattr(sys.modules.get("pyfakefs.fake_filesystem_unittest"), "Patcher", None)
    fake = getattr(patcher, "PATCHER", None)
    if fake is None:
        yield
        return
    fake.pause()
    try:
        yield
    finally:
        fake.resume()


@contextmanager
def past_the_proxy() -> Iterator[None]:
    """Except this machine from the proxy that the environment names: the client under test would send its key there."""
    from cnx_mock.net.proxies import changes_past_proxy  # lazy: only a suite that uses the mock needs it

    changes = changes_past_proxy(os.environ)
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    yield
    for name, value in before.items():
        if os.environ.get(name) != changes[name]:
            continue  # a test has set another value, and restores it or not
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@contextmanager
def short_failure(prefix: str) -> Iterator[None]:
    """Turn an error of ours in a fixture into a failure that is its message alone.

    pytest's summary shows only the first line: it has the first problem.
    """
    from cnx_mock.errors import CnxMockError, reasons  # lazy: only a suite that uses the mock needs it

    try:
        yield
    except CnxMockError as error:
        first, *others = reasons(error)
        more = f" (+{len(others)} more)" if others else ""
        raise pytest.fail.Exception("\n".join([f"{prefix}{first}{more}", *others]), pytrace=False) from None
