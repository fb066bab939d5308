"""The server's certificate is used again from start to start, as long as it fits the CA and may be used."""

import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cnx_mock.errors import CertificateError
from cnx_mock.net import kept_certificate
from cnx_mock.net.addresses import SERVED_NAMES
from cnx_mock.net.certificates import forget, usual_context
from tests.net.test_certificates import OURS, shake_hands, strict

Damage = Callable[[Path], object]


def shown(folder: Path) -> bytes:
    """The certificate that a server with this CA shows. Its client trusts `ca.pem`, under strict rules."""
    context, ca_path = usual_context(folder)
    certificate = shake_hands(strict(ca_path), context, "api.cloudnexus.com").getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


@pytest.mark.parametrize("name", OURS)
def test_a_certificate_that_was_kept_is_believed_for_every_name(tmp_path: Path, name: str) -> None:
    usual_context(tmp_path)
    context, ca_path = usual_context(tmp_path)
    shake_hands(strict(ca_path), context, name)


def test_the_next_server_shows_the_same_one_without_cryptography(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shown(tmp_path)
    monkeypatch.setitem(sys.modules, "cnx_mock.net.signing", None)  # importing it is an error now
    assert shown(tmp_path) == first
    assert (tmp_path / "server.pem").stat().st_mode & 0o777 == 0o600


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-400])


def _dated(start: int, end: int) -> Damage:
    def damage(path: Path) -> None:
        line, _, rest = path.read_bytes().partition(b"\n")
        path.write_bytes(b"%b %d %d\n" % (line.split()[0], start, end) + rest)

    return damage


DAMAGES: dict[str, Damage] = {
    "it is gone": Path.unlink,
    "it is empty": lambda path: path.write_bytes(b""),
    "it is cut off": _cut,
    "it is no text": lambda path: path.write_bytes(bytes(range(256)) * 8),
    "others can read it": lambda path: path.chmod(0o644),
    "others can write it": lambda path: path.chmod(0o620),
    "its time is over": _dated(0, 1_700_000_000),
    "its time has not come": _dated(40_000_000_000, 50_000_000_000),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_that_may_not_be_used_is_made_anew_and_kept(tmp_path: Path, damage: Damage) -> None:
    first, kept = shown(tmp_path), tmp_path / "server.pem"
    damage(kept)
    second = shown(tmp_path)
    assert second != first
    assert shown(tmp_path) == second
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_new_ca_has_a_new_one(tmp_path: Path) -> None:
    first = shown(tmp_path)
    kept = (tmp_path / "server.pem").read_bytes()
    assert forget(tmp_path)
    assert not (tmp_path / "server.pem").exists()
    (tmp_path / "server.pem").write_bytes(kept)  # a backup came back, without its CA
    (tmp_path / "server.pem").chmod(0o600)
    assert shown(tmp_path) != first


def test_a_release_with_other_names_makes_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shown(tmp_path)
    monkeypatch.setattr(kept_certificate, "SERVED_NAMES", (*SERVED_NAMES, "new.cloudnexus.com"))
    assert shown(tmp_path) != first


def test_a_certificate_of_the_ca_that_was_lost_comes_back(tmp_path: Path) -> None:
    first = shown(tmp_path)
    public = (tmp_path / "ca.pem").read_bytes()
    (tmp_path / "ca.pem").unlink()
    shown(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == public
    (tmp_path / "ca.pem").write_bytes(b"something else")
    assert shown(tmp_path)
    assert (tmp_path / "ca.pem").read_bytes() == public
    assert first


def test_a_ca_that_others_can_use_is_refused_with_one_that_was_kept_too(tmp_path: Path) -> None:
    shown(tmp_path)
    (tmp_path / "ca-key.pem").chmod(0o644)
    with pytest.raises(CertificateError, match="is open to other users: chmod 600"):
        usual_context(tmp_path)


def test_a_folder_that_cannot_be_written_keeps_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(kept_certificate, "replace_file", full)
    assert shown(tmp_path) != shown(tmp_path)
    assert not (tmp_path / "server.pem").exists()


def test_it_is_kept_for_a_month_and_is_valid_for_a_year_more(tmp_path: Path) -> None:
    shown(tmp_path)
    start, end = map(int, (tmp_path / "server.pem").read_bytes().split()[1:3])
    assert end - start == pytest.approx(31 * 86400, abs=120)  # valid from the day before: the clocks of machines differ
    found = ssl._ssl._test_decode_cert(str(tmp_path / "server.pem"))  # type: ignore[attr-defined]
    assert ssl.cert_time_to_seconds(found["notAfter"]) - end > 366 * 86400 - 120
