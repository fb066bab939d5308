"""The vendored libraries are as they were published, and the page has no file of an unreadable size of our own."""

import hashlib
import re

from cnx_mock.dashboard import STATIC
from tests.cases import cases

VENDOR = STATIC / "vendor"
OWN = [path for path in STATIC.rglob("*.js") if VENDOR not in path.parents]


def test_every_vendored_file_is_as_published() -> None:
    sums = dict(
        re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", (VENDOR / "VENDORED.md").read_text(), re.MULTILINE)
    )
    files = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*") if path.is_file()}
    del files["VENDORED.md"]
    assert sums == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}


@cases("path", OWN, ids=lambda path: str(path.relative_to(STATIC)))
def test_a_module_of_the_page_is_short_and_asks_nobody(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    assert len(text.splitlines()) <= 300
    assert not re.search(r"\b(eval|Function)\(|innerHTML|document\.write|dangerously", text)
    assert not re.search(r"https?://(?!127)", text)
    assert text.startswith("//"), "a module begins with what it is for"
