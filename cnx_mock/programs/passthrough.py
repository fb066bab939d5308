"""A program run in the foreground as if it were alone: standard streams, signals and exit status pass through. (`start`
says how a sweep differs.)"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext, suppress
from pathlib import Path

from cnx_mock.programs.marked import MARK, kill_marked
from cnx_mock.programs.start import ProgramResult, start
from cnx_mock.world.clock import SECOND, ticks

_PASSED_ON = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGTSTP", "SIGCONT")
_ENDING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")
_RESTORED = ("SIGPIPE", "SIGXFSZ")
"""Signals that Python ignores, and that programs do not expect to be ignored."""

_SI_KERNEL = 128
"""`si_code` of a signal that no process sent: on Linux, the terminal's."""

if sys.platform == "win32":

    class Foreground:
        """Runs a program in the foreground; the console sends Ctrl-C to the program by itself."""

        def __init__(self) -> None:
            self._process: subprocess.Popen[bytes] | None = None

        def run(self, command: Sequence[str], environ: Mapping[str, str], folder: Path | None = None) -> ProgramResult:
            """Run a program to its end, in a folder, or here. Raises ProgramError."""
            began = ticks()
            process = start(command, lambda words: subprocess.Popen(words, env=dict(environ), cwd=folder))
            self._process = process
            while True:
                with suppress(KeyboardInterrupt):
                    return ProgramResult(process.wait(), (ticks() - began) / SECOND)

        def kill(self) -> None:
            """Kill the program, if it runs. Any thread may call this."""
            if self._process is not None:
                self._process.kill()

        def interruptible(self) -> AbstractContextManager[None]:
            """Let signals end what is done within. They can."""
            return nullcontext()

else:

    class Foreground:
        """Runs a program in the foreground. From when this is made, signals are the program's: they are blocked until
        it runs, and then passed on to it.

        The program is in our process group, so a terminal treats it as if it were alone. The terminal sends signals
        (Ctrl-C, Ctrl-Z) to both processes, so they are not passed on. Threads must be started after this.
        """

        def __init__(self) -> None:
            self._child: int | None = None
            self._mark, self._began = "", 0
            signal.signal(signal.SIGCHLD, lambda *_: None)  # if it were ignored, waitpid would not find the program
            self._watched = {*map(_number, _PASSED_ON), signal.SIGCHLD}
            self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)

        def run(self, command: Sequence[str], environ: Mapping[str, str], folder: Path | None = None) -> ProgramResult:
            """Run a program to its end, in a folder, or here. A signal that came before it could start ends it
            unstarted. Raises ProgramError."""
            began = ticks()
            early = signal.sigpending() & set(map(_number, _ENDING))
            if early:
                return ProgramResult(-int(min(early)), 0)
            self._mark, self._began = f"{os.getpid()}-{began}", began
            marked = {**environ, MARK: self._mark}
            child = self._child = start(command, lambda words: self._spawned(words, marked, folder))
            while True:
                number, sender = self._next()
                if number == signal.SIGCHLD:
                    status = self._ended(child)
                    if status is not None:
                        return ProgramResult(status, (ticks() - began) / SECOND)
                elif sender not in (None, child):
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(child, number)

        @contextmanager
        def interruptible(self) -> Iterator[None]:
            """Let signals end what is done within, after the program has ended; those that have come were for the
            program."""
            while late := signal.sigpending() & self._watched:
                signal.sigwait(late)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
            try:
                yield
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)

        def kill(self) -> None:
            """Kill the program, if it runs; on Linux, all that it has started too. Any thread may call this."""
            if (child := self._child) is not None:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                kill_marked(self._mark, child, self._began)

        def _spawned(self, command: list[str], environ: Mapping[str, str], folder: Path | None) -> int:
            """Start a process with the signals as they were before us; return its id. Raises OSError."""
            restored = [*map(_number, _RESTORED)]
            with nullcontext() if folder is None else chdir(folder):  # posix_spawn cannot change it by itself
                return os.posix_spawnp(command[0], command, environ, setsigmask=self._before, setsigdef=restored)

        def _ended(self, child: int) -> int | None:
            """Return the child's exit status, negative for a signal; None while it runs. If job control has stopped it,
            we stop too, so that the shell sees it; SIGCONT wakes both."""
            found, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
            if not found:
                return None
            if os.WIFSTOPPED(status):
                if os.WSTOPSIG(status) in (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU):
                    os.kill(os.getpid(), signal.SIGSTOP)
                return None
            self._child = None
            return os.waitstatus_to_exitcode(status)

        def _next(self) -> tuple[int, int | None]:
            """Wait for the next signal; return it and the process that sent it, None for the terminal."""
            if hasattr(signal, "sigwaitinfo"):
                found = signal.sigwaitinfo(self._watched)
                return found.si_signo, None if found.si_code == _SI_KERNEL else found.si_pid
            number = signal.sigwait(self._watched)  # macOS does not say who
            by_terminal = number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP) and _in_foreground()
            return number, None if by_terminal else 0

    def _number(name: str) -> int:
        return int(getattr(signal, name))

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
