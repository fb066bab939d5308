"""Making and reading X.509 certificates. Importing `cryptography` takes time, so this module is imported only by what
needs it, when it needs it.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address, ip_network
from threading import Lock
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.text.tls_names import is_address
from cnx_mock.world.clock import SECOND, wall_now

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

_PERMITTED_LOOPBACK = ("localhost", "127.0.0.0/8", "::1/128")
_PERMITTED = ("cloudnexus.com", *_PERMITTED_LOOPBACK)

_MOST_OF_A_NAME = 64
"""Characters of a common name (RFC 5280 appendix A.1)."""

_CA_DAYS = 3650
_LEAF_DAYS = 397
"""No known client accepts less; Apple's clients accept no more from a public CA."""


def server_certificate(
    ca: x509.Certificate, ca_key: EllipticCurvePrivateKey, names: Sequence[str] = SERVED_NAMES
) -> bytes:
    """Return a new key and its certificate, signed by a CA, for these names; PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(names[0] if len(names[0]) <= _MOST_OF_A_NAME else "cnx-mock", key.public_key())
        .issuer_name(ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(each) for each in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
    )
    return _pem(key, _signed(builder, ca_key, _LEAF_DAYS))


def is_permitted(name: str) -> bool:
    """Return whether the default CA may sign for a name (RFC 5280 section 4.2.1.10)."""
    if is_address(name):
        return any(ip_address(name) in ip_network(each) for each in _PERMITTED if "/" in each)
    return any(f".{name}".endswith(f".{each}") for each in _PERMITTED)


def new_ca(names: Sequence[str] = ()) -> bytes:
    """Return a new CA: its key and its certificate, PEM. The default one may sign for the API and for this machine; one
    with `names` for these and for this machine, and they are in its subject."""
    key = ec.generate_private_key(ec.SECP256R1())
    subtrees = (*(each.removeprefix("*.") for each in names), *_PERMITTED_LOOPBACK) if names else _PERMITTED
    permitted = [_subtree(each) for each in dict.fromkeys(subtrees)]
    excluded = [x509.DNSName(f".{each}") for each in names if _is_single(each, names)]
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # certificate stores may tell CAs apart by name
    name = _shortened(f"cnx-mock local CA {identity.digest.hex()[:8]}", names)
    builder = _builder(name, key.public_key())
    builder = (
        builder.issuer_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded or None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return _pem(key, _signed(builder, key, _CA_DAYS))


def valid_seconds(ca: x509.Certificate, pem: bytes) -> tuple[int, int]:
    """Return the seconds since the Unix epoch between which a CA and a certificate that it signed are both valid. The
    CA's last day is left out: see `why_not_valid`."""
    with _unpatched_datetime():
        signed = x509.load_pem_x509_certificate(pem)
        start = max(each.not_valid_before_utc.timestamp() for each in (ca, signed))
        end = min(signed.not_valid_after_utc.timestamp(), ca.not_valid_after_utc.timestamp() - 86400)
    return int(start), int(end)


def read_ca(content: bytes) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
    """Return the certificate and the key in a CA's key file. Raises ValueError if it is not one."""
    try:
        key = serialization.load_pem_private_key(content, password=None)
        certificate = x509.load_pem_x509_certificate(content)
        for kind in (x509.SubjectKeyIdentifier, x509.NameConstraints):
            certificate.extensions.get_extension_for_class(kind)
    except (TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:  # TypeError: it is encrypted
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise ValueError("the key is not the certificate's")
    return certificate, key


def why_not_valid(certificate: x509.Certificate) -> str:
    """Return why a certificate is not valid now, or will not be in a day, as in "it expired on 2020-01-31"; "" if it is
    valid."""
    with _unpatched_datetime() as kind:
        start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        now, tomorrow = _in_days(0, kind), _in_days(1, kind)
    if start > now:
        return f"it is not valid before {start:%Y-%m-%d}"
    if end <= now:
        return f"it expired on {end:%Y-%m-%d}"
    return f"it expires on {end:%Y-%m-%d}" if end <= tomorrow else ""


def fingerprint(certificate: x509.Certificate) -> str:
    """Return what tells a certificate from every other, in hex digits."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _is_single(name: str, names: Sequence[str]) -> bool:
    """Return whether a name has one label and nothing below it is among the names. A CA for a service called `app`
    must not sign for all of the top-level domain .app, as its name constraint alone would permit."""
    return "." not in name and ":" not in name and not any(each.endswith(f".{name}") for each in names)


def _general_name(name: str) -> x509.GeneralName:
    """Return a DNS name or an address as X.509 has it."""
    return x509.IPAddress(ip_address(name)) if is_address(name) else x509.DNSName(name)


def _subtree(text: str) -> x509.GeneralName:
    """Return a DNS name, an address or a network as a subtree of a name constraint; an address is a network of one."""
    return x509.IPAddress(ip_network(text)) if "/" in text or is_address(text) else x509.DNSName(text)


def _shortened(name: str, names: Sequence[str]) -> str:
    """Return a CA's name with its own names behind it, within the 64 characters of a common name."""
    whole = f"{name} for {', '.join(names)}" if names else name
    return whole if len(whole) <= _MOST_OF_A_NAME else f"{whole[: _MOST_OF_A_NAME - 3]}..."


def _builder(name: str, key: EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """Return a builder with what every certificate has, but for its dates."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "cnx-mock")
    return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
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


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey, days: int) -> x509.Certificate:
    """Return a certificate that is valid for this many days from now on, signed with the key."""
    with _unpatched_datetime() as kind:
        for each in (kind, *kind.__subclasses__()):  # a subclass, if another part of the program used one first
            with suppress(TypeError):
                dated = builder.not_valid_before(_in_days(-1, each)).not_valid_after(_in_days(days, each))
                return dated.sign(key, hashes.SHA256())  # valid from yesterday on: the clocks of machines differ
    raise TypeError("cryptography takes no kind of datetime")


def _pem(key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate_pem(certificate)


@contextmanager
def _unpatched_datetime() -> Iterator[type[dt.datetime]]:
    """Let `datetime.datetime` be Python's own class in the block, and yield it.

    A test with freezegun has a subclass there. `cryptography` keeps the class that it finds at its first use, and then
    refuses dates of every other: after the freeze it would sign nothing more, for us or for the program.
    """
    with _PATCHING:
        found = dt.datetime
        own = cast("type[dt.datetime]", next(each for each in found.__mro__ if each.__module__ == "datetime"))
        dt.datetime = own  # type: ignore[misc]
        try:
            yield own
        finally:
            dt.datetime = found  # type: ignore[misc]


_PATCHING = Lock()
"""One thread at a time puts the class there, and back what it found."""


def _in_days(days: int, kind: type[dt.datetime]) -> dt.datetime:
    """Return the second after this many days from now."""
    return kind.fromtimestamp(wall_now() // SECOND + days * 86400, dt.UTC)
