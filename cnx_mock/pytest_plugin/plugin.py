"""The pytest plugin: its fixtures and its marker. pytest imports it in every run of every project that has installed
cnx-mock, so it imports nothing but pytest and the standard library until a test asks for a fixture."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from cnx_mock.pytest_plugin.options import add_options, chosen_readings, chosen_seed
from cnx_mock.pytest_plugin.sandboxes import (
    assert_fired,
    new_sandbox,
    past_the_proxy,
    real_files,
    short_failure,
    wide_sandbox,
)
from cnx_mock.pytest_plugin.scenarios import check_used, parametrize, story_of
from cnx_mock.pytest_plugin.stash import FAILED, FAULT, OUTSIDE, READINGS, SANDBOX
from cnx_mock.pytest_plugin.sweep_marker import sweep_marker

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.python_api.sandbox_maker import SandboxMaker
    from cnx_mock.settings import Settings

pytest_plugins = ("cnx_mock.pytest_plugin.egress", "cnx_mock.pytest_plugin.reporting")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of the plugin."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers, check seed and cell, and register the plugins that the options ask for."""
    config.addinivalue_line(
        "markers",
        "cnx_scenario(*scenarios): run the test's `cnx` sandbox under a CloudNexus scenario; "
        "with several, once under each; a list combines scenarios",
    )
    config.addinivalue_line(
        "markers",
        "cnx_sweep(allow, allow_partial): for --cnx-sweep, the exceptions that are a clean failure of this test, and "
        "whether a run that fails may leave the same resources as the run without faults",
    )
    chosen_seed(config)
    if config.getoption("--cnx-reading"):
        from cnx_mock.pytest_plugin.readings import check_readings  # lazy: only a choice of readings needs it

        check_readings(config)
    cell = config.getoption("--cnx-cell")
    if cell:
        from cnx_mock.pytest_plugin.cells import one_cell  # lazy: only a sweep needs it

        one_cell(cell)  # an unknown one ends the run here, and not in every test
    _add_runs(config)
    if config.getoption("--cnx-intercept") or config.getini("cnx_intercept"):
        config.pluginmanager.register(_InterceptEveryTest())


def _add_runs(config: pytest.Config) -> None:
    """Register the plugin that runs every test more than once, if the options ask for one."""
    sweep, readings = config.getoption("--cnx-sweep"), config.getoption("--cnx-readings")
    if config.getoption("--cnx-sweep-readings") and not sweep:
        raise pytest.UsageError("--cnx-sweep-readings is for a sweep: add --cnx-sweep, or write --cnx-readings")
    if sweep and config.getoption("--cnx-cell"):
        raise pytest.UsageError("--cnx-cell runs one cell of a sweep: leave --cnx-sweep out")
    if sweep and readings:
        raise pytest.UsageError(
            "--cnx-readings cannot be combined with --cnx-sweep: write --cnx-sweep --cnx-sweep-readings"
        )
    if not (sweep or readings):
        return
    from cnx_mock.pytest_plugin.readings import ReadingsPlugin  # lazy: only these runs need it
    from cnx_mock.pytest_plugin.runs import Runs  # lazy: as above
    from cnx_mock.pytest_plugin.sweep import SweepPlugin  # lazy: as above

    runs = Runs(config)
    config.pluginmanager.register(runs, "cnx_runs")
    if sweep:
        config.pluginmanager.register(SweepPlugin(config, runs), "cnx_sweep")
    else:
        config.pluginmanager.register(ReadingsPlugin(runs), "cnx_readings")


class _InterceptEveryTest:
    """A plugin of its own, so that suites without the option have no fixture in every test."""

    @pytest.fixture(autouse=True)
    def _cnx_intercepted(self, cnx_intercept: "Sandbox") -> None:
        pass


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once under each of its scenarios."""
    parametrize(metafunc)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End the run if there is a cell, and no test that could have it."""
    cell = config.getoption("--cnx-cell")
    if cell and items and not any("cnx" in getattr(each, "fixturenames", ()) for each in items):
        raise pytest.UsageError("--cnx-cell: none of these tests uses cnx, so there is no cell to run")


