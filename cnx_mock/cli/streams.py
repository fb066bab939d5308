"""The three standard streams, as the command finds them: some may be closed, and some may be full."""

import io
import os
import select
import sys
from typing import Any, TextIO

from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.output_filter import OutputFilter
from cnx_mock.cli.terminal import wants_colour
from cnx_mock.text.control_characters import visible_line

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""Name and mode of each standard stream, in the order of their descriptors."""


def open_missing() -> None:
    """Open the null device in the place of each standard stream that is closed.

    The descriptors 0 to 2 are then taken: no socket or file of ours gets one of them. They are not inherited, so that a
    program that we run finds closed what the user has closed.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if not is_open(number):
            _open_null(number)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 (it stays open)
            setattr(sys, name, stream)


def prepare_output() -> None:
    """Let both streams mask live keys and escape control characters, and write a character that a stream cannot show
    as an escape. Let errors name stdout, such as that of a full disk, and let a thread write what goes to stderr:
    nothing waits for that."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        live = sys.stdout.isatty()
        raw = sys.stdout.buffer if live else io.BufferedWriter(_Stdout(1, "wb", closefd=False))
        sys.stdout = _SafeOutput(
            raw, sys.stdout, encoding=sys.stdout.encoding, errors="backslashreplace", line_buffering=live
        )
    sys.stderr = BackgroundStream(sys.stderr)


def stderr() -> BackgroundStream:
    """Return `sys.stderr`, or for a command that is called from Python a stream that writes to it."""
    found: Any = sys.stderr
    return found if isinstance(found, BackgroundStream) else BackgroundStream(found)


def settle() -> None:
    """Wait for what goes to stderr, before something else is shown at the same place. A stream that takes nothing is
    not waited for (see `BackgroundStream.drain`)."""
    if isinstance(sys.stderr, BackgroundStream):
        sys.stderr.drain()


class _SafeOutput(io.TextIOWrapper):
    """A text stream whose every text passes an `OutputFilter`."""

    def __init__(self, buffer: Any, original: TextIO, **options: Any) -> None:
        super().__init__(buffer, **options)
        self._original = original  # it would close the buffer if nothing held it
        self._filter = OutputFilter(colour=wants_colour(self))

    def write(self, text: str, /) -> int:
        super().write(self._filter.feed(text))
        return len(text)

    def end(self) -> None:
        """Write what waited for the rest of a key. Raises OSError."""
        super().write(self._filter.end())


class _Stdout(io.FileIO):
    """The descriptor of stdout. Python's own stream gives errors without a name, and fails if another program has made
    the descriptor non-blocking."""

    def write(self, data: Any, /) -> int:
        try:
            while (written := super().write(data)) is None:
                select.select([], [self], [])
            return written
        except OSError as error:
            error.filename = "stdout"
            raise


def warn_on_stderr() -> None:
    """Let each warning of the package be a line on stderr; the traceback of an error follows on lines of its own."""
    import logging  # lazy: it takes time to import, and most commands never warn

    class Line(logging.Formatter):
        def formatMessage(self, record: logging.LogRecord) -> str:
            return visible_line(super().formatMessage(record))

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line("cnx-mock: %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


def end_output() -> None:
    """Write the rest of stderr, and drop what a closed or full stdout still holds: Python would try once more at its
    end, and exit with 120."""
    try:
        if _refuses(sys.stdout):
            discard_stdout()
        settle()
    except KeyboardInterrupt:  # enough
        discard_stdout()


def discard_stdout() -> None:
    """Lead what is still written to stdout to the null device: no later attempt waits for a reader."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


def _refuses(stream: TextIO) -> bool:
    try:
        if isinstance(stream, _SafeOutput):
            stream.end()
        stream.flush()
    except OSError:
        return True
    return False


def is_open(number: int) -> bool:
    """Return whether a file descriptor is open."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _open_null(number: int) -> None:
    found = os.open(os.devnull, os.O_RDWR)
    if found != number:
        os.dup2(found, number, inheritable=False)
        os.close(found)
