"""What the plugin adds to the reports of pytest: the header, the journal of a failing test, and short failures for our
own errors. Every pytest run imports this, so it imports nothing but pytest and the standard library until a test fails.
"""

import contextlib
import json
import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

from cnx_mock.pytest_plugin.again import again
from cnx_mock.pytest_plugin.options import chosen_scenario, chosen_seed
from cnx_mock.pytest_plugin.stash import FAILED, JOURNALS, LAST, OUTSIDE, SANDBOX

if TYPE_CHECKING:
    from cnx_mock.python_api.sandbox import Sandbox

_PACKAGE = Path(__file__).parents[1]
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_OUTSIDE_SHOWN = 20
"""How many requests that reached no sandbox a report lists."""
_LONGEST_REFUSAL = 300
"""So many characters of a refusal are shown."""
_KEY_PROBLEMS = ("missing_key", "malformed_key", "live_key", "LIVE_KEY_REJECTED", "unknown_key")


def pytest_report_header(config: pytest.Config) -> str:
    """Show what it takes to run the suite again."""
    scenario, url = chosen_scenario(config), config.getoption("--cnx-url")
    parts = [f"seed {chosen_seed(config)}", *([f"scenario {scenario}"] if scenario else [])]
    parts += [f"reading {chosen}" for chosen in dict.fromkeys(config.getoption("--cnx-reading"))]
    parts += [url] if url else []
    if any(name.lower() in _PROXIES and value for name, value in os.environ.items()):
        from cnx_mock.net.proxies import changes_past_proxy, proxy_variable  # lazy: only behind a proxy

        if changes_past_proxy(os.environ):
            parts.append(f"{proxy_variable(os.environ)} is set: NO_PROXY will cover this machine for tests with cnx")
    return f"cnx-mock: {', '.join(parts)}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say that an option of a sweep has no effect, if there is none: its tests pass, and nothing was swept. It is no
    error, because the option may be in `addopts`."""
    if config.getoption("--cnx-sweep") or config.getoption("--cnx-cell"):
        return
    alone = {"--cnx-sweep-faults", "--cnx-sweep-allow-partial"}
    if not config.getoption("--cnx-readings"):
        alone.add("--cnx-sweep-timeout")
    for option in sorted(name for name in alone if config.getoption(name)):
        terminalreporter.write_line(f"cnx-mock: {option} has no effect without --cnx-sweep", yellow=True)


@pytest.hookimpl(specname="pytest_runtest_makereport")
def pytest_hide_our_frames(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Hide our frames if a failure is an error of ours. No wrapper, which would be too early for unittest's tests."""
    if call.excinfo is not None and not item.config.getoption("fulltrace", False):
        _hide_our_frames(call.excinfo)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a failing test what the mock saw."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
        shown = [*(item.stash.get(JOURNALS, None) or _journals(item)), f"again: {again(item)}"]
        if len(shown) > 1:
            report.sections.append(("cnx-mock journal", "\n".join(shown)))
    elif report.when == "call" and OUTSIDE in item.stash:
        with contextlib.suppress(Exception):  # a test may have stopped the server: it has passed all the same
            outside = list(_outside(item))
            if outside:
                report.sections.append(("cnx-mock journal", "\n".join(outside)))
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """Note which test is the last one: the server ends with its fixtures, before it is known whether they fail."""
    if nextitem is None:
        item.config.stash[LAST] = item
    return (yield)


def keep_journals(config: pytest.Config) -> None:
    """Read the journals of the last test while the server runs."""
    last = config.stash.get(LAST, None)
    if last is not None:
        last.stash[JOURNALS] = list(_journals(last))


def _journals(item: pytest.Item) -> Iterator[str]:
    """Yield the journal of each sandbox that a test has."""
    sandbox = item.stash.get(SANDBOX, None)
    if sandbox is not None:
        yield _journal(sandbox, item)
    for name in ("cnx_module", "cnx_session"):
        wide = getattr(item, "funcargs", {}).get(name)
        if wide is not None:
            yield f"{name}, with the requests of earlier tests:\n{_journal(wide)}"


