"""Reading files that people name: only regular ones, and never more than a limit."""

import errno
import os
import stat
from pathlib import Path

_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""Opening a FIFO without a writer would wait for one, and opening a terminal could take it over."""


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
