"""The file of a report: known to be writable before anything runs, and written as a whole or not at all.

click.File(lazy=True) opens a file only when it is written, too late to know; with atomic=True it puts an empty file in
the place of the last report when nothing is written, as after Ctrl-C, and a plain file in the place of /dev/stderr.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from cnx_mock.errors import UsageError
from cnx_mock.text.files import check_file_name, draft, replace_file
from cnx_mock.text.live_keys import masked


class ReportFile:
    """A file to be written at the end. What is there and is not a regular file, such as /dev/stderr, is appended to.

    Raises UsageError if the file could not be written.
    """

    def __init__(self, name: str) -> None:
        check_file_name(name)
        self.name = name
        self._is_special = Path(name).exists() and (not Path(name).is_file() or name.startswith("/dev/"))
        self._path = Path(name) if self._is_special else Path(name).resolve()
        if self._path.is_dir():
            raise self._unusable("it is a folder")
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise self._unusable("you may not write to it")
        if not self._is_special:
            try:
                with draft(self._path, b""):
                    pass
            except OSError as error:
                raise self._unusable(error.strerror or str(error)) from None

    @property
    def suffix(self) -> str:
        """The end of its name, in small letters: `.json`."""
        return Path(self.name).suffix.lower()

    def write(self, content: bytes) -> None:
        """Write it without live keys, in the place of what was there. Raises UsageError if that fails."""
        content = masked(content)
        try:
            if self._is_special:
                self._append(content)
            else:
                replace_file(self._path, content)
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None

    def _append(self, content: bytes) -> None:
        """Write it at the end, without a buffer that would wait once more when a signal has ended the wait. Raises
        OSError."""
        with self._path.open("ab", buffering=0) as stream:
            while content:
                content = content[stream.write(content) :]

    def _unusable(self, reason: str) -> UsageError:
        return UsageError(f"the report {self.name} cannot be written: {reason}")


class ReportFileType(click.Path):
    """An option's file for a report; `suffixes` are those that its name may end in, all if there are none."""

    name = "file"

    def __init__(self, suffixes: Collection[str] = (), message: str = "") -> None:
        super().__init__()
        self._suffixes = suffixes
        self._message = message

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the ReportFile. Raises UsageError if it could not be written."""
        if isinstance(value, ReportFile) or (ctx is not None and ctx.resilient_parsing):
            return value  # a shell that completes a word must not touch files
        if not value:
            raise UsageError("a report needs the name of a file")
        if self._suffixes and Path(value).suffix.lower() not in self._suffixes:
            raise UsageError(f"{value}: {self._message}")
        return ReportFile(str(value))
