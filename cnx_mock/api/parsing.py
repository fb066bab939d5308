"""Parsing requests: strict JSON and query strings."""

import json
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from cnx_mock.api.errors import BadRequest
from cnx_mock.text.regex import regex

BODY_LIMIT = 64 * 1024
"""The greatest number of bytes in a body."""

_COMPRESSED = "the body is compressed ({}); send it uncompressed"
_OTHERS = (
    (b"\x1f\x8b", _COMPRESSED.format("gzip")),
    (b"\x28\xb5\x2f\xfd", _COMPRESSED.format("zstd")),
    (b"\x78\x01", _COMPRESSED.format("deflate")),
    (b"\x78\x5e", _COMPRESSED.format("deflate")),
    (b"\x78\x9c", _COMPRESSED.format("deflate")),
    (b"\x78\xda", _COMPRESSED.format("deflate")),
    (b"\xef\xbb\xbf", "the body begins with a byte order mark (BOM); leave it out"),
    (b"\xff\xfe", "this is UTF-16; write the body in UTF-8"),
    (b"\xfe\xff", "this is UTF-16; write the body in UTF-8"),
    (b"--", "this is multipart; send a JSON object"),
    (b"<", "this is XML or HTML; send a JSON object"),
    (b"{'", "JSON writes strings in double quotes"),
    (b"'", 'this begins with a quote of the shell; in cmd.exe write -d "{\\"name\\": …}"'),
)
"""How bodies begin that are not JSON, and what to say about each (RFC 1952, RFC 8878, RFC 1950)."""

_STRING = frozenset([str])
_YAML = regex(rb"#|---\s|\w+:(\s|$)")
_FORM = regex(rb"[\w.%+-]+(\[[\w.%+-]*\])*=")


def json_object(raw: bytes, read: Any = None) -> dict[str, Any]:
    """Return a body's JSON object. Raises BadRequest if it is not one. `read` is what orjson read in it, if known.

    Also refused is everything that parsers treat differently: duplicate names (RFC 8259 section 4), other encodings
    and a byte order mark (section 8.1), and NaN and Infinity, which are not JSON.
    """
    if not raw:
        raise BadRequest(reason="the body is empty")
    if type(read) is dict and _is_plain(raw, read):
        return read
    try:
        data = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_whole)
        if b"\\u" in raw:
            _check_text(data)
    except json.JSONDecodeError as error:
        raise BadRequest(reason=f"malformed JSON at line {error.lineno} column {error.colno}{_kind(raw)}") from None
    except UnicodeDecodeError as error:
        kind = _kind(raw) or ": write the body in UTF-8"
        raise BadRequest(reason=f"invalid UTF-8 at byte {error.start}{kind}") from None
    except RecursionError:
        raise BadRequest(reason="nested too deeply") from None
    if not isinstance(data, dict):
        raise BadRequest(reason=f"the body must be a JSON object, not {_named(data)}")
    return data


def _is_plain(raw: bytes, read: dict[str, Any]) -> bool:
    """Return whether a body has only strings and lists of strings, so that orjson reads it as `json_object` does, which
    saves two thirds of the time. Without escapes each string has two quotes, and there are no others: so no name that
    was given twice has been dropped. `tests/api/test_parsing.py` holds that both agree."""
    strings = len(read)
    for value in read.values():
        if type(value) is str:
            strings += 1
        elif type(value) is list and _STRING.issuperset(map(type, value)):
            strings += len(value)
        else:
            return False
    return raw.count(b'"') == 2 * strings and b"\\" not in raw


def _kind(raw: bytes) -> str:
    """Return what a body that is not JSON seems to be, and what to send instead; empty if that is not known."""
    if _YAML.match(raw):
        return ": this is YAML; send a JSON object"
    for beginning, words in _OTHERS:
        if raw.startswith(beginning):
            return f": {words}"
    if raw[:1].isalpha() and _FORM.match(raw):
        return ": this is a form; send a JSON object"
    if b"\0" in raw[:4]:
        return ": this is UTF-16 or UTF-32; write the body in UTF-8"
    return ""


def _named(value: Any) -> str:
    """Return the kind of a JSON value that is not an object, with its article."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return "an array" if isinstance(value, list) else "a string" if isinstance(value, str) else "a number"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadRequest(reason=f"duplicate key {json.dumps(twice[:100])}")
    return data


def _no_constant(word: str) -> NoReturn:
    raise BadRequest(reason=f"{word} is not JSON")


def _whole(digits: str) -> int | float:
    """Return an integer, or a float if it is too long for any field: integer fields refuse floats."""
    return int(digits) if len(digits) < 100 else float("inf")


def _check_text(value: Any) -> None:
    """Check strings for lone surrogates, which cannot be encoded. Raises BadRequest if there is one."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadRequest(reason="a string has a lone surrogate") from None
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def query_values(query: str) -> dict[str, list[str]]:
    """Return the values of each parameter, in order. `+` and `%20` mean a space, as in HTML forms."""
    values: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            values.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return values


def check_encoding(header: str | None) -> None:
    """Check the content encoding. Raises BadRequest if the body is compressed; `identity` is accepted."""
    if header is not None and header.strip().lower() not in ("", "identity"):
        reason = f"Content-Encoding {header[:100]} is not supported: send the body uncompressed, without this header"
        raise BadRequest(reason=reason)


def media_type(header: str | None) -> None:
    """Check the content type. Raises BadRequest if it is not JSON; a missing header is accepted."""
    if (
        header is not None
        and header != "application/json"
        and header.partition(";")[0].strip().lower() != "application/json"
    ):
        raise BadRequest(content_type=f"must be application/json, not {header[:100]}")
