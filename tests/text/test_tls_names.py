"""Names for a certificate, as people write them."""

import pytest

from cnx_mock.text.tls_names import matches, read_tls_name
from tests.cases import cases


@cases(
    ("written", "name"),
    [
        ("cloudnexus.local", "cloudnexus.local"),
        ("CloudNexus.Local.", "cloudnexus.local"),
        ("mock", "mock"),
        ("cnx_mock", "cnx_mock"),
        ("host.docker.internal", "host.docker.internal"),
        ("*.svc.cluster.local", "*.svc.cluster.local"),
        ("192.168.1.5", "192.168.1.5"),
        ("[FD00::0007]", "fd00::7"),
        ("3com.example", "3com.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_has_one_spelling(written: str, name: str) -> None:
    assert read_tls_name(written) == name
    assert read_tls_name(name) == name


@cases(
    ("written", "wrong"),
    [
        ("", "is empty"),
        (" a.local", "has spaces around it"),
        ("https://a.local", "is a URL: write the host name alone"),
        ("a.local:8443", "has a port"),
        ("192.168.1.5:443", "has a port"),
        ("[::1]:443", "has a port"),
        ("a.local,b.local", "give the option once for each"),
        ("a.local b.local", "give the option once for each"),
        ("10.0.0.0/8", "no networks"),
        ("a.local/v1", "no paths"),
        ("fe80::1%eth0", "has a zone"),
        ("*", "a wildcard is"),
        ("a.*.local", "a wildcard is"),
        ("a*.mock.local", "a wildcard is"),
        ("*.*.local", "a wildcard is"),
        ("*.local", "too wide"),
        ("0.0.0.0", "is not an address that a client can call"),
        ("::", "is not an address that a client can call"),
        ("192.168.1.256", "is not an IP address"),
        ("192.168.1", "is not an IP address"),
        ("a..local", "is not a DNS name or an IP address"),
        (".local", "is not a DNS name or an IP address"),
        ("-a.local", "is not a DNS name or an IP address"),
        ("a" * 64 + ".local", "is not a DNS name or an IP address"),
        ("ü" * 64 + ".local", "is not a DNS name or an IP address"),
        ("a@b.local", "is not a DNS name or an IP address"),
        (".".join(["abcdefgh"] * 32), "is not a DNS name or an IP address"),
    ],
)
def test_what_is_not_one_name_is_an_error_that_says_why(written: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as refusal:
        read_tls_name(written)
    assert repr(written.removesuffix(" ")) in str(refusal.value)


def test_a_wildcard_stands_for_one_label() -> None:
    names = ["a.mock.local", "mock.local", "b.a.mock.local"]
    assert [matches("*.mock.local", each) for each in names] == [True, False, False]
