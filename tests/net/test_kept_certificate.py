"""The server's certificate is used again from start to start, as long as it fits the CA and may be used."""

import re
import sys
from pathlib import Path

import pytest
from cryptography import x509

from cnx_mock.errors import CertificateError
from cnx_mock.net import certificates, kept_certificate
from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.net.certificates import authority, default_server_context, forget
from tests.cases import cases
from tests.net.test_certificates import OURS, shake_hands, strict


def shown(folder: Path) -> bytes:
    """The certificate that a server with this CA shows. Its client trusts `ca.pem`, under strict rules."""
    context, ca_path = default_server_context(folder)
    certificate = shake_hands(strict(ca_path), context, "api.cloudnexus.com").getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


@cases("name", OURS)
def test_a_certificate_that_was_kept_is_believed_for_every_name(tmp_path: Path, name: str) -> None:
    default_server_context(tmp_path)
    context, ca_path = default_server_context(tmp_path)
    shake_hands(strict(ca_path), context, name)


def test_the_next_server_shows_the_same_one_without_cryptography(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shown(tmp_path)
    monkeypatch.setitem(sys.modules, "cnx_mock.net.signing", None)  # importing it is an error now
    assert shown(tmp_path) == first


def test_it_is_in_the_file_of_the_ca_which_only_its_owner_can_read(tmp_path: Path) -> None:
    default_server_context(tmp_path)
    assert {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()} == {
        "ca-key.pem": 0o600,
        "ca.pem": 0o644,
    }


def test_the_ca_stays_the_same_with_it_and_without(tmp_path: Path) -> None:
    before = authority(tmp_path)
    shown(tmp_path)
    after = authority(tmp_path)
    assert (after.certificate, after.path.read_bytes()) == (before.certificate, before.path.read_bytes())
    assert after.key.private_numbers() == before.key.private_numbers()


LINE = re.compile(rb"(cnx-mock server certificate )(\w+) (\d+) (\d+)\n(.*)", re.DOTALL)
DAMAGES = {
    "it is gone": b"",
    "only its line is there": rb"\1\2 \3 \4",
    "its line is cut off": rb"\1\2",
    "it is no certificate": rb"\1\2 \3 \4\nsomething else",
    "it is of another CA": rb"\g<1>" + b"0" * 64 + rb" \3 \4\n\5",
    "its time is over": rb"\1\2 0 1700000000\n\5",
    "its time has not come": rb"\1\2 40000000000 50000000000\n\5",
}


@cases("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_that_may_not_be_used_is_made_anew_and_kept(tmp_path: Path, damage: bytes) -> None:
    first, kept = shown(tmp_path), tmp_path / "ca-key.pem"
    damaged, times = LINE.subn(damage, kept.read_bytes())
    assert times == 1
    kept.write_bytes(damaged)
    second = shown(tmp_path)
    assert second != first
    assert shown(tmp_path) == second
    assert kept.read_bytes().count(b"PRIVATE KEY") == 4, "two keys: the CA's and the server's"
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_new_ca_has_a_new_one(tmp_path: Path) -> None:
    first = shown(tmp_path)
    assert forget(tmp_path)
    assert shown(tmp_path) != first


def test_a_release_with_other_names_makes_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shown(tmp_path)
    monkeypatch.setattr(kept_certificate, "SERVED_NAMES", (*SERVED_NAMES, "new.cloudnexus.com"))
    assert shown(tmp_path) != first


@pytest.mark.parametrize("content", [None, b"", b"something else"])
def test_a_certificate_of_the_ca_that_was_lost_comes_back(tmp_path: Path, content: bytes | None) -> None:
    shown(tmp_path)
    public = tmp_path / "ca.pem"
    right = public.read_bytes()
    if content is None:
        public.unlink()
    else:
        public.write_bytes(content)
    shown(tmp_path)
    assert public.read_bytes() == right


def test_a_ca_that_others_can_use_is_refused_with_one_that_was_kept_too(tmp_path: Path) -> None:
    shown(tmp_path)
    (tmp_path / "ca-key.pem").chmod(0o644)
    with pytest.raises(CertificateError, match="is open to other users: chmod 600"):
        default_server_context(tmp_path)


def test_a_folder_that_cannot_be_written_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    authority(tmp_path)
    monkeypatch.setattr(certificates, "replace_file", full)
    assert shown(tmp_path) != shown(tmp_path)


def test_it_is_kept_for_a_month_and_is_valid_for_a_year_more(tmp_path: Path) -> None:
    certificate = x509.load_der_x509_certificate(shown(tmp_path))
    line = LINE.search((tmp_path / "ca-key.pem").read_bytes())
    assert line is not None
    start, end = int(line[3]), int(line[4])
    assert end - start == pytest.approx(31 * 86400, abs=120)  # valid from the day before: the clocks of machines differ
    assert certificate.not_valid_after_utc.timestamp() - end > 366 * 86400 - 120
