"""Runs of pytest in projects that have installed cnx-mock."""

import subprocess
from collections.abc import Callable
from functools import cache
from importlib import metadata
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import _pytest.pytester
import cryptography.x509  # noqa: F401  # pytester forgets what a run imports, and this cannot be imported twice
import pytest
import yaml  # noqa: F401  # as above: its parser in C makes events of the classes that it has imported first
from _pytest.fixtures import FixtureManager

from tests import commands

Run = Callable[..., pytest.RunResult]

PLUGINS = (
    *("anyio", "asyncio", "faker", "fakefs", "freezer", "hypothesispytest"),
    *("rerunfailures", "schemathesis", "time_machine", "timeout"),
)
"""Plugins of others that are installed here: to load them takes longer than a short run."""


def without_others(but: tuple[str, ...] = ()) -> list[str]:
    """The options of a run of pytest that loads none of the others' plugins, but those named."""
    return [word for name in PLUGINS if name not in but for word in ("-p", f"no:{name}")]


OWN = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "pastebin"),
    *("setuponly", "setupplan", "stepwise", "subtests", "unittest"),
)
"""Plugins of pytest's own that a run does without: pytest looks at each name in a plugin for fixtures and hooks."""

READ_ONCE: dict[str, Any] = {
    name: cache(getattr(metadata.Distribution, name).fget) for name in ("entry_points", "files", "metadata")
}
"""What pytest reads of every installed package when it starts. It is half of the time of a short run."""


def read_installed_once() -> None:
    """Let all runs of pytest of this process, and of its forks, read only once what is installed."""
    installed = [*metadata.distributions()]
    metadata.distributions = lambda **_: installed
    for name, read in READ_ONCE.items():
        setattr(metadata.Distribution, name, property(read))


@cache
def packages(beside: tuple[str, ...]) -> list[metadata.Distribution]:
    """The installed packages that a run finds: this one, and those of the plugins named."""
    wanted = {"cnx_mock", *beside}
    return [each for each in metadata.distributions() if wanted & {*each.entry_points.select(group="pytest11").names}]


HELPERS = """
import http.client
import json

import pytest


def call(cnx, method, path, body=None):
    connection = http.client.HTTPConnection(cnx.url.removeprefix("http://"), timeout=10)
    try:
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Authorization": f"Bearer {cnx.api_key}"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def create(cnx):
    return call(cnx, "POST", "/v1/instances", {
        "name": "web-1", "plan": "pro", "region": "us-east-1", "image": "ubuntu-22.04-lts",
    })
"""


@pytest.fixture
def forks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of pytest in processes of their own, and the workers of xdist, are forked."""
    commands.fork_workers(monkeypatch.setattr)
    forking = SimpleNamespace(**{**vars(subprocess), "Popen": commands.popen_pytest})
    monkeypatch.setattr(_pytest.pytester, "subprocess", forking)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on one file of tests, warnings being errors. Of PLUGINS and OWN it loads those in `beside`."""
    monkeypatch.delenv("CI", raising=False)  # pytest's summary is longer there
    monkeypatch.setattr(
        FixtureManager, "_check_for_wrapped_fixture", lambda *_: None, raising=False
    )  # looks long, warns
    for name, read in READ_ONCE.items():
        monkeypatch.setattr(metadata.Distribution, name, property(read))
    monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(without_others()))
    pytester.makeini("[pytest]")
    pytester.makepyfile(cloud=HELPERS)
    pytester.syspathinsert()

    def running(tests: str, *options: str, beside: tuple[str, ...] = ()) -> pytest.RunResult:
        monkeypatch.setenv("PYTEST_ADDOPTS", " ".join(without_others(but=beside)))
        found = packages(beside)
        monkeypatch.setattr(metadata, "distributions", lambda: found)
        if "asyncio" in beside:
            options = ("-o", "asyncio_default_fixture_loop_scope=function", *options)  # it warns if this is left out
        pytester.makepyfile(test_it="import pytest\nfrom cloud import call, create\n\n" + dedent(tests))
        own = [f"-pno:{name}" for name in OWN if name not in beside]
        return pytester.runpytest_inprocess(*own, "-W", "error", *options)

    return running
