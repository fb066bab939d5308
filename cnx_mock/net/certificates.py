"""The local certificate authority: one for each user, made on first use, and able to vouch for nothing but the names
that the mock serves.

Its folder holds two files, and a third where a shell asked. `ca-key.pem` is the CA, key and certificate together, so
that two processes which start at once agree on one by agreeing on one file; `ca.pem` is the certificate alone, for
whoever is to trust it; `ca-bundle.pem` is that and what the user's programs trust otherwise, for those that take one
file for all.
"""

import os
import ssl
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from cnx_mock.errors import CertificateError
from cnx_mock.net.addresses import API_HOST
from cnx_mock.settings import variable
from cnx_mock.world.clock import SECOND, wall_now

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

_NAMES = (API_HOST, "cloudnexus.com", "*.cloudnexus.com", "localhost")
_ADDRESSES = ("127.0.0.1", "::1")
_PERMITTED_NAMES = ("cloudnexus.com", "localhost")
_PERMITTED_NETWORKS = ("127.0.0.0/8", "::1/128")

_CA_DAYS = 3650
_LEAF_DAYS = 397
"""No client is known that takes less; Apple's take no more of a public CA."""

_CERTIFICATE, _KEY, _BUNDLE = "ca.pem", "ca-key.pem", "ca-bundle.pem"


def ca_folder(chosen: str, environ: Mapping[str, str]) -> Path:
    """Where the CA is kept: the folder chosen, else that of CNX_MOCK_CA_DIR, else one among the user's data. Raises
    CertificateError where the user has no home."""
    if chosen := chosen or environ.get(variable("ca_dir"), ""):
        return Path(chosen).absolute()
    data = environ.get("XDG_DATA_HOME", "")
    try:
        base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    except RuntimeError:
        raise CertificateError(f"the CA has no folder, since the user has no home: set {variable('ca_dir')}") from None
    return base / "cnx-mock" / "ca"


@dataclass(frozen=True)
class Authority:
    """A CA at hand: where its certificate is, for clients, and what it signs with."""

    path: Path
    certificate: "x509.Certificate"
    key: "EllipticCurvePrivateKey"

    def server_context(self) -> ssl.SSLContext:
        """TLS with a fresh certificate for the names that the mock serves."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory(prefix="cnx-mock-") as folder:  # OpenSSL reads files only
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            path.write_bytes(self._leaf())
            context.load_cert_chain(path)
        return context

    def _leaf(self) -> bytes:
        """A key and its certificate, PEM."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID

        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [x509.DNSName(each) for each in _NAMES]
        names += [x509.IPAddress(ip_address(each)) for each in _ADDRESSES]
        authority = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = (
            _builder(API_HOST, key.public_key(), _LEAF_DAYS)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
        )
        return _pem(key, _signed(builder, self.key))


def authority(folder: Path) -> Authority:
    """The CA in this folder, made if there is none. Of two processes that make one at once, both get the same. Raises
    CertificateError."""
    secret, public = folder / _KEY, folder / _CERTIFICATE
    try:
        if not secret.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):  # somebody else was faster: theirs is the one
                _publish(secret, _made(), replace=False)
        found = _read(public, secret.read_bytes())
        text = _certificate_pem(found.certificate)
        if not public.exists() or public.read_bytes() != text:
            _publish(public, text, replace=True)
    except OSError as error:
        raise CertificateError(f"the CA in {folder} cannot be used: {error.strerror or error}") from None
    except ValueError:
        raise CertificateError(f"{secret} is not a CA of cnx-mock's: `cnx-mock ca reset` makes a new one") from None
    if found.certificate.not_valid_after_utc <= _now() + timedelta(days=1):
        raise CertificateError(f"the CA in {folder} has expired: `cnx-mock ca reset` makes a new one")
    return found


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
    """Keep a bundle in the CA's folder, whole or not at all: where it is. `content` is told where it will be. Raises
    OSError."""
    path = folder / _BUNDLE
    _publish(path, content(path), replace=True)
    return path


def _publish(path: Path, content: bytes, *, replace: bool) -> None:
    """A file that is there whole or not at all, readable by its owner only if it may not be replaced. Raises
    FileExistsError if it is there and may not be."""
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


def _read(public: Path, content: bytes) -> Authority:
    """The CA that a key file holds. Raises ValueError if it holds none."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
        for kind in (x509.SubjectKeyIdentifier, x509.NameConstraints):
            certificate.extensions.get_extension_for_class(kind)
    except (TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:  # TypeError: it is encrypted
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise ValueError("the key is not the certificate's")
    return Authority(public, certificate, key)


def _made() -> bytes:
    """A new CA: its key and its certificate, PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    permitted: list[x509.GeneralName] = [x509.DNSName(each) for each in _PERMITTED_NAMES]
    permitted += [x509.IPAddress(ip_network(each)) for each in _PERMITTED_NETWORKS]
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = f"cnx-mock local CA {identity.digest.hex()[:8]}"  # so that stores which go by the name hold two apart
    builder = _builder(name, key.public_key(), _CA_DAYS)
    builder = (
        builder.issuer_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return _pem(key, _signed(builder, key))


def _builder(name: str, key: "EllipticCurvePublicKey", days: int) -> "x509.CertificateBuilder":
    """What every certificate has."""
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - timedelta(days=1))  # clocks differ
        .not_valid_after(_now() + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "cnx-mock")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: "x509.CertificateBuilder", key: "EllipticCurvePrivateKey") -> "x509.Certificate":
    from cryptography.hazmat.primitives import hashes

    return builder.sign(key, hashes.SHA256())


def _pem(key: "EllipticCurvePrivateKey", certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives import serialization

    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + _certificate_pem(certificate)


def _certificate_pem(certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM)


def _now() -> datetime:
    return datetime.fromtimestamp(wall_now() // SECOND, UTC)
