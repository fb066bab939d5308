"""The local CA: what it signs is believed under the strictest rules, and for no name that is not the mock's."""

import ipaddress
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from cnx_mock.errors import CertificateError
from cnx_mock.net import signing
from cnx_mock.net.certificates import Authority, authority, ca_folder, forget, own_authority
from cnx_mock.net.certificates import _replace as replace
from tests.cases import cases
from tests.commands import COMMAND, REAL, run

OURS = ["api.cloudnexus.com", "cloudnexus.com", "eu.cloudnexus.com", "localhost", "127.0.0.1", "::1"]


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return authority(tmp_path / "ca")


def strict(ca_path: Path) -> ssl.SSLContext:
    """What Python 3.13 asks for by default."""
    context = ssl.create_default_context(cafile=str(ca_path))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's side after a handshake in memory. Raises what the client has against it."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    mine = client.wrap_bio(to_client, to_server, server_hostname=name)
    its = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for side in (mine, its):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert mine.version() == its.version() == "TLSv1.3"
    return mine


def key_file(folder: Path, content: bytes) -> Path:
    """A file in the place of a CA's key, which only its owner can read."""
    path = folder / "ca-key.pem"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return path


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(each.name for each in folder.iterdir())


# ---- what it signs


@pytest.mark.parametrize("name", OURS)
def test_the_mocks_own_names_are_believed_under_strict_rules(ca, name):
    shake_hands(strict(ca.path), ca.server_context(), name)


@pytest.mark.parametrize("name", ["example.com", "a.b.cloudnexus.com", "127.0.0.2"])
def test_a_start_makes_a_certificate_for_no_other_name(ca, name):
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch|not valid for"):
        shake_hands(strict(ca.path), ca.server_context(), name)


def test_every_start_has_a_key_of_its_own_and_leaves_no_file(ca, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "ca"))
    for _ in range(2):
        ca.server_context()
    assert names(tmp_path / "ca") == ["ca-key.pem", "ca.pem"]