def _hide_our_frames(info: pytest.ExceptionInfo[BaseException]) -> None:
    """End the traceback at the line of the test that called us, for errors that say all in their message."""
    from cnx_mock.errors import CnxMockError  # lazy: only a failing test needs it

    if not isinstance(info.value, CnxMockError | AssertionError):
        return
    last, entry = None, info.value.__traceback__
    while entry is not None:
        if not _is_ours(entry):
            last = entry
        entry = entry.tb_next
    if last is not None:
        if last.tb_next is not None and info.value.__cause__ is None:
            info.value.__suppress_context__ = True  # it is ours: its message says all, whatever was handled meanwhile
        last.tb_next = None
        info.traceback = type(info.traceback)(info.tb)  # pytest may have read it before


def _is_ours(entry: TracebackType) -> bool:
    """Return whether a frame is ours, that of a context manager of ours, or that of a generated `__init__` of ours."""
    file = entry.tb_frame.f_code.co_filename
    return file in (contextlib.__file__, "<string>") or Path(file).is_relative_to(_PACKAGE)


def _journal(sandbox: "Sandbox", item: pytest.Item | None = None) -> str:
    """Return the requests of the sandbox, a line for each, with the rules that fired below; then those that came during
    the test and reached no sandbox."""
    from cnx_mock.errors import CnxMockError  # lazy: only a failing test needs it
    from cnx_mock.python_api.requests import request_line  # lazy: a test with a sandbox has imported it
    from cnx_mock.text.control_characters import visible_line  # lazy: only a failing test needs it

    lines = []
    try:
        entries = sandbox.requests
        outside = list(_outside(item)) if item is not None else []
    except CnxMockError as error:
        return f"(the journal could not be read: {error})"
    for entry in entries:
        committed = ", committed" if entry.committed else ""
        lines.append(f"{request_line(entry)} ({entry.operation or entry.problem or 'no such operation'}{committed})")
        lines += [f"     fired {fault.rule}: {fault.fault}" for fault in entry.faults] or list(_refused(entry))
        if entry.near_miss:
            lines.append(f"     nearly {entry.near_miss.rule}: {entry.near_miss.reason}")
    return "\n".join(map(visible_line, [*lines, *outside])) or "(no requests)"


def _refused(entry: Any) -> Iterator[str]:
    """Yield why the API refused a request of its own accord: the error's code and details."""
    if entry.problem is None and (entry.status or 0) >= 400:
        with contextlib.suppress(
            AttributeError, LookupError, TypeError, ValueError
        ):  # a body that is none of the API's errors
            error = json.loads(entry.response_body or "")["error"]
            details = "; ".join(f"{key}: {value}" for key, value in (error.get("details") or {}).items())
            line = f"     {error['code']}{': ' if details else ''}{details}"
            yield line if len(line) <= _LONGEST_REFUSAL else f"{line[:_LONGEST_REFUSAL]}…"


def _outside(item: pytest.Item) -> Iterator[str]:
    """Yield the requests that reached no sandbox since the test began, and why, such as `missing_key`."""
    server, last = item.stash[OUTSIDE]
    found = server.call("GET", f"/requests?since={last}")["data"]
    if not found:
        return
    whys = Counter(map(_refusal, found))
    listed = ", ".join(why if len(whys) == 1 else f"{why} ({count})" for why, count in whys.items())
    yield f"{len(found)} request{'s' if len(found) > 1 else ''} reached no sandbox: {listed}"
    for entry in found[:_OUTSIDE_SHOWN]:
        yield f"     {entry['method']} {entry['path']} → {entry['status']}: {_refusal(entry)}"
    if any(why in _KEY_PROBLEMS for why in whys):
        yield "     give the client the key of its sandbox, cnx.api_key, or write its key into the ini option cnx_key"


def _refusal(entry: dict[str, Any]) -> str:
    """Return why a request was refused: why it could not be read, or the reason in its answer, or the error's code."""
    if entry["problem"]:
        return str(entry["problem"])
    try:
        error = json.loads(entry["response_body"])["error"]
        return str(error["details"].get("reason", error["code"]))
    except (LookupError, TypeError, ValueError):
        return f"{entry['method']} {entry['path']}"
