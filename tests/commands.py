"""The command `cnx-mock` for tests: real processes that need not import everything first.

`run` and `Popen` take what those of `subprocess` take. Each process of pytest starts a server (`fork_server.py`) that
has imported the package, and every command is a fork of it: a process with its own arguments, environment, folder,
standard streams, process group and signals. The installed command itself is run if a test asks for it (`REAL`), if the
environment changes how Python starts, and on systems without fork.

The Python programs of a sweep are forked likewise, off a server that has imported what they do: they are real
processes, but a hundred of them need not start an interpreter each. Those of `run` have to be children of the command,
and are forks of it. Runs of pytest, and the workers of its xdist, are forked likewise (`popen_pytest`, `fork_workers`);
a test that asks what such a run imports starts a real one.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from threading import Lock
from typing import IO, Any, NoReturn

COMMAND = Path(sys.executable).with_name("cnx-mock")
"""The installed command, as the first word of `run` and `Popen`."""

REAL = str(COMMAND)
"""The same, as a word that is never forked."""

ROOT = Path(__file__).parents[1]

PYTHON = str(Path(sys.executable).with_name("python"))
"""This Python, as it is found in its folder."""

GRACE = "TESTS_GRACE"
"""A variable for a command: how long its end waits for a stream that takes nothing, in microseconds."""

LARGEST = 1 << 20
"""How many bytes an order may have."""

_START_UP = ("PYTHON", "LC_", "LANG", "LD_", "OPENSSL_", "TZ", "MALLOC")
"""Variables that the interpreter reads before any code of ours runs."""


class _Server:
    """A process that forks, started when it is first asked to."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def fork(self, order: dict[str, Any], streams: list[int]) -> socket.socket:
        """Start a process; the socket on which its server reports."""
        ours, theirs = socket.socketpair()
        data = json.dumps(order).encode("utf-8", "surrogateescape")
        more = [self.orders().fileno()] if order["argv"][0] == "pytest" else []  # it may have workers
        with theirs:
            socket.send_fds(self.orders(), [data], [*streams, theirs.fileno(), *more])
        return ours

    def orders(self) -> socket.socket:
        """Where the server takes its orders; each is one packet, so that several processes may send them."""
        with self._lock:
            if self._socket is None:
                self._socket = self._started()
            return self._socket

    def use(self, orders: socket.socket) -> None:
        """Use the server that another process has started."""
        self._socket = orders

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LARGEST)
        passed = [theirs.fileno(), *([PROGRAMS.orders().fileno()] if self is COMMANDS else [])]
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", self._kind, *map(str, passed)],
                pass_fds=passed,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
            )
        atexit.register(self._stop, ours, process, os.getpid())
        return ours

    @staticmethod
    def _stop(ours: socket.socket, process: "subprocess.Popen[bytes]", starter: int) -> None:
        if os.getpid() != starter:  # this is a worker that tests/workers.py has forked
            return
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)  # closing is not enough: commands that still run have it, too
        ours.close()
        process.wait()


PROGRAMS = _Server("program")
"""Forks Python programs."""

COMMANDS = _Server("command")
"""Forks commands, and runs of pytest with their workers."""


def start() -> None:
    """Start both servers now, for all processes that this one will fork."""
    COMMANDS.orders()


