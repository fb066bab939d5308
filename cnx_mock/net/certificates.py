"""The local certificate authority (CA): one for each user, made on first use, and valid for nothing but the names that
the mock serves.

Its folder has two files, or more. `ca-key.pem` is the CA, key and certificate in one file, so that two processes that
start at the same time use the same CA. `ca.pem` is the certificate alone, for clients to trust. `ca-bundle.pem`, made
on demand, is that certificate and everything else that the user's programs trust, for programs that take a single file.
In `ca-key.pem` there is a server's certificate too: see `kept_certificate`. A CA that is not valid now is replaced.
`ca-key-after-….pem`, with the beginning of the old certificate's fingerprint, is the one that replaced it: processes
that replace the same CA at the same time all find the same new one there.

Names that this CA may not sign for have another one: see `tls_names`. It is in a folder of its own below this one,
`own-names/…`, with the same files and `ca-both.pem`, the certificates of both.
"""

import hashlib
import logging
import os
import shlex
import ssl
import stat
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import CertificateError
from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.net.kept_certificate import kept_certificate, with_certificate
from cnx_mock.settings import flag, variable
from cnx_mock.text.files import check_file_name, draft, read_regular, read_with_status, replace_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

log = logging.getLogger("cnx_mock")

_CERTIFICATE, _KEY, _BUNDLE = "ca.pem", "ca-key.pem", "ca-bundle.pem"
_OWN, _BOTH = "own-names", "ca-both.pem"
_SUCCESSOR = "ca-key-after-{}.pem"
_MAX_KEY = 1 << 16
"""The most bytes of a key's file."""
_ELSEWHERE = f"choose another folder with {flag('ca_dir')} or {variable('ca_dir')} (in Python: Settings(ca_dir=…))"


def ca_folder(chosen: str, environ: Mapping[str, str]) -> Path:
    """Return the CA's folder: `chosen`, else that of CNX_MOCK_CA_DIR, else one in the user's data folder. Raises
    CertificateError if the user has no home folder, and UsageError if its name has a live key in it."""
    if chosen := chosen or environ.get(variable("ca_dir"), ""):
        check_file_name(chosen)
        return Path(chosen).absolute()
    data = environ.get("XDG_DATA_HOME", "")
    try:
        base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        raise CertificateError(f"the CA has no folder, because the user has no home folder: {_ELSEWHERE}") from None
    return base / "cnx-mock" / "ca"


@dataclass(frozen=True)
class Authority:
    """A CA that can be used: its certificate, the path of that for clients, and the key to sign with."""

    path: Path
    certificate: "x509.Certificate"
    key: "EllipticCurvePrivateKey"

    def server_context(self, names: Sequence[str] = ()) -> ssl.SSLContext:
        """Return a TLS context with a new certificate for these names; without any, for those that the mock serves."""
        return _context(self.new_certificate(names or SERVED_NAMES))

    def new_certificate(self, names: Sequence[str]) -> bytes:
        """Return a new key and its certificate for these names, as PEM."""
        from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

        return signing.server_certificate(self.certificate, self.key, names)


def _context(pem: bytes) -> ssl.SSLContext:
    """Return a server's TLS context with this key and this certificate. Raises SSLError if they are not such."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    with tempfile.TemporaryDirectory(prefix="cnx-mock-") as folder:  # OpenSSL reads only files
        path = Path(folder) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context


def default_server_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a TLS context for the names that the mock serves, and the path of the CA's certificate. The certificate is
    the one that the CA's file keeps; if that may not be used, a new one, which is kept. Raises CertificateError."""
    kept = _kept_context(folder)
    if kept is None:
        default = authority(folder)
        pem = default.new_certificate(SERVED_NAMES)
        from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

        with suppress(OSError, CertificateError):
            valid = signing.valid_seconds(default.certificate, pem)
            _publish(folder / _KEY, with_certificate(_read_secret(folder / _KEY), pem, valid), mode=0o600)
        kept = _context(pem)
    return kept, folder / _CERTIFICATE


def _kept_context(folder: Path) -> ssl.SSLContext | None:
    """Return a TLS context with the certificate that the CA's file keeps; None if there is none that may be used.
    Raises CertificateError if others can use the CA."""
    try:
        secret, public = _read_secret(folder / _KEY), read_regular(folder / _CERTIFICATE, _MAX_KEY)
        pem = kept_certificate(secret)
        return _context(pem) if pem and public and public in secret else None
    except OSError:  # SSLError is one
        return None