@pytest.fixture(scope="session")
def cnx_settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of `cnx_server`: override this fixture for another surface, TLS, readings, and so on."""
    from cnx_mock.settings import Settings  # lazy: only a suite that uses the mock needs it

    return Settings(port=0, seed=str(chosen_seed(pytestconfig)))


@pytest.fixture(scope="session")
def cnx_server(pytestconfig: pytest.Config, cnx_settings: "Settings") -> Iterator["SandboxMaker"]:
    """The CloudNexus mock of this worker, on a free port, started when a test first asks for it. With `--cnx-url` it is
    the server that runs there."""
    url, readings = pytestconfig.getoption("--cnx-url"), chosen_readings(pytestconfig)
    with past_the_proxy(), _server(url, cnx_settings, readings) as server:
        yield server
        from cnx_mock.pytest_plugin.reporting import keep_journals  # lazy: pytest loads it as a plugin of its own

        keep_journals(pytestconfig)


@contextmanager
def _server(url: str | None, settings: "Settings", readings: dict[str, str]) -> Iterator["SandboxMaker"]:
    if url is None:
        from cnx_mock.python_api.server import MockServer  # lazy: only a suite that uses the mock needs it

        with short_failure("the server cannot start: "), real_files():
            server = MockServer(settings=settings).start()
        if readings:
            server.call("PATCH", "/readings", readings)  # for sandboxes that a test makes itself
        yield server
        server.stop()
        return
    from cnx_mock.python_api.remote import RemoteServer  # lazy: as above

    with short_failure("--cnx-url: "):
        remote = RemoteServer(url)
    yield remote
    remote.close()


@pytest.fixture
def cnx_story(request: pytest.FixtureRequest) -> Any:
    """The scenario of this test: a name, a path, plain data, or a list of them to stack; None for none."""
    return request.param if hasattr(request, "param") else story_of(request.node)


@pytest.fixture
def cnx(request: pytest.FixtureRequest, cnx_server: "SandboxMaker", cnx_story: Any) -> Iterator["Sandbox"]:
    """A fresh CloudNexus sandbox for this test: `cnx.url`, `cnx.api_key`, `cnx.inject(…)`, `cnx.requests`."""
    node, cell = request.node, request.config.getoption("--cnx-cell")
    sweep_marker(node)  # a mistake in it fails the test, also without a sweep
    if cell:
        from cnx_mock.pytest_plugin.cells import one_cell  # lazy: only a sweep needs it

        node.stash[FAULT] = one_cell(cell)
    rules = node.stash.get(FAULT, [])
    readings = node.stash.get(READINGS, {})
    sandbox = new_sandbox(request.config, cnx_server, node.nodeid, cnx_story, rules=rules, readings=readings)
    with short_failure("no sandbox: "):
        last = cnx_server.call("GET", "/requests?limit=1")["data"]
    sandbox.enforced = node.get_closest_marker("cnx_scenario") is not None
    node.stash[SANDBOX], node.stash[FAILED] = sandbox, False
    node.stash[OUTSIDE] = (cnx_server, last[0]["seq"] if last else 0)
    yield sandbox
    if cell and not node.stash[FAILED]:
        from cnx_mock.pytest_plugin.cells import check_happened  # lazy: only a sweep needs it

        check_happened(cell, rules, sandbox)


@pytest.fixture(scope="module")
def cnx_module(request: pytest.FixtureRequest, cnx_server: "SandboxMaker") -> Iterator["Sandbox"]:
    """A CloudNexus sandbox that all tests of a module share, under the scenario of the module's marker
    (`pytestmark`)."""
    with wide_sandbox(request, cnx_server, story_of(request.node)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def cnx_session(request: pytest.FixtureRequest, cnx_server: "SandboxMaker") -> Iterator["Sandbox"]:
    """A CloudNexus sandbox that all tests of this run share (with xdist: of this worker), under the scenario of the
    whole suite."""
    with wide_sandbox(request, cnx_server, story_of(request.node)) as sandbox:
        yield sandbox


@pytest.fixture
def cnx_intercept(cnx: "Sandbox", cnx_server: "SandboxMaker") -> Iterator["Sandbox"]:
    """The sandbox `cnx`, with https://api.cloudnexus.com led to it for every HTTP client in this process. Give the
    client `cnx.api_key`, or write the key that it has into the ini option `cnx_key`."""
    from cnx_mock.python_api.server import MockServer  # lazy: only a suite that uses the mock needs it

    if not isinstance(cnx_server, MockServer):
        pytest.fail("cnx_intercept needs a server in this process: leave --cnx-url out", pytrace=False)
    with ExitStack() as stack:
        with short_failure("cnx_intercept: "), real_files():
            stack.enter_context(cnx_server.intercept())
        yield cnx


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed without meeting the faults that it asked for, or whose marker had no effect."""
    result = yield
    sandbox = item.stash.get(SANDBOX, None)
    check_used(item)
    if sandbox is not None and not item.stash.get(FAULT, []):
        assert_fired(sandbox)
    return result
