"""Names of one's own in the certificate: clients believe them, and no CA signs for more than it is marked with."""

import shutil
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509

from cnx_mock import MockServer, Settings
from cnx_mock.errors import SettingsError
from cnx_mock.net.certificates import authority, forget
from cnx_mock.net.tls_names import Trust, trust
from tests.cases import cases
from tests.net.test_certificates import OURS, shake_hands, signed, strict

NAMES = ("cloudnexus.local", "*.dev.local", "mock", "cnx_mock", "host.docker.internal", "10.1.2.3", "fd00::7")
CALLED = ["cloudnexus.local", "eu.dev.local", "mock", "cnx_mock", "host.docker.internal", "10.1.2.3", "fd00::7"]
WITHIN = ("a.b.cloudnexus.com", "app.localhost", "127.0.0.9")


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    return trust(tmp_path_factory.mktemp("ca"), NAMES)


@cases("name", [*CALLED, *OURS])
def test_clients_believe_own_names_and_the_default_ones(trusted: Trust, name: str) -> None:
    shake_hands(strict(trusted.path), trusted.server_context(), name)


@pytest.mark.parametrize("name", ["api.cloudnexus.com", "eu.cloudnexus.com", "localhost"])
def test_who_trusts_the_default_ca_alone_is_shown_its_certificate_as_before(trusted: Trust, name: str) -> None:
    shake_hands(strict(trusted.default.path), trusted.server_context(), name)


@pytest.mark.parametrize("name", ["cloudnexus.local", "mock", "10.1.2.3"])
def test_who_trusts_the_default_ca_alone_does_not_believe_another_name(trusted: Trust, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(strict(trusted.default.path), trusted.server_context(), name)


@cases("name", ["other.local", "a.eu.dev.local", "a.mock", "a.cloudnexus.local", "10.1.2.4", "fd00::8"])
def test_no_other_name_is_in_the_certificate(trusted: Trust, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(strict(trusted.path), trusted.server_context(), name)


@cases(
    "name", ["example.com", "other.local", "local", "google.mock", "xmock", "10.1.2.4", "fd00::8", "api.cloudnexus.com"]
)
def test_the_ca_for_own_names_cannot_sign_for_others(trusted: Trust, tmp_path: Path, name: str) -> None:
    assert trusted.own is not None
    with pytest.raises(ssl.SSLCertVerificationError, match="(permitted|excluded) subtree"):
        shake_hands(strict(trusted.own.path), signed(trusted.own, tmp_path, name), name)


def test_names_without_addresses_permit_no_address_and_the_other_way_round(tmp_path: Path) -> None:
    for names, name in ((("a.local",), "10.1.2.3"), (("10.1.2.3",), "a.local")):
        own = trust(tmp_path, names).own
        assert own is not None
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
            shake_hands(strict(own.path), signed(own, tmp_path, name), name)


@pytest.mark.parametrize("more", [(), ("10.1.2.3",)])
def test_names_that_the_default_ca_may_sign_for_need_no_other(tmp_path: Path, more: tuple[str, ...]) -> None:
    before = authority(tmp_path).certificate
    found = trust(tmp_path, (*WITHIN, *more))
    assert (found.default.certificate, found.own is None) == (before, not more)
    for name in (*WITHIN, *more):
        shake_hands(strict(found.path), found.server_context(), name)


def test_each_set_of_names_has_a_ca_of_its_own_that_stays(tmp_path: Path) -> None:
    one, two, more = trust(tmp_path, ("a.b", "c")), trust(tmp_path, ("c", "a.b")), trust(tmp_path, ("a.b", "c", "d"))
    assert one.own and two.own and more.own
    assert one.own.certificate == two.own.certificate != more.own.certificate
    assert one.default.certificate == more.default.certificate
    assert one.path.read_text().count("BEGIN CERTIFICATE") == 2
    [mark] = more.own.certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert str(mark.value).endswith(" for a.b, c, d")
    assert forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_ca_for_a_name_may_sign_below_it_only_if_that_was_asked_for(tmp_path: Path) -> None:
    """A service called `app` is not all of the top-level domain .app."""
    for names, good in ((("app",), False), (("app", "x.app"), True)):
        own = trust(tmp_path, names).own
        assert own is not None
        constraints = own.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        assert (constraints.excluded_subtrees is None) == good


def test_many_long_names_are_one_certificate(tmp_path: Path) -> None:
    names = tuple(f"{'long-' * 12}{number}.{'part.' * 20}local" for number in range(20))
    found = trust(tmp_path, names)
    shake_hands(strict(found.path), found.server_context(), names[-1])


# ---- a server with such names


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
@pytest.mark.parametrize("name", ["cloudnexus.local", "mock", "api.cloudnexus.com"])
def test_curl_calls_a_server_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    settings = Settings(port=0, tls_name=("CloudNexus.local.", "mock"), ca_dir=str(tmp_path))
    with MockServer(settings=settings) as server:
        port = urlsplit(server.tls_url).port
        to = ["--resolve", f"{name}:{port}:127.0.0.1", f"https://{name}:{port}/"]
        command = ["curl", "-sSf", "--noproxy", "*", "--cacert", str(server.ca_path), *to]
        done = subprocess.run(command, check=False, timeout=20, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "cnx-mock" in done.stdout


@pytest.mark.parametrize("names", ["cloudnexus.local", ["mock", "cloudnexus.local"], ("cloudnexus.local",)])
def test_names_for_a_server_in_python_mean_https(names: str | list[str] | tuple[str, ...]) -> None:
    with MockServer(tls_names=names) as server:
        assert server.tls_url.startswith("https://")
        assert server.ca_path.name == "ca-both.pem"


def test_a_bad_name_is_one_clear_error() -> None:
    with pytest.raises(SettingsError) as refusal:
        MockServer(tls_names=["good.local", "https://bad.local"])
    assert str(refusal.value) == "'tls-name': 'https://bad.local' is a URL: write the host name alone"
