"""The egress guard in pytest: a test that connects to another host than this machine fails. Every pytest run imports
this, so it imports nothing but pytest and the standard library until a test needs the guard."""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cnx_mock.intercept.egress import EgressGuard

_GUARD = pytest.StashKey["EgressGuard"]()

_HOSTS = "hosts that the egress guard lets tests reach: names, *.wildcards, addresses, networks such as 10.0.0.0/8"
_NO_EGRESS = "fail every test that connects to another machine"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the guard."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-no-egress", action="store_true", help=_NO_EGRESS)
    parser.addini("cnx_no_egress", _NO_EGRESS, type="bool", default=False)
    parser.addini("cnx_egress_hosts", _HOSTS, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Guard every test, if the option is set. Raises UsageError if a host that may be reached is none."""
    hosts = config.getini("cnx_egress_hosts")
    if hosts:
        from cnx_mock.errors import InvalidInputError  # lazy: most suites do not need the guard
        from cnx_mock.intercept.reachable_hosts import ReachableHosts  # lazy: as above

        try:
            ReachableHosts(hosts)
        except InvalidInputError as error:
            raise pytest.UsageError(f"cnx_egress_hosts: {error}") from None
    if config.getoption("--cnx-no-egress") or config.getini("cnx_no_egress"):
        config.pluginmanager.register(_GuardEveryTest())


class _GuardEveryTest:
    """A plugin of its own, so that suites without the option have no fixture in every test."""

    @pytest.fixture(autouse=True)
    def _cnx_guarded(self, cnx_no_egress: None) -> None:
        pass


@pytest.fixture
def cnx_no_egress(request: pytest.FixtureRequest) -> Iterator[None]:
    """Refuse every other host than this machine and those of the ini option `cnx_egress_hosts`, for this test.

    Code that tries to reach one gets an EgressError, a PermissionError. The test fails even if the code ignores that.
    """
    from cnx_mock.intercept.egress import guard_egress  # lazy: most suites do not need the guard

    with guard_egress(request.config.getini("cnx_egress_hosts")) as guard:
        request.node.stash[_GUARD] = guard
        yield
    _fail_for_new_attempts(guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed although it tried to reach another host."""
    result = yield
    guard = item.stash.get(_GUARD, None)
    if guard is not None:
        _fail_for_new_attempts(guard)
    return result


def _fail_for_new_attempts(guard: "EgressGuard") -> None:
    """Fail for the attempts that no failure has shown yet."""
    attempts = guard.new_attempts()
    if attempts:
        pytest.fail(attempts, pytrace=False)
