"""The command `cnx-mock` for tests: real processes that need not import everything first.

`run` and `Popen` take what those of `subprocess` take. Each process of pytest starts one server (`fork_server.py`) that
has imported the package, and every command is a fork of it: a process with its own arguments, environment, folder,
standard streams, process group and signals. The installed command itself is run if a test asks for it (`REAL`), if the
environment changes how Python starts, and on systems without fork.
"""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from select import select
from threading import Lock
from typing import Any

COMMAND = Path(sys.executable).with_name("cnx-mock")
"""The installed command, as the first word of `run` and `Popen`."""

REAL = str(COMMAND)
"""The same, as a word that is never forked."""

COVERAGE: str | None = None
"""How coverage measures the forks, if it does."""

_START_UP = ("PYTHON", "LC_", "LANG", "LD_", "OPENSSL_", "TZ", "MALLOC")
"""Variables that the interpreter reads before any code of ours runs."""


class _Server:
    """The process that forks, started when the first command is."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def fork(self, order: dict[str, Any], streams: list[int]) -> socket.socket:
        """Start a command; the socket on which its server reports."""
        ours, theirs = socket.socketpair()
        data = json.dumps(order).encode("utf-8", "surrogateescape")
        with self._lock, theirs:
            if self._socket is None:
                self._socket = self._started()
            socket.send_fds(self._socket, [len(data).to_bytes(8, "big")], [*streams, theirs.fileno()])
            self._socket.sendall(data)
        return ours

    def _started(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        measured = {} if COVERAGE is None else {"COVERAGE_PROCESS_CONFIG": COVERAGE}
        script = Path(__file__).with_name("fork_server.py")
        with theirs:
            process = subprocess.Popen(
                [sys.executable, script, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | measured,
                stdin=subprocess.DEVNULL,
            )
        atexit.register(self._stop, process)
        return ours

    def _stop(self, process: "subprocess.Popen[bytes]") -> None:
        if self._socket is not None:
            self._socket.close()
        process.wait()


_SERVER = _Server()


class _Fork(subprocess.Popen[Any]):
    """A `Popen` whose process is forked by the server, which waits for it in our place."""

    def _execute_child(
        self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell,
        p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids, uid, umask,
        start_new_session, process_group, *_,
    ) -> None:  # fmt: skip
        order = {
            "argv": ["cnx-mock", *map(str, args[1:])],
            "cwd": os.path.abspath(cwd or "."),  # noqa: PTH100 (a folder that does not exist stays as it is)
            "env": dict(os.environ if env is None else env),
            "session": start_new_session,
            "group": -1 if process_group is None else process_group,
        }
        streams = [
            given if given != -1 else own for given, own in zip((p2cread, c2pwrite, errwrite), (0, 1, 2), strict=True)
        ]
        try:
            self._reports = _SERVER.fork(order, streams)
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


def _forkable(args: Any, env: dict[str, str] | None) -> bool:
    if not hasattr(os, "fork") or not isinstance(args, list | tuple) or args[0] is not COMMAND:
        return False
    return env is None or _start_up(env) == _start_up(dict(os.environ))


def _start_up(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(_START_UP)}


def Popen(args: Any, **options: Any) -> "subprocess.Popen[Any]":
    """Start a command; `subprocess.Popen`, but for what it costs."""
    return (_Fork if _forkable(args, options.get("env")) else subprocess.Popen)(args, **options)


def run(
    args: Any,
    *,
    input: Any = None,
    capture_output: bool = False,
    timeout: float | None = None,
    check: bool = False,
    **options: Any,
) -> "subprocess.CompletedProcess[Any]":
    """Run a command to its end; `subprocess.run`, but for what it costs."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(args, **options) as process:
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
