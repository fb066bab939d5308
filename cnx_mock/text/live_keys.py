"""Live keys in text: found however they are encoded, and replaced. Everything that leaves cnx-mock passes here.

A key can be percent-encoded (`cnx%5Flive%5F…`), also twice (`%255F`), escaped as in JSON, YAML or a shell (`\\u005f`,
`\\x5f`, `\\137`), written as HTML entities (`&#95;`), and all of these inside each other. So a run of characters that
has such escapes is decoded until nothing changes, and a key that then shows is replaced where it came from.
"""

import re
from typing import Final

from cnx_mock.errors import REDACTED
from cnx_mock.text.regex import regex

LIVE_PREFIX: Final = "cnx_live_"
"""What a live key begins with."""

MASKED: Final = REDACTED
"""What stands in the place of a live key."""

_PREFIX = LIVE_PREFIX.encode()
_KEY = regex(LIVE_PREFIX + "[0-9a-z_-]+", re.IGNORECASE | re.ASCII)
_BEGUN = regex(
    "(?:{})$".format("|".join(LIVE_PREFIX[:length] for length in range(len(LIVE_PREFIX), 0, -1))), re.IGNORECASE
)
"""The end of a text that may be the beginning of a key."""

_ESCAPE = regex(
    r"%(?:25)*(?:u00)?(?P<percent>[0-9a-f]{2})"
    r"|(?<!\\)\\++(?:u00|x|u\{0*|u0000|U000000)(?P<hex>[2-7][0-9a-f])\}?"
    r"|(?<!\\)\\++(?P<octal>[01][0-7]{2})"
    r"|&(?:amp;)*(?:#0*(?P<decimal>[0-9]{2,3})|#x0*(?P<entity>[0-9a-f]{2})|(?P<name>lowbar|underbar|amp|percnt|bsol));?",
    re.IGNORECASE | re.ASCII,
)
"""One encoded character. `%25` is an encoded percent sign: any number of them is one encoding, done several times."""

_NAMES = {"lowbar": "_", "underbar": "_", "amp": "&", "percnt": "%", "bsol": "\\"}

_ENTITY = regex(b"&(?:#|{})".replace(b"{}", "|".join(_NAMES).encode()), re.IGNORECASE)

_RUN = regex(r"[\w%\\&#;{}+-]{9,}", re.ASCII)
"""Characters between which an encoded key can stand: quotes, spaces, slashes and the like end it."""

_REVERSED_RUN = regex(r"[\w%\\&#;{}+-]*", re.ASCII)
_SIGN = regex(r"[%\\&]")

_ROUNDS = 8
"""How often an encoded text may be encoded again, in another way."""

LONG = 80 * 1024
"""Texts with as many bytes as this take so long that others should not wait for them: calls of the control plane with a
whole world, and no call of the API."""

_PART = 64 * 1024
"""Bytes of a long text that are looked at together."""

_HELD = 16 * 1024
"""The most characters that wait for the rest of a key."""


def has_live_key(text: str) -> bool:
    """Return whether a text has the prefix of a live key in it, in any case."""
    return LIVE_PREFIX in text.lower()


def may_have_live_key(text: bytes) -> bool:
    """Return whether `masked` could change these bytes. It is quick, and says yes too often."""
    # 37 is "%", 92 is "\\" and 38 is "&": to look for a number, or with `find`, takes a third of the time of `b"%" in`
    signs = 37 in text or 92 in text or (38 in text and _ENTITY.search(text) is not None)
    return signs or text.lower().find(_PREFIX) >= 0


def masked(text: bytes) -> bytes:
    """Return the same bytes with every live key replaced, also if it is encoded."""
    return masked_text(text.decode("latin-1")).encode("latin-1")


def masked_parts(text: bytes) -> bytes:
    """Return what `masked` returns for a long JSON text, in a thread that others do not wait for. It is done in parts,
    because a thread cannot be interrupted within one; each ends with a quote, which ends a key too."""
    parts, begin = [], 0
    while begin < len(text):
        end = text.find(b'"', begin + _PART) + 1 or len(text)
        part = text[begin:end]
        parts.append(masked(part) if may_have_live_key(part) else part)
        begin = end
    return b"".join(parts)


def masked_json(text: bytes) -> bytes:
    """Return the same JSON with every live key replaced. It is quick for JSON inside of JSON, which is full of escaped
    quotes: a quote ends a key."""
    return masked(text) if may_have_live_key(text.replace(b'\\"', b"")) else text


def masked_text(text: str) -> str:
    """Return the same text with every live key replaced, also if it is encoded."""
    if has_live_key(text):
        text = _KEY.sub(MASKED, text)
    return _RUN.sub(_masked_run, text) if _ESCAPE.search(text) else text


def _masked_run(found: re.Match[str]) -> str:
    run = found[0]
    decoded, places = _decoded(run)
    if decoded is run:
        return run
    parts, last = [], 0
    for key in _KEY.finditer(decoded):
        parts += [run[last : places[key.start()]], MASKED]
        last = places[key.end()]
    return "".join([*parts, run[last:]])


def _decoded(run: str) -> tuple[str, list[int]]:
    """Return a text without its escapes, and where each character of that begins in `run`, and where the last ends."""
    decoded, places = run, list(range(len(run) + 1))
    for _ in range(_ROUNDS):
        characters: list[str] = []
        begins: list[int] = []
        last = 0
        for escape in _ESCAPE.finditer(decoded):
            characters += [decoded[last : escape.start()], _character(escape)]
            begins += places[last : escape.start() + 1]
            last = escape.end()
        if not characters:
            break
        decoded, places = "".join([*characters, decoded[last:]]), [*begins, *places[last:]]
    return decoded, places


def _character(escape: re.Match[str]) -> str:
    kind = str(escape.lastgroup)
    text = escape[kind]
    if kind == "name":
        return _NAMES[text.lower()]
    return chr(int(text, {"octal": 8, "decimal": 10}.get(kind, 16)))


class Masker:
    """Masks a text that comes in parts. What may be the beginning of a key waits for the next part."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be shown so far, of what waited and this part."""
        text = self._held + text
        begin = _unfinished(text)
        ready, self._held = masked_text(text[:begin]), text[begin:]
        if len(self._held) > _HELD:
            ready, self._held = ready + masked_text(self._held), ""
        return ready

    def end(self) -> str:
        """Return what waited: no other part comes."""
        text, self._held = masked_text(self._held), ""
        return text


def _unfinished(text: str) -> int:
    """Return where the last run of a text may begin to be a key; the text's length if it cannot."""
    found = _REVERSED_RUN.match(text[: -_HELD - 2 : -1])
    begin = len(text) - (found.end() if found else 0)
    run = text[begin:]
    if not _SIGN.search(run):
        begun = [key.start() for key in _KEY.finditer(run) if key.end() == len(run)]
        begun += [prefix.start() for prefix in _BEGUN.finditer(run)]
        begin += min(begun, default=len(run))
    return begin
