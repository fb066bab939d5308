"""The three standard streams, as the command finds them: some may be closed, and some may be full."""

import io
import os
import sys
from typing import Any, TextIO

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""Name and mode of each standard stream, in the order of their descriptors."""


def open_missing() -> None:
    """Open the null device in the place of each standard stream that is closed.

    The descriptors 0 to 2 are then taken: no socket or file of ours gets one of them. They are not inherited, so that a
    program that we run finds closed what the user has closed.
    """
    for number, (name, mode) in enumerate(_STREAMS):
        if not _is_open(number):
            _open_null(number)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 (it stays open)
            setattr(sys, name, stream)


def prepare_output() -> None:
    """Write a character that a stream cannot show as an escape, and let errors name stdout, such as that of a full
    disk."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        raw = io.BufferedWriter(_Stdout(1, "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(raw, encoding=sys.stdout.encoding, newline=None)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


class _Stdout(io.FileIO):
    """The descriptor of stdout. Python's own stream gives errors without a name."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            error.filename = "stdout"
            raise


def warn_on_stderr() -> None:
    """Let each warning of the package be a line on stderr."""
    import logging  # lazy: it takes time to import, and most commands never warn

    logging.basicConfig(stream=sys.stderr, format="cnx-mock: %(message)s", level=logging.WARNING)


def drop_unwritten() -> None:
    """Drop what a closed or full stream still holds: Python would try once more at its end, and exit with 120."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        if _refuses(stream):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)


def _refuses(stream: TextIO) -> bool:
    try:
        stream.flush()
    except OSError:
        return True
    return False


def _is_open(number: int) -> bool:
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
