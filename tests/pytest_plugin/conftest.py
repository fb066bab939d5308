"""Runs of pytest in projects that have installed cnx-mock."""

from collections.abc import Callable
from textwrap import dedent

import cryptography.x509  # noqa: F401  # pytester forgets what a run imports, and this cannot be imported twice
import pytest

Run = Callable[..., pytest.RunResult]

OTHERS = " ".join(f"-p no:{name}" for name in ("faker", "hypothesispytest", "schemathesis"))
"""Plugins that are here for other tests, and cost every process two seconds."""

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
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs pytest on one file of tests, warnings being errors."""
    monkeypatch.setenv("PYTEST_ADDOPTS", OTHERS)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(cloud=HELPERS)
    pytester.syspathinsert()

    def running(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it="import pytest\nfrom cloud import call, create\n\n" + dedent(tests))
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error", *options)

    return running
