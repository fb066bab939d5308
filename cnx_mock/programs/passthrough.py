"""Another program, run as if nobody stood in between: standard streams, signals and exit status pass through."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from cnx_mock.errors import ProgramError

_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGCONT")
_ENDING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
_RESTORED = ("SIGPIPE", "SIGXFSZ")
"""What Python ignores, and programs do not expect to find ignored."""

_SI_KERNEL = 128
"""The origin of a signal that no process sent: on Linux, the terminal's."""

if sys.platform == "win32":

    class Signals:
        """What is sent to us is the child's: the console sends it Ctrl-C by itself."""

        def run(self, command: list[str], environ: Mapping[str, str]) -> int:
            """Run a program to its end; its exit status. Raises ProgramError."""
            try:
                process = subprocess.Popen(command, env=dict(environ))
            except OSError as error:
                raise ProgramError(command[0], error) from None
            while True:
                with suppress(KeyboardInterrupt):
                    return process.wait()

else:

    class Signals:
        """From here on, what is sent to us is the child's: signals wait until there is one, and then go to it.

        The child is in our process group, so that a terminal serves it as if it were alone: what the terminal sends
        (Ctrl-C, Ctrl-Z), it sends to both, and it is not passed on once more. Threads must be started after this.
        """

        def __init__(self) -> None:
            signal.signal(signal.SIGCHLD, lambda *_: None)  # were it ignored, nobody would learn how children end
            self._watched = {*map(_number, _PASSED_ON), signal.SIGCHLD}
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)

        def run(self, command: list[str], environ: Mapping[str, str]) -> int:
            """Run a program to its end: its exit status, 128 + N where signal N killed it. Raises ProgramError."""
            early = signal.sigpending() & set(map(_number, _ENDING))
            if early:
                return 128 + int(min(early))
            try:
                child = self._spawn(command, environ)
            except OSError as error:
                raise ProgramError(command[0], error) from None
            while True:
                number, sender = self._next()
                if number == signal.SIGCHLD:
                    status = _ended(child)
                    if status is not None:
                        return status
                elif sender not in (None, child):
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(child, number)

        def _spawn(self, command: list[str], environ: Mapping[str, str]) -> int:
            """The process's id; a script without a `#!` line is the shell's, as everywhere. Raises OSError."""
            if not command[0]:  # Python refuses it in its own way
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            spawn = partial(os.posix_spawnp, setsigmask=self._before, setsigdef=[*map(_number, _RESTORED)])
            try:
                return spawn(command[0], command, environ)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
            script = shutil.which(command[0]) or command[0]
            return spawn("/bin/sh", ["sh", script, *command[1:]], environ)

        def _next(self) -> tuple[int, int | None]:
            """The next signal and who sent it, None where it was the terminal."""
            if hasattr(signal, "sigwaitinfo"):
                found = signal.sigwaitinfo(self._watched)
                return found.si_signo, None if found.si_code == _SI_KERNEL else found.si_pid
            number = signal.sigwait(self._watched)  # macOS does not say who
            by_terminal = number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP) and _in_foreground()
            return number, None if by_terminal else 0

    def _number(name: str) -> int:
        return int(getattr(signal, name))

    def _ended(child: int) -> int | None:
        """The child's exit status, None while it lives. Where job control has stopped it, we stop with it, so that the
        shell sees it; SIGCONT wakes both."""
        found, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
        if not found:
            return None
        if os.WIFSTOPPED(status):
            if os.WSTOPSIG(status) in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                os.kill(os.getpid(), signal.SIGSTOP)
            return None
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code

    def _in_foreground() -> bool:
        try:
            terminal = os.open("/dev/tty", os.O_RDONLY)
        except OSError:
            return False
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        except OSError:
            return False
        finally:
            os.close(terminal)
