"""Making and reading X.509 certificates. Importing `cryptography` takes time, so this module is imported only by what
needs it, when it needs it.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cnx_mock.net.addresses import API_HOST
from cnx_mock.world.clock import SECOND, wall_now

_NAMES = (API_HOST, "cloudnexus.com", "*.cloudnexus.com", "localhost")
_ADDRESSES = ("127.0.0.1", "::1")
_PERMITTED_NAMES = ("cloudnexus.com", "localhost")
_PERMITTED_NETWORKS = ("127.0.0.0/8", "::1/128")

_CA_DAYS = 3650
_LEAF_DAYS = 397
"""No known client accepts less; Apple's clients accept no more from a public CA."""


def server_certificate(ca: x509.Certificate, ca_key: EllipticCurvePrivateKey) -> bytes:
    """Return a new key and its certificate, signed by a CA, for the names that the mock serves; PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(each) for each in _NAMES]
    names += [x509.IPAddress(ip_address(each)) for each in _ADDRESSES]
    authority = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        _builder(API_HOST, key.public_key(), _LEAF_DAYS)
        .issuer_name(ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(authority), critical=False)
    )
    return _pem(key, _signed(builder, ca_key))


def new_ca() -> bytes:
    """Return a new CA: its key and its certificate, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    permitted: list[x509.GeneralName] = [x509.DNSName(each) for each in _PERMITTED_NAMES]
    permitted += [x509.IPAddress(ip_network(each)) for each in _PERMITTED_NETWORKS]
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = f"cnx-mock local CA {identity.digest.hex()[:8]}"  # certificate stores may tell CAs apart by name
    builder = _builder(name, key.public_key(), _CA_DAYS)
    builder = (
        builder.issuer_name(_name(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    return _pem(key, _signed(builder, key))


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


def has_expired(certificate: x509.Certificate) -> bool:
    """Return whether a certificate is no longer valid, or will not be within a day."""
    return certificate.not_valid_after_utc <= _now() + timedelta(days=1)


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _builder(name: str, key: EllipticCurvePublicKey, days: int) -> x509.CertificateBuilder:
    """Return a builder with what every certificate has."""
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - timedelta(days=1))  # clocks differ
        .not_valid_after(_now() + timedelta(days=days))
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


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, hashes.SHA256())


def _pem(key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate_pem(certificate)


def _now() -> datetime:
    return datetime.fromtimestamp(wall_now() // SECOND, UTC)