def signed(ca: Authority, folder: Path, name: str, *, san: bool = True) -> ssl.SSLContext:
    """A server for any name at all, with a certificate that a leaked CA key could sign."""
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    try:
        other: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        other = x509.DNSName(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
    path = folder / "server.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, *form)
    path.write_bytes(secret + builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


OTHERS = ["example.com", "notcloudnexus.com", "api.cloudnexus.com.example", "com", "10.0.0.1", "128.0.0.1", "::2"]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("rules", ["strict", "default"])
def test_a_certificate_that_the_ca_signed_for_another_name_is_refused(ca, tmp_path, name, rules):
    client = strict(ca.path) if rules == "strict" else ssl.create_default_context(cafile=str(ca.path))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(client, signed(ca, tmp_path, name), name)


def test_nor_does_a_common_name_get_round_that(ca, tmp_path):
    client = ssl.create_default_context(cafile=str(ca.path))
    client.hostname_checks_common_name = True
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(client, signed(ca, tmp_path, "example.com", san=False), "example.com")


def test_the_ca_signs_servers_only_and_no_other_ca(ca):
    said = ca.certificate.extensions
    assert said.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(ca=True, path_length=0)
    assert said.get_extension_for_class(x509.NameConstraints).critical
    [use] = said.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert use == ExtendedKeyUsageOID.SERVER_AUTH


def test_the_same_way_of_signing_is_believed_for_a_name_of_ours(ca, tmp_path):
    shake_hands(strict(ca.path), signed(ca, tmp_path, "eu.cloudnexus.com"), "eu.cloudnexus.com")


@contextmanager
def handshakes(context: ssl.SSLContext) -> Iterator[int]:
    """A port on which one handshake is tried."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            with suppress(OSError), listener.accept()[0] as sock, context.wrap_socket(sock, server_side=True) as tls:
                tls.recv(65536)
                tls.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize(("name", "status"), [("eu.cloudnexus.com", 0), ("example.com", 60)])
def test_curl_believes_the_ca_for_our_names_and_refuses_it_for_others(ca, tmp_path, name, status):
    with handshakes(signed(ca, tmp_path, name)) as port:
        to = ["--resolve", f"{name}:{port}:127.0.0.1", f"https://{name}:{port}/"]
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", ca.path, *to], check=False, timeout=20)
    assert done.returncode == status


# ---- where it is kept


def test_the_key_is_its_owners_and_the_certificate_everybodys(ca):
    key = ca.path.with_name("ca-key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(ca.path.stat().st_mode) == 0o644
    assert ca.path.read_text().count("BEGIN") == ca.path.read_text().count("BEGIN CERTIFICATE") == 1


def test_the_ca_stays_and_a_certificate_that_was_lost_comes_back(ca):
    text = ca.path.read_bytes()
    for content in (None, b"", b"another"):
        ca.path.unlink()
        if content is not None:
            ca.path.write_bytes(content)
        assert authority(ca.path.parent).certificate == ca.certificate
        assert ca.path.read_bytes() == text


def test_what_is_forgotten_is_made_anew(ca):
    folder = ca.path.parent
    assert forget(folder)
    assert (list(folder.iterdir()), forget(folder)) == ([], False)
    assert authority(folder).certificate != ca.certificate


@pytest.mark.slow
def test_processes_that_make_it_at_once_all_have_the_same(tmp_path):
    script = (
        "import sys, pathlib; from cnx_mock.net.certificates import authority; sys.stdin.readline()\n"
        "print(authority(pathlib.Path(sys.argv[1])).certificate.serial_number)"
    )
    folder = tmp_path / "ca"
    started = [
        subprocess.Popen([sys.executable, "-c", script, folder], stdin=-1, stdout=-1, text=True) for _ in range(6)
    ]
    for each in started:
        assert each.stdin
        each.stdin.write("now\n")
        each.stdin.flush()
    said = {each.communicate(timeout=30)[0] for each in started}
    assert said == {f"{authority(folder).certificate.serial_number}\n"}
    assert names(folder) == ["ca-key.pem", "ca.pem"]


@cases(
    ("chosen", "environ", "folder"),
    [
        ("/one", {"CNX_MOCK_CA_DIR": "/two", "XDG_DATA_HOME": "/three"}, "/one"),
        ("", {"CNX_MOCK_CA_DIR": "/two", "XDG_DATA_HOME": "/three"}, "/two"),
        ("", {"XDG_DATA_HOME": "/three"}, "/three/cnx-mock/ca"),
        ("", {"XDG_DATA_HOME": "relative"}, f"{Path.home()}/.local/share/cnx-mock/ca"),
        ("", {"XDG_DATA_HOME": ""}, f"{Path.home()}/.local/share/cnx-mock/ca"),
    ],
)
def test_the_folder_is_the_one_chosen_or_among_the_users_data(chosen, environ, folder):
    assert ca_folder(chosen, environ) == Path(folder)


@pytest.mark.slow
def test_a_start_without_tls_does_not_pay_for_it():
    script = "import sys, cnx_mock\nwith cnx_mock.MockServer(): assert 'cryptography' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", script], timeout=30, check=False).returncode == 0


# ---- what is no CA


def foreign(*, start: int = -60, days: int = 30, constrained: bool = False, encrypted: bool = False) -> bytes:
    """A CA of somebody else's, valid from so many days from now until so many."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "another")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) + timedelta(days=start))
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if constrained:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName("localhost")], None), critical=True)
    lock = serialization.BestAvailableEncryption(b"secret") if encrypted else serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)
    return secret + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


MIXED = foreign(constrained=True).partition(b"-----BEGIN CERT")[0] + b"".join(
    foreign(constrained=True).partition(b"-----BEGIN CERT")[1:]
)


@cases(
    ("content", "why"),
    [
        (b"", "is not a CA that cnx-mock created: `cnx-mock ca reset` removes it"),
        (b"nonsense", "is not a CA that cnx-mock created"),
        (foreign(), "is not a CA that cnx-mock created"),
        (foreign(constrained=True, encrypted=True), "is not a CA that cnx-mock created"),
        (MIXED, "is not a CA that cnx-mock created"),
    ],
    ids=["empty", "nonsense", "somebody's", "encrypted", "two halves"],
)
def test_a_key_file_that_is_no_ca_of_ours_is_named(tmp_path, content, why):
    key_file(tmp_path, content)
    with pytest.raises(CertificateError, match=why) as refusal:
        authority(tmp_path)
    assert str(tmp_path) in str(refusal.value)


@pytest.mark.parametrize("within", ["", "deeper"])
def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, within):
    (tmp_path / "ca").touch()
    folder = tmp_path / "ca" / within
    elsewhere = "choose another folder with --ca-dir or CNX_MOCK_CA_DIR"
    with pytest.raises(CertificateError, match=f"the CA in {folder} cannot be used: .*: {elsewhere}"):
        authority(folder)


