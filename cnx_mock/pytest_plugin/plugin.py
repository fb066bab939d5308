"""The pytest plugin. It is imported in every pytest run of every project that has installed cnx-mock, so it imports
nothing but pytest and the standard library until a test asks for a fixture."""

from argparse import ArgumentTypeError
from collections.abc import Generator, Iterator
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import pytest

from cnx_mock.pytest_plugin.stash import FAULT, SANDBOX

if TYPE_CHECKING:
    from cnx_mock.python_api.remote import SandboxMaker
    from cnx_mock.python_api.sandbox import Sandbox
    from cnx_mock.settings import Settings

pytest_plugins = "cnx_mock.pytest_plugin.egress"

_START = "2026-01-01T00:00:00Z"

_BASE = {"name": "pytest", "world": {"clock": {"start": _START}}, "provisioning": {"polls": 1}}
"""What every test's sandbox starts from: a fixed instant, so that bodies are the same in every run; and the first
read of a new resource says provisioning, the second running, so that a loop that polls ends at once."""

_SCENARIO = "scenario for every test without a marker of its own"
_SEED = "seed of everything drawn by chance"
_INTERCEPT = "lead https://api.cloudnexus.com to the mock in every test"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the plugin."""
    group = parser.getgroup("cnx-mock", "CloudNexus mock")
    group.addoption("--cnx-seed", type=_seed, metavar="N", help=f"{_SEED} (default: the ini option, or 0)")
    group.addoption("--cnx-scenario", metavar="NAME|PATH", help=f"{_SCENARIO} (default: the ini option)")
    group.addoption("--cnx-url", metavar="URL", help="a running cnx-mock to use, in place of one of our own")
    group.addoption(
        "--cnx-sweep", action="store_true", help="run every test that uses cnx with every fault at every call"
    )
    group.addoption(
        "--cnx-sweep-faults", default="", metavar="NAMES", help="sweep with these faults only: reset-after,hang"
    )
    group.addoption(
        "--cnx-sweep-timeout", metavar="DURATION", help="limit of a swept run (default: 3 × its own time + 15s)"
    )
    group.addoption("--cnx-cell", metavar="NAME", help="run with one fault of a sweep: instances.create-1-reset-after")
    group.addoption("--cnx-intercept", action="store_true", help=_INTERCEPT)
    parser.addini("cnx_intercept", _INTERCEPT, type="bool", default=False)
    parser.addini("cnx_key", "API key of code that has its own: it leads to each test's sandbox", default="")
    parser.addini("cnx_seed", _SEED, default="0")
    parser.addini("cnx_scenario", _SCENARIO, default="")
    parser.addini("cnx_scenario_dirs", "folders in which scenarios are found by name", type="paths", default=[])


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ArgumentTypeError(f"{text!r} is no whole number of at most 18 digits")
    return int(text)


def _chosen_seed(config: pytest.Config) -> int:
    given: int | None = config.getoption("--cnx-seed")
    if given is not None:
        return given
    try:
        return _seed(config.getini("cnx_seed"))
    except ArgumentTypeError as error:
        raise pytest.UsageError(f"cnx_seed: {error}") from None


def _chosen_scenario(config: pytest.Config) -> str:
    return config.getoption("--cnx-scenario") or str(config.getini("cnx_scenario"))


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers",
        "cnx_scenario(*scenarios): run the test's `cnx` sandbox under a CloudNexus scenario; "
        "of several, once under each; a list stacks them",
    )
    config.addinivalue_line(
        "markers", "cnx_sweep(allow): the exceptions that --cnx-sweep takes for a clean failure of this test"
    )
    _chosen_seed(config)
    if config.getoption("--cnx-sweep"):
        if config.getoption("--cnx-cell"):
            raise pytest.UsageError("--cnx-cell runs one cell of a sweep: leave --cnx-sweep out")
        from cnx_mock.pytest_plugin.sweep import SweepPlugin

        config.pluginmanager.register(SweepPlugin(config), "cnx_sweep")
    if config.getoption("--cnx-intercept") or config.getini("cnx_intercept"):
        config.pluginmanager.register(_Intercepted())


class _Intercepted:
    """A plugin of its own, so that suites without the option have no fixture in every test."""

    @pytest.fixture(autouse=True)
    def _cnx_intercepted(self, cnx_intercept: "Sandbox") -> None:
        pass


def pytest_report_header(config: pytest.Config) -> str:
    """What it takes to run the suite again."""
    scenario, url = _chosen_scenario(config), config.getoption("--cnx-url")
    words = [f"seed {_chosen_seed(config)}", *([f"scenario {scenario}"] if scenario else []), *([url] if url else [])]
    return f"cnx-mock: {', '.join(words)}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once under each of its scenarios."""
    marker = metafunc.definition.get_closest_marker("cnx_scenario")
    if marker is not None and len(marker.args) > 1 and "cnx_story" in metafunc.fixturenames:
        metafunc.parametrize("cnx_story", marker.args, ids=[_title(story) for story in marker.args], indirect=True)


def _title(story: object) -> str:
    """What a scenario is called in a test's id."""
    if isinstance(story, list):
        return "+".join(map(_title, story)) or "none"
    if isinstance(story, dict):
        return str(story.get("name", "inline"))
    return Path(str(story)).stem


