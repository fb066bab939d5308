"""The local certificate authority (CA): one for each user, made on first use, and valid for nothing but the names that
the mock serves.

Its folder has two files, or three. `ca-key.pem` is the CA, key and certificate in one file, so that two processes that
start at the same time use the same CA. `ca.pem` is the certificate alone, for clients to trust. `ca-bundle.pem`, made
on demand, is that certificate and everything else that the user's programs trust, for programs that take a single file.
"""

import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnx_mock.errors import CertificateError
from cnx_mock.settings import variable

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_CERTIFICATE, _KEY, _BUNDLE = "ca.pem", "ca-key.pem", "ca-bundle.pem"


def ca_folder(chosen: str, environ: Mapping[str, str]) -> Path:
    """Return the CA's folder: `chosen`, else that of CNX_MOCK_CA_DIR, else one in the user's data folder. Raises
    CertificateError if the user has no home folder."""
    if chosen := chosen or environ.get(variable("ca_dir"), ""):
        return Path(chosen).absolute()
    data = environ.get("XDG_DATA_HOME", "")
    try:
        base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        raise CertificateError(
            f"the CA has no folder, because the user has no home folder: set {variable('ca_dir')}"
        ) from None
    return base / "cnx-mock" / "ca"


@dataclass(frozen=True)
class Authority:
    """A CA that can be used: its certificate, the path of that for clients, and the key to sign with."""

    path: Path
    certificate: "x509.Certificate"
    key: "EllipticCurvePrivateKey"

    def server_context(self) -> ssl.SSLContext:
        """Return a TLS context with a new certificate for the names that the mock serves."""
        from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory(prefix="cnx-mock-") as folder:  # OpenSSL reads only files
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            path.write_bytes(signing.server_certificate(self.certificate, self.key))
            context.load_cert_chain(path)
        return context


def authority(folder: Path) -> Authority:
    """Return the CA in this folder, made if there is none. Two processes that make one at the same time get the same
    one. Raises CertificateError."""
    from cnx_mock.net import signing  # lazy: cryptography takes time to import, and only HTTPS needs it

    secret, public = folder / _KEY, folder / _CERTIFICATE
    try:
        if not secret.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # another process was faster: its CA is used
                _publish(secret, signing.new_ca(), replace=False)
        certificate, key = signing.read_ca(secret.read_bytes())
        text = signing.certificate_pem(certificate)
        if not public.exists() or public.read_bytes() != text:
            _publish(public, text, replace=True)
    except OSError as error:
        raise CertificateError(f"the CA in {folder} cannot be used: {error.strerror or error}") from None
    except ValueError:
        raise CertificateError(f"{secret} is not a CA of cnx-mock's: `cnx-mock ca reset` makes a new one") from None
    if signing.has_expired(certificate):
        raise CertificateError(f"the CA in {folder} has expired: `cnx-mock ca reset` makes a new one")
    return Authority(public, certificate, key)


def forget(folder: Path) -> bool:
    """Remove the CA from this folder; the next use makes another. Return whether there was one. Raises
    CertificateError."""
    there = False
    try:
        for name in (_KEY, _CERTIFICATE, _BUNDLE):
            with suppress(FileNotFoundError):
                (folder / name).unlink()
                there = True
    except OSError as error:
        raise CertificateError(f"the CA in {folder} cannot be removed: {error.strerror or error}") from None
    return there


def publish_bundle(folder: Path, content: Callable[[Path], bytes]) -> Path:
    """Write a bundle into the CA's folder, completely or not at all. Return its path, which `content` gets too. Raises
    OSError."""
    path = folder / _BUNDLE
    _publish(path, content(path), replace=True)
    return path


def _publish(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file completely or not at all. One that must not be replaced is readable by its owner only. Raises
    FileExistsError if it exists and must not be replaced."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        if replace:
            Path(name).chmod(0o644)
            Path(name).replace(path)
        else:
            os.link(name, path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
