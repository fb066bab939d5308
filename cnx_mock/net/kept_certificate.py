"""The server's certificate, kept in the CA's file for a month, so that the next server starts without `cryptography`:
importing that takes longer than the rest of a start.

Behind the CA's key and certificate the file has one line, then the server's key and certificate. The line says for what
they were made, as a digest of the CA and of the names, and when they may be used. The key is worth less than the CA's
own in the same file, which may sign for the same names.
"""

import hashlib

from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.world.clock import SECOND, wall_now

KEPT_SECONDS = 30 * 86400
"""How long a certificate is used again. It is valid for a year more: a server that starts with it can run on."""

_LINE = b"cnx-mock server certificate "
"""What the line begins with. Readers of PEM skip it."""


def kept_certificate(content: bytes) -> bytes | None:
    """Return the server's key and certificate in the content of a CA's file, as PEM; None if there are none that may be
    used now."""
    ca, _, kept = content.partition(_LINE)
    line, _, pem = kept.partition(b"\n")
    try:
        digest, start, end = line.split()
        in_time = int(start) <= wall_now() // SECOND < int(end)
    except ValueError:
        return None
    return pem if in_time and digest == _digest(ca) else None


def with_certificate(content: bytes, pem: bytes, valid: tuple[int, int]) -> bytes:
    """Return the content of a CA's file with this server's key and certificate, in place of others. `valid` are the
    seconds since the Unix epoch between which the certificates of both may be used."""
    ca, start, end = content.partition(_LINE)[0], *valid
    line = b"%b %d %d\n" % (_digest(ca), start, min(end, wall_now() // SECOND + KEPT_SECONDS))
    return ca + _LINE + line + pem


def _digest(ca: bytes) -> bytes:
    """Return a digest of a CA and of the names in the certificate."""
    names = "\n".join(SERVED_NAMES).encode()
    return hashlib.sha256(ca + b"\0" + names).hexdigest().encode()
