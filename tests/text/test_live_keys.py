"""A live key is found and masked in every encoding, and also if the text comes in parts."""

import html
import json
from urllib.parse import quote

import pytest

from cnx_mock.text.live_keys import Masker, masked, masked_json, masked_text
from tests.cases import cases

DIGITS = "4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
LIVE = f"cnx_live_{DIGITS}"


def each(form: str, text: str = LIVE) -> str:
    """Every character in a form of its code."""
    return "".join(form.format(ord(character)) for character in text)


SPELT = {
    "plain": LIVE,
    "upper": LIVE.upper(),
    "mixed case": "Cnx_LIVE_" + DIGITS,
    "percent": each("%{:02X}"),
    "the underlines percent-encoded": LIVE.replace("_", "%5f"),
    "percent twice": quote(each("%{:02X}")),
    "percent five times": quote(quote(quote(quote(each("%{:02X}"))))),
    "old JavaScript": LIVE.replace("_", "%u005f"),
    "JSON": each(r"\u{:04x}"),
    "JSON in JSON in JSON": json.dumps(json.dumps(each(r"\u{:04x}")))[3:-3],
    "YAML": LIVE.replace("_", r"\U0000005f"),
    "hex": each(r"\x{:02x}"),
    "octal": each(r"\{:03o}"),
    "JavaScript": LIVE.replace("_", r"\u{5f}"),
    "entities": each("&#{};"),
    "entities in hex": each("&#x{:x};"),
    "named entities": LIVE.replace("_", "&lowbar;"),
    "entities in HTML": html.escape(html.escape(each("&#{};"))),
    "entities, percent-encoded": quote(each("&#{};")),
    "JSON, percent-encoded": quote(each(r"\u{:04x}")),
    "percent, in JSON": each(r"\u{:04x}", each("%{:02X}")),
    "in several ways": r"cnx%5Flive&#95;\u0034" + DIGITS[1:],
}


@cases("key", SPELT.values(), ids=SPELT)
def test_a_key_is_masked_however_it_is_encoded(key: str) -> None:
    text = f'{{"a": "{key}", b=?key={key}&other=1 50%25 äö'
    safe = masked_text(text)
    assert safe.count("cnx_live_redacted") == 2
    assert safe.endswith("&other=1 50%25 äö")
    assert masked_text(safe) == safe
    assert masked(text.encode()) == safe.encode()


@cases("key", SPELT.values(), ids=SPELT)
@cases("size", [1, 2, 3, 7, 50])
def test_a_key_is_masked_also_if_it_comes_in_parts(key: str, size: int) -> None:
    text, masker = f"before {key} and after\n", Masker()
    parts = [masker.feed(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join([*parts, masker.end()]) == "before cnx_live_redacted and after\n"


@pytest.mark.parametrize(
    "text",
    [
        "The prefix cnx_live_ is refused, and `cnx_live_` too.",
        r"a%20b%2Fc \n \u00e9 \\ &amp; &lt; C:\new\table 100% cnx live",
        "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c",
    ],
)
def test_what_is_not_a_key_stays(text: str) -> None:
    assert masked_text(text) == text


def test_only_what_may_be_a_key_waits() -> None:
    masker = Masker()
    assert masker.feed("first line\nnext cnx") == "first line\nnext "
    assert masker.feed(" goes on ") == "cnx goes on "
    assert (masker.feed("the end: cnx_li"), masker.end()) == ("the end: ", "cnx_li")


def test_a_masked_json_text_is_json_still() -> None:
    data = {"keys": [LIVE, f"C:\\{LIVE}", f'"{LIVE}"', each(r"\u{:04x}")], "n": 1}
    found = json.loads(masked_text(json.dumps(data)))
    assert found["n"] == 1
    assert DIGITS not in json.dumps(found)


@cases("spelling", SPELT.values(), ids=SPELT)
def test_json_is_masked_as_any_other_text(spelling: str) -> None:
    for text in (json.dumps({"a": spelling, "b": "x"}), json.dumps({"a": json.dumps({"b": spelling})})):
        assert masked_json(text.encode()) == masked(text.encode()) != text.encode()


def test_json_without_a_key_stays_as_it_is() -> None:
    text = json.dumps({"body": json.dumps({"a": ["b", 1, None]}), "path": "/v1/instances"}).encode()
    assert masked_json(text) is text
