"""Forks commands or programs for `tests/commands.py`: a process with one thread, which has imported all that these may
need. Its arguments: `command` or `program`, the number of the socket with its orders, and for commands that of the
server of their programs. A run of pytest is a command too.

For each order it forks once, and reports on the order's own socket: first the process id, then the exit status, eight
bytes each.
"""

import atexit
import gc
import http.client
import importlib
import importlib.util
import json
import os
import runpy
import signal
import socket
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from select import select
from typing import Any, NoReturn

from tests import commands, measuring

_OF_ALL_PROGRAMS = ("http.client", "urllib.request", "encodings.idna", "concurrent.futures.thread", "logging", "uuid")
"""What nearly every program imports, often by a module of its own."""
_OF_PROGRAMS = ("requests", "httpx2")
"""What programs import that takes long; each is imported here when the first of them has its name."""


_OF_THE_COMMAND: list[object] = []
"""In a program that is a fork of its command, the command's streams: they write what they hold when they go."""


def _prepare() -> None:
    """Import everything that a command may need: no fork has to."""
    from cnx_mock.asgi import create_app  # lazy: programs do not need it
    from tests.everything import load_everything  # lazy: as above

    load_everything(but=("cnx_mock.pytest_plugin",))
    _make_templates()
    create_app()
    _serve_a_few_times()


def _make_templates() -> None:
    """Make the templates that a process makes when it first needs them. They take longer than most commands do."""
    from cnx_mock.sweep.report import templates  # lazy: programs do not need it

    pages = templates._environment()
    for name in pages.list_templates(["j2"]):
        pages.get_template(name)


def _serve_a_few_times() -> None:
    """Python makes code faster that has run a few times."""
    for _ in range(3):
        _serve_once()
    measuring.PROCESS.prepare()
    gc.collect()
    gc.freeze()


def _serve_once() -> None:
    """Do what most commands do: read options, start a server, call it and judge the calls."""
    import click  # lazy: programs do not need it

    from cnx_mock import MockServer  # lazy: as above
    from cnx_mock.audit.audit import findings  # lazy: as above
    from cnx_mock.audit.call import calls_of  # lazy: as above
    from cnx_mock.cli.main import cli  # lazy: as above

    with click.Context(cli) as context:
        for name in ("run", "sweep"):
            command = cli.get_command(context, name)
            assert command is not None
            command.make_context(name, ["--", "true"], parent=context)
    with (
        MockServer(proxy=True) as server,
        closing(http.client.HTTPConnection(server.url.removeprefix("http://"))) as wire,
    ):
        sandbox = server.sandbox()
        for path in ("/v1/plans", "/v1/instances", "/_mock"):
            wire.request("GET", path, headers={"Authorization": f"Bearer {sandbox.api_key}"})
            wire.getresponse().read()
        findings(calls_of(sandbox.call("GET", "/requests")["data"]))
        sandbox.call("GET", "/state")


def _order(control: socket.socket) -> tuple[Any, list[int]] | None:
    """The next process to start: what it is given, and its file descriptors; None when the tests are over."""
    data, descriptors, _, _ = socket.recv_fds(control, commands.LARGEST, 5)
    return (json.loads(data.decode("utf-8", "surrogateescape")), descriptors) if data else None


def _report(number: int, where: int) -> None:
    """Report a process id, or an exit status."""
    with suppress(OSError):  # the test need not wait
        os.write(where, number.to_bytes(8, "big", signed=True))


def _become(order: dict[str, Any], streams: list[int], reports: int) -> None:
    """Be the process that the test has asked for, and report its process id."""
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    if order["session"]:
        os.setsid()
    elif order["group"] >= 0:
        os.setpgid(0, order["group"])
    _report(os.getpid(), reports)  # only now: it is in the group by which it can be killed
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv[:] = order["argv"]
    _open_streams()


def _open_streams() -> None:
    tempfile.tempdir = None
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (they stay open)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


def _imported_for(order: dict[str, Any]) -> None:
    """Import what a program does, so that the next one need not."""
    _, name, *rest = order["argv"]
    with suppress(OSError, ImportError):
        text = rest[0] if name == "-c" else _source(rest[0]) if name == "-m" else Path(order["cwd"], name).read_text()
        for module in _OF_PROGRAMS:
            if module in text:
                importlib.import_module(module)


def _source(module: str) -> str:
    """The source of a module; empty if it is none of ours."""
    spec = importlib.util.find_spec(module) if module.startswith("cnx_mock.") else None
    return Path(spec.origin).read_text() if spec and spec.origin else ""


class _Server:
    """Forks for every order, and reports how each process ends."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._ended, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        self._running: dict[int, int] = {}
        """The process ids, and where each is reported."""

    def forked(self, prepare: Callable[[dict[str, Any]], object]) -> bool:
        """True in a new process, False in the server when the tests are over."""
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        while True:
            ready = select([self._control, self._ended], [], [])[0]
            if self._ended in ready:
                self._ended.recv(4096)
                self._report_ended()
            if self._control not in ready:
                continue
            if (order := _order(self._control)) is None:
                return False
            given, (*streams, reports) = order[0], order[1][:4]
            prepare(given)
            if pid := os.fork():
                self._running[pid] = reports
                for each in (*streams, *order[1][4:]):
                    os.close(each)
                continue
            self._leave()
            _become(given, streams, reports)
            os.close(reports)
            for number in order[1][4:]:
                os.set_inheritable(number, False)
                commands.COMMANDS.use(socket.socket(fileno=number))
            return True

    def _report_ended(self) -> None:
        for pid in list(self._running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                reports = self._running.pop(pid)
                _report(os.waitstatus_to_exitcode(status), reports)
                os.close(reports)

    def _leave(self) -> None:
        """Keep nothing of the server in the new process."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for each in (self._control, self._ended, self._wakes):
            each.close()
        for number in self._running.values():
            os.close(number)


