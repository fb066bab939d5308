"""Several processes that share the tests: `pytest -p tests.workers --workers 3`.

pytest collects once. Then it forks its workers, which have imported and collected everything already: with xdist, each
of them does that anew, and it takes 3 s of a processor. A worker takes one file after the other, in the order of the
collection, until none is left, so that a file's servers and clients are started once. It is a run of pytest like any
other, but it reports to the first process, which alone writes to the terminal. That also ends a worker whose test takes
longer than `faulthandler_timeout`: to be watched from outside costs a test nothing.
"""

import os
import signal
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from math import inf
from mmap import mmap
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

import pytest

from tests import commands

_OF_THE_FIRST = ("terminalreporter", "lfplugin", "nfplugin", "stepwiseplugin", "faulthandler")
"""The plugins that write what all tests have come to, and the one that watches them."""
_REPORTER = "reporter of a worker"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=1, help="how many processes share the tests")


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, int, int]:
    """End a worker without taking its memory apart."""
    status = yield
    if config.pluginmanager.has_plugin(_REPORTER):
        commands.leave(status)
    return status


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the tests in workers. None if this process is to run them."""
    if not _is_shared(session) or session.testsfailed:
        return None
    workers = _Workers(session)
    if not workers.fork(session.config.getoption("workers")):
        workers.watch()
    return True


def _is_shared(session: pytest.Session) -> bool:
    option = session.config.option
    return option.workers > 1 and not option.collectonly and hasattr(os, "fork")


def file_of(item: pytest.Item) -> str:
    """What one worker runs: the tests of a file, and those of all pages. So there is one browser, which has loaded the
    live page once."""
    file = item.nodeid.partition("::")[0]
    return "pages" if "/dashboard/" in file or file.endswith("_in_browser.py") else file


@dataclass
class _Worker:
    """A worker, as the first process sees it."""

    number: int
    pid: int
    reports: "Connection[Any, Any]"
    test: int = 0
    """The test that runs, as far as is known."""
    since: float = 0
    """When that was seen to run."""
    status: int | None = None
    """With which status it will end; it says so when it has run all that it has taken."""


@dataclass
class _Workers:
    """The workers of a run, and what they share."""

    session: pytest.Session
    files: list[list[pytest.Item]] = field(init=False)
    """The tests that stay together."""
    queue: tuple[int, int] = field(default_factory=os.pipe)
    """The numbers of the files that nobody has taken, two bytes each."""
    shared: memoryview = field(default_factory=lambda: memoryview(mmap(-1, 4096)).cast("I"))
    """Whether to stop, and for each worker which test runs; these are counted from 1."""
    running: list[_Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        files: dict[str, list[pytest.Item]] = {}
        for item in self.session.items:
            files.setdefault(file_of(item), []).append(item)
        self.files = [*files.values()]
        self.numbers = {id(item): number for number, item in enumerate(self.session.items, 1)}

    def fork(self, number: int) -> bool:
        """Start the workers. True in a worker, when it has run its tests."""
        os.write(self.queue[1], b"".join(each.to_bytes(2, "big") for each in range(len(self.files))))
        os.close(self.queue[1])
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until `watch` can end the workers
        for each in range(1, number + 1):
            ours, theirs = Pipe(duplex=False)
            pid = os.fork()
            if pid == 0:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
                ours.close()
                for other in self.running:
                    other.reports.close()
                self._work(each, theirs)
                return True
            theirs.close()
            self.running.append(_Worker(each, pid, ours))
        return False

    # ---- in a worker

    def _work(self, number: int, reports: "Connection[Any, Any]") -> None:
        plugins = self.session.config.pluginmanager
        for name in _OF_THE_FIRST:
            if plugins.has_plugin(name):
                plugins.unregister(name=name)
        capture: Any = plugins.getplugin("capturemanager")
        capture.stop_global_capturing()  # the files that catch the output are those of the first process
        capture.start_global_capturing()
        reporter = _Reporter(self.session.config, reports)
        plugins.register(reporter, _REPORTER)
        items = self._taken()
        item = next(items, None)
        while item is not None and not self.shared[0]:
            following = next(items, None)
            self.shared[number] = self.numbers[id(item)]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            item = following
        reporter.send("done", int(pytest.ExitCode.TESTS_FAILED if self.session.testsfailed else pytest.ExitCode.OK))

    def _taken(self) -> Iterator[pytest.Item]:
        """The tests of the files that this worker takes."""
        while taken := os.read(self.queue[0], 2):
            yield from self.files[int.from_bytes(taken, "big")]

    # ---- in the first process

    def watch(self) -> None:
        """Pass on what the workers report, until all have ended."""
        limit = float(self.session.config.getini("faulthandler_timeout") or inf)
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            while self.running:
                for reports in wait([each.reports for each in self.running], min(1, limit)):
                    worker = next(each for each in self.running if each.reports is reports)
                    self._receive(worker)
                for worker in self.running:
                    self._abort_late(worker, limit)
        finally:
            self.shared[0] = 1
            for each in self.running:
                each.reports.close()  # else it would wait until its reports are read
                os.kill(each.pid, signal.SIGINT)
                os.waitpid(each.pid, 0)
        if self.session.shouldfail:
            raise self.session.Failed(self.session.shouldfail)
        if self.session.shouldstop:
            raise self.session.Interrupted(self.session.shouldstop)

    def _receive(self, worker: _Worker) -> None:
        try:
            name, values = worker.reports.recv()
        except EOFError:
            self._end(worker)
            return
        hook = self.session.config.hook
        if name == "done":
            worker.status = values
            return
        if name == "warning":
            hook.pytest_warning_recorded.call_historic(kwargs=values)
            return
        for data in values:
            report = hook.pytest_report_from_serializable(config=self.session.config, data=data)
            hook.pytest_runtest_logreport(report=report)
        if self.session.shouldfail or self.session.shouldstop:
            self.shared[0] = 1

    def _abort_late(self, worker: _Worker, limit: float) -> None:
        """Abort a worker whose test has taken too long: it says where it is."""
        now = time.monotonic()
        if worker.test != self.shared[worker.number]:
            worker.test, worker.since = self.shared[worker.number], now
        elif worker.test and now - worker.since > limit:
            os.kill(worker.pid, signal.SIGABRT)
            worker.since = inf

    def _end(self, worker: _Worker) -> None:
        """A worker has ended. If that is not as it has said, the test that ran fails."""
        self.running.remove(worker)
        worker.reports.close()
        status = os.waitstatus_to_exitcode(os.waitpid(worker.pid, 0)[1])
        if status != worker.status:
            item = self.session.items[max(self.shared[worker.number], 1) - 1]
            report = pytest.TestReport(
                nodeid=item.nodeid,
                location=item.location,
                keywords={},
                outcome="failed",
                longrepr=f"the worker has ended in this test, or after it, with status {status}. "
                "It has not run the rest of the file.",
                when="call",
            )
            self.session.config.hook.pytest_runtest_logreport(report=report)


class _Reporter:
    """Reports what happens in a worker, once a test: then its output is whole."""

    def __init__(self, config: pytest.Config, reports: "Connection[Any, Any]") -> None:
        self._config = config
        self._reports = reports
        self._of_test: list[Any] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._of_test.append(data)

    def pytest_runtest_logfinish(self) -> None:
        self.send("reports", self._of_test)
        self._of_test = []

    def pytest_warning_recorded(self, warning_message: Any, when: str, nodeid: str, location: Any) -> None:
        values = {"warning_message": warning_message, "when": when, "nodeid": nodeid, "location": location}
        self.send("warning", values)

    def pytest_internalerror(self, excrepr: object) -> None:
        sys.__stderr__.write(f"{excrepr}\n")  # type: ignore[union-attr]

    def send(self, name: str, values: Any) -> None:
        try:
            self._reports.send((name, values))
        except BrokenPipeError:
            pytest.exit("the first process has ended")