class _Fork(subprocess.Popen[Any]):
    """A `Popen` whose process is forked by a server, which waits for it in our place."""

    _name = "cnx-mock"

    def _server(self) -> _Server:
        return COMMANDS

    def _execute_child(
        self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell,
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids, uid, umask,
        start_new_session, process_group, *_,
    ) -> None:  # fmt: skip
        order = {
            "argv": [self._name, *map(str, args[1:])],  # a program forgets the first word
            "cwd": os.path.abspath(cwd or "."),  # noqa: PTH100 (a folder that does not exist stays as it is)
            "env": dict(os.environ if env is None else env),
            "session": start_new_session,
            "group": -1 if process_group is None else process_group,
        }
        streams = [
            given if given != -1 else own for given, own in zip((p2cread, c2pwrite, errwrite), (0, 1, 2), strict=True)
        ]
        try:
            self._reports = self._server().fork(order, streams)
            self.pid = int.from_bytes(self._reports.recv(8), "big")
        finally:
            self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)  # type: ignore[attr-defined]
        self._child_created = True

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        return self._ended(0)

    def _wait(self, timeout: float | None) -> int:
        status = self._ended(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select([self._reports], [], [], timeout)[0]:
            status = self._reports.recv(8)
            self._reports.close()
            self.returncode = int.from_bytes(status, "big", signed=True) if status else -signal.SIGKILL
        return self.returncode


class _ForkOfProgram(_Fork):
    """The same for a Python program."""

    def _server(self) -> _Server:
        return PROGRAMS


class _ForkOfPytest(_Fork):
    """The same for a run of pytest, or one of its workers."""

    _name = "pytest"


def _forkable(args: Any, env: Mapping[str, str] | None) -> bool:
    if not hasattr(os, "fork") or not isinstance(args, list | tuple) or args[0] is not COMMAND:
        return False
    return _starts_alike(env)


def _starts_alike(env: Mapping[str, str] | None) -> bool:
    return env is None or _start_up(env) == _start_up(os.environ)


def _is_this_python(name: str, environ: Mapping[str, str]) -> bool:
    return name == sys.executable or (name == "python" and shutil.which(name, path=environ.get("PATH")) == PYTHON)


def is_forkable_program(command: list[str], environ: Mapping[str, str]) -> bool:
    """Whether this is a program in Python that can be forked."""
    first = command[1] if len(command) > 1 else ""
    is_python = _is_this_python(command[0], environ) and (first in ("-c", "-m") or first.endswith(".py"))
    return hasattr(os, "fork") and is_python and _starts_alike(environ)


def _start_up(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_START_UP)}


def Popen(args: Any, **options: Any) -> "subprocess.Popen[Any]":
    """Start a command; `subprocess.Popen`, but for what it costs."""
    return (_Fork if _forkable(args, options.get("env")) else subprocess.Popen)(args, **options)


def spawn(
    command: list[str], environ: Mapping[str, str], output: IO[bytes], folder: Path | None
) -> "subprocess.Popen[Any]":
    """Start a program as `cnx_mock.programs.bounded` does, in whose place this can be."""
    pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
    return popen_program(command, env=dict(environ), start_new_session=True, cwd=folder, **pipes)


def popen_program(args: list[str], *, env: Mapping[str, str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a program; fork it if it is in Python."""
    kind = _ForkOfProgram if is_forkable_program(args, env) else subprocess.Popen
    return kind(args, env=env, **options)


def popen_pytest(args: Any, **options: Any) -> "subprocess.Popen[Any]":
    """Start `python -m pytest` or one of its workers."""
    return (_ForkOfPytest if hasattr(os, "fork") else subprocess.Popen)(args, **options)


def fork_workers(patch: Callable[[Any, str, Any], None] = setattr) -> None:
    """Let xdist fork its workers."""
    from execnet import gateway_base, gateway_io  # lazy: only runs of pytest need it

    def start(master: Any, args: list[str], execmodel: Any) -> None:
        master.popen = popen_pytest(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        gateway_base.Popen2IO.__init__(master, master.popen.stdin, master.popen.stdout, execmodel=execmodel)

    patch(gateway_io.Popen2IOMaster, "__init__", start)


def leave(status: int) -> NoReturn:
    """End this process as Python would, but take nothing apart: in a fork, that would copy all memory."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


def run(
    args: Any,
    *,
    input: Any = None,
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    popen: Callable[..., "subprocess.Popen[Any]"] = Popen,
    **options: Any,
) -> "subprocess.CompletedProcess[Any]":
    """Run a command to its end, or what `popen` starts; `subprocess.run`, but for what it costs."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with popen(args, **options) as process:
        try:
            stdout, stderr = process.communicate(input, timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                process.kill()
            raise
    done = subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)
    if check:
        done.check_returncode()
    return done