def authority(folder: Path, names: Sequence[str] = ()) -> Authority:
    """Return the CA in this folder. It is made if there is none, for the mock's names or for `names`. It is replaced,
    with a warning in the log, if it is not valid now: a clock was wrong, or ten years have passed. Two processes that
    make one at the same time get the same one. Raises CertificateError."""
    from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

    secret, public = folder / _KEY, folder / _CERTIFICATE
    try:
        if not secret.exists():
            _make_folder(folder)
            _publish_once(secret, signing.new_ca(names))
        certificate, key = signing.read_ca(_read_secret(secret))
        while problem := signing.why_not_valid(certificate):
            _replace(secret, signing.fingerprint(certificate), signing.new_ca(names))
            log.warning(_REPLACED, folder, problem, public)
            certificate, key = signing.read_ca(_read_secret(secret))
        text = signing.certificate_pem(certificate)
        if not public.exists() or public.read_bytes() != text:
            _publish(public, text)
    except OSError as error:
        raise CertificateError(f"the CA in {folder} cannot be used: {error.strerror or error}: {_ELSEWHERE}") from None
    except ValueError:
        raise CertificateError(f"{secret} is not a CA that cnx-mock created: `cnx-mock ca reset` removes it") from None
    return Authority(public, certificate, key)


_REPLACED = "the CA in %s has been replaced, because %s: let programs that trusted it trust the new %s"


def _replace(secret: Path, old: str, new: bytes) -> None:
    """Put a new CA in the place of the one with the fingerprint `old`. The first process decides which; the others put
    the same one there."""
    successor = secret.with_name(_SUCCESSOR.format(old[:16]))
    _publish_once(successor, new)
    _publish(secret, _read_secret(successor), mode=0o600)


def forget(folder: Path) -> bool:
    """Remove the CA from this folder; the next use makes another. Return whether there was one. Raises
    CertificateError."""
    there = False
    try:
        successors = [path.name for path in folder.glob(_SUCCESSOR.format("*"))]
        for name in (_KEY, _CERTIFICATE, _BUNDLE, _BOTH, *successors):
            with suppress(FileNotFoundError):
                (folder / name).unlink()
                there = True
    except OSError as error:
        raise CertificateError(f"the CA in {folder} cannot be removed: {error.strerror or error}") from None
    return _forget_own(folder / _OWN) or there


def _forget_own(folder: Path) -> bool:
    """Remove the CAs for names of one's own."""
    there = [forget(each) for each in folder.glob("*") if each.is_dir()]
    with suppress(OSError):  # something that is not ours is in there, or the folder does not exist
        for each in folder.glob("*"):
            each.rmdir()
        folder.rmdir()
    return any(there)


def own_authority(folder: Path, names: Sequence[str]) -> Authority:
    """Return the CA for these names of one's own. Each set of names has its own CA, below the folder of the default
    one. So a CA that a client trusts never gets more names. Raises CertificateError."""
    same = "\n".join(sorted(names))
    return authority(folder / _OWN / hashlib.sha256(same.encode()).hexdigest()[:16], sorted(names))


def publish_both(default: Authority, own: Authority) -> Path:
    """Write the certificates of both CAs into one file, for clients to trust, and return its path. Raises
    CertificateError."""
    path = own.path.with_name(_BOTH)
    try:
        content = own.path.read_bytes() + default.path.read_bytes()
        if not path.exists() or path.read_bytes() != content:
            _publish(path, content)
    except OSError as error:
        raise CertificateError(f"the CA in {path.parent} cannot be used: {error.strerror or error}") from None
    return path


def publish_bundle(folder: Path, content: Callable[[Path], bytes]) -> Path:
    """Write a bundle into the CA's folder, completely or not at all. Return its path, which `content` gets too. Raises
    OSError."""
    path = folder / _BUNDLE
    _publish(path, content(path))
    return path


def _publish(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file completely or not at all, in the place of one that may be there."""
    replace_file(path, content, mode)


def _publish_once(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, completely or not at all. One that is there stays: another process
    was faster."""
    with draft(path, content) as new, suppress(FileExistsError):
        os.link(new, path)


def _make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, and those above it that do not exist. Raises OSError."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):  # another process was faster
        folder.mkdir(mode=0o700)
        folder.chmod(0o700)  # the umask may have taken more


def _read_secret(path: Path) -> bytes:
    """Return the content of a key's file. Raises OSError, and CertificateError if the file is not the user's own or
    others can use it: who has the key can pretend to be every server that it may sign for."""
    content, status = read_with_status(path, _MAX_KEY)
    if sys.platform == "win32":
        return content  # it has other permissions, and the user's data folder is closed by them
    if status.st_uid != os.geteuid():
        mend = f"sudo chown {os.geteuid()} {shlex.quote(str(path))}"
        raise CertificateError(f"{path} belongs to another user, who can use it too. If you trust them: {mend}")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise CertificateError(f"{path} is open to other users: chmod 600 {shlex.quote(str(path))}")
    return content
