"""The pytest plugin: its fixtures and its marker. pytest imports it in every run of every project that has installed
cnx-mock, so it imports nothing but pytest and the standard library until a test asks for a fixture."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cnx_mock.pytest_plugin.options import add_options, chosen_scenario, chosen_seed
from cnx_mock.pytest_plugin.stash import FAULT, SANDBOX, STRAYS

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.python_api.sandbox_maker import SandboxMaker
    from cnx_mock.settings import Settings

pytest_plugins = ("cnx_mock.pytest_plugin.egress", "cnx_mock.pytest_plugin.reporting")

_START = "2026-01-01T00:00:00Z"

_BASE = {"name": "pytest", "world": {"clock": {"start": _START}}, "provisioning": {"polls": 1}}
"""What every test's sandbox starts from. The clock starts at a fixed instant, so that bodies are the same in every run.
A new resource is provisioning at its first read and running at its second, so that a loop that polls ends at once."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the plugin."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, check seed and cell, and register the plugins that the options ask for."""
    config.addinivalue_line(
        "markers",
        "cnx_scenario(*scenarios): run the test's `cnx` sandbox under a CloudNexus scenario; "
        "of several, once under each; a list stacks them",
    )
    config.addinivalue_line(
        "markers",
        "cnx_sweep(allow, allow_partial): the exceptions that --cnx-sweep takes for a clean failure of this test, and "
        "whether a run that fails may leave what the run without faults leaves",
    )
    chosen_seed(config)
    cell = config.getoption("--cnx-cell")
    if cell:
        from cnx_mock.pytest_plugin.sweep import one_cell  # lazy: only a sweep needs it

        one_cell(cell)  # an unknown one ends the run here, and not in every test
    if config.getoption("--cnx-sweep"):
        if cell:
            raise pytest.UsageError("--cnx-cell runs one cell of a sweep: leave --cnx-sweep out")
        from cnx_mock.pytest_plugin.sweep import SweepPlugin  # lazy: only a sweep needs it

        config.pluginmanager.register(SweepPlugin(config), "cnx_sweep")
    if config.getoption("--cnx-intercept") or config.getini("cnx_intercept"):
        config.pluginmanager.register(_InterceptEveryTest())


class _InterceptEveryTest:
    """A plugin of its own, so that suites without the option have no fixture in every test."""

    @pytest.fixture(autouse=True)
    def _cnx_intercepted(self, cnx_intercept: "Sandbox") -> None:
        pass


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once under each of its scenarios."""
    marker = metafunc.definition.get_closest_marker("cnx_scenario")
    if marker is not None and len(marker.args) > 1 and "cnx_story" in metafunc.fixturenames:
        metafunc.parametrize("cnx_story", marker.args, ids=[_title(each) for each in marker.args], indirect=True)


def _title(scenario: object) -> str:
    """Return what a scenario is called in the id of a test."""
    if isinstance(scenario, list):
        return "+".join(map(_title, scenario)) or "none"
    if isinstance(scenario, dict):
        return str(scenario.get("name", "inline"))
    return Path(str(scenario)).stem


