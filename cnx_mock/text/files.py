"""Files that people name: reading only regular ones, and never more than a limit; folders for what is written."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""Opening a FIFO without a writer would wait for one, and opening a terminal could take it over."""

OUR_FOLDER = ".cnx-mock"
"""The folder for what cnx-mock writes beside people's own files. Git ignores it."""


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless they exist. Raises OSError if that is impossible.

    If it is in `.cnx-mock`, that folder gets a `.gitignore` that ignores all of it. One that is there stays as it is.
    """
    path.mkdir(parents=True, exist_ok=True)
    ours = next((each for each in (path, *path.parents) if each.name == OUR_FOLDER), None)
    if ours is not None:
        with suppress(FileExistsError), (ours / ".gitignore").open("x", encoding="utf-8") as file:
            file.write("# Written by cnx-mock: what is here can be made again.\n*\n")


def read_regular(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Raises OSError if it cannot be read, if it is a FIFO, a device or a socket, and if it is larger (EFBIG). Raises
    ValueError for a path with a null character.
    """
    descriptor = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    with os.fdopen(descriptor, "rb") as file:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", str(path))
    return content
