"""The egress guard in pytest: a test that reaches for another host than this machine fails. Imported in every pytest
run like the plugin that it belongs to, it imports nothing but pytest and the standard library until it stands guard."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cnx_mock.intercept.egress import Guard

_GUARD = pytest.StashKey["Guard"]()

_NO_EGRESS = "fail every test that reaches for another host than this machine"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the guard."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-no-egress", action="store_true", help=_NO_EGRESS)
    parser.addini("cnx_no_egress", _NO_EGRESS, type="bool", default=False)
    parser.addini("cnx_egress_hosts", "hosts that the egress guard lets tests reach", type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Stand guard in every test where that is wished."""
    if config.getoption("--cnx-no-egress") or config.getini("cnx_no_egress"):
        config.pluginmanager.register(_Guarded())


class _Guarded:
    """A plugin of its own, so that suites without the option have no fixture in every test."""

    @pytest.fixture(autouse=True)
    def _cnx_guarded(self, cnx_no_egress: None) -> None:
        pass


@pytest.fixture
def cnx_no_egress(request: pytest.FixtureRequest) -> Iterator[None]:
    """For this test, other hosts than this machine (and those of the ini option `cnx_egress_hosts`) are out of reach:
    whoever tries gets a PermissionError, and the test fails even if its code passes over that."""
    from cnx_mock.intercept.egress import guarding

    with guarding(request.config.getini("cnx_egress_hosts")) as guard:
        request.node.stash[_GUARD] = guard
        yield
    _fail(guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although it reached out."""
    result = yield
    guard = item.stash.get(_GUARD, None)
    if guard is not None:
        _fail(guard)
    return result


def _fail(guard: "Guard") -> None:
    """Fail for what was not told yet."""
    news = guard.news()
    if news:
        pytest.fail(news, pytrace=False)