@pytest.fixture(scope="session")
def cnx_settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of `cnx_server`: override this fixture for another surface, TLS, readings, and so on."""
    from cnx_mock.settings import Settings  # lazy: only a suite that uses the mock needs it

    return Settings(port=0, seed=str(chosen_seed(pytestconfig)))


@pytest.fixture(scope="session")
def cnx_server(pytestconfig: pytest.Config, cnx_settings: "Settings") -> Iterator["SandboxMaker"]:
    """The CloudNexus mock of this worker, on a free port, started when a test first asks for it. With `--cnx-url` it is
    the server that runs there."""
    url: str | None = pytestconfig.getoption("--cnx-url")
    if url is None:
        from cnx_mock.python_api.server import MockServer  # lazy: only a suite that uses the mock needs it

        with _short_failure("the server cannot start: "):
            server = MockServer(settings=cnx_settings).start()
        yield server
        server.stop()
        return
    from cnx_mock.python_api.remote import RemoteServer  # lazy: as above

    with _short_failure("--cnx-url: "):
        remote = RemoteServer(url)
    yield remote
    remote.close()


@pytest.fixture
def cnx_story(request: pytest.FixtureRequest) -> Any:
    """The scenario of this test: a name, a path, plain data, or a list of them to stack; None for none."""
    if hasattr(request, "param"):
        return request.param
    marker = request.node.get_closest_marker("cnx_scenario")
    if marker is None:
        return chosen_scenario(request.config) or None
    if marker.kwargs:
        pytest.fail("cnx_scenario takes scenarios, and no keywords: cnx_scenario('flaky-network')", pytrace=False)
    return marker.args[0] if marker.args else None


@pytest.fixture
def cnx(request: pytest.FixtureRequest, cnx_server: "SandboxMaker", cnx_story: Any) -> "Sandbox":
    """A fresh CloudNexus sandbox for this test: `cnx.url`, `cnx.api_key`, `cnx.inject(…)`, `cnx.requests`."""
    given = cnx_story if isinstance(cnx_story, list) else [] if cnx_story is None else [cnx_story]
    scenarios = [_BASE, *_sweep_scenario(request), *(_in_own_folders(each, request.config) for each in given)]
    seed = chosen_seed(request.config)
    key = str(request.config.getini("cnx_key")) or None
    with _short_failure("no sandbox: "):
        sandbox = cnx_server.sandbox(scenarios, name=request.node.nodeid, seed=seed, key=key)
        last = cnx_server.call("GET", "/requests?limit=1")["data"]
    sandbox.enforced = request.node.get_closest_marker("cnx_scenario") is not None
    request.node.stash[SANDBOX] = sandbox
    request.node.stash[STRAYS] = (cnx_server, last[0]["seq"] if last else 0)
    return sandbox


@pytest.fixture
def cnx_intercept(cnx: "Sandbox", cnx_server: "SandboxMaker") -> Iterator["Sandbox"]:
    """The sandbox `cnx`, with https://api.cloudnexus.com led to it for every HTTP client in this process. Give the
    client `cnx.api_key`, or write the key that it has into the ini option `cnx_key`."""
    from cnx_mock.python_api.server import MockServer  # lazy: only a suite that uses the mock needs it

    if not isinstance(cnx_server, MockServer):
        pytest.fail("cnx_intercept leads to a server of its own process: leave --cnx-url out", pytrace=False)
    with ExitStack() as stack:
        with _short_failure("cnx_intercept: "):
            stack.enter_context(cnx_server.intercept())
        yield cnx


@contextmanager
def _short_failure(prefix: str) -> Iterator[None]:
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


def _sweep_scenario(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """Return the scenario with the faults of a sweep, or of `--cnx-cell`, in this test; nothing without."""
    cell = request.config.getoption("--cnx-cell")
    if cell:
        from cnx_mock.pytest_plugin.sweep import one_cell  # lazy: only a sweep needs it

        request.node.stash[FAULT] = one_cell(cell)
    rules = request.node.stash.get(FAULT, [])
    return [{"name": "sweep", "rules": rules}] if rules else []


def _in_own_folders(scenario: Any, config: pytest.Config) -> Any:
    """Return the file of a scenario that is in one of the suite's own folders; anything else as it is."""
    if isinstance(scenario, str) and Path(scenario).name == scenario:
        for folder in config.getini("cnx_scenario_dirs"):
            path = Path(folder) / f"{scenario.removesuffix('.yaml')}.yaml"
            if path.is_file():
                return path
    return scenario


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed without meeting the faults that it asked for."""
    result = yield
    sandbox = item.stash.get(SANDBOX, None)
    if sandbox is not None and not item.stash.get(FAULT, []):
        with _short_failure("cannot find out whether the injected rules fired: "):
            try:
                sandbox.assert_fired()
            except AssertionError as error:
                raise pytest.fail.Exception(str(error), pytrace=False) from None
    return result
