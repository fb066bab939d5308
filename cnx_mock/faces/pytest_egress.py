"""The egress guard's part of the pytest plugin. It too is imported in every run, and imports as little."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from cnx_mock.faces.egress import Guard

_GUARD = pytest.StashKey["Guard"]()

_NO_EGRESS = "fail every test that looks up a host other than this machine, or connects to one"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the guard."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-no-egress", action="store_true", help=_NO_EGRESS)
    parser.addini("cnx_no_egress", _NO_EGRESS, type="bool", default=False)


@pytest.fixture
def cnx_no_egress(request: pytest.FixtureRequest) -> Iterator["Guard"]:
    """Fail this test if it looks up a host other than this machine, or connects to one, even where the code under test
    swallows the error; `cnx_no_egress.attempts` lists what was refused."""
    standing = request.node.stash.get(_GUARD, None)
    if standing is not None:
        yield standing
        return
    with _guarding(request.node) as guard:
        yield guard


@contextmanager
def _guarding(item: pytest.Item) -> Iterator["Guard"]:
    """Guard over this test, except against a mock that is somewhere else."""
    from cnx_mock.faces.egress import guarding

    url = urlsplit(item.config.getoption("--cnx-url", None) or "").hostname
    with guarding([url] if url else []) as guard:
        item.stash[_GUARD] = guard
        yield guard


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Guard over a test and all its fixtures, where the whole suite is guarded."""
    if not (item.config.getoption("--cnx-no-egress") or item.config.getini("cnx_no_egress")):
        return (yield)
    with _guarding(item):
        return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although something was refused."""
    result = yield
    _judge(item)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Fail for what fixtures attempted while they ended."""
    result = yield
    _judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what was refused where a test fails for another reason: the refusal may be behind it."""
    report = yield
    if report.failed and (news := _news(item)):
        report.sections.append(("cnx-mock egress", news))
    return report


def _judge(item: pytest.Item) -> None:
    if news := _news(item):
        pytest.fail(news, pytrace=False)


def _news(item: pytest.Item) -> str:
    """What the guard has refused since it was last asked."""
    guard = item.stash.get(_GUARD, None)
    return guard.news() if guard is not None else ""
