"""A report's file: known to be writable before anything runs, and there whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnx_mock.errors import UsageError


class Report:
    """A JSON file to be written at the end. What is there and is no file, such as /dev/stderr, is written to as it is.

    Raises UsageError for a file that could not be written.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._special = Path(name).exists() and (not Path(name).is_file() or name.startswith("/dev/"))
        self._path = Path(name) if self._special else Path(name).resolve()
        if self._path.is_dir():
            raise self._unusable("it is a folder")
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise self._unusable("it is not yours to write")
        if not self._special:
            try:
                self._draft().unlink()
            except OSError as error:
                raise self._unusable(error.strerror or str(error)) from None

    def write(self, data: dict[str, Any]) -> None:
        """Write it, in the place of what was there. Raises UsageError where it cannot be written after all."""
        import orjson

        text = orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        try:
            if self._special:
                with self._path.open("ab") as stream:
                    stream.write(text)
                return
            draft = self._draft()
            try:
                draft.write_bytes(text)
                draft.chmod(self._path.stat().st_mode & 0o777 if self._path.exists() else 0o666 & ~_umask())
                draft.replace(self._path)
            finally:
                with suppress(FileNotFoundError):
                    draft.unlink()
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from None

    def _draft(self) -> Path:
        """An empty file beside it. Raises OSError."""
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name[:100]}.")
        os.close(descriptor)
        return Path(name)

    def _unusable(self, reason: str) -> UsageError:
        return UsageError(f"the report {self._name} cannot be written: {reason}")


def _umask() -> int:
    """What new files are spared; it can be asked only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
