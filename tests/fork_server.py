"""Forks commands for `tests/commands.py`: a process with one thread, which has imported all that a command may need.

For each command it forks a waiter, which forks the command and reports on a socket of its own: first the process id,
then the exit status, eight bytes each. So neither has to look for the other's signals.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cnx_mock
from cnx_mock.asgi import create_app

_NOT_NEEDED = ("cnx_mock.__main__", "cnx_mock.pytest_plugin")
_LATER = (
    *("uvloop", "uvicorn.lifespan.off", "httptools", "orjson", "encodings.idna"),
    *("faker", "cryptography.x509", "cryptography.hazmat.backends.openssl.backend"),
)


def _prepare() -> None:
    """Import everything: no fork has to."""
    for module in pkgutil.walk_packages(cnx_mock.__path__, "cnx_mock."):
        if not module.name.startswith(_NOT_NEEDED):
            importlib.import_module(module.name)
    for name in _LATER:
        with suppress(ImportError):
            importlib.import_module(name)
    create_app()  # what is made once in a process is made here
    gc.collect()
    gc.freeze()


def _orders(control: socket.socket) -> Any:
    """The commands to start: what each is given, and its file descriptors."""
    while True:
        head, descriptors, _, _ = socket.recv_fds(control, 8, 4)
        if not head:
            return
        size, data = int.from_bytes(head, "big"), b""
        while len(data) < size:
            data += control.recv(size - len(data))
        yield json.loads(data.decode("utf-8", "surrogateescape")), descriptors


def _reap() -> None:
    """Forget the waiters that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _wait_for(pid: int, reports: int) -> None:
    """Report a command's process id and its exit status."""
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # meant for the command, where the whole group gets it
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # the test need not wait
        os.write(reports, pid.to_bytes(8, "big"))
    for stream in range(3):
        os.close(stream)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):
        os.write(reports, status.to_bytes(8, "big", signed=True))


def _become(order: dict[str, Any]) -> None:
    """Be the process that the test has asked for."""
    if order["session"]:
        os.setsid()
    elif order["group"] >= 0:
        os.setpgid(0, order["group"])
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    sys.argv[:] = order["argv"]
    tempfile.tempdir = None
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 (they stay open)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115


def _command(control: socket.socket) -> bool:
    """Fork for every order. True in the process of a command, False in the server when the tests are over."""
    for order, descriptors in _orders(control):
        _reap()
        if os.fork():
            for each in descriptors:
                os.close(each)
            continue
        control.close()
        *streams, reports = descriptors
        for number, each in enumerate(streams):
            os.dup2(each, number)
            os.close(each)
        if pid := os.fork():
            _wait_for(pid, reports)
            os._exit(0)
        os.close(reports)
        _become(order)
        return True
    return False


def _run(main: Callable[[], object]) -> None:
    """Run the command and end its process as Python would, but take nothing apart: that would copy all memory."""
    status = 0
    try:
        main()
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        status = end.code or 0
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _prepare()
    from cnx_mock.cli.main import main

    forked = False
    with suppress(KeyboardInterrupt):
        forked = _command(socket.socket(fileno=int(sys.argv[1])))
    if forked:
        _run(main)