def test_a_folder_in_the_place_of_the_key_is_named(tmp_path):
    (tmp_path / "ca-key.pem").mkdir()
    for action, what in ((authority, "used"), (forget, "removed")):
        with pytest.raises(CertificateError, match=f"the CA in {tmp_path} cannot be {what}: "):
            action(tmp_path)


# ---- a CA whose dates are not those of today

FOOLISH: dict[str, tuple[int, int, str]] = {
    "expired": (-9000, -5000, "it expired on {end}"),
    "expired just now": (-60, 0, "it expired on {end}"),
    "expires today": (-60, 1, "it expires on {end}"),
    "not yet valid": (5000, 9000, "it is not valid before {start}"),
    "from tomorrow": (1, 30, "it is not valid before {start}"),
}
"""From and until how many days from now a CA is valid, and what is said of it."""


def foolish(kind: str) -> tuple[bytes, str]:
    """A CA that is not valid today, and what is said of it."""
    start, days, why = FOOLISH[kind]
    content = foreign(constrained=True, start=start, days=days)
    made = x509.load_pem_x509_certificate(content)
    dates = {"start": made.not_valid_before_utc.date(), "end": made.not_valid_after_utc.date()}
    return content, why.format(**dates)


@pytest.mark.parametrize("kind", FOOLISH)
def test_it_is_replaced_with_one_line(tmp_path, caplog, kind):
    content, why = foolish(kind)
    key_file(tmp_path, content)
    new = authority(tmp_path)
    shake_hands(strict(new.path), new.server_context(), "api.cloudnexus.com")
    assert authority(tmp_path).certificate == new.certificate
    assert caplog.messages == [
        f"the CA in {tmp_path} has been replaced, because {why}: let programs that trusted it trust the new {new.path}"
    ]


@pytest.mark.parametrize("kind", ["expired", "not yet valid"])
def test_all_that_replace_it_at_the_same_time_get_the_same_one(tmp_path, kind):
    key_file(tmp_path, foolish(kind)[0])
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: authority(tmp_path).certificate, range(8)))
    assert set(found) == {authority(tmp_path).certificate}


def test_so_does_one_that_has_read_the_old_one_and_comes_late(tmp_path):
    key_file(tmp_path, foolish("expired")[0])
    old = signing.fingerprint(x509.load_pem_x509_certificate((tmp_path / "ca-key.pem").read_bytes()))
    first = authority(tmp_path)
    replace(tmp_path / "ca-key.pem", old, signing.new_ca())
    assert authority(tmp_path).certificate == first.certificate


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_its_key_is_the_users_alone_and_a_reset_removes_all_of_it(tmp_path):
    key_file(tmp_path, foolish("expired")[0])
    authority(tmp_path)
    keys = list(tmp_path.glob("ca-key*.pem"))
    assert len(keys) == 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in keys} == {0o600}
    assert forget(tmp_path)
    assert names(tmp_path) == []


def test_the_command_says_it_on_stderr(tmp_path):
    key_file(tmp_path, foolish("not yet valid")[0])
    done = run([COMMAND, "ca", "--ca-dir", tmp_path, "path"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'ca.pem'}\n")
    assert done.stderr.startswith(f"cnx-mock: the CA in {tmp_path} has been replaced, because it is not valid before ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_key_are_the_users_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        own_authority(tmp_path / "data" / "ca", ["cloudnexus.local"])
        authority(tmp_path / "data" / "ca")
    finally:
        os.umask(before)
    found = [*(tmp_path / "data").rglob("*"), tmp_path / "data"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in found if each.is_dir()} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in found if "key" in each.name} == {0o600}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_key_that_others_can_use_is_refused_with_the_line_that_mends_it(ca: Authority, mode: int) -> None:
    key = ca.path.with_name("ca-key.pem")
    key.chmod(mode)
    with pytest.raises(CertificateError, match=f"is open to other users: chmod 600 {key}") as refusal:
        authority(key.parent)
    subprocess.run(str(refusal.value).rpartition(": ")[2], shell=True, check=True)
    assert authority(key.parent).certificate == ca.certificate


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_key_of_another_user_is_refused(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(CertificateError, match="belongs to another user.*: sudo chown 12345 "):
        authority(ca.path.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("words", [("ca", "path"), ("scenarios", "new", "story")])
def test_a_full_disk_leaves_no_half_file_and_is_one_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    environment = os.environ | {"CNX_MOCK_CA_DIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}  # it left 100
    command = [REAL, *words]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, preexec_fn=full, check=False
    )
    assert (result.returncode, list(tmp_path.iterdir())) == (2, [])
    assert re.fullmatch("cnx-mock: [^\n]*File too large[^\n]*\n", result.stderr)
