"""The server's certificate, kept in the CA's folder for a month, so that the next server starts without `cryptography`:
importing that takes longer than the rest of a start.

The file `server.pem` has one line, then the certificate's key and the certificate. The line says what they were made
for, as a digest of the CA and of the names, and when they may be used. Everything else is checked as if the CA itself
was read: it is the user's own, no one else can use it, and `ca.pem` is its certificate. The key in this file is worth
less than the CA's key in the file beside it, which may sign for the same names.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cnx_mock.errors import CertificateError
from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.text.files import replace_file
from cnx_mock.world.clock import SECOND, wall_now

FILE = "server.pem"
KEPT_SECONDS = 30 * 86400
"""How long a certificate is used again. It is valid for a year more: a server that starts with it can run on."""

ReadSecret = Callable[[Path], bytes]
"""Returns the content of a key's file. Raises OSError, and CertificateError if others can use it."""


def kept_certificate(folder: Path, secret: bytes, read: ReadSecret) -> bytes | None:
    """Return the key and the certificate that were kept for the CA in this folder, as PEM; None if there are none that
    may be used now. `secret` is the content of the CA's file."""
    try:
        line, _, pem = read(folder / FILE).partition(b"\n")
        digest, start, end = line.split()
        in_time = int(start) <= wall_now() // SECOND < int(end)
    except (OSError, ValueError, CertificateError):
        return None
    return pem if in_time and digest == _digest(secret) else None


def keep(folder: Path, secret: bytes, pem: bytes, valid: tuple[int, int]) -> None:
    """Keep a key and its certificate beside the CA. `valid` are the seconds since the Unix epoch between which both
    certificates may be used. Nothing is kept if the folder cannot be written."""
    start, end = valid
    line = b"%b %d %d\n" % (_digest(secret), start, min(end, wall_now() // SECOND + KEPT_SECONDS))
    with suppress(OSError):
        replace_file(folder / FILE, line + pem, 0o600)


def _digest(secret: bytes) -> bytes:
    """Return a digest of the CA and of the names in the certificate."""
    names = "\n".join(SERVED_NAMES).encode()
    return hashlib.sha256(secret + b"\0" + names).hexdigest().encode()
