"""Files that people name: only regular ones are read, never more than a limit; each is written as a whole or not."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cnx_mock.errors import UsageError
from cnx_mock.text.live_keys import masked_text

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""Opening a FIFO without a writer would wait for one, and opening a terminal could take it over."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

OUR_FOLDER = ".cnx-mock"
"""The folder for what cnx-mock writes beside people's own files. Git ignores it."""


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless they exist. Raises OSError if that is impossible.

    If it is in `.cnx-mock`, that folder gets a `.gitignore` that ignores all of it. One that is there stays as it is.
    """
    path.mkdir(parents=True, exist_ok=True)
    ours = next((each for each in (path, *path.parents) if each.name == OUR_FOLDER), None)
    if ours is not None:
        ignore = ours / ".gitignore"
        with suppress(FileExistsError), _named(ignore), ignore.open("x", encoding="utf-8") as file:
            file.write("# Written by cnx-mock: what is here can be made again.\n*\n")


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises OSError if it cannot be read, if it is a FIFO, a device or a socket, and if it is larger (EFBIG). Raises
    ValueError for a path with a null character.
    """
    return read_with_status(path, limit)[0]


def decoded(content: bytes) -> str:
    """Return the text of a file: UTF-8, or UTF-16 with a byte order mark, in which `>` of Windows PowerShell writes.
    Raises UnicodeDecodeError."""
    return content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8")


def read_with_status(path: Path, limit: int) -> tuple[bytes, os.stat_result]:
    """Return what `read_regular` returns, and the owner and the permissions of that same file. Raises what that
    raises."""
    descriptor = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        kind = status.st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", str(path))
    return content, status


def check_file_name(path: Path | str) -> None:
    """Raise UsageError for the name of a file to write that has a live key in it: the name would store the key."""
    name = os.fspath(path)
    if masked_text(name) != name:
        raise UsageError(f"{masked_text(name)}: the name contains a live key; choose another name for the file")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the path in an OSError: that of a full disk names no file, and others name the draft."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def draft(path: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside `path`, readable by its owner only, and yield its path: to be renamed, or linked. It is
    removed afterwards. Raises OSError; then nothing is left, and what is at `path` stays as it is."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def replace_file(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write a file completely or not at all, in the place of one that may be there. Without a `mode`, it gets the
    permissions of that one, or else those that new files get. Raises OSError, with the name of `path`."""
    with _named(path), draft(path, content) as new:
        new.chmod(_mode(path) if mode is None else mode)
        new.replace(path)


def create_file(path: Path, content: bytes) -> None:
    """Write a new file completely or not at all. Raises FileExistsError if there is one, and OSError, with the name of
    `path`."""
    with _named(path), draft(path, content) as new:
        new.chmod(_mode(path))
        os.link(new, path)


def _mode(path: Path) -> int:
    """Return the permissions of a file; if there is none, those that new files get."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode) & 0o777
    mask = os.umask(0o077)  # the system tells it only when it is set
    os.umask(mask)
    return 0o666 & ~mask
