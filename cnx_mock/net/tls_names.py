"""The certificates that a server shows, for the mock's names and for names of the user's own.

A name that the default CA may sign for, such as `eu.cloudnexus.com` or `app.localhost`, is added to the default
certificate. For all other names there is a second CA, which may sign for nothing else but this machine, and a second
certificate. The name that a client asks for decides which of the two it is shown. So clients that trust the default CA
continue to work, and that CA never gets more names.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

from cnx_mock.dataclass import dataclass
from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.net.certificates import Authority, authority, own_authority, publish_both
from cnx_mock.text.tls_names import is_address, matches


@dataclass(frozen=True, slots=True)
class Trust:
    """The CAs that sign for a server: what clients trust."""

    default: Authority
    own: Authority | None
    """The CA for names of the user's own; None without such names."""
    within: tuple[str, ...]
    """The names that the default CA signs for, beside those of the mock."""
    names: tuple[str, ...]
    """The names that the other CA signs for."""

    @property
    def path(self) -> Path:
        """The certificates of these CAs (PEM), in one file. Raises CertificateError."""
        return self.default.path if self.own is None else publish_both(self.default, self.own)

    def server_context(self) -> ssl.SSLContext:
        """Return a TLS context with new certificates."""
        from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

        context = self.default.server_context((*SERVED_NAMES, *self.within))
        if self.own is not None:
            loopback = (*signing.LOOPBACK_NAMES, *filter(is_address, self.within))
            own = self.own.server_context((*self.names, *loopback))
            context.sni_callback = _Chooser(self.names, own)
        return context


class _Chooser:
    """Changes the context of a handshake whose client asks for one of the names. A client that calls an IP address
    asks for no name (RFC 6066 section 3): it is shown the certificate that has addresses of the user's own, if one
    does."""

    def __init__(self, names: Sequence[str], own: ssl.SSLContext) -> None:
        self._names = names
        self._own = own
        self._addresses = any(map(is_address, names))

    def __call__(self, session: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        asked = (name or "").lower()
        if any(matches(each, asked) for each in self._names) or (name is None and self._addresses):
            session.context = self._own


def trust(folder: Path, names: Sequence[str]) -> Trust:
    """Return the CAs for the mock's names and for these, made if there are none. Raises CertificateError."""
    from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

    within = tuple(each for each in names if signing.is_permitted(each) and each not in SERVED_NAMES)
    others = tuple(each for each in names if not signing.is_permitted(each))
    return Trust(authority(folder), own_authority(folder, others) if others else None, within, others)