@pytest.fixture(scope="session")
def cnx_settings(pytestconfig: pytest.Config) -> "Settings":
    """How `cnx_server` runs; override it for another surface, TLS, readings, and so on."""
    from cnx_mock.settings import Settings

    return Settings(port=0, seed=str(_chosen_seed(pytestconfig)))


@pytest.fixture(scope="session")
def cnx_server(pytestconfig: pytest.Config, cnx_settings: "Settings") -> Iterator["SandboxMaker"]:
    """The CloudNexus mock of this worker, on a free port; started when a test first asks for it. With `--cnx-url` the
    one that runs there."""
    url: str | None = pytestconfig.getoption("--cnx-url")
    if url is None:
        from cnx_mock.errors import StartError
        from cnx_mock.python_api.server import MockServer

        server = MockServer(settings=cnx_settings)
        try:
            server.start()
        except StartError as error:
            pytest.fail(f"the server cannot start: {error}", pytrace=False)
        yield server
        server.stop()
        return
    from cnx_mock.python_api.remote import RemoteServer

    try:
        remote = RemoteServer(url)
    except (OSError, ValueError) as error:
        pytest.fail(f"--cnx-url: {error}", pytrace=False)
    yield remote
    remote.close()


@pytest.fixture
def cnx_story(request: pytest.FixtureRequest) -> Any:
    """The scenario of this test: a name, a path, plain data, or a list of them to stack; None for none."""
    if hasattr(request, "param"):
        return request.param
    marker = request.node.get_closest_marker("cnx_scenario")
    if marker is None:
        return _chosen_scenario(request.config) or None
    if marker.kwargs:
        pytest.fail("cnx_scenario takes scenarios, and no keywords: cnx_scenario('flaky-network')", pytrace=False)
    return marker.args[0] if marker.args else None


@pytest.fixture
def cnx(request: pytest.FixtureRequest, cnx_server: "SandboxMaker", cnx_story: Any) -> "Sandbox":
    """A fresh CloudNexus sandbox for this test: `cnx.url`, `cnx.api_key`, `cnx.inject(…)`, `cnx.requests`."""
    from cnx_mock.errors import ControlError

    stories = cnx_story if isinstance(cnx_story, list) else [] if cnx_story is None else [cnx_story]
    found = [_found(story, request.config) for story in stories]
    seed = _chosen_seed(request.config)
    key = str(request.config.getini("cnx_key")) or None
    try:
        sandbox = cnx_server.sandbox([_BASE, *_struck(request), *found], name=request.node.nodeid, seed=seed, key=key)
    except (ControlError, LookupError, TypeError, ValueError) as error:
        pytest.fail(f"the scenario of this test cannot be used:\n{error}", pytrace=False)
    sandbox.enforced = request.node.get_closest_marker("cnx_scenario") is not None
    request.node.stash[SANDBOX] = sandbox
    return sandbox


@pytest.fixture
def cnx_intercept(cnx: "Sandbox", cnx_server: "SandboxMaker") -> Iterator["Sandbox"]:
    """The sandbox `cnx`, with https://api.cloudnexus.com led to it for every HTTP client in this process: give the
    client `cnx.api_key`, or write the key that it has into the ini option `cnx_key`."""
    from cnx_mock.python_api.server import MockServer

    if not isinstance(cnx_server, MockServer):
        pytest.fail("cnx_intercept leads to a server of its own process: leave --cnx-url out", pytrace=False)
    with cnx_server.intercept():
        yield cnx


def _struck(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """What a sweep, or `--cnx-cell`, lets happen in this test, as a scenario; none otherwise."""
    cell = request.config.getoption("--cnx-cell")
    if cell:
        from cnx_mock.pytest_plugin.sweep import one_cell

        request.node.stash[FAULT] = one_cell(cell)
    rules = request.node.stash.get(FAULT, [])
    return [{"name": "sweep", "rules": rules}] if rules else []


def _found(story: Any, config: pytest.Config) -> Any:
    """The file of a scenario that one of the suite's own folders has; anything else as it is."""
    if isinstance(story, str) and Path(story).name == story:
        for folder in config.getini("cnx_scenario_dirs"):
            path = Path(folder) / f"{story.removesuffix('.yaml')}.yaml"
            if path.is_file():
                return path
    return story


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed without meeting the faults that it asked for."""
    result = yield
    sandbox = item.stash.get(SANDBOX, None)
    if sandbox is not None and not item.stash.get(FAULT, []):
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
    sandbox = item.stash.get(SANDBOX, None)
    if sandbox is not None and report.failed:
        report.sections.append(("cnx-mock journal", f"{_journal(sandbox)}\n{_again(item)}"))
    return report


def _again(item: pytest.Item) -> str:
    """The command that runs the test again, with the same chance."""
    scenario = _chosen_scenario(item.config)
    words = ["pytest", quote(item.nodeid), "--cnx-seed", str(_chosen_seed(item.config))]
    return " ".join(["again:", *words, *(["--cnx-scenario", quote(scenario)] if scenario else [])])


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
