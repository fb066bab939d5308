"""Write and read a journal as HAR 1.2, the format in which browsers and proxies save traffic
(http://www.softwareishard.com/blog/har-12-spec/).

Values that HAR has no field for are in the field `_cnx` of every entry: custom fields begin with an underscore.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from cnx_mock import __version__
from cnx_mock.api.parsing import query_values
from cnx_mock.http.auth import described
from cnx_mock.text.units import format_instant_ms, parse_instant
from cnx_mock.world.keys import is_shortened

_OURS = ("seq", "request_id", "sandbox", "at", "duration_ms", "delayed_ms", "operation", "committed", "faults")
"""The fields of an entry that HAR does not have. `duration_ms` is one of them: HAR's `time` cannot say that a request
is still being handled."""


def to_har(entries: Iterable[Mapping[str, Any]], url: str) -> dict[str, Any]:
    """Return a journal's entries as a HAR document. `url` is the server's base URL."""
    creator = {"name": "cnx-mock", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": [_entry(each, url) for each in entries]}}


def _entry(entry: Mapping[str, Any], url: str) -> dict[str, Any]:
    query = f"?{entry['query']}" if entry["query"] else ""
    time = entry["duration_ms"] or 0
    return {
        "startedDateTime": entry["wall"],
        "time": time,
        "request": {
            "method": entry["method"],
            "url": f"{url}{entry['path']}{query}",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _named(entry["request_headers"]),
            "queryString": [
                {"name": name, "value": value}
                for name, values in query_values(entry["query"]).items()
                for value in values
            ],
            "headersSize": -1,
            "bodySize": len((entry["request_body"] or "").encode()),
            **_posted(entry),
        },
        "response": _response(entry),
        "cache": {},
        "timings": {"send": 0, "wait": time, "receive": 0},
        **({} if entry.get("connection") is None else {"connection": str(entry["connection"])}),
        "_cnx": {name: entry.get(name) for name in _OURS},
    }


def _posted(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry["request_body"] is None:
        return {}
    return {"postData": {"mimeType": _type(entry["request_headers"]), "text": entry["request_body"]}}


def _response(entry: Mapping[str, Any]) -> dict[str, Any]:
    status, body = entry["status"] or 0, entry["response_body"]
    content = {"size": len((body or "").encode()), "mimeType": _type(entry["response_headers"])}
    return {
        "status": status,
        "statusText": HTTPStatus(status).phrase if status in set(HTTPStatus) else "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _named(entry["response_headers"]),
        "content": content if body is None else {**content, "text": body},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": content["size"] if status else -1,
    }


def _named(headers: Iterable[Iterable[str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _type(headers: Iterable[Iterable[str]]) -> str:
    return next((value for name, value in headers if name == "content-type"), "")


def from_har(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a HAR document that `to_har` or another tool wrote. Raises KeyError, TypeError or
    ValueError if it is not one, with a note that has the entry's number."""
    return [_numbered(entry, seq) for seq, entry in enumerate(document["log"]["entries"], 1)]


def _numbered(entry: Mapping[str, Any], seq: int) -> dict[str, Any]:
    try:
        return _read(entry, seq)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        error.add_note(f"entry {seq}")
        raise


def _read(entry: Mapping[str, Any], seq: int) -> dict[str, Any]:
    request, response = entry["request"], entry["response"]
    address = urlsplit(request["url"])
    status = response["status"] or None
    duration = max(0.0, float(entry["time"]))
    ours: Mapping[str, Any] = entry.get("_cnx") or {}
    body = response.get("content", {}).get("text")
    headers = _pairs(response["headers"])
    if not ours and body is None:  # many tools leave bodies out: the client may still have had one
        headers = [header for header in headers if header[0] != "content-length"]
    changed = request["method"] not in ("GET", "HEAD", "OPTIONS") and status is not None and status < 300
    return {
        "seq": seq,
        "request_id": next((value for name, value in headers if name == "x-request-id"), ""),
        "duration_ms": duration,
        "committed": changed,
        **ours,
        "wall": format_instant_ms(parse_instant(entry["startedDateTime"])),
        "connection": entry.get("connection"),
        "method": request["method"],
        "path": address.path or "/",
        "query": address.query,
        "status": status,
        "request_headers": [[name, _safe(name, value)] for name, value in _pairs(request["headers"])],
        "request_body": (request.get("postData") or {}).get("text"),
        "response_headers": headers,
        "response_body": body,
    }


def _pairs(headers: Iterable[Mapping[str, str]]) -> list[list[str]]:
    return [[each["name"].lower(), each["value"]] for each in headers]


def _safe(name: str, value: str) -> str:
    """Return a header's value without a usable key: other tools save keys in full."""
    ours = value in ("live", "missing", "revoked", "malformed") or is_shortened(value)
    return described(value.encode("latin-1", "replace")) if name == "authorization" and not ours else value