def _programs() -> Callable[[], object]:
    """Prepare the programs, and return what runs each of them."""
    for name in _OF_ALL_PROGRAMS:
        importlib.import_module(name)
    return _program


def _prepare_pytest(order: dict[str, Any]) -> None:
    """Import what a run of pytest does, when the first one is asked for."""
    if order["argv"][0] != "pytest" or "xdist" in sys.modules:
        return
    import xdist.plugin  # type: ignore[import-untyped]  # lazy: most tests run no pytest
    import xdist.remote  # type: ignore[import-untyped]  # noqa: F401
    from _pytest.assertion.rewrite import AssertionRewritingHook  # lazy: as above
    from _pytest.config import get_config  # lazy: as above

    from tests.pytest_plugin.conftest import read_installed_once  # lazy: as above

    get_config()
    AssertionRewritingHook._warn_already_imported = lambda *_: None  # type: ignore[method-assign]  # so they are
    read_installed_once()
    commands.fork_workers()
    measuring.PROCESS.prepare()
    gc.collect()
    gc.freeze()


def _pytest() -> None:
    """Run pytest, or a worker of its xdist."""
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    words = {"-mpytest": ["-m", "pytest"], "-u": []}
    sys.argv[1:2] = words.get(sys.argv[1], [sys.argv[1]])
    _program()


def _program() -> None:
    """Run the program that the arguments name."""
    _, name, *rest = sys.argv
    if name == "-c":
        sys.argv[:] = ["-c", *rest[1:]]
        sys.path[0] = ""
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        return
    if name == "-m":
        sys.argv[:] = rest
        sys.path[0] = str(Path.cwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        return
    sys.argv[:] = [name, *rest]
    sys.path[0] = str(Path(name).resolve().parent)
    runpy.run_path(name, run_name="__main__")


def _run(main: Callable[[], object]) -> NoReturn:
    """Run the command, and end its process with the status that Python would give."""
    status = 0
    try:
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)  # noqa: T201 (as Python does)
    except Exception:
        traceback.print_exc()
        status = 1
    commands.leave(status)


def _spawned_in_foreground(own: Callable[..., int]) -> Callable[..., int]:
    """Start a program as `own` does, which is that of `cnx_mock.programs.passthrough`; fork it if it is in Python."""
    from cnx_mock.cli.streams import is_open  # lazy: programs do not need it

    def spawned(foreground: Any, command: list[str], environ: dict[str, str], folder: Path | None) -> int:
        if not commands.is_forkable_program(command, environ) or not all(map(is_open, (0, 1, 2))):
            return own(foreground, command, environ, folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # there are threads: those of a server, which wait
            pid = os.fork()
        if pid == 0:
            _become_program(command, environ, folder, foreground._before)
        return pid

    return spawned


def _become_program(command: list[str], environ: dict[str, str], folder: Path | None, mask: set[int]) -> NoReturn:
    """Be the program in a fork of the command, of which nothing is left: not its files, its signals and its exit."""
    gc.freeze()  # or garbage of the command closes files of the program
    _OF_THE_COMMAND.extend((sys.stdin, sys.stdout, sys.stderr))
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    atexit._clear()
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    os.environ.clear()
    os.environ.update(environ)
    if folder is not None:
        os.chdir(folder)
    sys.argv[:] = command
    _open_streams()
    _run(_program)


def _commands(programs: socket.socket) -> Callable[[], object]:
    """Prepare the commands, and return what each of them runs."""
    _prepare()
    from cnx_mock.cli import background_stream  # lazy: programs do not need it
    from cnx_mock.cli.main import main  # lazy: as above
    from cnx_mock.programs import bounded, passthrough  # lazy: as above

    def command() -> None:
        background_stream.GRACE = int(os.environ.pop(commands.GRACE, background_stream.GRACE))
        main()

    commands.PROGRAMS.use(programs)
    bounded._spawned = commands.spawn
    passthrough.Foreground._spawned = _spawned_in_foreground(passthrough.Foreground._spawned)  # type: ignore[method-assign]
    return command


if __name__ == "__main__":
    kind, *numbers = sys.argv[1:]
    for number in numbers:
        os.set_inheritable(int(number), False)
    if os.environ.get(measuring.SWITCH):
        measuring.start()
    control, *others = (socket.socket(fileno=int(number)) for number in numbers)
    main = _commands(*others) if kind == "command" else _programs()
    forked = False
    with suppress(KeyboardInterrupt):
        forked = _Server(control).forked(_imported_for if kind == "program" else _prepare_pytest)
    if forked:
        _run(_pytest if sys.argv[0] == "pytest" else main)
